//! `--table` shows answers to people.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::harness::{Image, Registry, Tool};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A registry with an image `a:v1` of two layers, the first one large.
fn registry() -> (Registry, String) {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").raw_layer(vec![0; 3_000_000], DIGEST, "ADD large");
    let image = image.raw_layer(vec![1; 400_000], DIGEST, "ADD\tsmall \\\n  files");
    image
        .label("org.example.name", "a b")
        .push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    (registry, name)
}

/// What a filter gives, as a table.
fn filtered(filter: &str) -> Tool {
    let (_registry, name) = registry();
    let tool = Tool::new().args(["labels", &name]);
    tool.run().status(0).stderr("");
    // The image is in the cache.
    let tool = tool.again(["labels", "--offline", "-t", "-q", filter]);
    tool.arg(name)
}

#[test]
fn objects_are_lines_and_sizes_have_bars() {
    let (_registry, name) = registry();
    let filter = "map({size, diffId, createdBy})";
    let tool = Tool::new().args(["layers", "-t", "-q", filter, &name]);
    tool.run().success(
        "  SIZE              DIFF ID       CREATED BY\n\
         3.0 MB  ##########  0123456789ab  ADD large\n\
         0.4 MB  ##          0123456789ab  ADD small \\ files\n",
    );
    let long = tool.again(["layers", "--table", "-q", filter, &name]);
    assert_eq!(long.run().status(0).text(), tool.run().status(0).text());
}

#[test]
fn values_are_shown_for_people() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let filter = format!(
        r#"[{{"tag": "20260102T030405Z", "created": ({} - 3600 * 50 | todate), "platforms": ["linux/amd64", "linux/arm64"], "size": 49999}},
            {{"tag": "b", "size": 94500000, "platform": {{"os": "linux", "architecture": "arm", "variant": "v7"}}, "n": 1.50}},
            {{"size": null, "is": true, "more": {{"a": [1]}}, "platforms": []}}]"#,
        now.as_secs()
    );
    filtered(&filter).run().success(
        "TAG               CREATED     PLATFORMS                    SIZE              PLATFORM         N  IS    MORE\n\
         20260102T030405Z  2 days ago  linux/amd64, linux/arm64  <0.1 MB  #           -                -  -     -\n\
         b                 -           -                         94.5 MB  ##########  linux/arm/v7  1.50  -     -\n\
         -                 -           -                               -              -                -  true  {\"a\":[1]}\n",
    );
}

