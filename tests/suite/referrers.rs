//! `referrers` lists what names the image as its subject.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Layout, Registry, Tool};

/// Something about a manifest.
fn about(subject: &str, media_type: &str, size: usize, kind: &str) -> Image {
    let subject = json!({"mediaType": media_type, "digest": subject, "size": size});
    let image = Image::new("unknown/unknown").oci();
    let image = image.in_manifest("artifactType", json!(kind));
    image.in_manifest("subject", subject)
}

#[track_caller]
fn digests(tool: &Tool, args: &[&str]) -> Vec<String> {
    let output = tool.again(["referrers"]).args(args).run();
    let json = output.status(0).stderr("").json();
    let digest = |descriptor: &Value| descriptor["digest"].as_str().unwrap().to_owned();
    json.as_array().unwrap().iter().map(digest).collect()
}

#[test]
fn referrers_are_of_the_list_or_of_a_platform() {
    let registry = Registry::start();
    let arm = Image::new("linux/arm64").oci();
    let list = Index::new().oci().image(Image::new("linux/amd64").oci());
    let list = list.image(arm.clone());
    list.push_to(&registry, "a", "v1");
    let of_list = |kind| about(&list.digest(), list.media_type(), list.bytes().len(), kind);
    let sbom = of_list("sbom").push(&registry, "a", None);
    let signature = of_list("signature").push(&registry, "a", None);
    let manifest = arm.manifest();
    let of_arm = about(&arm.digest(), arm.media_type(), manifest.len(), "sbom");
    let of_arm = of_arm.push(&registry, "a", None);
    let image = &registry.image("a:v1");
    let tool = Tool::new();
    let mut both = digests(&tool, &[image]);
    both.sort();
    let mut expected = [sbom.clone(), signature];
    expected.sort();
    assert_eq!(both, expected);
    assert_eq!(digests(&tool, &["--artifact-type", "sbom", image]), [sbom]);
    assert_eq!(digests(&tool, &["--arch", "arm64", image]), [of_arm]);
    let all = [
        "referrers",
        "--platform",
        "all",
        "-q",
        "map_values(length)",
        "-r",
        image,
    ];
    let all = tool.again(all).run();
    all.success("{\"linux/amd64\":0,\"linux/arm64\":1}\n");
}

#[test]
fn a_digest_needs_no_other_request() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let image = registry.image(&format!("a@{digest}"));
    assert_eq!(digests(&Tool::new(), &[&image]), [""; 0]);
    assert_eq!(registry.take(), [format!("GET /v2/a/referrers/{digest}")]);
}

#[test]
fn layouts_have_referrers() {
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("l"));
    let image = Image::new("linux/amd64").oci();
    image.push_to(&layout, "", "v1");
    let manifest = image.manifest();
    let sbom = about(&image.digest(), image.media_type(), manifest.len(), "sbom");
    let sbom = sbom.push_to(&layout, "", "sbom");
    assert_eq!(digests(&tool, &["oci:l:v1"]), [sbom]);
}

#[test]
fn the_fallback_tag_of_a_long_digest_is_cut() {
    let digest = format!("sha512:{}", "0123456789abcdef".repeat(8));
    let tag = format!("sha512-{}", "0123456789abcdef".repeat(4));
    let list = Index::new().oci().image(Image::new("linux/amd64").oci());
    let expected = [Image::new("linux/amd64").oci().digest()];
    let registry = Registry::builder().without_referrers().start();
    list.push_to(&registry, "a", &tag);
    let image = registry.image(&format!("a@{digest}"));
    let tool = Tool::new();
    assert_eq!(digests(&tool, &[&image]), expected);
    let layout = Layout::create(&tool.work().join("layout"));
    list.push_to(&layout, "", &tag);
    let image = format!("oci:layout@{digest}");
    assert_eq!(digests(&tool, &[&image]), expected);
}
