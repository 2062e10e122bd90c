//! `attestations`, `sbom` and `provenance`: what is attached to an image, in three places.

use base64::Engine;
use serde_json::{Value, json};

use crate::harness::{Fault, Image, Index, Layout, Registry, Tool, sha256};

const SPDX: &str = "https://spdx.dev/Document";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SLSA: &str = "https://slsa.dev/provenance/v0.2";
const SLSA1: &str = "https://slsa.dev/provenance/v1";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

pub fn statement(predicate_type: &str, predicate: &Value) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": predicate_type,
        "subject": [{"name": "a", "digest": {"sha256": "0".repeat(64)}}],
        "predicate": predicate,
    })
}

fn envelope(statement: &Value) -> Value {
    let payload = base64::prelude::BASE64_STANDARD.encode(statement.to_string());
    json!({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []})
}

/// A manifest of blobs, each with its type and its annotations.
pub fn manifest(registry: &Registry, blobs: &[(&str, Vec<u8>, Value)]) -> Image {
    let layers = blobs.iter().map(|(media_type, bytes, annotations)| {
        let digest = registry.blob("a", bytes.clone());
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len(),
            "annotations": annotations})
    });
    let image = Image::new("unknown/unknown").oci();
    image.in_manifest("layers", layers.collect())
}

/// Announces that cosign tagged nothing after these digests.
pub fn without_tags(registry: &Registry, digests: &[&str], kinds: &[&str]) {
    for digest in digests {
        for kind in kinds {
            registry.absent(&format!(
                "/v2/a/manifests/{}.{kind}",
                digest.replace(':', "-")
            ));
        }
    }
}

fn bytes(json: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(json).unwrap()
}

/// BuildKit's index, as its documentation shows it.
fn buildkit(registry: &Registry) -> (Image, String) {
    let image = Image::new("linux/amd64").oci().layer("hello", b"hello");
    let about = |kind| json!({"in-toto.io/predicate-type": kind});
    let sbom = statement(
        SPDX,
        &json!({"SPDXID": "SPDXRef-DOCUMENT", "packages": [{"name": "musl"}]}),
    );
    let provenance = statement(
        SLSA,
        &json!({"buildType": "https://mobyproject.org/buildkit@v1"}),
    );
    let attached = manifest(
        registry,
        &[
            (IN_TOTO, bytes(&sbom), about(SPDX)),
            (IN_TOTO, bytes(&provenance), about(SLSA)),
        ],
    );
    let annotations = json!({
        "vnd.docker.reference.digest": image.digest(),
        "vnd.docker.reference.type": "attestation-manifest",
    });
    let index = Index::new()
        .oci()
        .image(image.clone())
        .image(Image::new("linux/arm64").oci());
    let index = index
        .annotated(attached, annotations)
        .push_to(registry, "a", "v1");
    (image, index)
}

/// An artifact about the image.
pub fn refers(registry: &Registry, image: &Image, kind: &str, artifact: Image) {
    let size = image.manifest().len();
    let subject = json!({"mediaType": image.media_type(), "digest": image.digest(), "size": size});
    let artifact = artifact.in_manifest("artifactType", json!(kind));
    artifact
        .in_manifest("subject", subject)
        .push(registry, "a", None);
}

#[track_caller]
fn ask(registry: &Registry, args: &[&str]) -> Value {
    let tool = Tool::new().args(args).arg(registry.image("a:v1"));
    tool.arg("--platform=linux/amd64")
        .run()
        .status(0)
        .stderr("")
        .json()
}

