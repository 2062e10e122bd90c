//! What a registry serves under a digest: its bytes first, their meaning second.

mod schema1;

use serde_json::Value;

use schema1::is_schema1;

use crate::digest::{Algorithm, Digest};
use crate::encoding;
use crate::error::{During, Error, Kind, Result};
use crate::json;
use crate::memory;
use crate::platform::Platform;

/// Manifests and configurations that are longer are refused.
pub(crate) const LIMIT: u64 = 8 << 20;

pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+json";
pub(crate) const SIGNED_SCHEMA1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// What kind of manifest a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ManifestKind {
    /// Docker manifest list or OCI index.
    Index,
    /// Docker schema 2 or OCI image manifest.
    Manifest,
    /// Docker schema 1, with or without signatures.
    Schema1,
    /// A manifest of a type that is not known here.
    Other,
}

impl ManifestKind {
    pub(crate) fn of(media_type: &str) -> ManifestKind {
        match media_type {
            DOCKER_LIST | OCI_INDEX => ManifestKind::Index,
            DOCKER_MANIFEST | OCI_MANIFEST => ManifestKind::Manifest,
            SIGNED_SCHEMA1 | SCHEMA1 => ManifestKind::Schema1,
            _ => ManifestKind::Other,
        }
    }
}

/// Bytes whose digest is right, and their JSON.
#[derive(Debug)]
pub(crate) struct Content {
    media_type: String,
    digest: Digest,
    bytes: Vec<u8>,
    json: Value,
}

impl Content {
    /// A manifest or index. `said` is the source's media type; the body's own takes precedence,
    /// since the digest covers it. Without `expected` the digest is computed. `Kind::Corrupt` if
    /// the bytes are others than `expected`, or not JSON, or two kinds of manifest at once.
    pub(crate) fn manifest(
        said: Option<&str>,
        bytes: Vec<u8>,
        expected: Option<&Digest>,
    ) -> Result<Self> {
        let signed = schema1::signed(&bytes);
        let is_signed = signed.is_some();
        let (digest, json) = verified(&bytes, signed, expected)?;
        let media_type = manifest_type(said, &json, is_signed)?;
        Ok(Content { media_type, digest, bytes, json })
    }

    /// A blob that a descriptor leads to. `Kind::Corrupt` if the bytes are others, or not JSON.
    pub(crate) fn blob(descriptor: &Descriptor, bytes: Vec<u8>) -> Result<Self> {
        descriptor.digest.verify(&bytes)?;
        let media_type = descriptor.media_type.clone();
        let json = parse(&bytes).during(format_args!("content of type '{media_type}'"))?;
        Ok(Content { media_type, digest: descriptor.digest.clone(), bytes, json })
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

    /// How many bytes of memory it has, about.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.len() + memory::weight(&self.json)
    }

    pub(crate) fn kind(&self) -> ManifestKind {
        ManifestKind::of(&self.media_type)
    }

    /// The descriptors below `key`, such as `manifests` or `layers`; none if the key is absent.
    /// `Kind::Protocol` if what stands there is no list of descriptors.
    pub(crate) fn descriptors(&self, key: &str) -> Result<Vec<Descriptor>> {
        match &self.json[key] {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items.iter().map(Descriptor::read).collect(),
            _ => Err(Error::new(Kind::Protocol, format!("'{key}' is not a list"))),
        }
    }

    /// The layers of a manifest, the lowest first.
    pub(crate) fn layers(&self) -> Result<Vec<Layer>> {
        if self.kind() == ManifestKind::Schema1 {
            return self.fs_layers();
        }
        let layers = self.descriptors("layers")?.into_iter();
        let read = |Descriptor { digest, media_type, size, mut json, .. }| {
            let annotations = json["annotations"].take();
            Layer { digest, media_type, size: Some(size), annotations }
        };
        Ok(layers.map(read).collect())
    }

    /// The configuration's descriptor; `None` for a manifest without one.
    pub(crate) fn config(&self) -> Result<Option<Descriptor>> {
        match &self.json["config"] {
            Value::Null => Ok(None),
            value => Descriptor::read(value).map(Some),
        }
    }
}

