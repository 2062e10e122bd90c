//! `platforms` reports as mquery does.

use serde_json::json;

use crate::harness::{Image, Index, Registry, Schema1, Tool};

/// mquery's report, its last line empty.
fn report(image: &str, digest: &str, kind: &str, rest: &str) -> String {
    format!("Image: {image} (digest: {digest})\n * Manifest List: {kind}\n{rest}\n")
}

#[test]
fn the_platforms_of_a_list_take_one_request() {
    let registry = Registry::start();
    let index = Index::new()
        .image(Image::new("linux/amd64"))
        .attestation()
        .image(Image::new("linux/arm/v7"))
        .image_as(Image::new("linux/s390x"), Some("linux/s390x:6.1"))
        .image(Image::new("windows/amd64:10.0.20348.2113"));
    let digest = index.push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let kind = "Yes (Image type: application/vnd.docker.distribution.manifest.list.v2+json)";
    let rest = " * Supported platforms:\n   - linux/amd64\n   - linux/arm/v7\n   - linux/s390x\n   - windows/amd64:10.0.20348.2113\n";
    let tool = Tool::new().args(["platforms", &image]);
    tool.run().success(report(&image, &digest, kind, rest));
    assert_eq!(registry.take(), ["GET /v2/a/manifests/v1"]);
    tool.run().success(report(&image, &digest, kind, rest));
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
    let json = tool.again(["platforms", "--json", &image]).run();
    let mut json = json.status(0).stderr("").json();
    assert!(json["cachets"].take().as_u64() > Some(1_600_000_000));
    let expected = json!({
        "imagename": image,
        "digest": digest,
        "mediatype": "application/vnd.docker.distribution.manifest.list.v2+json",
        "islist": true,
        "archlist": [
            {"architecture": "amd64", "os": "linux"},
            {"architecture": "arm", "os": "linux", "variant": "v7"},
            {"architecture": "s390x", "os": "linux", "os.version": "6.1"},
            {"architecture": "amd64", "os": "windows", "os.version": "10.0.20348.2113"},
        ],
        "cachets": null,
    });
    assert_eq!(json, expected);
    let names: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "imagename",
            "digest",
            "mediatype",
            "islist",
            "archlist",
            "cachets"
        ]
    );
}

#[test]
fn a_single_image_supports_its_system_and_architecture() {
    let registry = Registry::start();
    let single = Image::new("linux/arm/v7").oci();
    let digest = single.push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let kind = "No (Image type: application/vnd.oci.image.manifest.v1+json)";
    let tool = Tool::new().args(["platforms", &image]);
    let expected = report(&image, &digest, kind, " * Supports: linux/arm\n");
    tool.run().success(expected);
    let filter = [".archlist, .islist", "-r", &image];
    let json = tool.again(["platforms", "-q"]).args(filter).run();
    json.success("[{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"}]\nfalse\n");
}

#[test]
fn an_entry_without_a_platform_crashes_nothing() {
    let registry = Registry::start();
    let artifact = Image::new("linux/none").oci();
    let config = json!({"mediaType": "application/vnd.example+json", "size": 2, "digest": registry.blob("a", "{}")});
    let index = Index::new()
        .oci()
        .image_as(Image::new("linux/s390x").oci(), None)
        .image_as(artifact.in_manifest("config", config), None)
        .index(Index::new().oci().image(Image::new("linux/386").oci()));
    let digest = index.push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let kind = "Yes (Image type: application/vnd.oci.image.index.v1+json)";
    let rest = " * Supported platforms:\n   - linux/s390x\n   - unknown/unknown\n   - linux/386\n";
    let tool = Tool::new().args(["platforms", &image]);
    tool.run().success(report(&image, &digest, kind, rest));
}

#[test]
fn images_of_schema_1_have_a_platform_too() {
    let registry = Registry::start();
    let image = Image::new("linux/arm64").layer("one", b"one");
    Schema1::push_to(&image, &registry, "a", "v1");
    let tool = Tool::new().args(["platforms", "-q", ".archlist[].architecture"]);
    tool.arg(registry.image("a:v1")).run().success("arm64\n");
}
