//! The built-in jq, from the command line to the exit code.

use crate::harness::{Image, Index, Registry, Tool};

/// A registry with `a:v1`, whose labels are `a`: `b` and `n`: `1`.
fn labelled() -> (Registry, String) {
    let registry = Registry::start();
    let image = Image::new("linux/arm64/v8").label("a", "b").label("n", "1");
    let index = Index::new().image(image.clone());
    index.push_to(&registry, "a", "v1");
    image.push_to(&registry, "a", "single");
    let name = registry.image("a:v1");
    (registry, name)
}

fn labels(options: &[&str], name: &str) -> Tool {
    Tool::new()
        .args(["labels", "--arch=arm64"])
        .args(options)
        .arg(name)
}

#[test]
fn strings_print_bare_and_the_rest_as_json() {
    let (_registry, name) = labelled();
    for (options, expected) in [
        (["-q", ".a"].as_slice(), "b\n"),
        (&["-q", ".[]"], "b\n1\n"),
        (&["-q", ".missing"], "null\n"),
        (&["-q", "[.a, (.n | tonumber)]"], "[\n  \"b\",\n  1\n]\n"),
        (&["-rq", "[.a, (.n | tonumber)]"], "[\"b\",1]\n"),
        (&["-q", "empty"], ""),
        (&["--jq=keys[]", "--json"], "a\nn\n"),
        (&["-q", ".a", "-q", ".n"], "1\n"),
        (&["-q", "\"\""], "\n"),
    ] {
        labels(options, &name).run().success(expected);
    }
}

#[test]
fn arguments_image_and_platform_are_bound() {
    let (registry, name) = labelled();
    let filter = ["-q", ".[$key], $value, $image, $platform"];
    let bound = ["--arg", "key", "a", "--arg=value", "$key"];
    let asked = labels(&filter, &name).args(bound).run();
    asked.success(format!("b\n$key\n{name}\nlinux/arm64/v8\n"));
    let single = registry.image("a:single");
    let asked = Tool::new().args(["labels", "-q", "$platform", &single]);
    asked.run().success("linux/arm64/v8\n");
    let unknown = Tool::new().args(["tags", "-q", "$platform", &single]);
    unknown.run().success("null\n");
}

#[test]
fn the_environment_of_the_program_is_not_the_filters() {
    let (_registry, name) = labelled();
    let asked = labels(&["-rq", "env, $ENV"], &name).env("SECRET", "secret");
    asked.run().success("{}\n{}\n");
}

#[test]
fn the_last_result_can_be_the_exit_code() {
    let (_registry, name) = labelled();
    for (filter, code, expected) in [
        (".a", 0, "b\n"),
        (".missing", 8, "null\n"),
        (".a == \"c\"", 8, "false\n"),
        (".a == \"b\"", 0, "true\n"),
        ("empty", 8, ""),
        ("null, 0", 0, "null\n0\n"),
        ("0, null", 8, "0\nnull\n"),
        ("\"\"", 0, "\n"),
    ] {
        let asked = labels(&["-eq", filter], &name).run();
        asked.status(code).stdout(expected).stderr("");
        labels(&["-q", filter], &name).run().success(expected);
    }
    labels(&["-er"], &name)
        .run()
        .success("{\"a\":\"b\",\"n\":\"1\"}\n");
}

