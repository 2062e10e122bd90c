//! `verifytool --public-key`: cosign's signatures of an image.
//!
//! The signatures are made by openssl, after cosign's specifications (specs/SIGNATURE_SPEC.md and
//! BUNDLE_SPEC.md), and not by cosign.

use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::attestations::{BUNDLE, manifest, refers, without_tags};
use crate::harness::{Image, Index, Registry, Tool, program, sha256};

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ARTIFACT: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const PASSED: &str = "PASSED manifest digest test\nPASSED config digest test\n";

/// A key, and how openssl makes and uses it.
struct Key {
    openssl: Tool,
    hash: &'static str,
}

const P256: [&str; 3] = ["EC", "ec_paramgen_curve:P-256", "-sha256"];
const P384: [&str; 3] = ["EC", "ec_paramgen_curve:P-384", "-sha256"];
const P384_SHA384: [&str; 3] = ["EC", "ec_paramgen_curve:P-384", "-sha384"];
const RSA: [&str; 3] = ["RSA", "rsa_keygen_bits:2048", "-sha256"];
const ED25519: [&str; 3] = ["ED25519", "", ""];

impl Key {
    /// `None` where openssl is not installed.
    fn new([algorithm, option, hash]: [&str; 3]) -> Option<Key> {
        let openssl = program("/usr/bin/openssl", "openssl")?;
        let hash = ["-sha256", "-sha384"]
            .into_iter()
            .find(|it| *it == hash)
            .unwrap_or_default();
        let options = Vec::from_iter(
            ["-pkeyopt", option]
                .into_iter()
                .filter(|_| !option.is_empty()),
        );
        let make = ["genpkey", "-quiet", "-algorithm", algorithm, "-out", "key"];
        openssl.again(make).args(options).run().status(0);
        openssl
            .again(["pkey", "-in", "key", "-pubout", "-out", "pub"])
            .run()
            .status(0);
        Some(Key { openssl, hash })
    }

    fn public(&self) -> String {
        self.openssl.work().join("pub").display().to_string()
    }

    /// The signature in base64.
    fn sign(&self, message: &[u8]) -> String {
        let place = self.openssl.work();
        fs::write(place.join("message"), message).unwrap();
        let sign = match self.hash {
            "" => vec![
                "pkeyutl",
                "-sign",
                "-inkey",
                "key",
                "-rawin",
                "-in",
                "message",
                "-out",
                "signature",
            ],
            hash => vec!["dgst", hash, "-sign", "key", "-out", "signature", "message"],
        };
        self.openssl.again(sign).run().status(0);
        BASE64_STANDARD.encode(fs::read(place.join("signature")).unwrap())
    }

    /// A signature as cosign tags it.
    fn signed(&self, payload: &[u8]) -> (&'static str, Vec<u8>, Value) {
        let signature = json!({"dev.cosignproject.cosign/signature": self.sign(payload)});
        (PAYLOAD, payload.to_vec(), signature)
    }

    /// A statement in an envelope in a bundle.
    fn bundle(&self, predicate_type: &str, digest: &str) -> Vec<u8> {
        let kind = "application/vnd.in-toto+json";
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": digest.trim_start_matches("sha256:")}}],
            "predicateType": predicate_type,
            "predicate": {},
        });
        let statement = statement.to_string();
        let message = format!(
            "DSSEv1 {} {kind} {} {statement}",
            kind.len(),
            statement.len()
        );
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": ""}},
            "dsseEnvelope": {
                "payload": BASE64_STANDARD.encode(statement),
                "payloadType": kind,
                "signatures": [{"sig": self.sign(message.as_bytes())}],
            },
        });
        bundle.to_string().into()
    }
}

/// What cosign signs.
fn payload(digest: &str) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": {"docker-reference": "example.com/a"},
            "image": {"docker-manifest-digest": digest},
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    payload.to_string().into()
}

/// The tag for what cosign makes of a digest.
fn tag(digest: &str) -> String {
    format!("{}.sig", digest.replace(':', "-"))
}

fn pushed(registry: &Registry) -> Image {
    let image = Image::new("linux/amd64").oci();
    image.push_to(registry, "a", "v1");
    image
}

