//! A real registry takes what the harness makes, and other programs read it.

use crate::harness::{Destination, Image, Index, Layout, Real, Schema1, schema1, sha256, skopeo};

fn index() -> Index {
    let image = |platform: &str| Image::new(platform).layer("hello", platform.as_bytes());
    Index::new()
        .image(image("linux/amd64").oci())
        .attestation()
        .image(image("linux/arm64/v8").oci())
        .oci()
}

/// What the harness computes and serves is what the real registry has.
fn serves_the_same(real: &Real) {
    let digest = index().push_to(real, "team/a", "v1");
    assert_eq!(digest, index().digest());
    let accept = [("Accept", "application/vnd.oci.image.index.v1+json")];
    let answer = real.send("team/a", "GET", "/v2/team/a/manifests/v1", &accept, b"");
    assert_eq!(answer.body, index().bytes());
    assert_eq!(answer.get("Docker-Content-Digest"), Some(&*digest));
    assert_eq!(std::fs::read(real.file(&digest)).unwrap(), answer.body);
}

#[test]
fn a_plain_registry_serves_the_same() {
    let Some(real) = Real::plain() else { return };
    serves_the_same(&real);
}

#[test]
fn a_registry_with_basic_credentials_serves_the_same() {
    let Some(real) = Real::basic() else { return };
    serves_the_same(&real);
}

#[test]
fn a_registry_with_tokens_serves_the_same() {
    let Some(real) = Real::tokens() else { return };
    serves_the_same(&real);
}

#[test]
fn skopeo_gets_a_token_and_the_same_bytes() {
    let Some(real) = Real::tokens() else { return };
    let Some(skopeo) = skopeo() else { return };
    index().push_to(&real, "a", "v1");
    let image = format!("docker://{}", real.image("a:v1"));
    let inspect = skopeo.args(["inspect", "--raw", "--tls-verify=false", &image]);
    let bytes = String::from_utf8(index().bytes()).unwrap();
    inspect.run().success(bytes);
    let asked = real.token_server().take();
    assert_eq!(
        asked,
        ["GET /token?scope=repository%3Aa%3Apull&service=suite"]
    );
}

#[test]
fn skopeo_reads_a_layout() {
    let Some(skopeo) = skopeo() else { return };
    let image = Image::new("linux/amd64").layer("hello", b"hello").oci();
    let layout = Layout::create(&skopeo.work().join("layout"));
    let digest = image.push_to(&layout, "", "v1");
    assert_eq!(
        std::fs::read(layout.blob(&digest)).unwrap(),
        image.manifest()
    );
    let inspect = skopeo.args(["inspect", "--config", "--raw", "oci:layout:v1"]);
    inspect
        .run()
        .success(String::from_utf8(image.config()).unwrap());
}

#[test]
fn the_signature_of_schema_1_is_right() {
    let Some(real) = Real::plain() else { return };
    let image = Image::new("linux/amd64")
        .layer("one", b"1")
        .layer("two", b"2");
    for layer in image.layers() {
        real.put_blob("a", &layer);
    }
    let manifest = Schema1::new(&image, "a", "v1");
    let digest = real.put_manifest("a", Some("v1"), schema1::MEDIA_TYPE, &manifest.bytes);
    assert_eq!(digest, manifest.digest);
    assert_ne!(digest, sha256(&manifest.bytes));
}

#[test]
fn layers_are_real_archives() {
    let Some(tar) = std::path::Path::new("/bin/tar")
        .exists()
        .then_some("/bin/tar")
    else {
        println!("skipped: /bin/tar is not there");
        return;
    };
    let image = Image::new("linux/amd64").layer("hello", b"hello, world\n");
    let tool = crate::harness::Tool::program(tar).stdin(image.layers().remove(0));
    let listed = tool.args(["-tvz", "--utc", "--full-time", "-f", "-"]).run();
    listed.success("-rw-r--r-- 0/0              13 2026-01-02 03:04:05 hello\n");
}
