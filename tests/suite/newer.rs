//! `newer` finds tags that are greater and written alike.

use crate::harness::{Image, Registry, Tool};

const TAGS: [&str; 12] = [
    "8.4.1-alpine",
    "8.4.2-alpine",
    "8.4.10-alpine",
    "8.5.0-alpine",
    "9.0.0-alpine",
    "10.0-alpine",
    "11.0.0",
    "v12.0.0-alpine",
    "8.4.3-alpine3.19",
    "9.0.0_alpine",
    "latest",
    "3f2a1b",
];

fn registry() -> Registry {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push(&registry, "a", None);
    registry.tags("a", TAGS.map(str::to_owned), &digest);
    registry
}

#[test]
fn newer_tags_are_greater_and_have_the_same_shape() {
    let registry = registry();
    for (options, tag, expected) in [
        (
            "",
            "8.4.2-alpine",
            r#"["9.0.0-alpine","8.5.0-alpine","8.4.10-alpine"]"#,
        ),
        (
            "--major",
            "8.4.2-alpine",
            r#"["9.0.0-alpine","8.5.0-alpine","8.4.10-alpine"]"#,
        ),
        (
            "--minor",
            "8.4.2-alpine",
            r#"["8.5.0-alpine","8.4.10-alpine"]"#,
        ),
        ("--patch", "8.4.2-alpine", r#"["8.4.10-alpine"]"#),
        ("--minor --patch", "8.4.2-alpine", r#"["8.4.10-alpine"]"#),
        // A tag that is not there is as good: only its name counts.
        ("", "1.2.3", r#"["11.0.0"]"#),
        ("", "1-alpine", "[]"),
        ("--patch", "9-alpine", "[]"),
        ("", "9.0.0-alpine", "[]"),
        ("", "v2.0.0-alpine", r#"["v12.0.0-alpine"]"#),
    ] {
        let image = registry.image(&format!("a:{tag}"));
        let tool = Tool::new().arg("newer").args(options.split_whitespace());
        let status = if expected == "[]" { 8 } else { 0 };
        let output = tool.arg(&image).run().status(status).stderr("");
        assert_eq!(output.text(), format!("{expected}\n"), "{options} {tag}");
    }
    registry.take();
    let image = registry.image("a:8.4.2-alpine");
    Tool::new()
        .args(["newer", "-q", ".[0]", &image])
        .run()
        .success("9.0.0-alpine\n");
    assert_eq!(registry.take(), ["GET /v2/a/tags/list"]);
}

#[test]
fn what_is_no_version_has_nothing_newer() {
    let registry = registry();
    for (image, tag) in [
        (registry.image("a"), "latest"),
        (registry.image("a:3f2a1b"), "3f2a1b"),
        (registry.image(&format!("a@sha256:{}", "0".repeat(64))), ""),
    ] {
        let why = format!("newer wants a tag that is a version, such as 1.2.3, not '{tag}'");
        let output = Tool::new().args(["newer", &image]).run();
        output.fails(2, format!("docker-registry: {image}: {why}\n"));
    }
    assert_eq!(registry.take(), [""; 0]);
}
