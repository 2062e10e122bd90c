//! `DOCKER_REGISTRY_OPTIONS`: options that every run has.

use crate::harness::{Image, Index, Registry, Tool};

/// An image for two platforms, whose labels name them.
fn registry() -> Registry {
    let registry = Registry::start();
    let index = ["linux/amd64", "linux/arm64"]
        .iter()
        .fold(Index::new(), |index, platform| {
            index.image(Image::new(platform).label("platform", platform))
        });
    index.push_to(&registry, "a", "v1");
    registry
}

fn with(options: &str) -> Tool {
    Tool::new().env("DOCKER_REGISTRY_OPTIONS", options)
}

#[test]
fn the_command_line_wins() {
    let registry = registry();
    let name = registry.image("a:v1");
    let text = |platform: &str| format!("{{\n  \"platform\": \"{platform}\"\n}}\n");
    let line = |platform: &str| format!("{{\"platform\":\"{platform}\"}}\n");
    for (usual, given, expected) in [
        ("--platform linux/arm64", "", text("linux/arm64")),
        (
            "--platform linux/arm64",
            "--platform linux/amd64",
            text("linux/amd64"),
        ),
        (
            "--platform linux/arm64/v8 -r",
            "--arch amd64",
            line("linux/amd64"),
        ),
        ("--platform all", "--arch arm64", text("linux/arm64")),
        (
            "--arch=arm64 --variant v8",
            "--platform linux/amd64",
            text("linux/amd64"),
        ),
        ("--arch arm64 -t", "-r", line("linux/arm64")),
        ("--arch arm64 -t", "--json", text("linux/arm64")),
        (
            "-q '.platform | \"a b\"' --arch arm64",
            "",
            "a b\n".to_owned(),
        ),
        (
            "--arg x 1 --arg y 2 --arch arm64",
            "--arg y 3 -q $x+$y",
            "13\n".to_owned(),
        ),
        (
            "--arch arm64 --max-age 10m",
            "--no-cache",
            text("linux/arm64"),
        ),
        ("--arch arm64 --offline", "--wait 1s", text("linux/arm64")),
        (
            "--media-type a/b --arch arm64",
            "--index",
            text("linux/arm64"),
        ),
        (" \t\n", "--arch arm64", text("linux/arm64")),
    ] {
        let tool = with(usual).args(["labels", &name]);
        tool.args(given.split_whitespace()).run().success(expected);
    }
}

#[test]
fn v_shows_them_without_secrets() {
    let registry = registry();
    let name = registry.image("a:v1");
    let usual = "--arch arm64 -u me:secret --arg token secret \
                 --mirror other.example=https://mirror.example";
    let output = with(usual)
        .args(["digestlist", "-v", &name])
        .run()
        .status(0);
    let expected = "docker-registry: DOCKER_REGISTRY_OPTIONS: --arch arm64 --user … --arg … \
                    --mirror other.example=https://mirror.example\n";
    let stderr = output.messages();
    assert!(stderr.starts_with(expected), "{stderr}");
    assert!(!stderr.contains("secret"), "{stderr}");
    // What the command line replaces is not in effect.
    let output = with("--timeout 3")
        .args(["digestlist", "-v", "--timeout=4", &name])
        .run();
    assert!(!output.messages().contains("DOCKER_REGISTRY_OPTIONS"));
}

#[test]
fn an_error_names_the_variable() {
    let only = "only options of all commands may\n";
    for (usual, why) in [
        (
            "--retries x",
            "--retries wants a number, not 'x'\n".to_owned(),
        ),
        ("--platform", "--platform wants PLATFORM\n".to_owned()),
        (
            "--retires 1",
            "unknown option '--retires'\nhint: did you mean '--retries'?\n".to_owned(),
        ),
        ("-r 'a", "a quote is not closed\n".to_owned()),
        (
            "secret",
            format!("an operand may not stand there\nhint: {only}"),
        ),
        (
            "-- -r",
            format!("an operand may not stand there\nhint: {only}"),
        ),
        (
            "--layers",
            format!("--layers may not stand there\nhint: {only}"),
        ),
        (
            "--images f",
            format!("--images may not stand there\nhint: {only}"),
        ),
        ("-h", format!("--help may not stand there\nhint: {only}")),
        (
            "--version",
            format!("--version may not stand there\nhint: {only}"),
        ),
    ] {
        let output = with(usual).args(["labels", "a.b/c"]).run();
        let expected = format!("docker-registry: DOCKER_REGISTRY_OPTIONS: {why}");
        output.fails(2, expected);
    }
    // What is found out later.
    for (usual, given, why) in [
        (
            "--timeout 0",
            "labels a.b/c",
            "--timeout wants more than 0 seconds",
        ),
        ("-t -r", "labels a.b/c", "--table cannot be used with --raw"),
        (
            "--wait 1s",
            "catalog a.b",
            "--wait cannot be used with 'catalog'",
        ),
    ] {
        let output = with(usual).args(given.split(' ')).run();
        let shown = usual.replace("-t -r", "--table --raw");
        output.fails(
            2,
            format!("docker-registry: {why}\nhint: DOCKER_REGISTRY_OPTIONS adds {shown}\n"),
        );
    }
}

#[test]
fn help_and_completions_do_without_them() {
    for args in [&["--help"][..], &["labels", "-h"], &["-V"], &[]] {
        let plain = Tool::new().args(args).run();
        with("--xyzzy").args(args).run().success(plain.text());
    }
    let completed = with("--xyzzy")
        .args(["__complete", "labels", "--raw"])
        .run();
    let described = "--raw\tPrint exact bytes, computed JSON on one line\n:4\n";
    completed.success(described);
    let metadata = with("--xyzzy").arg("docker-cli-plugin-metadata").run();
    assert!(
        metadata
            .status(0)
            .stderr("")
            .text()
            .contains("SchemaVersion")
    );
}
