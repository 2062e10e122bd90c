//! `diff` says what differs, and with its exit code whether anything does.

use serde_json::json;

use crate::harness::{Image, Index, Registry, Tool, gzip, sha256, tar};

fn image(platform: &str, version: &str) -> Image {
    let image = Image::new(platform).layer("base", b"base");
    let image = image.label("version", version).label("vendor", "me");
    image.layer("app", version.as_bytes())
}

#[test]
fn equal_images_differ_in_nothing() {
    let registry = Registry::start();
    let list = Index::new().image(image("linux/amd64", "1"));
    list.push_to(&registry, "a", "1");
    list.push_to(&registry, "b", "1");
    let (a, b) = (registry.image("a:1"), registry.image("b:1"));
    let tool = Tool::new().args(["diff", "--arch", "amd64", &a, &b]);
    tool.run().success("{}\n");
    let all = Tool::new().args(["diff", "-r", "--platform", "all", &a, &b]);
    all.run().success("{\"linux/amd64\":{}}\n");
}

#[test]
fn files_that_differ_are_named() {
    let registry = Registry::start();
    let image = |label: &str, files: &[(&str, &[u8])]| {
        let tar = tar(files);
        let image = Image::new("linux/amd64").layer("base", b"base");
        let image = image.raw_layer(gzip(&tar), &sha256(&tar), "COPY . .");
        image.label("x", label).push_to(&registry, "a", label);
        sha256(gzip(&tar))
    };
    let old = image("1", &[("etc/a", b"a"), ("etc/b", b"b"), ("c", b"c")]);
    let new = image("2", &[("etc/a", b"longer"), ("c", b"c"), ("d/e", b"")]);
    image("3", &[("c", b"c"), ("d/e", b""), ("etc/a", b"longer")]);
    let diff = |options: &[&str], from: &str, to: &str| {
        let tool = Tool::new().args(["diff", "--arch", "amd64"]).args(options);
        let output = tool
            .args([from, to].map(|tag| registry.image(&format!("a:{tag}"))))
            .run();
        output.status(8).stderr("").json()
    };
    assert!(diff(&[], "1", "2").get("files").is_none());
    let entry = |kind: &str, size: u64, layer: &str| {
        let (mode, modified) = match kind {
            "file" => ("0644", "2026-01-02T03:04:05Z"),
            _ => ("0755", "1970-01-01T00:00:00Z"),
        };
        json!({"type": kind, "mode": mode, "uid": 0, "gid": 0, "size": size,
            "modified": modified, "link": null, "layer": layer})
    };
    let files = json!({
        "removed": {"/etc/b": entry("file", 1, &old)},
        "added": {"/d": entry("directory", 0, &new), "/d/e": entry("file", 0, &new)},
        "changed": {"/etc/a": {"from": entry("file", 1, &old), "to": entry("file", 6, &new)}},
    });
    assert_eq!(diff(&["--files"], "1", "2")["files"], files);
    assert!(diff(&["--files"], "2", "3").get("files").is_none());
    let everywhere = Tool::new().args(["diff", "--files", "--platform", "all"]);
    let everywhere = everywhere.args(["1", "2"].map(|tag| registry.image(&format!("a:{tag}"))));
    let everywhere = everywhere.run().status(8).stderr("").json();
    assert_eq!(everywhere["linux/amd64"]["files"], files);
}