#[test]
fn an_object_is_a_line_for_each_member_or_for_each_object_in_it() {
    for (filter, expected) in [
        (
            r#"{"name": "a", "layers": 12, "unpacked": 2000000}"#,
            "name      a\nlayers    12\nunpacked  2.0 MB\n",
        ),
        (
            r#"{"linux/amd64": {"size": 200000, "a.b": 1}, "linux/arm64": {"a.b": 20}}"#,
            "               SIZE              a.b\n\
             linux/amd64  0.2 MB  ##########    1\n\
             linux/arm64       -               20\n",
        ),
        (
            r#"{"linux/amd64": [{"a": 1}, {"a": 2}], "linux/arm64": []}"#,
            "             A\nlinux/amd64  1\nlinux/amd64  2\n",
        ),
        // Several results are as good as an array.
        (r#"{"a": 1}, {"b": "x"}"#, "A  B\n1  -\n-  x\n"),
        (r#"[{"a": 1}], 2"#, "A  LABELS\n1       -\n-       2\n"),
        ("{}", ""),
        ("[]", ""),
        ("empty", ""),
    ] {
        filtered(filter).run().success(expected);
    }
}

#[test]
fn what_is_no_table_is_printed_as_ever() {
    let (registry, name) = registry();
    let tool = Tool::new();
    let digest = tool.again(["digest", &name]).run().status(0);
    let table = tool.again(["digest", "-t", &name]).run();
    table.success(digest.text());
    let table = tool.again(["tags", "-t", &name]).run();
    table.success("v1\n");
    for (filter, expected) in [
        ("\"a\\tb\", 1, null", "a\tb\n1\nnull\n"),
        (&format!("[\"{DIGEST}\"]"), &format!("{DIGEST}\n")),
    ] {
        filtered(filter).run().success(expected);
    }
    drop(registry);
}

#[test]
fn several_images_make_one_table() {
    let (registry, name) = registry();
    let other = registry.image("b:v1");
    Image::new("linux/arm64")
        .label("x", "y")
        .push_to(&registry, "b", "v1");
    registry.absent("/v2/c/manifests/v1");
    let tool = Tool::new();
    let missing = registry.image("c:v1");
    let output = tool.again(["labels", "-t", &name, &missing, &other]).run();
    let expected = format!(
        "{:1$}  org.example.name  X\n{name}  a b               -\n{other}  -                 y\n",
        "IMAGE",
        name.len()
    );
    let stderr = format!(
        "docker-registry: {missing}: manifest v1: not found (manifest unknown)\n\
         hint: the command 'tags' lists the tags that there are\n"
    );
    output.status(3).stdout(expected).stderr(stderr);
    let output = tool.again(["tags", "-t", &name, &other]).run();
    let expected = format!(
        "{:1$}  TAGS\n{name}  v1\n{other}  v1\n",
        "IMAGE",
        name.len()
    );
    output.success(expected);
    let filter = "{image: $image, n: length}";
    let output = tool
        .again(["labels", "-t", "-q", filter, &name, &other])
        .run();
    let expected = format!("{:1$}  N\n{name}  1\n{other}  1\n", "IMAGE", name.len());
    output.success(expected);
}

#[test]
fn platforms_have_a_column() {
    let (_registry, name) = registry();
    let tool = Tool::new().args(["size", "-t", "--platform", "all", &name]);
    tool.run().success(
        "PLATFORM     COMPRESSED  UNPACKED  LAYERS\nlinux/amd64      3.4 MB  -              2\n",
    );
}

#[test]
fn the_state_of_a_batch_is_saved_when_its_table_is_printed() {
    let (registry, name) = registry();
    let tool = Tool::new();
    let changed = |status: i32| {
        let args = ["changed", "-t", "--state", "state", &name, &name];
        let tool = tool.again(args);
        let output = if status == 1 {
            tool.stdout_to("/dev/full")
        } else {
            tool
        };
        output.run().status(status)
    };
    changed(1);
    changed(0);
    let output = changed(8);
    assert_eq!(output.text().matches("unchanged").count(), 2);
    drop(registry);
}

#[test]
#[cfg(target_os = "linux")]
fn a_table_fits_on_a_terminal_and_cannot_drive_it() {
    let filter = format!(
        r#"[{{"digest": "{DIGEST}", "size": 3000000, "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "name": "日本\u001b[2J\u202e語"}},
            {{"size": 100000, "name": ("long " * 30)}}]"#
    );
    let tool = filtered(&filter).args(["--color", "never"]);
    let shown = tool.terminal(&[]).status(0);
    assert_eq!(
        shown.text(),
        "DIGEST          SIZE              MEDIA TYPE              NAME\n\
         0123456789ab  3.0 MB  ##########  …age.layer.v1.tar+gzip  日本\\u{1b}[2J\\u{202e}…\n\
         -             0.1 MB  #           -                       long long long long l…\n"
    );
    let colored = filtered(r#"[{"a": 1}, {"a": null}]"#).terminal(&[]);
    colored.success("\x1b[1;34mA\x1b[0m\n1\n-\n");
}

#[test]
fn a_table_is_neither_raw_nor_json() {
    for flag in ["--raw", "--json"] {
        let output = Tool::new().args(["layers", "-t", flag, "a.b/a"]).run();
        let message = format!("docker-registry: --table cannot be used with {flag}\n");
        output.fails(2, message);
    }
}

#[test]
fn the_last_result_decides_the_exit_code_as_ever() {
    for (filter, status) in [("[{}]", 0), ("{\"a\": 1}, false", 8), ("empty", 8)] {
        let output = filtered(filter).arg("-e").run();
        output.status(status).stderr("");
    }
}

#[test]
fn columns_have_a_limit() {
    let output = filtered("[range(257) | {\"a\\(.)\": 1}]").run();
    output.fails(
        1,
        "docker-registry: a table of more than 256 columns\n\
         hint: a filter can choose what is shown: -q 'map({tag, size})'\n",
    );
}