#[test]
fn a_filter_that_is_none_is_refused_before_any_request() {
    let registry = Registry::start();
    let name = registry.image("a:v1");
    for (options, expected) in [
        (
            ["-q", ".a | foo(1)"].as_slice(),
            "filter: no function foo/1\n  .a | foo(1)\n       ^^^\n",
        ),
        (
            &["-q", ".a | ("],
            "filter: closing parenthesis is missing\n  .a | (\n       ^\n",
        ),
        (
            &["-q", "$key"],
            "filter: no variable $key\n  $key\n  ^^^^\n",
        ),
        (
            &["-q", ".", "--arg", "image", "x"],
            "--arg image: $image is bound already\n",
        ),
        (&["-q"], "-q wants FILTER\n"),
        (&["--arg", "key"], "--arg wants NAME and VALUE\n"),
    ] {
        let asked = Tool::new().arg("labels").arg(&name).args(options);
        asked.run().fails(2, format!("docker-registry: {expected}"));
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn a_filter_that_fails_keeps_what_it_gave() {
    let (_registry, name) = labelled();
    for (filter, stdout, why) in [
        (".a, error(\"no\")", "b\n", "no"),
        (
            ".a | keys",
            "",
            "cannot use \"b\" as iterable (array or object)",
        ),
        (
            ".a | tonumber",
            "",
            "string (\"b\") cannot be parsed as a number",
        ),
        ("def f: 1 + f; f", "", "recursion without end"),
        (
            "reduce range(100000) as $i (0; [.])",
            "",
            "the result is nested too deeply",
        ),
    ] {
        let asked = labels(&["-q", filter], &name).run();
        let expected = format!("docker-registry: {name}: filter: {why}\n");
        asked.status(1).stdout(stdout).stderr(expected);
    }
}

#[test]
fn a_document_nested_too_deeply_is_an_error() {
    let registry = Registry::start();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = format!("{{\"schemaVersion\":2,\"x\":{deep}}}");
    let kind = "application/vnd.oci.image.manifest.v1+json";
    registry.manifest("a", "v1", kind, body);
    let name = registry.image("a:v1");
    for options in [["-q", "."].as_slice(), &["-r"], &[]] {
        let asked = Tool::new().arg("manifest").args(options).arg(&name);
        let output = asked.run().status(6).stdout("");
        assert!(output.messages().contains("the content is not JSON"));
    }
}

#[test]
fn several_images_are_told_apart_by_the_filter() {
    let (registry, name) = labelled();
    let single = registry.image("a:single");
    let filter = ["-q", "$image, .a"];
    let asked = labels(&filter, &name).arg(&single).run();
    asked.success(format!("{name}\nb\n{single}\nb\n"));
    let asked = labels(&["-eq", "select($image | endswith(\"v1\"))"], &name);
    let output = asked.args(["-r", &single]).run();
    output.status(8).stdout("{\"a\":\"b\",\"n\":\"1\"}\n");
}

#[test]
fn what_debug_says_is_no_answer() {
    let (_registry, name) = labelled();
    let output = labels(&["-q", ".a | debug"], &name).run();
    output
        .status(0)
        .stdout("b\n")
        .stderr("[\"DEBUG:\",\"b\"]\n");
}

/// A filter over the labels of a layout that needs no registry.
fn offline(filter: &str) -> Tool {
    let hello = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hello");
    Tool::new().args(["labels", "--arch=amd64", hello, "-q", filter])
}

#[test]
fn a_filter_has_a_gigabyte() {
    for filter in [
        "reduce range(40) as $i ([1]; . + .) | length",
        "[range(9) as $i | \"x\" * 200000000] | length",
    ] {
        let why = "docker-registry: filter: takes more than 1 GiB of memory\n";
        offline(filter).run().fails(1, why);
    }
    let half = "reduce range(24) as $i ([1]; . + .) | length";
    offline(half).run().success("16777216\n");
}

#[test]
fn a_filter_gives_a_result_within_ten_timeouts() {
    let endless = offline("def f: f; f").arg("--timeout=1");
    let why = "docker-registry: filter: no result for 10 seconds, 10 times --timeout\n";
    endless.run().fails(1, why);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_filter() {
    let (registry, name) = labelled();
    let mut running = labels(&["-q", "def f: f; f"], &name).spawn();
    while registry.accepted() == 0 {
        std::thread::yield_now();
    }
    running.interrupt();
    let output = running.wait();
    assert_eq!(
        (output.code, output.text(), output.messages()),
        (None, "", String::new())
    );
}