#[test]
fn what_differs_is_named() {
    let registry = Registry::start();
    let config = |config| Image::in_config(image("linux/amd64", "1"), "config", config);
    let before = config(json!({
        "Env": ["PATH=/bin", "OLD=1", "SAME=x=y"],
        "Labels": {"version": "1", "gone": "x"},
        "Entrypoint": ["/a"],
        "User": "",
        "WorkingDir": "/",
        "ExposedPorts": {"80/tcp": {}},
    }));
    let after = Image::in_config(
        image("linux/amd64", "2"),
        "config",
        json!({
            "Env": ["PATH=/usr/bin", "SAME=x=y", "NEW="],
            "Labels": {"version": "2", "come": "y"},
            "Entrypoint": null,
            "WorkingDir": "/",
            "Cmd": ["b"],
        }),
    );
    let after = after.in_config("created", json!("2027-01-01T00:00:00Z"));
    before.push_to(&registry, "a", "1");
    let with_arm = Index::new()
        .image(after.clone())
        .image(image("linux/arm64", "2"));
    with_arm.push_to(&registry, "a", "2");
    let tool = Tool::new().args(["diff", "--arch", "amd64"]);
    let tool = tool.args([registry.image("a:1"), registry.image("a:2")]);
    let layers = |image: &Image| image.layers().into_iter().map(crate::harness::sha256);
    let (before_layers, after_layers) = (
        Vec::from_iter(layers(&before)),
        Vec::from_iter(layers(&after)),
    );
    let expected = json!({
        "digest": {"from": before.digest(), "to": after.digest()},
        "platforms": {"removed": [], "added": ["linux/arm64"]},
        "created": {"from": "2026-01-02T03:04:05Z", "to": "2027-01-01T00:00:00Z"},
        "entrypoint": {"from": ["/a"], "to": null},
        "exposedPorts": {"from": {"80/tcp": {}}, "to": null},
        "cmd": {"from": null, "to": ["b"]},
        "labels": {
            "removed": {"gone": "x"},
            "added": {"come": "y"},
            "changed": {"version": {"from": "1", "to": "2"}},
        },
        "env": {
            "removed": {"OLD": "1"},
            "added": {"NEW": ""},
            "changed": {"PATH": {"from": "/bin", "to": "/usr/bin"}},
        },
        "layers": {
            "shared": [before_layers[0]],
            "removed": [before_layers[1]],
            "added": [after_layers[1]],
        },
    });
    let output = tool.run().status(8).stderr("");
    assert_eq!(output.json(), expected);
}

#[test]
fn one_platform_that_differs_is_a_difference() {
    let registry = Registry::start();
    let list = Index::new().image(image("linux/amd64", "1"));
    let arm = |version: &str| image("linux/arm64", version);
    let (one, two) = (list.clone().image(arm("1")), list.image(arm("2")));
    let s390x = image("linux/s390x", "1");
    one.image(s390x.clone()).push_to(&registry, "a", "1");
    two.push_to(&registry, "a", "2");
    let images = [registry.image("a:1"), registry.image("a:2")];
    let tool = Tool::new().args(["diff", "--platform", "all", "-r", "-q"]);
    let tool = tool.arg("map_values(.digest)").args(&images);
    let expected = format!(
        "{{\"linux/amd64\":null,\"linux/arm64\":{{\"from\":\"{}\",\"to\":\"{}\"}},\
         \"linux/s390x\":{{\"from\":\"{}\",\"to\":null}}}}\n",
        arm("1").digest(),
        arm("2").digest(),
        s390x.digest(),
    );
    tool.run().status(8).stdout(expected).stderr("");
}

#[test]
fn a_failure_names_the_image_that_failed() {
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "1");
    registry.absent("/v2/a/manifests/2");
    let (a, b) = (registry.image("a:1"), registry.image("a:2"));
    let output = Tool::new().args(["diff", &a, &b]).run();
    output.fails(
        3,
        format!(
            "docker-registry: {b}: manifest 2: not found (manifest unknown)\n\
             hint: the command 'tags' lists the tags that there are\n"
        ),
    );
}

#[test]
fn two_images_are_needed() {
    for images in [&["a"][..], &["a", "b", "c"]] {
        let output = Tool::new().arg("diff").args(images).run();
        let wrong = match images.len() {
            1 => "diff wants two images, not 1",
            _ => "diff wants two images, not 3",
        };
        let usage = "usage: docker-registry diff [OPTION]... IMAGE IMAGE";
        output.fails(2, format!("docker-registry: {wrong}\nhint: {usage}\n"));
    }
}
