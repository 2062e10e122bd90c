//! What is printed is what the digest names, whatever a registry puts beside it.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::harness::{Image, Index, Layout, Registry, Schema1, Tool, schema1, sha256};

fn genuine() -> Image {
    Image::new("linux/amd64")
        .label("a", "genuine")
        .layer("f", b"x")
}

fn evil() -> Image {
    Image::new("linux/amd64")
        .label("a", "evil")
        .layer("f", b"y")
}

/// Another document that calls these bytes what was signed.
fn forged(members: &[u8], claimed: &[u8]) -> Vec<u8> {
    let protected = json!({"formatLength": 0, "formatTail": BASE64.encode(claimed)});
    let protected = BASE64.encode(protected.to_string());
    let mut forged: Value = serde_json::from_slice(members).unwrap();
    forged["signatures"] = json!([{"protected": protected}]);
    forged.to_string().into_bytes()
}

#[track_caller]
fn refused(tool: &Tool) {
    let output = tool.run().status(6).stdout("");
    let message = output.messages();
    assert!(
        message.contains("the digest of the content is "),
        "{message}"
    );
}

#[test]
fn only_schema_1_has_signatures() {
    let registry = Registry::start();
    let (manifest, digest) = (genuine().manifest(), genuine().digest());
    genuine().push_to(&registry, "a", "v1");
    evil().push_to(&registry, "a", "evil");
    for kind in [genuine().media_type(), schema1::MEDIA_TYPE] {
        let body = forged(&evil().manifest(), &manifest);
        registry.keep("a", "v1", &digest, kind, body);
        for at in [":v1", &format!("@{digest}"), &format!(":v1@{digest}")] {
            let image = registry.image(&format!("a{at}"));
            for command in ["manifest", "labels", "digest"] {
                // The digest that a digest has is known without asking.
                let tool = Tool::new().args([command, "--no-cache", &image]);
                if command != "digest" || at == ":v1" {
                    refused(&tool);
                }
            }
            let verify = Tool::new().args(["verifytool", "--layers", &image]);
            let output = verify.run().status(6).stderr("");
            let text = output.text();
            assert!(text.starts_with("FAILED manifest digest test: "), "{text}");
        }
    }
}

#[test]
fn what_an_index_lists_cannot_be_forged() {
    let registry = Registry::start();
    let index = Index::new().image(genuine());
    index.push_to(&registry, "a", "v1");
    evil().push_to(&registry, "a", "evil");
    let body = forged(&evil().manifest(), &genuine().manifest());
    let kind = genuine().media_type();
    registry.keep("a", "", &genuine().digest(), kind, body);
    for command in ["manifest", "labels"] {
        let tool = Tool::new().args([command, "--arch=amd64", &registry.image("a:v1")]);
        refused(&tool);
        // And was not kept.
        refused(&tool);
    }
}

#[test]
fn a_layout_cannot_be_forged() {
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("layout"));
    evil().push_to(&layout, "", "evil");
    let digest = genuine().push_to(&layout, "", "v1");
    let body = forged(&evil().manifest(), &genuine().manifest());
    let index = tool.work().join("layout/index.json");
    let text = fs::read_to_string(&index).unwrap();
    let size = format!("\"size\": {}", genuine().manifest().len());
    let size = text.replace(&size, &format!("\"size\": {}", body.len()));
    fs::write(&index, size).unwrap();
    fs::write(layout.blob(&digest), body).unwrap();
    for image in ["oci:layout:v1", &format!("oci:layout@{digest}")] {
        refused(&tool.again(["labels", image]));
    }
}