#[test]
fn buildkits_are_found_in_the_index() {
    let registry = Registry::start();
    let (image, index) = buildkit(&registry);
    let arm = Image::new("linux/arm64").oci().digest();
    without_tags(
        &registry,
        &[&image.digest(), &index, &arm],
        &["att", "sbom"],
    );
    let listed = ask(&registry, &["attestations"]);
    let fields = listed.as_array().unwrap().iter().map(|it| {
        assert!(it["digest"].as_str().unwrap().starts_with("sha256:") && it["size"].is_u64());
        [
            &it["predicateType"],
            &it["mediaType"],
            &it["store"],
            &it["platform"],
        ]
        .map(Value::clone)
    });
    let expected =
        [SPDX, SLSA].map(|kind| [kind, IN_TOTO, "buildkit", "linux/amd64"].map(Value::from));
    assert_eq!(Vec::from_iter(fields), expected);
    assert_eq!(ask(&registry, &["sbom"])["packages"][0]["name"], "musl");
    assert_eq!(
        ask(&registry, &["provenance"]),
        json!({"buildType": "https://mobyproject.org/buildkit@v1"})
    );
    // Nothing is attached to the other platform.
    let tool = Tool::new().args(["sbom", "--arch", "arm64", &registry.image("a:v1")]);
    let why = format!(
        "{}: no SBOM\nhint: nothing is attached to the image\n",
        registry.image("a:v1")
    );
    tool.run().fails(3, format!("docker-registry: {why}"));
    let all = Tool::new().args([
        "attestations",
        "--platform",
        "all",
        "-rq",
        "map_values(length)",
    ]);
    let all = all.arg(registry.image("a:v1")).run();
    all.success("{\"linux/amd64\":2,\"linux/arm64\":0}\n");
}

#[test]
fn referrers_are_documents_statements_and_bundles() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    without_tags(&registry, &[&image.digest()], &["att", "sbom"]);
    let document = json!({"bomFormat": "CycloneDX", "components": []});
    let generic = ("application/octet-stream", bytes(&document), json!({}));
    refers(
        &registry,
        &image,
        "application/vnd.cyclonedx+json",
        manifest(&registry, &[generic]),
    );
    let bundle = json!({"mediaType": BUNDLE,
        "dsseEnvelope": envelope(&statement(SLSA1, &json!({"buildDefinition": {}})))});
    refers(
        &registry,
        &image,
        BUNDLE,
        manifest(&registry, &[(BUNDLE, bytes(&bundle), json!({}))]),
    );
    let signature = json!({"mediaType": BUNDLE, "messageSignature": {}});
    refers(
        &registry,
        &image,
        BUNDLE,
        manifest(&registry, &[(BUNDLE, bytes(&signature), json!({}))]),
    );
    let other = manifest(&registry, &[("text/plain", b"hello".to_vec(), json!({}))]);
    refers(&registry, &image, "application/vnd.example.note", other);
    let mut kinds = ask(
        &registry,
        &["attestations", "-q", "map([.store, .predicateType]) | sort"],
    );
    assert_eq!(
        kinds.take(),
        json!([["referrers", CYCLONEDX], ["referrers", SLSA1]])
    );
    assert_eq!(ask(&registry, &["sbom"]), document);
    assert_eq!(
        ask(&registry, &["provenance"]),
        json!({"buildDefinition": {}})
    );
}

#[test]
fn what_is_listed_and_gone_is_passed_over() {
    let registry = Registry::start();
    let (image, index) = buildkit(&registry);
    let lists = Tool::new().args(["manifestlist", "-q", ".manifests[2].digest"]);
    let buildkits = lists.arg(registry.image("a:v1")).run().status(0);
    without_tags(&registry, &[&image.digest(), &index], &["att", "sbom"]);
    for name in ["gone", "there"] {
        let sbom = bytes(&statement(SPDX, &json!({"name": name})));
        let about = json!({"in-toto.io/predicate-type": SPDX});
        let artifact = manifest(&registry, &[(IN_TOTO, sbom, about)]);
        refers(&registry, &image, IN_TOTO, artifact);
    }
    let lists = Tool::new().args(["referrers", "--arch", "amd64", "-q", ".[0].digest"]);
    let referrer = lists.arg(registry.image("a:v1")).run().status(0);
    for gone in [buildkits, referrer] {
        registry.absent(&format!("/v2/a/manifests/{}", gone.text().trim()));
    }
    let stores = ask(&registry, &["attestations", "-q", "map(.store)"]);
    assert_eq!(stores, json!(["referrers"]));
}

