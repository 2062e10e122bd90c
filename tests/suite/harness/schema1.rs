//! Images as registries served them until 2017: signed, with the configuration as strings.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};

use super::image::{Destination, Image, pretty};
use super::registry::Registry;
use super::store::sha256;
use super::tokens::{key_id, sign};

pub const MEDIA_TYPE: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// A signed manifest of schema 1.
pub struct Schema1 {
    /// As it is served, with signatures.
    pub bytes: Vec<u8>,
    /// Of the payload: what was signed.
    pub digest: String,
}

impl Schema1 {
    /// The image as schema 1 has it, signed with a key that is then forgotten.
    pub fn new(image: &Image, name: &str, tag: &str) -> Schema1 {
        let config: Value = serde_json::from_slice(&image.config()).expect("a configuration");
        let blobs = image.layers().iter().map(sha256).collect::<Vec<String>>();
        // The newest comes first, and only it has the whole configuration.
        let fs_layers: Vec<Value> = blobs
            .iter()
            .rev()
            .map(|sum| json!({"blobSum": sum}))
            .collect();
        let history: Vec<Value> = (0..blobs.len())
            .rev()
            .map(|layer| {
                let compatible = compatibility(&config, &blobs, layer);
                json!({"v1Compatibility": compatible.to_string()})
            })
            .collect();
        let payload = indented(&json!({
            "schemaVersion": 1,
            "name": name,
            "tag": tag,
            "architecture": config["architecture"],
            "fsLayers": fs_layers,
            "history": history,
        }));
        Schema1 {
            digest: sha256(&payload),
            bytes: signed(&payload).into_bytes(),
        }
    }

    /// Puts layers and manifest there.
    pub fn push_to(image: &Image, registry: &Registry, name: &str, tag: &str) -> Schema1 {
        let manifest = Schema1::new(image, name, tag);
        for layer in image.layers() {
            registry.put_blob(name, &layer);
        }
        let bytes = manifest.bytes.clone();
        registry.keep(name, tag, &manifest.digest, MEDIA_TYPE, bytes);
        manifest
    }
}

fn compatibility(config: &Value, blobs: &[String], layer: usize) -> Value {
    let id = |layer: usize| blobs[layer].trim_start_matches("sha256:").to_owned();
    let created_by = &config["history"][layer]["created_by"];
    let mut compatible = json!({"id": id(layer)});
    if layer > 0 {
        compatible["parent"] = json!(id(layer - 1));
    }
    compatible["created"] = config["created"].clone();
    compatible["container_config"] = json!({"Cmd": [created_by]});
    if layer + 1 == blobs.len() {
        for field in ["architecture", "os", "config"] {
            compatible[field] = config[field].clone();
        }
    }
    compatible
}

/// The form of libtrust, whose signature stands inside of what it signs.
fn signed(payload: &str) -> String {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let (head, tail) = payload.split_at(payload.len() - 2);
    let protected = json!({
        "formatLength": head.len(),
        "formatTail": BASE64.encode(tail),
        "time": "2026-01-02T03:04:05Z",
    });
    let protected = BASE64.encode(protected.to_string());
    let message = format!("{protected}.{}", BASE64.encode(payload));
    // An uncompressed point: 4, x, y.
    let point = key.der_bytes();
    let jwk = json!({
        "crv": "P-256",
        "kid": key_id(&key),
        "kty": "EC",
        "x": BASE64.encode(&point[1..33]),
        "y": BASE64.encode(&point[33..]),
    });
    let signature = json!([{
        "header": {"jwk": jwk, "alg": "ES256"},
        "signature": BASE64.encode(sign(&key, message.as_bytes())),
        "protected": protected,
    }]);
    let signature = indented(&signature).replace('\n', "\n   ");
    format!("{head},\n   \"signatures\": {signature}{tail}")
}

/// Indented by three, as Docker did.
fn indented(value: &Value) -> String {
    let text = String::from_utf8(pretty(value)).expect("JSON is UTF-8");
    let wider = |line: &str| {
        let content = line.trim_start();
        let indent = (line.len() - content.len()) / 2 * 3;
        format!("{}{content}", " ".repeat(indent))
    };
    text.lines().map(wider).collect::<Vec<String>>().join("\n")
}