/// A layer as far as the manifest describes it.
pub(crate) struct Layer {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    /// `None` in schema 1, which does not say.
    pub(crate) size: Option<u64>,
    /// An object, or null.
    pub(crate) annotations: Value,
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
        let wrong = |why: &str| Error::new(Kind::Protocol, format!("a descriptor {why}"));
        let digest = json["digest"].as_str().ok_or_else(|| wrong("has no digest"))?;
        Ok(Descriptor {
            media_type: json["mediaType"].as_str().unwrap_or_default().to_owned(),
            digest: digest.parse().map_err(|_| wrong(&format!("has the digest '{digest}'")))?,
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

    /// Whether this is an attestation of BuildKit and not an image.
    pub(crate) fn is_attestation(&self) -> bool {
        self.annotation("vnd.docker.reference.type").is_some()
            || self.platform.as_ref().is_some_and(Platform::is_unknown)
    }
}

/// `Kind::Corrupt` unless the bytes are one JSON value, within [`json`]'s limits, of which
/// everybody says the same.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value> {
    json::parse_strict(bytes)
        .map_err(|error| Error::new(error.kind(), format!("the content is {error}")))
}

/// The digest of a manifest, and the JSON of exactly those bytes that it covers. `signed` is the
/// payload of a signed manifest and its JSON.
fn verified(
    bytes: &[u8],
    signed: Option<(Vec<u8>, Value)>,
    expected: Option<&Digest>,
) -> Result<(Digest, Value)> {
    let compared = |actual: Digest| match expected {
        Some(digest) => digest.compare(&actual).map(|()| actual),
        None => Ok(actual),
    };
    let algorithm = expected.map_or(Algorithm::Sha256, Digest::algorithm);
    if let Some((payload, json)) = signed {
        let actual = compared(Digest::of(algorithm, &payload));
        // crane's and CUE's registries know no signatures: their digest is of the whole body.
        if actual.is_ok() || expected.is_none_or(|digest| digest.verify(bytes).is_err()) {
            return Ok((actual?, json));
        }
    }
    Ok((compared(Digest::of(algorithm, bytes))?, parse(bytes)?))
}

/// The media type of a manifest: the body's own, else what the source said unless the body shows
/// another kind, else what it shows. Registries serve some as `text/plain`, and OCI makes
/// `mediaType` optional.
fn manifest_type(said: Option<&str>, json: &Value, is_signed: bool) -> Result<String> {
    let has = |key: &str| !json[key].is_null();
    // image-spec, "Document Media Type Confusion": a document that is two things is neither.
    if has("manifests") && (has("layers") || has("config")) {
        return Err(Error::new(Kind::Corrupt, "the document is both an index and a manifest"));
    }
    let shown = match json {
        _ if has("manifests") => Some(OCI_INDEX),
        _ if has("config") || has("layers") => Some(OCI_MANIFEST),
        _ if is_schema1(json) => Some(if is_signed { SIGNED_SCHEMA1 } else { SCHEMA1 }),
        _ => None,
    };
    let named = json["mediaType"].as_str();
    let said = said.map(without_parameters);
    let is_known = |name: &&str| ManifestKind::of(name) != ManifestKind::Other;
    let fits = |name: &&str| {
        let is_shown = |shown| ManifestKind::of(shown) == ManifestKind::of(name);
        is_known(name) && shown.is_none_or(is_shown)
    };
    let known = named.filter(is_known).or(said.filter(fits));
    Ok(known.or(shown).or(named).or(said).unwrap_or_default().to_owned())
}

/// A media type alone, as `Content-Type` has it before its parameters (RFC 9110, 8.3.1).
pub(crate) fn without_parameters(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(said: Option<&str>, body: &str) -> String {
        Content::manifest(said, body.into(), None).unwrap().media_type().to_owned()
    }

    #[test]
    fn the_body_has_the_last_word_on_its_type() {
        let body = format!(r#"{{"mediaType":"{OCI_MANIFEST}"}}"#);
        assert_eq!(type_of(Some(DOCKER_MANIFEST), &body), OCI_MANIFEST);
        assert_eq!(type_of(Some(&format!("{DOCKER_LIST}; charset=utf-8")), "{}"), DOCKER_LIST);
        assert_eq!(type_of(Some("text/plain"), r#"{"manifests":[]}"#), OCI_INDEX);
        assert_eq!(type_of(Some("text/plain"), r#"{"config":{},"layers":[]}"#), OCI_MANIFEST);
        for alone in [r#"{"config":{}}"#, r#"{"layers":[]}"#] {
            assert_eq!(type_of(Some("text/plain"), alone), OCI_MANIFEST);
        }
        let schema1 = r#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#;
        for said in [None, Some("text/plain"), Some(OCI_INDEX)] {
            assert_eq!(type_of(said, schema1), SCHEMA1);
        }
        assert_eq!(type_of(Some(SIGNED_SCHEMA1), schema1), SIGNED_SCHEMA1);
        for said in [SCHEMA1, OCI_INDEX] {
            let body = r#"{"config":{},"layers":[]}"#;
            assert_eq!(type_of(Some(said), body), OCI_MANIFEST);
        }
        assert_eq!(type_of(Some(SCHEMA1), r#"{"schemaVersion":1}"#), SCHEMA1);
        assert_eq!(type_of(Some("text/html"), "{}"), "text/html");
    }

    #[test]
    fn a_document_that_is_two_things_is_neither() {
        let body = br#"{"manifests":[],"layers":[]}"#.to_vec();
        assert_eq!(Content::manifest(None, body, None).unwrap_err().kind(), Kind::Corrupt);
    }

    #[test]
    fn schema_1_has_all_of_its_members_and_none_of_others() {
        let whole = parse(br#"{"schemaVersion":1,"fsLayers":[],"history":[]}"#).unwrap();
        assert!(is_schema1(&whole));
        let with = |key: &str, value: Value| {
            let mut json = whole.clone();
            json[key] = value;
            is_schema1(&json)
        };
        for key in ["schemaVersion", "fsLayers", "history"] {
            assert!(!with(key, Value::Null), "{key}");
        }
        for key in ["manifests", "layers", "config", "subject"] {
            assert!(!with(key, Value::Array(Vec::new())), "{key}");
        }
        for named in [SCHEMA1, SIGNED_SCHEMA1] {
            assert!(with("mediaType", named.into()), "{named}");
        }
        for named in [OCI_MANIFEST, DOCKER_LIST, "text/plain", ""] {
            assert!(!with("mediaType", named.into()), "{named}");
        }
        assert!(!with("mediaType", 1.into()));
    }

    #[test]
    fn an_attestation_is_told_by_its_annotation_or_its_platform() {
        let is_attestation = |platform: &str, annotation: &str| {
            let digest = sha256("");
            let json = format!(
                r#"{{"digest":"{digest}","size":0,"platform":{{"os":"{platform}","architecture":"{platform}"}},"annotations":{{"{annotation}":"attestation-manifest"}}}}"#
            );
            Descriptor::read(&parse(json.as_bytes()).unwrap()).unwrap().is_attestation()
        };
        assert!(is_attestation("unknown", "vnd.docker.reference.type"));
        assert!(is_attestation("unknown", "other"));
        assert!(is_attestation("linux", "vnd.docker.reference.type"));
        assert!(!is_attestation("linux", "other"));
    }

    const MEMBERS: &str = "{\n   \"schemaVersion\": 1,\n   \"fsLayers\": [],\n   \"history\": []";

    /// A document that begins like this, with the signature that makes another one of it.
    fn signed(head: &str, length: usize, tail: &str) -> String {
        let tail = encoding::encode(tail.as_bytes());
        let protected = format!(r#"{{"formatLength":{length},"formatTail":"{tail}"}}"#);
        let protected = encoding::encode(protected.as_bytes());
        format!("{head},\n   \"signatures\": [{{\"protected\":\"{protected}\"}}]\n}}")
    }

    fn sha256(text: &str) -> Digest {
        Digest::of(Algorithm::Sha256, text.as_bytes())
    }

    #[test]
    fn the_digest_of_a_signed_manifest_is_of_its_payload() {
        let payload = format!("{MEMBERS}\n}}");
        let signed = signed(MEMBERS, MEMBERS.len(), "\n}");
        for expected in [None, Some(&sha256(&payload))] {
            let document = Content::manifest(None, signed.clone().into(), expected).unwrap();
            assert_eq!(document.media_type(), SIGNED_SCHEMA1);
            assert_eq!(document.bytes(), signed.as_bytes());
            assert_eq!(*document.digest(), sha256(&payload));
            assert_eq!(document.json(), &parse(payload.as_bytes()).unwrap());
        }
        let whole = sha256(&signed);
        let document = Content::manifest(None, signed.clone().into(), Some(&whole)).unwrap();
        assert_eq!(*document.digest(), whole);
        assert_eq!(document.media_type(), SIGNED_SCHEMA1);
        let other = Content::manifest(None, signed.into(), Some(&sha256("")));
        assert_eq!(
            other.unwrap_err().to_string(),
            format!("the digest of the content is {}, not {}", sha256(&payload), sha256(""))
        );
    }

    #[test]
    fn nothing_else_can_be_signed() {
        let genuine = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
        let schema1 = format!("{MEMBERS}\n}}");
        let heads = [
            // Other kinds of manifest, whatever they call themselves.
            r#"{"schemaVersion":2,"config":{"a":1},"layers":[]"#.to_owned(),
            r#"{"manifests":[]"#.to_owned(),
            format!(r#"{{"mediaType":"{SIGNED_SCHEMA1}","config":{{}},"layers":[]"#),
            format!(r#"{MEMBERS},"config":{{}}"#),
            format!(r#"{MEMBERS},"mediaType":"{OCI_MANIFEST}""#),
            r#"{"schemaVersion":1"#.to_owned(),
            // Schema 1, but with another payload.
            MEMBERS.to_owned(),
            format!(r#"{MEMBERS},"tag":"a""#),
            // Members that others read otherwise.
            format!(r#"{MEMBERS},"history":[1]"#),
        ];
        for head in &heads {
            let mut claims = vec![genuine, "{}"];
            claims.extend((head != MEMBERS).then_some(&*schema1));
            for claimed in claims {
                let forged = signed(head, 0, claimed);
                let expected = sha256(claimed);
                let read = Content::manifest(Some(SIGNED_SCHEMA1), forged.into(), Some(&expected));
                assert_eq!(read.unwrap_err().kind(), Kind::Corrupt, "{head}");
            }
        }
    }

    #[test]
    fn a_manifest_in_which_a_key_stands_twice_is_corrupt() {
        for body in
            [r#"{"layers":[],"layers":[]}"#, r#"{"manifests":[{"digest":"a","digest":"b"}]}"#]
        {
            let error = Content::manifest(None, body.into(), None).unwrap_err();
            assert_eq!(error.kind(), Kind::Corrupt);
            assert!(error.to_string().contains("a key is there twice"));
        }
    }
}
