//! Which image of an index is meant, and what is said when none is.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Registry, Tool, indented};

/// What the index of most tests offers, in this order.
const OFFERED: [&str; 9] = [
    "linux/386",
    "linux/arm/v5",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/arm64/v8",
    "linux/amd64",
    "linux/amd64/v3",
    "windows/amd64:10.0.17763.5122",
    "windows/amd64:10.0.20348.2113",
];

/// A registry with `a:v1`, an index of images for these platforms.
fn offering(platforms: &[&str]) -> Registry {
    let registry = Registry::start();
    let index = Index::new().oci();
    let index = platforms
        .iter()
        .fold(index, |index, platform| index.image(image(platform)));
    index.push_to(&registry, "a", "v1");
    registry
}

fn image(platform: &str) -> Image {
    Image::new(platform).label("platform", platform)
}

#[test]
fn dockers_default_platform_is_the_default() {
    let registry = offering(&OFFERED);
    let tool = Tool::new().env("DOCKER_DEFAULT_PLATFORM", "linux/arm/v6");
    for (options, chosen) in [
        ("", "linux/arm/v6"),
        ("--platform linux/386", "linux/386"),
        ("--arch amd64", "linux/amd64"),
    ] {
        let asked = tool.again(["labels", "-q", ".platform"]);
        let asked = asked.args(options.split_whitespace());
        asked
            .arg(registry.image("a:v1"))
            .run()
            .success(format!("{chosen}\n"));
    }
    let wrong = Tool::new().env("DOCKER_DEFAULT_PLATFORM", "linux//x");
    wrong.args(["labels", "a"]).run().fails(
        2,
        "docker-registry: DOCKER_DEFAULT_PLATFORM: \
         --platform wants OS/ARCH[/VARIANT][:OSVERSION], local or all, not 'linux//x'\n",
    );
}

#[test]
fn local_is_this_machine() {
    let os = std::env::consts::OS.replace("macos", "darwin");
    let (arch, other) = match std::env::consts::ARCH {
        "x86_64" => ("amd64", "arm64"),
        "aarch64" => ("arm64", "amd64"),
        arch => (arch, "amd64"),
    };
    let platforms = [
        "plan9/386",
        &format!("{os}/{other}"),
        &format!("{os}/{arch}"),
    ];
    let registry = offering(&platforms);
    let tool = Tool::new().args(["labels", "-q", ".platform", "--platform", "local"]);
    let output = tool.arg(registry.image("a:v1")).run();
    output.success(format!("{os}/{arch}\n"));
}

#[test]
fn the_best_of_what_fits_is_chosen() {
    let registry = offering(&OFFERED);
    let tool = Tool::new();
    for (options, chosen) in [
        ("--platform linux/amd64", "linux/amd64"),
        ("--platform linux/x86_64", "linux/amd64"),
        ("--platform amd64", "linux/amd64"),
        ("--platform=Linux/amd64", "linux/amd64"),
        ("--platform linux/amd64/v4", "linux/amd64/v3"),
        ("--platform linux/amd64/v2", "linux/amd64"),
        ("--arch amd64 --variant v3", "linux/amd64/v3"),
        ("--arch x86_64", "linux/amd64"),
        ("--arch i386", "linux/386"),
        ("--arch aarch64", "linux/arm64/v8"),
        ("--arch arm64 --variant v8", "linux/arm64/v8"),
        ("--arch arm", "linux/arm/v7"),
        ("--arch armhf", "linux/arm/v7"),
        ("--arch armel", "linux/arm/v6"),
        ("--arch arm --variant v6", "linux/arm/v6"),
        ("--arch arm --variant 5", "linux/arm/v5"),
        ("--platform windows/amd64", "windows/amd64:10.0.17763.5122"),
        ("--os windows --arch amd64", "windows/amd64:10.0.17763.5122"),
        (
            "--platform windows/amd64:10.0.20348",
            "windows/amd64:10.0.20348.2113",
        ),
        (
            "--platform windows --arch x86_64",
            "windows/amd64:10.0.17763.5122",
        ),
    ] {
        let filter = ["-q", "\"\\(.platform) \\($platform)\"", "labels"];
        let asked = tool.again(filter).args(options.split(' '));
        let output = asked.arg(registry.image("a:v1")).run();
        output.success(format!("{chosen} {chosen}\n"));
    }
}

