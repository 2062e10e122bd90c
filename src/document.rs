//! What a registry serves under a digest: its bytes first, their meaning second.

use serde_json::Value;

use crate::digest::{Algorithm, Digest};
use crate::encoding;
use crate::error::{During, Error, Kind, Result};
use crate::platform::Platform;

/// Manifests and configurations that are longer are refused.
pub(crate) const LIMIT: u64 = 8 << 20;

pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
pub(crate) const SIGNED_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// What kind of manifest a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Docker manifest list or OCI index.
    Index,
    /// Docker schema 2 or OCI image manifest.
    Manifest,
    /// Docker schema 1, with or without signatures.
    Schema1,
    /// A manifest of a type that is not known here.
    Other,
}

impl Form {
    pub(crate) fn of(media_type: &str) -> Form {
        match media_type {
            DOCKER_LIST | OCI_INDEX => Form::Index,
            DOCKER_MANIFEST | OCI_MANIFEST => Form::Manifest,
            SIGNED_SCHEMA1 | SCHEMA1 => Form::Schema1,
            _ => Form::Other,
        }
    }
}

/// Bytes whose digest is right, and their JSON.
#[derive(Debug)]
pub(crate) struct Document {
    media_type: String,
    digest: Digest,
    bytes: Vec<u8>,
    json: Value,
}

impl Document {
    /// A manifest or index. `said` is what its source calls it; what the digest covers, the body,
    /// has the last word. Without `expected` the digest is computed. `Kind::Corrupt` if the bytes
    /// are others than `expected`, or not JSON, or two kinds of manifest at once.
    pub(crate) fn manifest(
        said: Option<&str>,
        bytes: Vec<u8>,
        expected: Option<&Digest>,
    ) -> Result<Self> {
        let signed = signed_payload(&bytes);
        let content = signed.as_deref().unwrap_or(&bytes);
        let digest = match expected {
            Some(digest) => digest.verify(content).map(|()| digest.clone())?,
            None => Digest::of(Algorithm::Sha256, content),
        };
        let json = parse(&bytes)?;
        let media_type = manifest_type(said, &json, signed.is_some())?;
        Ok(Document {
            media_type,
            digest,
            bytes,
            json,
        })
    }

    /// A blob that a descriptor leads to. `Kind::Corrupt` if the bytes are others, or not JSON.
    pub(crate) fn blob(descriptor: &Descriptor, bytes: Vec<u8>) -> Result<Self> {
        descriptor.digest.verify(&bytes)?;
        let media_type = descriptor.media_type.clone();
        let json = parse(&bytes).during(format_args!("content of type '{media_type}'"))?;
        Ok(Document {
            media_type,
            digest: descriptor.digest.clone(),
            bytes,
            json,
        })
    }

    /// The configuration that a schema 1 manifest carries for its topmost layer
    /// (distribution, manifest-v2-1.md, `v1Compatibility`).
    pub(crate) fn v1_compatibility(&self) -> Result<Self> {
        let Some(text) = self.json["history"][0]["v1Compatibility"].as_str() else {
            return Err(Error::new(
                Kind::Local,
                "the schema 1 manifest has no v1Compatibility",
            ));
        };
        let bytes = text.as_bytes().to_vec();
        let json = parse(&bytes)?;
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        Ok(Document {
            media_type: "application/json".to_owned(),
            digest,
            bytes,
            json,
        })
    }

    pub(crate) fn media_type(&self) -> &str {
        &self.media_type
    }

    pub(crate) fn digest(&self) -> &Digest {
        &self.digest
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    pub(crate) fn form(&self) -> Form {
        Form::of(&self.media_type)
    }

    /// The descriptors below `key`, such as `manifests` or `layers`; none if the key is absent.
    /// `Kind::Local` if what stands there is no list of descriptors.
    pub(crate) fn descriptors(&self, key: &str) -> Result<Vec<Descriptor>> {
        match &self.json[key] {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items.iter().map(Descriptor::read).collect(),
            _ => Err(Error::new(Kind::Local, format!("'{key}' is not a list"))),
        }
    }

    /// The configuration's descriptor; `None` for a manifest without one.
    pub(crate) fn config(&self) -> Result<Option<Descriptor>> {
        match &self.json["config"] {
            Value::Null => Ok(None),
            value => Descriptor::read(value).map(Some),
        }
    }
}

/// What points at content (image-spec, descriptor.md).
#[derive(Clone, Debug)]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    /// `None` where the index does not say.
    pub(crate) platform: Option<Platform>,
    /// The descriptor as it was written.
    pub(crate) json: Value,
}

impl Descriptor {
    pub(crate) fn read(json: &Value) -> Result<Self> {
        let wrong = |why: &str| Error::new(Kind::Local, format!("a descriptor {why}"));
        let digest = json["digest"]
            .as_str()
            .ok_or_else(|| wrong("has no digest"))?;
        Ok(Descriptor {
            media_type: json["mediaType"].as_str().unwrap_or_default().to_owned(),
            digest: digest
                .parse()
                .map_err(|_| wrong(&format!("has the digest '{digest}'")))?,
            size: json["size"].as_u64().ok_or_else(|| wrong("has no size"))?,
            platform: Platform::read(&json["platform"]),
            json: json.clone(),
        })
    }

    pub(crate) fn annotation(&self, name: &str) -> Option<&str> {
        self.json["annotations"][name].as_str()
    }

