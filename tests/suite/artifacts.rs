//! What is no image is shown as what it is.

use serde_json::json;

use crate::harness::{Registry, Tool, sha256};

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry whose `a:v1` is an artifact with this configuration.
fn artifact(media_type: &str, config: &str) -> (Registry, String) {
    let registry = Registry::start();
    let layer = registry.blob("a", "sbom");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.sbom",
        "config": {"mediaType": media_type, "size": config.len(), "digest": registry.blob("a", config)},
        "layers": [{"mediaType": "text/plain", "size": 4, "digest": layer}],
    });
    registry.manifest("a", "v1", OCI_MANIFEST, manifest.to_string());
    let name = registry.image("a:v1");
    (registry, name)
}

#[test]
fn an_artifact_has_a_manifest_a_configuration_and_no_labels() {
    let (_registry, image) = artifact("application/vnd.oci.empty.v1+json", "{}");
    let tool = Tool::new();
    let run = |command: &str| tool.again([command, "-r", &image]).run();
    run("config").success("{}");
    run("labels").success("{}\n");
    run("history").success("[]\n");
    run("id").success(format!("{}\n", sha256("{}")));
    let manifest = run("manifest").status(0).stderr("").json();
    assert_eq!(manifest["artifactType"], "application/vnd.example.sbom");
    let layers = run("layers").status(0).stderr("").json();
    assert_eq!(layers[0]["mediaType"], "text/plain");
}

#[test]
fn a_configuration_that_is_not_json_is_named() {
    let (_registry, image) = artifact("application/vnd.example.config", "a = b");
    let tool = Tool::new();
    let digest = sha256("a = b");
    let why = format!(
        "docker-registry: {image}: blob {digest}: content of type 'application/vnd.example.config': \
         the content is not JSON: a value is expected at line 1 column 1\n"
    );
    tool.again(["config", &image]).run().fails(6, why);
    tool.again(["labels", &image]).run().success("{}\n");
    tool.again(["labels", "--platform", "all", "-r", &image])
        .run()
        .success("{\"unknown/unknown\":{}}\n");
    let here = ["labels", "--platform", "linux/s390x", &image];
    tool.again(here).run().fails(
        3,
        format!(
            "docker-registry: {image}: no image for linux/s390x\n\
             hint: the image is only for unknown/unknown\n"
        ),
    );
}

#[test]
fn manifests_of_unknown_types_are_shown() {
    let registry = Registry::start();
    let media_type = "application/vnd.oci.artifact.manifest.v1+json";
    let manifest = json!({"mediaType": media_type, "artifactType": "a", "blobs": []}).to_string();
    let digest = registry.manifest("a", "v1", media_type, manifest.clone());
    let image = registry.image("a:v1");
    let tool = Tool::new();
    let args = ["-r", "--media-type", media_type, &image];
    let run = |command: &str| tool.again([command]).args(args).run();
    run("manifest").success(&manifest);
    run("digest").success(format!("{digest}\n"));
    run("labels").success("{}\n");
    run("layers").success("[]\n");
    let why = format!("a manifest of type {media_type} has no configuration");
    run("config").fails(3, format!("docker-registry: {image}: {why}\n"));
}

#[test]
fn a_configuration_may_stand_in_its_descriptor() {
    let registry = Registry::start();
    let config = "{\"config\":{\"Labels\":{\"a\":\"b\"}}}";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "size": config.len(),
            "digest": sha256(config),
            "data": "eyJjb25maWciOnsiTGFiZWxzIjp7ImEiOiJiIn19fQ==",
        },
        "layers": [],
    });
    registry.manifest("a", "v1", OCI_MANIFEST, manifest.to_string());
    let tool = Tool::new().args(["labels", "-r", &registry.image("a:v1")]);
    tool.run().success("{\"a\":\"b\"}\n");
    assert_eq!(registry.take(), ["GET /v2/a/manifests/v1"]);
}
