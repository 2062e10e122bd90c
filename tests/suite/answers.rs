//! How answers look, and what happens when nobody can read them.

use crate::harness::{Image, Registry, Tool};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry whose `a:v1` is this document.
fn serving(document: &str) -> (Registry, String) {
    let registry = Registry::start();
    registry.manifest("a", "v1", OCI_MANIFEST, document);
    let name = registry.image("a:v1");
    (registry, name)
}

/// A registry whose `a:v1` has this label `a`.
fn labelled(value: &str) -> (Registry, String) {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", value);
    image.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    (registry, name)
}

#[test]
fn keys_and_numbers_stay_as_they_were_written() {
    let document = "{\"schemaVersion\":2, \"z\":[1.0,-0.50,1e2,123456789012345678901234567890],\n\
                    \t\"a\":{\"b\":{},\"A\":[]}}\n\n";
    let (_registry, name) = serving(document);
    let tool = Tool::new();
    tool.again(["manifest", "-r", &name])
        .run()
        .success(document);
    let indented = "{\n  \"schemaVersion\": 2,\n  \"z\": [\n    1.0,\n    -0.50,\n    1e2,\n    \
                    123456789012345678901234567890\n  ],\n  \"a\": {\n    \"b\": {},\n    \
                    \"A\": []\n  }\n}\n";
    tool.again(["manifest", &name]).run().success(indented);
    tool.again(["manifest", "-q", ".", &name])
        .run()
        .success(indented);
    let line = "{\"schemaVersion\":2,\"z\":[1.0,-0.50,1e2,123456789012345678901234567890],\
                \"a\":{\"b\":{},\"A\":[]}}\n";
    let filter = ["manifest", "-r", "-q", ".", &name];
    tool.again(filter).run().success(line);
}

#[test]
fn values_are_indented_or_on_one_line() {
    let (_registry, name) = labelled("b c");
    let tool = Tool::new();
    let indented = "{\n  \"a\": \"b c\"\n}\n";
    tool.again(["labels", &name]).run().success(indented);
    tool.again(["labels", "--json", &name])
        .run()
        .success(indented);
    let line = "{\"a\":\"b c\"}\n";
    tool.again(["labels", "--raw", &name]).run().success(line);
    for options in ["-v", "-r", "--json"] {
        let tags = tool.again(["tags", options, &name]).run();
        tags.status(0).stdout("[\"v1\"]\n");
    }
}

#[test]
fn texts_have_a_json_form() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let tool = Tool::new();
    let bare = format!("{digest}\n");
    tool.again(["digest", &name]).run().success(&bare);
    tool.again(["digest", "-r", &name]).run().success(&bare);
    tool.again(["digest", "-q", ".", &name])
        .run()
        .success(&bare);
    let json = format!("\"{digest}\"\n");
    tool.again(["digest", "--json", &name]).run().success(json);
    let verified = "[\n  {\n    \"test\": \"manifest digest\",\n    \"passed\": true,\n    \
                    \"why\": null\n  },\n  {\n    \"test\": \"config digest\",\n    \
                    \"passed\": true,\n    \"why\": null\n  }\n]\n";
    let verify = tool.again(["verifytool", "--json", &name]);
    verify.run().success(verified);
}

const COLORED: &str = "\x1b[1;39m{\x1b[0m\n  \x1b[34;1m\"a\"\x1b[0m\x1b[1;39m:\x1b[0m \
                       \x1b[0;32m\"b\"\x1b[0m\n\x1b[1;39m}\x1b[0m\n";
const PLAIN: &str = "{\n  \"a\": \"b\"\n}\n";