#[test]
fn a_payload_is_the_document_without_its_signatures() {
    let registry = Registry::start();
    let signed = Schema1::push_to(&genuine(), &registry, "a", "v1");
    let name = registry.image("a:v1");
    let manifest = Tool::new().args(["manifest", "-r", "--no-cache", &name]);
    let _ = manifest.run().status(0).stdout_bytes(&signed.bytes);
    let other = Schema1::new(&evil(), "a", "v1");
    let text = String::from_utf8(signed.bytes.clone()).unwrap();
    let renamed = text.replacen("\"name\": \"a\"", "\"name\": \"b\"", 1);
    let twice = text.replacen("{", "{\"tag\": \"v2\",", 1);
    for body in [
        forged(&other.bytes, text.as_bytes()),
        renamed.into_bytes(),
        twice.into_bytes(),
        other.bytes,
    ] {
        registry.keep("a", "v1", &signed.digest, schema1::MEDIA_TYPE, body);
        refused(&manifest);
    }
}

/// crane's and CUE's registries know no signatures.
#[test]
fn the_digest_may_be_of_the_whole_body() {
    let registry = Registry::start();
    let signed = Schema1::new(&genuine(), "a", "v1");
    let whole = registry.manifest("a", "v1", schema1::MEDIA_TYPE, signed.bytes.clone());
    for at in [":v1", &format!("@{whole}")] {
        let image = registry.image(&format!("a{at}"));
        for options in [&["--no-cache"][..], &[], &["--offline"]] {
            let tool = Tool::new().args(["manifest", "-r", &image]);
            let _ = tool.run().status(0).stdout_bytes(&signed.bytes);
            let tool = tool.again(["digest", &image]).args(options);
            tool.run().success(format!("{whole}\n"));
        }
    }
    assert_eq!(sha256(&signed.bytes), whole);
}

#[test]
fn what_is_kept_is_compared_with_its_digest_again() {
    let registry = Registry::start();
    let digest = genuine().push_to(&registry, "a", "v1");
    let image = registry.image(&format!("a@{digest}"));
    let manifest = Tool::new().args(["manifest", "-r", &image]);
    let _ = manifest.run().status(0).stdout_bytes(genuine().manifest());
    let shelf = manifest.home().join(".cache/docker-registry/content");
    let [file] = &fs::read_dir(shelf).unwrap().collect::<Vec<_>>()[..] else {
        panic!("one manifest is kept");
    };
    let path = file.as_ref().unwrap().path();
    let kept = fs::read_to_string(&path).unwrap();
    let genuine = String::from_utf8(genuine().manifest()).unwrap();
    let evil = String::from_utf8(evil().manifest()).unwrap();
    let (_, rest) = kept.split_once('\n').unwrap();
    let rest = rest.replace(&genuine, &evil);
    assert!(rest.ends_with(&evil));
    // The file is whole: only the digest in its key tells that it is another one's.
    fs::write(path, format!("{}\n{rest}", sha256(&rest))).unwrap();
    let offline = manifest.clone().arg("--offline").run();
    let _ = offline.status(5).stdout("");
    registry.take();
    let _ = manifest.run().status(0).stdout_bytes(&genuine);
    assert_eq!(registry.take().len(), 1);
}

#[test]
fn a_key_that_stands_twice_is_corrupt() {
    let registry = Registry::start();
    let kind = genuine().media_type();
    let manifest = String::from_utf8(genuine().manifest()).unwrap();
    let twice = manifest.replacen("\"layers\"", "\"layers\":[],\"layers\"", 1);
    assert_ne!(manifest, twice);
    registry.manifest("a", "v1", kind, twice);
    let index = String::from_utf8(Index::new().image(genuine()).bytes()).unwrap();
    let index = index.replacen("\"digest\"", "\"digest\":\"sha256:0\",\"digest\"", 1);
    registry.manifest("a", "index", Index::new().media_type(), index);
    for tag in ["v1", "index"] {
        let asked = Tool::new().args(["manifest", &registry.image(&format!("a:{tag}"))]);
        let output = asked.run().status(6).stdout("");
        let message = output.messages();
        assert!(message.contains("a key is there twice"), "{message}");
    }
}