#[test]
fn cosigns_are_found_by_their_tags() {
    for has_referrers in [true, false] {
        let registry = match has_referrers {
            true => Registry::start(),
            false => Registry::builder().without_referrers().start(),
        };
        let image = Image::new("linux/amd64").oci();
        image.push_to(&registry, "a", "v1");
        if !has_referrers {
            let fallback = image.digest().replace(':', "-");
            registry.absent(&format!("/v2/a/manifests/{fallback}"));
        }
        let tag = image.digest().replace(':', "-");
        let predicate = json!({"spdxVersion": "SPDX-2.3", "size": 1.50});
        let signed = bytes(&envelope(&statement(SPDX, &predicate)));
        let attached = manifest(&registry, &[(DSSE, signed, json!({"predicateType": SPDX}))]);
        attached.push_to(&registry, "a", &format!("{tag}.att"));
        let text = b"SPDXVersion: SPDX-2.3\nDocumentName: a\n".to_vec();
        let attached = manifest(&registry, &[("text/spdx", text, json!({}))]);
        attached.push_to(&registry, "a", &format!("{tag}.sbom"));
        assert_eq!(
            ask(&registry, &["attestations", "-q", "map(.store)"]),
            json!(["cosign", "cosign"])
        );
        assert_eq!(ask(&registry, &["sbom", "--type", "SPDX"]), predicate);
    }
}

#[test]
fn a_mirror_that_lacks_a_tag_is_asked_for_the_next() {
    let [registry, mirror] = [0; 2].map(|_| Registry::start());
    let image = Image::new("linux/amd64").oci();
    for place in [&registry, &mirror] {
        image.push_to(place, "a", "v1");
        without_tags(place, &[&image.digest()], &["att"]);
    }
    let text = "SPDXVersion: SPDX-2.3\n";
    let attached = manifest(&mirror, &[("text/spdx", text.into(), json!({}))]);
    let tag = image.digest().replace(':', "-");
    attached.push_to(&mirror, "a", &format!("{tag}.sbom"));
    let option = format!("--mirror={}={}", registry.host(), mirror.base());
    let tool = Tool::new().args(["sbom", "-j1", &option, &registry.image("a:v1")]);
    tool.run().success(text);
}

#[test]
fn a_document_may_be_no_json() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    without_tags(&registry, &[&image.digest()], &["att"]);
    let text = "SPDXVersion: SPDX-2.3\nDocumentName: a\n";
    let attached = manifest(&registry, &[("text/spdx", text.into(), json!({}))]);
    let tag = image.digest().replace(':', "-");
    attached.push_to(&registry, "a", &format!("{tag}.sbom"));
    let tool = Tool::new().args(["sbom", &registry.image("a:v1")]);
    tool.run().success(text);
    assert_eq!(ask(&registry, &["sbom", "--json"]), text);
}

#[test]
fn of_several_types_one_is_chosen() {
    let registry = Registry::start();
    let (image, index) = buildkit(&registry);
    without_tags(&registry, &[&index], &["att", "sbom"]);
    without_tags(&registry, &[&image.digest()], &["att"]);
    let tag = image.digest().replace(':', "-");
    let document = bytes(&json!({"bomFormat": "CycloneDX"}));
    let attached = manifest(
        &registry,
        &[("application/vnd.cyclonedx+json", document, json!({}))],
    );
    attached.push_to(&registry, "a", &format!("{tag}.sbom"));
    let name = registry.image("a:v1");
    let tool = Tool::new().args(["sbom", "--arch", "amd64", &name]);
    let why =
        format!("{name}: several types: {CYCLONEDX}, {SPDX}\nhint: choose one with --type TYPE\n");
    tool.run().fails(3, format!("docker-registry: {why}"));
    assert_eq!(
        ask(&registry, &["sbom", "--type", "cyclonedx"]),
        json!({"bomFormat": "CycloneDX"})
    );
    let tool = Tool::new().args([
        "provenance",
        "--type",
        "provenance/v1",
        "--arch",
        "amd64",
        &name,
    ]);
    let there = format!("{CYCLONEDX}, {SLSA}, {SPDX}");
    let why = format!("{name}: no provenance of type provenance/v1\nhint: available: {there}\n");
    tool.run().fails(3, format!("docker-registry: {why}"));
}

#[test]
fn a_layout_has_them_too() {
    let place = tempfile::tempdir().unwrap();
    let layout = Layout::create(place.path());
    let index = Index::new()
        .oci()
        .image(Image::new("linux/amd64").oci())
        .attestation();
    index.push_to(&layout, "a", "latest");
    let image = format!("oci:{}", place.path().display());
    let tool = Tool::new().args(["attestations", "--arch", "amd64", "-q", "length", &image]);
    // It says of nothing what it is about.
    tool.run().success("1\n");
}