fn verify(registry: &Registry, key: &str) -> Tool {
    Tool::new().args(["verifytool", "--key", key, &registry.image("a:v1")])
}

#[track_caller]
fn fails(registry: &Registry, key: &Key, line: &str) {
    let output = verify(registry, &key.public()).run().status(6).stderr("");
    output.stdout(format!("{PASSED}{line}\n"));
}

#[test]
fn the_key_has_two_names() {
    let registry = Registry::start();
    let image = pushed(&registry);
    without_tags(&registry, &[&image.digest()], &["sig"]);
    let Some(key) = Key::new(P256) else { return };
    for option in ["--key", "--public-key"] {
        let tool = Tool::new().args(["verifytool", option, &key.public(), &registry.image("a:v1")]);
        tool.run()
            .status(6)
            .stderr("")
            .stdout(format!("{PASSED}FAILED signature test: there is none\n"));
    }
}

#[test]
fn signatures_of_each_kind_of_key_are_checked() {
    for kind in [P256, P384, P384_SHA384, ED25519, RSA] {
        let (Some(key), Some(other)) = (Key::new(kind), Key::new(kind)) else {
            return;
        };
        let registry = Registry::start();
        let image = pushed(&registry);
        let payload = payload(&image.digest());
        let signed = manifest(&registry, &[key.signed(&payload)]);
        signed.push_to(&registry, "a", &tag(&image.digest()));
        let (name, digest) = (kind[1], sha256(&payload));
        registry.take();
        let output = verify(&registry, &key.public()).run();
        output.success(format!("{PASSED}PASSED signature {digest} test\n"));
        // Manifest, configuration, referrers, tag and payload.
        assert_eq!(registry.take().len(), 5, "{name}");
        let why = "the signature was not made with the key";
        fails(
            &registry,
            &other,
            &format!("FAILED signature {digest} test: {why}"),
        );
    }
}

#[test]
fn an_image_without_a_signature_has_failed() {
    let Some(key) = Key::new(ED25519) else { return };
    let registry = Registry::start();
    let image = pushed(&registry);
    registry.absent(&format!("/v2/a/manifests/{}", tag(&image.digest())));
    // An attestation is no signature, whatever the key signed.
    let statement = key.bundle("https://slsa.dev/provenance/v1", &image.digest());
    refers(
        &registry,
        &image,
        BUNDLE,
        manifest(&registry, &[(BUNDLE, statement, json!({}))]),
    );
    fails(&registry, &key, "FAILED signature test: there is none");
    let json = verify(&registry, &key.public())
        .args(["--json", "-q", ".[2]", "-r"])
        .run();
    let json = json.status(6).stderr("");
    json.stdout("{\"test\":\"signature\",\"passed\":false,\"why\":\"there is none\"}\n");
}

