//! Short questions about one image: `resolve`, `size`, `annotations`.

use serde_json::json;

use crate::harness::{Image, Index, Registry, Tool};

#[test]
fn a_tag_is_resolved_by_one_request() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64");
    image.push_to(&registry, "a", "single");
    let index = Index::new().image(image.clone());
    index.push_to(&registry, "a", "index");
    let tool = Tool::new().arg("resolve");
    for (tag, digest) in [("single", image.digest()), ("index", index.digest())] {
        let name = &registry.image(&format!("a:{tag}"));
        registry.take();
        tool.again(["resolve", name])
            .run()
            .success(format!("{digest}\n"));
        assert_eq!(registry.take(), [format!("HEAD /v2/a/manifests/{tag}")]);
        let json = tool.again(["resolve", "--json", name]).run();
        json.success(format!("\"{digest}\"\n"));
    }
    registry.absent("/v2/a/manifests/missing");
    let missing = registry.image("a:missing");
    let output = tool.again(["resolve", &missing]).run().status(3);
    assert_eq!(output.text(), "");
    let both = ["a:single", "a:index"].map(|name| registry.image(name));
    let lines = tool.again(["resolve"]).args(&both).run();
    lines.success(format!(
        "{{\"image\":\"{}\",\"resolve\":\"{}\"}}\n{{\"image\":\"{}\",\"resolve\":\"{}\"}}\n",
        both[0],
        image.digest(),
        both[1],
        index.digest()
    ));
}

#[test]
fn the_size_is_what_a_pull_downloads() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64")
        .layer("a", b"one")
        .layer("b", &[7; 5000]);
    image.push_to(&registry, "a", "v1");
    let manifest: serde_json::Value = serde_json::from_slice(&image.manifest()).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let sum: u64 = layers
        .iter()
        .map(|layer| layer["size"].as_u64().unwrap())
        .sum();
    let tool = Tool::new().args(["size", "-r", &registry.image("a:v1")]);
    tool.run().success(format!(
        "{{\"compressed\":{sum},\"unpacked\":null,\"layers\":2}}\n"
    ));
    Image::new("linux/amd64").push_to(&registry, "a", "empty");
    let tool = tool.again(["size", "-r", &registry.image("a:empty")]);
    tool.run()
        .success("{\"compressed\":0,\"unpacked\":null,\"layers\":0}\n");
    let name = &registry.image("a:v1");
    let unpacked = tool.again(["size", "--unpacked", "-q", ".unpacked", name]);
    registry.take();
    unpacked.run().success("5003\n");
    unpacked.run().success("5003\n");
    let taken = registry.take();
    let blobs = taken.iter().filter(|line| line.contains("/blobs/"));
    // Each layer once, and the second time the tag alone.
    assert_eq!((blobs.count(), taken.len()), (2, 4), "{taken:?}");
}

#[test]
fn annotations_are_those_of_every_level() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    let image = image.in_manifest("annotations", json!({"level": "manifest"}));
    image.push_to(&registry, "a", "single");
    let index = Index::new()
        .oci()
        .annotated(image, json!({"level": "descriptor"}));
    let index = index.with("annotations", json!({"level": "index"}));
    index.push_to(&registry, "a", "index");
    for (tag, expected) in [
        (
            "single",
            r#"{"index":null,"descriptor":null,"manifest":{"level":"manifest"}}"#,
        ),
        (
            "index",
            r#"{"index":{"level":"index"},"descriptor":{"level":"descriptor"},"manifest":{"level":"manifest"}}"#,
        ),
    ] {
        let image = registry.image(&format!("a:{tag}"));
        let tool = Tool::new().args(["annotations", "--platform", "linux/amd64", "-r", &image]);
        tool.run().success(format!("{expected}\n"));
    }
}