#[test]
fn without_a_word_it_is_linux_on_this_machine() {
    let here = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    let platform = format!("linux/{here}");
    let registry = offering(&["windows/amd64", "linux/none", &platform]);
    let filter = ["labels", "-q", ".platform", &registry.image("a:v1")];
    Tool::new().args(filter).run().success(platform + "\n");
}

#[test]
fn when_nothing_fits_the_message_says_what_there_is() {
    let registry = offering(&OFFERED);
    let name = registry.image("a:v1");
    let tool = Tool::new();
    for (options, wanted) in [
        ("--arch s390x", "linux/s390x"),
        ("--os darwin --arch arm64", "darwin/arm64"),
        ("--platform linux/arm/v4", "linux/arm/v4"),
        ("--platform linux/arm64/v7", "linux/arm64/v7"),
        ("--platform windows/amd64:10.0.2", "windows/amd64:10.0.2"),
    ] {
        let asked = tool.again(["id"]).args(options.split(' ')).arg(&name);
        asked.run().fails(
            3,
            format!(
                "docker-registry: {name}: no image for {wanted}\nhint: available: {}\n",
                OFFERED.join(", ")
            ),
        );
    }
}

#[test]
fn an_index_of_nothing_says_so() {
    let registry = offering(&[]);
    let name = registry.image("a:v1");
    let digest = Tool::new().args(["digest", "--arch", "amd64", &name]);
    digest.run().fails(
        3,
        format!(
            "docker-registry: {name}: no image for linux/amd64\nhint: the index lists no image\n"
        ),
    );
    let all = Tool::new().args(["digest", "--platform", "all", &name]);
    all.run().success("{}\n");
}

#[test]
fn the_platform_of_a_single_image_is_checked_only_if_asked_for() {
    let registry = Registry::start();
    let digest = image("windows/amd64:10.0.17763.5122").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let tool = Tool::new();
    for options in [
        "-r",
        "--os windows",
        "--arch x86_64",
        "--platform windows/amd64:10.0",
    ] {
        let asked = tool.again(["digest"]).args(options.split(' ')).arg(&name);
        asked.run().success(format!("{digest}\n"));
    }
    for (options, wanted) in [
        ("--os linux --arch amd64", "linux/amd64"),
        ("--platform linux/amd64", "linux/amd64"),
        ("--platform windows/arm64", "windows/arm64"),
        ("--platform windows/amd64:11", "windows/amd64:11"),
    ] {
        let asked = tool.again(["digest"]).args(options.split(' ')).arg(&name);
        asked.run().fails(
            3,
            format!(
                "docker-registry: {name}: no image for {wanted}\n\
                 hint: the image is only for windows/amd64:10.0.17763.5122\n"
            ),
        );
    }
}

#[test]
fn the_answer_for_all_platforms_has_one_shape() {
    let (one, other) = (image("linux/arm64/v8"), image("windows/amd64:10.0.1"));
    let attested = Index::new().oci().image(one.clone()).attestation();
    let both = attested.clone().image(other.clone());
    let registry = Registry::start();
    one.push_to(&registry, "a", "single");
    attested.push_to(&registry, "a", "list");
    both.push_to(&registry, "a", "both");
    let tool = Tool::new();
    let all = ["--platform", "all"];
    for (command, of) in [
        (
            "digest",
            (|image| json!(image.digest())) as fn(&Image) -> Value,
        ),
        ("id", |image| json!(image.config_digest())),
        ("config", |image| parsed(image.config())),
        ("manifest", |image| parsed(image.manifest())),
        ("labels", |image| {
            parsed(image.config())["config"]["Labels"].clone()
        }),
        ("history", |image| parsed(image.config())["history"].clone()),
        ("layers", |_| json!([])),
    ] {
        let single = indented(json!({"linux/arm64/v8": of(&one)}).to_string());
        let two = json!({"linux/arm64/v8": of(&one), "windows/amd64:10.0.1": of(&other)});
        for (name, answer) in [
            ("a:single", &single),
            ("a:list", &single),
            ("a:both", &indented(two.to_string())),
        ] {
            let asked = tool.again([command]).args(all).arg(registry.image(name));
            asked.run().success(answer);
        }
        let raw = tool.again([command, "-r"]).args(all);
        let raw = raw.arg(registry.image("a:both")).run();
        raw.success(format!("{two}\n"));
    }
}