#[test]
fn referrers_are_payloads_statements_and_manifests() {
    let Some(key) = Key::new(P256) else { return };
    for has_referrers in [true, false] {
        let registry = match has_referrers {
            true => Registry::start(),
            false => Registry::builder().without_referrers().start(),
        };
        let image = pushed(&registry);
        let digest = image.digest();
        without_tags(&registry, &[&digest], &["sig"]);
        let payload = payload(&digest);
        let statement = key.bundle(SIGN, &digest);
        let message = json!({"mediaType": BUNDLE,
            "messageSignature": {"signature": key.sign(&image.manifest())}});
        let message = message.to_string().into_bytes();
        let artifacts = [
            (ARTIFACT, key.signed(&payload)),
            (BUNDLE, (BUNDLE, statement.clone(), json!({}))),
            (BUNDLE, (BUNDLE, message.clone(), json!({}))),
            ("text/plain", ("text/plain", b"hello".to_vec(), json!({}))),
        ];
        let mut fallback = Index::new().oci();
        for (kind, artifact) in artifacts {
            let artifact = manifest(&registry, &[artifact]);
            fallback = fallback.image(artifact.clone().in_manifest("artifactType", json!(kind)));
            if has_referrers {
                refers(&registry, &image, kind, artifact);
            }
        }
        if !has_referrers {
            fallback.push_to(&registry, "a", &digest.replace(':', "-"));
        }
        let output = verify(&registry, &key.public()).run().status(0).stderr("");
        let mut lines = Vec::from_iter(output.text().lines().skip(2));
        lines.sort_unstable();
        let mut expected = [payload, statement, message]
            .map(|blob| format!("PASSED signature {} test", sha256(blob)));
        expected.sort();
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_signature_that_is_listed_and_gone_has_failed() {
    let Some(key) = Key::new(ED25519) else { return };
    let registry = Registry::start();
    let image = pushed(&registry);
    without_tags(&registry, &[&image.digest()], &["sig"]);
    let payload = payload(&image.digest());
    let signed = manifest(&registry, &[key.signed(&payload)]);
    refers(&registry, &image, ARTIFACT, signed);
    let there = format!("PASSED signature {} test", sha256(&payload));
    let tool = verify(&registry, &key.public());
    tool.run().success(format!("{PASSED}{there}\n"));
    let message = (BUNDLE, key.bundle(SIGN, &image.digest()), json!({}));
    refers(&registry, &image, BUNDLE, manifest(&registry, &[message]));
    let lists = Tool::new().args(["referrers", "--artifact-type", BUNDLE, "-q", ".[].digest"]);
    let gone = lists.arg(registry.image("a:v1")).run().status(0);
    let gone = gone.text().trim();
    registry.absent(&format!("/v2/a/manifests/{gone}"));
    let output = tool.run().status(6).stderr("");
    let failed = format!("FAILED signature {gone} test: manifest {gone}: not found");
    assert!(output.text().contains(&there), "{}", output.text());
    assert!(output.text().contains(&failed), "{}", output.text());
}

#[test]
fn a_signature_of_another_image_has_failed() {
    let Some(key) = Key::new(ED25519) else { return };
    let registry = Registry::start();
    let image = pushed(&registry);
    let (digest, other) = (image.digest(), sha256("another"));
    let payload = payload(&other);
    let signed = manifest(&registry, &[key.signed(&payload)]);
    signed.push_to(&registry, "a", &tag(&digest));
    let why = format!("test: the signature is about {other}, not {digest}");
    let line = format!("FAILED signature {} {why}", sha256(&payload));
    fails(&registry, &key, &line);
    let statement = key.bundle(SIGN, &other);
    let bundle = (BUNDLE, statement.clone(), json!({}));
    refers(&registry, &image, BUNDLE, manifest(&registry, &[bundle]));
    fails(
        &registry,
        &key,
        &format!("{line}\nFAILED signature {} {why}", sha256(statement)),
    );
}

#[test]
fn what_is_no_signature_of_the_payload_has_failed() {
    let Some(key) = Key::new(P256) else { return };
    let registry = Registry::start();
    let image = pushed(&registry);
    let right = payload(&image.digest());
    let (_, _, signature) = key.signed(&right);
    let text = String::from_utf8(right.clone()).unwrap();
    let changed = text.replace("null", "{}").into_bytes();
    let typed = text
        .replace("cosign container", "atomic container")
        .into_bytes();
    let mut keyless = signature.clone();
    keyless["dev.sigstore.cosign/certificate"] = "-----BEGIN CERTIFICATE-----".into();
    let foreign = "was not made with the key";
    for (payload, annotations, why) in [
        (&changed, signature.clone(), foreign.to_owned()),
        (&right, json!({}), foreign.to_owned()),
        (
            &right,
            json!({"dev.cosignproject.cosign/signature": "!"}),
            foreign.to_owned(),
        ),
        (
            &typed,
            key.signed(&typed).2,
            "is not one of an image".to_owned(),
        ),
        (
            &changed,
            keyless,
            format!("{foreign}; keyless signatures are not checked"),
        ),
    ] {
        let signed = manifest(&registry, &[(PAYLOAD, payload.clone(), annotations)]);
        signed.push_to(&registry, "a", &tag(&image.digest()));
        let digest = sha256(payload);
        fails(
            &registry,
            &key,
            &format!("FAILED signature {digest} test: the signature {why}"),
        );
    }
}

#[test]
fn every_signature_has_a_line_and_one_of_several_keys_fits() {
    let (Some(first), Some(second)) = (Key::new(ED25519), Key::new(RSA)) else {
        return;
    };
    let registry = Registry::start();
    let image = pushed(&registry);
    let payload = payload(&image.digest());
    let both = [&first, &second].map(|key| key.signed(&payload));
    manifest(&registry, &both).push_to(&registry, "a", &tag(&image.digest()));
    let digest = sha256(&payload);
    let passed = format!("PASSED signature {digest} test");
    let why = "the signature was not made with the key";
    fails(
        &registry,
        &first,
        &format!("{passed}\nFAILED signature {digest} test: {why}"),
    );
    let keys = [&first, &second].map(|key| fs::read_to_string(key.public()).unwrap());
    let tool = verify(&registry, "keys").file("work/keys", keys.concat().replace('\n', "\r\n"));
    tool.run().success(format!("{PASSED}{passed}\n{passed}\n"));
}

#[test]
fn the_signatures_of_an_index_are_fetched_once_for_all_platforms() {
    let Some(key) = Key::new(ED25519) else { return };
    let registry = Registry::start();
    let images = ["linux/amd64", "linux/arm64"].map(|it| Image::new(it).oci());
    let [amd, arm] = images.clone().map(|image| image.digest());
    let index = images.into_iter().fold(Index::new().oci(), Index::image);
    let index = index.push_to(&registry, "a", "v1");
    for digest in [&index, &arm] {
        let signed = manifest(&registry, &[key.signed(&payload(digest))]);
        signed.push_to(&registry, "a", &tag(digest));
    }
    without_tags(&registry, &[&amd], &["sig"]);
    registry.take();
    let tool = verify(&registry, &key.public()).args(["--platform", "all", "-r", "-q"]);
    let tool = tool
        .arg("map_values(map(select(.test | test(\"signature\"))) | [length, all(.[]; .passed)])");
    tool.run()
        .success("{\"linux/amd64\":[1,true],\"linux/arm64\":[2,true]}\n");
    let asked = registry.take();
    // Three manifests and two configurations; for each manifest its referrers and its tag; two payloads.
    assert_eq!(asked.len(), 5 + 6 + 2, "{asked:?}");
}

#[test]
fn what_says_nothing_of_a_signature_is_no_verdict() {
    let Some(key) = Key::new(ED25519) else { return };
    let registry = Registry::start();
    let image = pushed(&registry);
    let payload = payload(&image.digest());
    let digest = sha256(&payload);
    let signed = manifest(&registry, &[key.signed(&payload)]);
    signed.push_to(&registry, "a", &tag(&image.digest()));
    let blob = format!("/v2/a/blobs/{digest}");
    registry.fail(&blob, 403);
    let why = format!(
        "{}: blob {digest}: access forbidden\n",
        registry.image("a:v1")
    );
    verify(&registry, &key.public())
        .run()
        .fails(4, format!("docker-registry: {why}"));
    registry.absent(&blob);
    let output = verify(&registry, &key.public()).run().status(6).stderr("");
    let failed = format!("FAILED signature {digest} test: blob {digest}: not found");
    assert!(output.text().contains(&failed), "{}", output.text());
}

#[test]
fn a_file_without_a_key_is_a_usage_error() {
    let registry = Registry::start();
    let why = "expected a public key in PEM form: ECDSA on P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits";
    let pem =
        |body: &str| format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    // The second is of X25519.
    let others = [
        "AAAA",
        "MCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ]
    .map(pem);
    for text in [
        "",
        "hello",
        "-----BEGIN PUBLIC KEY-----",
        &others[0],
        &others[1],
    ] {
        let tool = verify(&registry, "key").file("work/key", text);
        let image = registry.image("a:v1");
        tool.run()
            .fails(2, format!("docker-registry: {image}: key: {why}\n"));
    }
    assert_eq!(registry.accepted(), 0);
    let tool = verify(&registry, "missing").run().status(1);
    assert!(tool.messages().contains("missing: "), "{}", tool.messages());
}