#[test]
fn what_is_not_what_it_should_be_is_not_printed() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    without_tags(&registry, &[&image.digest()], &["sbom"]);
    let tag = image.digest().replace(':', "-");
    let name = registry.image("a:v1");
    let tool = Tool::new().args(["sbom", "--platform", "linux/amd64", &name]);
    for (json, why) in [
        (
            &b"{\"payloadType\": \"a\", \"payload\": 1}"[..],
            "has no payload in base64",
        ),
        (
            b"[1]",
            "is invalid type: sequence, expected a map at line 1 column 0",
        ),
    ] {
        let kind = json!({"predicateType": SPDX});
        let attached = manifest(&registry, &[(DSSE, json.to_vec(), kind)]);
        attached.push_to(&registry, "a", &format!("{tag}.att"));
        let why = format!("{name}: {}: the attestation {why}\n", sha256(json));
        tool.run().fails(6, format!("docker-registry: {why}"));
    }
    let document = bytes(&json!({"spdxVersion": "SPDX-2.3"}));
    let digest = sha256(&document);
    let attached = manifest(
        &registry,
        &[("text/spdx+json", document.clone(), json!({}))],
    );
    attached.push_to(&registry, "a", &format!("{tag}.att"));
    tool.run().status(0);
    let forged = String::from_utf8(document).unwrap().replace("2.3", "2.4");
    registry.fail(
        &format!("/v2/a/blobs/{digest}"),
        Fault::WrongBytes(forged.into()),
    );
    tool.run().status(6).stdout("");
}

#[test]
fn what_does_not_say_its_type_is_fetched_once() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    without_tags(&registry, &[&image.digest()], &["sbom"]);
    let tag = image.digest().replace(':', "-");
    let predicate = json!({"spdxVersion": "SPDX-2.3"});
    let signed = bytes(&envelope(&statement(SPDX, &predicate)));
    let digest = sha256(&signed);
    let attached = manifest(&registry, &[(DSSE, signed, json!({}))]);
    attached.push_to(&registry, "a", &format!("{tag}.att"));
    registry.take();
    assert_eq!(ask(&registry, &["sbom"]), predicate);
    let wanted = format!("GET /v2/a/blobs/{digest}");
    let taken = registry.take();
    assert_eq!(
        taken.iter().filter(|it| **it == wanted).count(),
        1,
        "{taken:?}"
    );
}

#[test]
fn envelopes_without_end_are_refused() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    without_tags(&registry, &[&image.digest()], &["sbom"]);
    let nested = "{\"dsseEnvelope\":".repeat(1 << 20) + "1" + &"}".repeat(1 << 20);
    let digest = sha256(&nested);
    let kind = json!({"predicateType": SPDX});
    let attached = manifest(&registry, &[(BUNDLE, nested.into(), kind)]);
    let tag = image.digest().replace(':', "-");
    attached.push_to(&registry, "a", &format!("{tag}.att"));
    let name = registry.image("a:v1");
    let why = format!("{name}: {digest}: the attestation has envelopes in envelopes\n");
    let tool = Tool::new().args(["sbom", "--platform", "linux/amd64", &name]);
    tool.run().fails(6, format!("docker-registry: {why}"));
}

#[test]
fn a_long_one_is_printed_whole() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    image.push_to(&registry, "a", "v1");
    without_tags(&registry, &[&image.digest()], &["sbom"]);
    let tag = image.digest().replace(':', "-");
    let packages: Vec<Value> = (0..150_000)
        .map(|i| json!({"name": format!("package-{i}")}))
        .collect();
    let predicate = json!({"packages": packages, "text": "a".repeat(10 << 20)});
    let attached = bytes(&envelope(&statement(SPDX, &predicate)));
    let size = attached.len();
    let attached = manifest(
        &registry,
        &[(DSSE, attached, json!({"predicateType": SPDX}))],
    );
    attached.push_to(&registry, "a", &format!("{tag}.att"));
    let tool = Tool::new().args([
        "sbom",
        "-r",
        "--platform",
        "linux/amd64",
        &registry.image("a:v1"),
    ]);
    let (output, memory) = tool.measured();
    assert_eq!(output.status(0).stderr("").json(), predicate);
    assert!(size > 16 << 20 && memory < 100 << 20, "{size} {memory}");
}