fn parsed(json: Vec<u8>) -> Value {
    serde_json::from_slice(&json).unwrap()
}

#[test]
fn of_two_images_for_one_platform_the_first_counts() {
    let (first, second) = (image("linux/amd64").label("n", "1"), image("linux/amd64"));
    let registry = Registry::start();
    let index = Index::new().image(first.clone()).image(second);
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let digest = Tool::new().args(["digest", "--platform", "linux/amd64", &name]);
    digest.run().success(first.digest() + "\n");
    let all = Tool::new().args(["digest", "--raw", "--platform", "all", &name]);
    let expected = json!({"linux/amd64": first.digest()});
    all.run().success(format!("{expected}\n"));
}

#[test]
fn a_filter_over_all_platforms_sees_the_whole_object() {
    let registry = offering(&["linux/amd64", "linux/arm64"]);
    let filter = ["-q", "map_values(.platform), $platform", "-r"];
    let asked = Tool::new()
        .args(["labels", "--platform", "all"])
        .args(filter);
    let expected = "{\"linux/amd64\":\"linux/amd64\",\"linux/arm64\":\"linux/arm64\"}\nnull\n";
    asked.arg(registry.image("a:v1")).run().success(expected);
}

#[test]
fn a_platform_that_fails_is_not_the_failure_of_the_others() {
    let registry = offering(&["linux/amd64", "linux/arm64"]);
    let name = registry.image("a:v1");
    let blob = format!("/v2/a/blobs/{}", image("linux/arm64").config_digest());
    registry.fail(&blob, 403);
    let asked = Tool::new().args(["labels", "--platform", "all", &name]);
    let digest = image("linux/arm64").config_digest();
    let why = format!("linux/arm64: blob {digest}: access forbidden");
    let output = asked.arg("-r").run().status(4);
    let output = output.stdout("{\"linux/amd64\":{\"platform\":\"linux/amd64\"}}\n");
    output.stderr(format!("docker-registry: {name}: {why}\n"));
}

#[test]
fn what_is_not_about_a_platform_refuses_all_of_them() {
    let registry = Registry::start();
    let name = registry.image("a@sha256:") + &"0".repeat(64);
    for (command, operand) in [
        ("tags", &*name),
        ("manifestlist", &name),
        ("digestlist", &name),
        ("ratelimit", &name),
        ("delete", &name),
        ("catalog", &registry.host()),
        ("generate", "man"),
    ] {
        let asked = Tool::new().args([command, "--platform", "all", operand]);
        let why = format!(
            "--platform all cannot be used with '{command}', which does not depend on the platform"
        );
        asked.run().fails(2, format!("docker-registry: {why}\n"));
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn a_malformed_platform_is_a_usage_error() {
    let registry = Registry::start();
    let name = registry.image("a:v1");
    let shape = "--platform wants OS/ARCH[/VARIANT][:OSVERSION], local or all";
    for (options, why) in [
        ("--platform linux//v7", format!("{shape}, not 'linux//v7'")),
        ("--platform a/b/c/d", format!("{shape}, not 'a/b/c/d'")),
        (
            "--platform linux/amd64:",
            format!("{shape}, not 'linux/amd64:'"),
        ),
        (
            "--platform all --arch amd64",
            "--platform all cannot be used with --os, --arch or --variant".to_owned(),
        ),
    ] {
        let asked = Tool::new()
            .arg("digest")
            .args(options.split(' '))
            .arg(&name);
        asked.run().fails(2, format!("docker-registry: {why}\n"));
    }
    assert_eq!(registry.accepted(), 0);
}