    /// The content itself, where the descriptor brings it along (image-spec, descriptor.md, `data`).
    pub(crate) fn data(&self) -> Option<Vec<u8>> {
        encoding::decode(self.json["data"].as_str()?)
    }

    /// Whether this may lead to an image's configuration: artifacts have other types there.
    pub(crate) fn is_image_config(&self) -> bool {
        // Docker's first schema 2 manifests, and some builders, name a type that says nothing.
        const VAGUE: [&str; 3] = ["", "application/octet-stream", "application/json"];
        let media_type = self.media_type.as_str();
        [DOCKER_CONFIG, OCI_CONFIG].contains(&media_type) || VAGUE.contains(&media_type)
    }

    /// Whether this is what BuildKit attaches to an image and not an image.
    pub(crate) fn is_attestation(&self) -> bool {
        self.annotation("vnd.docker.reference.type").is_some()
            || self.platform.as_ref().is_some_and(Platform::is_unknown)
    }
}

/// `Kind::Corrupt` unless the bytes are one JSON value of sane depth.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::new(Kind::Corrupt, format!("the content is not JSON: {error}")))
}

/// The media type of a manifest: the body's own, else what the source said, else what its
/// members show. Registries serve some as `text/plain`, and OCI makes `mediaType` optional.
fn manifest_type(said: Option<&str>, json: &Value, signed: bool) -> Result<String> {
    let has = |key: &str| !json[key].is_null();
    // image-spec, "Document Media Type Confusion": a document that is two things is neither.
    if has("manifests") && (has("layers") || has("config")) {
        return Err(Error::new(
            Kind::Corrupt,
            "the document is both an index and a manifest",
        ));
    }
    let said = said.map(|text| text.split(';').next().unwrap_or_default().trim());
    let named = json["mediaType"].as_str().into_iter().chain(said);
    if let Some(known) = named.clone().find(|name| Form::of(name) != Form::Other) {
        return Ok(known.to_owned());
    }
    let shown = if has("manifests") {
        OCI_INDEX
    } else if has("config") || has("layers") {
        OCI_MANIFEST
    } else if json["schemaVersion"] == 1 {
        if signed { SIGNED_SCHEMA1 } else { SCHEMA1 }
    } else {
        named.into_iter().next().unwrap_or_default()
    };
    Ok(shown.to_owned())
}

/// What the digest of a signed schema 1 manifest covers: the document before its signatures were
/// put in, which the first signature's protected header tells how to rebuild (libtrust's JSON form).
/// `None` if the document is not signed.
fn signed_payload(bytes: &[u8]) -> Option<Vec<u8>> {
    // Only a document that mentions them has signatures; spares a second parse of all others.
    const SIGNATURES: &[u8] = b"\"signatures\"";
    bytes
        .windows(SIGNATURES.len())
        .find(|window| *window == SIGNATURES)?;
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let protected = encoding::decode(json["signatures"][0]["protected"].as_str()?)?;
    let protected: Value = serde_json::from_slice(&protected).ok()?;
    let length = usize::try_from(protected["formatLength"].as_u64()?).ok()?;
    let tail = encoding::decode(protected["formatTail"].as_str()?)?;
    Some([bytes.get(..length)?, &tail].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(said: Option<&str>, body: &str) -> String {
        Document::manifest(said, body.into(), None)
            .unwrap()
            .media_type()
            .to_owned()
    }

    #[test]
    fn the_body_has_the_last_word_on_its_type() {
        let body = format!(r#"{{"mediaType":"{OCI_MANIFEST}"}}"#);
        assert_eq!(type_of(Some(DOCKER_MANIFEST), &body), OCI_MANIFEST);
        assert_eq!(
            type_of(Some(&format!("{DOCKER_LIST}; charset=utf-8")), "{}"),
            DOCKER_LIST
        );
        assert_eq!(
            type_of(Some("text/plain"), r#"{"manifests":[]}"#),
            OCI_INDEX
        );
        assert_eq!(
            type_of(Some("text/plain"), r#"{"config":{},"layers":[]}"#),
            OCI_MANIFEST
        );
        assert_eq!(type_of(None, r#"{"schemaVersion":1}"#), SCHEMA1);
        assert_eq!(type_of(Some("text/html"), "{}"), "text/html");
    }

    #[test]
    fn a_document_that_is_two_things_is_neither() {
        let body = br#"{"manifests":[],"layers":[]}"#.to_vec();
        assert_eq!(
            Document::manifest(None, body, None).unwrap_err().kind(),
            Kind::Corrupt
        );
    }

    #[test]
    fn the_digest_of_a_signed_manifest_is_of_its_payload() {
        let payload = "{\n   \"schemaVersion\": 1\n}";
        let protected = encoding::encode(br#"{"formatLength":23,"formatTail":"Cn0"}"#);
        let signed = format!(
            "{},\n   \"signatures\": [{{\"protected\":\"{protected}\"}}]\n}}",
            &payload[..23]
        );
        let expected = Digest::of(Algorithm::Sha256, payload.as_bytes());
        let document = Document::manifest(None, signed.clone().into(), Some(&expected)).unwrap();
        assert_eq!(document.media_type(), SIGNED_SCHEMA1);
        assert_eq!(document.bytes(), signed.as_bytes());
    }
}
