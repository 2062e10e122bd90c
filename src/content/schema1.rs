//! Docker's image manifest of version 2, schema 1 (distribution, manifest-v2-1.md).

use serde_json::Value;

use super::{Content, DOCKER_LAYER, Layer, ManifestKind, parse};
use crate::digest::{Algorithm, Digest};
use crate::encoding;
use crate::error::{Error, Kind, Result};

impl Content {
    /// The configuration that the manifest carries for its topmost layer.
    pub(crate) fn v1_compatibility(&self) -> Result<Self> {
        let Some(text) = self.json["history"][0]["v1Compatibility"].as_str() else {
            return Err(Error::new(Kind::Protocol, "the schema 1 manifest has no v1Compatibility"));
        };
        let bytes = text.as_bytes().to_vec();
        let (json, digest) = (parse(&bytes)?, Digest::of(Algorithm::Sha256, &bytes));
        Ok(Content { media_type: "application/json".to_owned(), digest, bytes, json })
    }

    /// The same of each layer, the topmost first.
    pub(crate) fn v1_history(&self) -> impl Iterator<Item = Result<Value>> {
        let steps = self.json["history"].as_array().into_iter().flatten();
        let texts = steps.filter_map(|step| step["v1Compatibility"].as_str());
        texts.map(|text| parse(text.as_bytes()))
    }

    pub(super) fn fs_layers(&self) -> Result<Vec<Layer>> {
        let listed = self.json["fsLayers"].as_array().into_iter().flatten();
        let read = |layer: &Value| {
            let sum = layer["blobSum"].as_str().unwrap_or_default();
            let wrong = |_| Error::new(Kind::Protocol, format!("a layer has the blobSum '{sum}'"));
            let digest = sum.parse().map_err(wrong)?;
            Ok(Layer {
                digest,
                media_type: DOCKER_LAYER.to_owned(),
                size: None,
                annotations: Value::Null,
            })
        };
        listed.rev().map(read).collect()
    }
}

/// Whether the members are those of schema 1 and of nothing else.
pub(super) fn is_schema1(json: &Value) -> bool {
    let others = ["manifests", "layers", "config", "subject"];
    json["schemaVersion"] == 1
        && json["fsLayers"].is_array()
        && json["history"].is_array()
        && others.iter().all(|key| json[key].is_null())
        && match &json["mediaType"] {
            Value::Null => true,
            named => named.as_str().map(ManifestKind::of) == Some(ManifestKind::Schema1),
        }
}

/// What the digest of a signed manifest covers, and its JSON: the document before its signatures were
/// put in, which the first signature's protected header tells how to rebuild (libtrust's JSON form).
/// `None` for whatever is not schema 1, and where the payload is not the document without its
/// signatures: anything may have a member called so.
pub(super) fn signed(bytes: &[u8]) -> Option<(Vec<u8>, Value)> {
    // Spares a second parse of all others.
    const SIGNATURES: &[u8] = b"\"signatures\"";
    bytes.windows(SIGNATURES.len()).find(|window| *window == SIGNATURES)?;
    let mut json = parse(bytes).ok().filter(is_schema1)?;
    let signatures = json.as_object_mut()?.remove("signatures")?;
    let protected = encoding::decode(signatures[0]["protected"].as_str()?)?;
    let protected = parse(&protected).ok()?;
    let length = usize::try_from(protected["formatLength"].as_u64()?).ok()?;
    let tail = encoding::decode(protected["formatTail"].as_str()?)?;
    let payload = [bytes.get(..length)?, &tail].concat();
    let signed = parse(&payload).ok()?;
    (signed == json).then_some((payload, signed))
}