#[test]
fn json_is_coloured_on_a_terminal_and_where_it_is_wished() {
    let (_registry, name) = labelled("b");
    let labels = Tool::new().args(["labels", &name]);
    let forced = |value: &str| labels.clone().env("CLICOLOR_FORCE", value);
    let refused = |tool: Tool, value: &str| tool.env("NO_COLOR", value);
    for (tool, pipe, terminal) in [
        (labels.clone(), PLAIN, COLORED),
        (labels.clone().arg("--color=auto"), PLAIN, COLORED),
        (labels.clone().arg("--color=always"), COLORED, COLORED),
        (labels.clone().arg("--color=never"), PLAIN, PLAIN),
        (refused(labels.clone(), "1"), PLAIN, PLAIN),
        (refused(labels.clone(), ""), PLAIN, COLORED),
        (forced("1"), COLORED, COLORED),
        (forced("0"), PLAIN, COLORED),
        (refused(forced("1"), "1"), PLAIN, PLAIN),
        (
            refused(labels.clone(), "1").arg("--color=always"),
            COLORED,
            COLORED,
        ),
        (forced("1").arg("--color=never"), PLAIN, PLAIN),
    ] {
        tool.run().success(pipe);
        #[cfg(target_os = "linux")]
        tool.terminal(&[]).success(terminal);
    }
    let texts = Tool::new().args(["digest", "--color=always", &name]).run();
    assert!(texts.text().starts_with("sha256:"));
}

#[test]
#[cfg(target_os = "linux")]
fn what_could_drive_a_terminal_is_escaped_there() {
    let (_registry, name) = labelled("\u{1b}[2J\u{9b}2J\u{202e}\né");
    let tool = Tool::new().arg("--color=never");
    for (args, pipe, terminal) in [
        (
            ["labels", "-r"].as_slice(),
            "{\"a\":\"\\u001b[2J\u{9b}2J\u{202e}\\né\"}\n",
            "{\"a\":\"\\u001b[2J\\u009b2J\\u202e\\né\"}\n",
        ),
        (
            &["labels", "-q", ".a"],
            "\u{1b}[2J\u{9b}2J\u{202e}\né\n",
            "\\u{1b}[2J\\u{9b}2J\\u{202e}\né\n",
        ),
    ] {
        let asked = tool.clone().args(args).arg(&name);
        asked.run().success(pipe);
        asked.terminal(&[]).success(terminal);
    }
    let document = "{\"schemaVersion\":2,\r\n\t\"a\":\"\u{9b}2J\u{202e}\u{7f}é\"}\n";
    let (_registry, name) = serving(document);
    let asked = tool.clone().args(["manifest", "-r", &name]);
    asked.run().success(document);
    let escaped = "{\"schemaVersion\":2,\n\t\"a\":\"\\u009b2J\\u202e\\u007fé\"}\n";
    asked.terminal(&[]).success(escaped);
}

#[test]
fn messages_never_drive_a_terminal() {
    let registry = Registry::start();
    let body = r#"{"errors":[{"code":"DENIED","message":"no\u001b[2J\nhint: run me"}]}"#;
    let denied = crate::harness::Response::new(403).body(body);
    registry.answer("GET", "/v2/a/manifests/v1", denied);
    let name = registry.image("a:v1");
    let expected = format!(
        "docker-registry: {name}: manifest v1: access forbidden \
         (no\\u{{1b}}[2J\\u{{a}}hint: run me)\n"
    );
    Tool::new().args(["labels", &name]).run().fails(4, expected);
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    let (_registry, name) = labelled("b");
    let tool = Tool::new();
    for args in [
        ["labels", &name].as_slice(),
        &["manifest", "-r", &name],
        &["digest", &name],
        &["labels", &name, &name, "-j1"],
        &["labels", "-q", "repeat(1)", &name],
        &["labels", "-q", "repeat(\"text\")", &name, &name],
        &["tags", &name],
        &["--help"],
        &["generate", "man"],
    ] {
        tool.again(args).closed_stdout().run().success("");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_failure() {
    let (_registry, name) = labelled("b");
    let tool = Tool::new().stdout_to("/dev/full");
    for args in [
        ["labels", &name].as_slice(),
        &["config", "-r", &name],
        &["digest", &name],
        &["digest", &name, &name],
        &["labels", "-q", "repeat(1)", &name],
        &["tags", &name],
        &["--help"],
        &["generate", "man"],
    ] {
        let expected = "docker-registry: standard output: no space left on device\n";
        tool.again(args).run().fails(1, expected);
    }
}
