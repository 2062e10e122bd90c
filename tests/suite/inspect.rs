//! `inspect` reports as manifest-tool does, and where that gives up.

use serde_json::{Value, json};

use crate::golden::golden;
use crate::harness::{Fault, Image, Index, Registry, Tool};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn image(platform: &str) -> Image {
    let image = Image::new(platform).label("a", "<b>");
    image.layer("one", b"one").layer("two", platform.as_bytes())
}

/// Every field that a list may have: two images, two attestations, and what is no manifest.
fn full(registry: &Registry) {
    let windows = image("windows/amd64:10.0.20348.2113").oci();
    let arm = image("linux/arm/v7").oci();
    let arm = arm.in_manifest("annotations", json!({"kind": "arm"}));
    let index = Index::new()
        .image(windows)
        .attestation()
        .image(arm)
        .attestation();
    index.push_to(registry, "a", "plain");
    let mut json: Value = serde_json::from_slice(&index.oci().bytes()).unwrap();
    json["annotations"] = json!({"of": "the list"});
    json["manifests"][0]["platform"]["os.features"] = json!(["win32k", "hyperv"]);
    json["manifests"][2]["annotations"] = json!({"kind": "entry", "more": "entry"});
    registry.manifest("a", "full", OCI_INDEX, json.to_string());
}

#[test]
fn the_report_of_a_list_is_manifest_tools() {
    let registry = Registry::start();
    full(&registry);
    let tool = Tool::new().args(["inspect", "--no-cache", &registry.image("a:full")]);
    let output = tool.run().status(0).stderr("");
    golden(&registry, "inspect-list.txt", output.text());
    // The list and the manifests, of which two are the same; no configuration.
    assert_eq!(registry.take().len(), 4);
}

#[test]
fn the_report_of_an_image_is_manifest_tools() {
    let registry = Registry::start();
    image("linux/arm64/v8").push_to(&registry, "a", "v1");
    Image::new("linux/amd64").push_to(&registry, "a", "empty");
    for tag in ["v1", "empty"] {
        let tool = Tool::new().args(["inspect", &registry.image(&format!("a:{tag}"))]);
        let output = tool.run().status(0).stderr("");
        golden(&registry, &format!("inspect-{tag}.txt"), output.text());
    }
}

#[test]
fn manifests_of_a_list_are_fetched_in_parallel() {
    let registry = Registry::start();
    full(&registry);
    let together = Fault::Together(3);
    registry.fail("/v2/a/manifests/sha256:*", together).times(3);
    let tool = Tool::new().args(["inspect", "--no-cache", &registry.image("a:full")]);
    let output = tool.run().status(0).stderr("");
    golden(&registry, "inspect-list.txt", output.text());
}

#[test]
fn raw_is_its_json_with_what_the_list_says() {
    let registry = Registry::start();
    full(&registry);
    image("linux/arm64/v8").push_to(&registry, "a", "v1");
    for (tag, file) in [("full", "list"), ("v1", "v1")] {
        let image = registry.image(&format!("a:{tag}"));
        let raw = Tool::new().args(["inspect", "--raw", &image]).run();
        let raw = raw.status(0).stderr("");
        golden(&registry, &format!("inspect-raw-{file}.json"), raw.text());
        let json = Tool::new().args(["inspect", "--json", &image]).run();
        assert_eq!(json.status(0).stderr("").json(), raw.json());
        let expanded = ["inspect", "--raw", "--expand-config", &image];
        let expanded = Tool::new().args(expanded).run().status(0).stderr("");
        let file = format!("inspect-expanded-{file}.json");
        golden(&registry, &file, expanded.text());
    }
}

#[test]
fn what_manifest_tool_crashes_at_is_shown() {
    let registry = Registry::start();
    let inner = Index::new().oci().image(image("linux/riscv64").oci());
    let artifact = Image::new("linux/none").oci();
    let artifact = artifact.in_manifest(
        "config",
        json!({
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
            "size": 2,
        }),
    );
    let outer = Index::new()
        .oci()
        .index(inner)
        .image_as(image("linux/s390x").oci(), None)
        .image_as(artifact, None);
    outer.push_to(&registry, "a", "base");
    let mut json: Value = serde_json::from_slice(&outer.bytes()).unwrap();
    let entries = json["manifests"].as_array_mut().unwrap();
    let entry = |media_type: &str, digit: &str| {
        json!({
            "mediaType": media_type,
            "digest": format!("sha256:{}", digit.repeat(64)),
            "size": 3,
            "platform": {"os": "linux", "architecture": "386"},
        })
    };
    entries.push(entry("application/vnd.oci.image.manifest.v1+json", "1"));
    entries.push(entry("text/plain", "2"));
    registry.manifest("a", "odd", OCI_INDEX, json.to_string());
    let missing = format!("/v2/a/manifests/sha256:{}", "1".repeat(64));
    registry.absent(&missing);
    let image = registry.image("a:odd");
    let report = Tool::new().args(["inspect", &image]).run();
    golden(
        &registry,
        "inspect-odd.txt",
        report.status(0).stderr("").text(),
    );
    let raw = Tool::new().args(["inspect", "--raw", &image]).run();
    golden(
        &registry,
        "inspect-raw-odd.json",
        raw.status(0).stderr("").text(),
    );
}

#[test]
fn reports_are_coloured_only_where_that_is_wanted() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let line = format!("\x1b[1;33m{digest}\x1b[0m");
    let tool = Tool::new();
    let colored = tool.again(["inspect", "--color", "always", &image]).run();
    assert!(colored.status(0).text().contains(&line));
    #[cfg(target_os = "linux")]
    assert!(
        tool.again(["inspect", &image])
            .terminal(&[])
            .text()
            .contains(&line)
    );
    let plain = tool.again(["inspect", &image]).env("NO_COLOR", "1").run();
    assert!(!plain.status(0).text().contains('\x1b'));
}
