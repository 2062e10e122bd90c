//! Help that helps: one screen to begin with, and wrong use points to the right one.

use crate::harness::{Image, Registry, Tool, sha256};

fn hello() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hello");
    format!("oci:{path}")
}

/// What the program prints, without the end of the line.
fn printed(args: &[&str]) -> String {
    let output = Tool::new().args(args).run().status(0).stderr("");
    output.text().trim_end().to_owned()
}

#[test]
fn the_bare_call_fits_one_screen() {
    let shown = Tool::new().run().status(0).stderr("");
    let lines: Vec<&str> = shown.text().lines().collect();
    assert!(lines.len() < 24, "{} lines and the prompt", lines.len());
    let widest = lines.iter().map(|line| line.chars().count()).max();
    assert!(widest < Some(80), "{widest:?} columns");
    // Every command that the full help explains is at least named.
    let full = printed(&["--help"]);
    let (_, commands) = full.split_once("\n\nUsage: ").unwrap();
    let (_, commands) = commands.split_once("\n\n").unwrap();
    let commands = commands.split("\n\n").next().unwrap();
    // A title may stand before the first of its commands; what a line goes on with, starts further right.
    let column = commands.find("tags").expect("the first command");
    let names = commands
        .lines()
        .filter_map(|line| line.get(column..)?.split(' ').next());
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    assert!(names.len() > 20, "{names:?}");
    let words: Vec<&str> = shown.text().split([' ', ',', '\n']).collect();
    for name in names {
        assert!(words.contains(&name), "{name} is not on the first screen");
    }
}

#[test]
fn every_command_has_two_examples() {
    for name in ["labels", "changed", "push", "generate"] {
        let help = printed(&["help", name]);
        let (_, examples) = help.split_once("\nExamples:\n").expect(name);
        let examples = examples.split("\n\n").next().unwrap();
        let count = examples.matches("\n    ").count();
        assert!(count >= 2, "{name}: {count}");
    }
}

#[test]
fn an_almost_right_command_is_named() {
    let message = "docker-registry: unknown command 'manifests'\nhint: did you mean 'manifest'?\n";
    Tool::new().args(["manifests", "x"]).run().fails(2, message);
}

#[test]
fn a_digest_has_its_place() {
    let hex = "0123456789abcdef".repeat(4);
    let cut = &hex[..12];
    let wrong = "a tag is letters, digits, '_', '.' and '-', and starts with none of the last two";
    for (image, why) in [
        (
            format!("ubuntu:sha256:{hex}"),
            format!("{wrong}\nhint: write a digest after '@': ubuntu@sha256:{hex}"),
        ),
        (
            format!("sha256:{hex}"),
            format!(
                "a digest alone is not an image\nhint: write the repository before it: NAME@sha256:{hex}"
            ),
        ),
        (
            "library/ubuntu:18.04@sha256:".to_owned(),
            "digest 'sha256:': sha256 has 64 hex digits, not 0\n\
             hint: the whole digest: 'docker-registry digest library/ubuntu:18.04'"
                .to_owned(),
        ),
        (
            format!("ubuntu@sha256:{cut}"),
            format!(
                "digest 'sha256:{cut}': sha256 has 64 hex digits, not 12\n\
                 hint: the whole digest: 'docker-registry digest ubuntu'"
            ),
        ),
        (
            "ubuntu@18.04".to_owned(),
            "digest '18.04': expected sha256:… or sha512:…".to_owned(),
        ),
    ] {
        let output = Tool::new().args(["labels", &image]).run();
        output.fails(2, format!("docker-registry: image '{image}': {why}\n"));
    }
}

#[test]
fn of_an_image_the_registry_is_taken() {
    let port = "the port is a number up to 65535";
    let letters = "host names are letters, digits, '-' and '.'";
    for (text, why, host) in [
        ("ubuntu:18.04", port, "docker.io"),
        ("library/ubuntu", letters, "docker.io"),
        ("sphinxdoc/sphinx:4.4.0", port, "docker.io"),
        ("example.com/app", letters, "example.com"),
        ("example.com:5000/app:v1", port, "example.com:5000"),
        ("https://example.com", port, "example.com"),
        ("https://example.com:5000/", port, "example.com:5000"),
        ("https://example.com/app", port, "example.com"),
    ] {
        let message = format!(
            "docker-registry: registry '{text}': {why}\nhint: write only the registry: {host}\n"
        );
        Tool::new().args(["catalog", text]).run().fails(2, message);
    }
    let nonsense = Tool::new().args(["catalog", "a..b"]).run();
    nonsense.fails(2, format!("docker-registry: registry 'a..b': {letters}\n"));
}

const NO_IMAGE: &str =
    "hint: 'digest' shows a manifest's digest; a layer's is for 'downloadlayer'\n";

#[test]
fn a_layers_digest_is_no_images() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").layer("hello", b"hello");
    image.push_to(&registry, "a", "v1");
    let layer = sha256(&image.layers()[0]);
    for digest in [&layer, &image.config_digest()] {
        registry.absent(&format!("/v2/a/manifests/{digest}"));
        let name = registry.image(&format!("a@{digest}"));
        let why = format!("manifest {digest}: not found (manifest unknown)");
        let message = format!("docker-registry: {name}: {why}\n{NO_IMAGE}");
        Tool::new().args(["labels", &name]).run().fails(3, message);
    }

    let hello = hello();
    let layer = printed(&["layers", "--arch=amd64", "-q", ".[0].digest", &hello]);
    let id = printed(&["id", "--arch=amd64", &hello]);
    for digest in [layer, id] {
        let name = format!("{hello}@{digest}");
        let message =
            format!("docker-registry: {name}: {digest} is a blob, not a manifest\n{NO_IMAGE}");
        Tool::new().args(["labels", &name]).run().fails(3, &message);
        Tool::new()
            .args(["digestlist", &name])
            .run()
            .fails(3, &message);
    }
}

#[test]
fn an_images_digest_is_no_layers() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").layer("hello", b"hello");
    let digest = image.push_to(&registry, "a", "v1");
    registry.absent(&format!("/v2/a/blobs/{digest}"));
    let name = registry.image(&format!("a@{digest}"));
    let output = Tool::new().args(["downloadlayer", &name]).run();
    output.fails(
        3,
        format!(
            "docker-registry: {name}: blob {digest}: not found (blob unknown)\n\
             hint: the command 'layers' shows the digests of an image's layers\n"
        ),
    );
}
