//! What is attached to an image and says something of it: SBOMs, provenance and other statements,
//! wherever they are kept. Their signatures are not checked; those of the image are, in `signature`.
//!
//! - BuildKit lists a manifest of them beside the images in the index
//!   (buildkit, docs/attestations/attestation-storage.md);
//! - OCI artifacts name the image as their subject (distribution-spec, "Listing Referrers");
//! - cosign tags them after the image's digest (cosign, specs/ATTESTATION_SPEC.md and SBOM_SPEC.md).
//!
//! A predicate stands in a statement (in-toto), which may stand in an envelope (DSSE), which may
//! stand in a bundle (Sigstore). SBOMs also stand alone.

mod public_key;
mod signature;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;

use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::{Digest, Verified};
use crate::encoding;
use crate::error::{During, Error, Kind, Result, found};
use crate::image::{Budget, Image};
use crate::json;
use crate::memory;
use crate::output;
use crate::source::Source;

pub(crate) use public_key::PublicKeys;
pub(crate) use signature::signatures;

/// Longer statements are refused.
const LIMIT: u64 = 32 << 20;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// What documents that are no statements are about, by a part of their media type.
const DOCUMENTS: [(&str, &str); 3] = [
    ("spdx", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("syft", "https://syft.dev/bom"),
];

/// One statement, or a document that stands for one.
pub(crate) struct Attestation {
    /// `None` for a document that does not say.
    pub(crate) predicate_type: Option<String>,
    /// `buildkit`, `referrers` or `cosign`.
    pub(crate) store: &'static str,
    /// Whether it is about the platform's manifest, and not about the whole index.
    pub(crate) is_for_platform: bool,
    pub(crate) blob: Descriptor,
    /// What was fetched to learn the type.
    bytes: Option<Arc<Vec<u8>>>,
}

impl Attestation {
    pub(crate) fn is_sbom(&self) -> bool {
        let kind = self.predicate_type.as_deref().unwrap_or_default();
        DOCUMENTS.iter().any(|(name, _)| kind.to_lowercase().contains(name))
    }

    pub(crate) fn is_provenance(&self) -> bool {
        let kind = self.predicate_type.as_deref().unwrap_or_default();
        kind.starts_with("https://slsa.dev/provenance/")
    }
}

/// A place to look.
enum Location {
    /// A manifest that the index lists.
    BuildKit(Box<Descriptor>),
    Referrers(Digest, bool),
    /// A tag.
    Cosign(String, bool),
}

/// What is attached to the image for its platform, then what is attached to its index.
pub(crate) fn all(image: &Image) -> Result<Vec<Attestation>> {
    let (source, budget) = (&*image.source, &image.budget);
    let top = image.top_manifest()?;
    let digest = image.digest()?;
    let mut stores = Vec::new();
    if top.kind() == ManifestKind::Index {
        let mut entries = budget.entries(top, 0)?;
        let name = digest.to_string();
        entries.retain(|entry| entry.annotation("vnd.docker.reference.digest") == Some(&*name));
        stores.extend(entries.into_iter().map(|entry| Location::BuildKit(Box::new(entry))));
    }
    let subjects =
        [Some((&digest, true)), (*top.digest() != digest).then(|| (top.digest(), false))];
    for (subject, is_for_platform) in subjects.into_iter().flatten() {
        stores.push(Location::Referrers(subject.clone(), is_for_platform));
        let tags = ["att", "sbom"].map(|it| format!("{}.{it}", subject.fallback_tag()));
        stores.extend(tags.map(|tag| Location::Cosign(tag, is_for_platform)));
    }
    let found = image.pool.all(stores, |store| store.list(source, budget))?;
    let mut seen = HashSet::new();
    let mut found: Vec<Attestation> = found.into_iter().flatten().collect();
    found.retain(|it| seen.insert(it.blob.digest.clone()));
    Ok(found)
}

impl Location {
    fn list(&self, source: &dyn Source, budget: &Budget) -> Result<Vec<Attestation>> {
        // What a list names may be gone.
        let manifest = |entry| found(budget.manifest(source, entry));
        let (name, is_for_platform, manifests) = match self {
            Location::BuildKit(entry) => ("buildkit", true, vec![manifest(entry)?]),
            Location::Referrers(subject, is_for_platform) => {
                let listed = budget.referrers(source, subject, 0)?;
                let listed = listed.iter().filter(|it| !is_signature(it));
                let manifests = listed.map(manifest);
                ("referrers", *is_for_platform, manifests.collect::<Result<_>>()?)
            }
            Location::Cosign(tag, is_for_platform) => {
                ("cosign", *is_for_platform, vec![budget.tagged(source, tag)?])
            }
        };
        let mut listed = Vec::new();
        for manifest in manifests.into_iter().flatten() {
            for blob in statements(&manifest)? {
                let (mut predicate_type, mut bytes) = (said_type(&manifest, &blob), None);
                if predicate_type.is_none() {
                    let key = blob.digest.to_string();
                    let fetched = budget.statements.get(key, || {
                        budget.hold(blob.size as usize)?;
                        fetched(source, &blob).map(Arc::new)
                    })?;
                    let Some((kind, _)) = unwrapped(&fetched)? else { continue };
                    (predicate_type, bytes) = (kind, Some(fetched));
                }
                let store = name;
                listed.push(Attestation { predicate_type, store, is_for_platform, blob, bytes });
            }
        }
        Ok(listed)
    }
}

/// Whether this is a signature, as far as a descriptor says.
fn is_signature(descriptor: &Descriptor) -> bool {
    let kind = descriptor.json["artifactType"].as_str().unwrap_or_default();
    kind.starts_with("application/vnd.dev.cosign.artifact.sig")
        || descriptor.annotation("dev.sigstore.bundle.content") == Some("message-signature")
}

/// The layers that are statements or documents. One that says nothing of itself is what the
/// artifact is.
fn statements(manifest: &Content) -> Result<Vec<Descriptor>> {
    let mut layers = manifest.descriptors("layers")?;
    if let ([layer], Some(kind)) = (&mut layers[..], manifest.json()["artifactType"].as_str())
        && !is_statement(&layer.media_type)
    {
        layer.media_type = kind.to_owned();
    }
    layers.retain(|layer| is_statement(&layer.media_type));
    Ok(layers)
}

fn is_statement(media_type: &str) -> bool {
    ["application/vnd.in-toto", "application/vnd.dsse.envelope", BUNDLE]
        .iter()
        .any(|prefix| media_type.starts_with(prefix))
        || document_type(media_type).is_some()
}

fn document_type(media_type: &str) -> Option<&'static str> {
    let kind = DOCUMENTS.iter().find(|(name, _)| media_type.contains(name));
    kind.map(|(_, kind)| *kind)
}

/// The predicate type, as the annotations say, or the media type.
fn said_type(manifest: &Content, blob: &Descriptor) -> Option<String> {
    let bundle = manifest.json()["annotations"]["dev.sigstore.bundle.predicateType"].as_str();
    let said = blob.annotation("in-toto.io/predicate-type").or(blob.annotation("predicateType"));
    let said = said.or(bundle).filter(|kind| !kind.is_empty());
    said.or_else(|| document_type(&blob.media_type)).map(str::to_owned)
}

/// The predicate, or the document, as it was written.
pub(crate) fn predicate(image: &Image, attestation: &Attestation) -> Result<Predicate> {
    let blob = &attestation.blob;
    let bytes = match &attestation.bytes {
        Some(bytes) => Arc::clone(bytes),
        None => Arc::new(fetched(&*image.source, blob)?),
    };
    // SPDX also has a form of its own (`text/spdx`).
    if blob.media_type.starts_with("text/") && !blob.media_type.ends_with("json") {
        let text = String::from_utf8(Arc::unwrap_or_clone(bytes));
        let text = text.map_err(|_| Error::new(Kind::Corrupt, "the document is not UTF-8"));
        return text.map(Predicate::Text).during(blob.digest.to_string());
    }
    let (_, json) = unwrapped(&bytes)
        .and_then(|found| found.ok_or_else(|| malformed("has neither statement nor document")))
        .during(blob.digest.to_string())?;
    drop(bytes);
    let json = String::from_utf8(output::compacted(&json));
    Ok(Predicate::Json(json.expect("what was read as JSON is UTF-8")))
}

pub(crate) enum Predicate {
    /// Without white space.
    Json(String),
    Text(String),
}

fn fetched(source: &dyn Source, blob: &Descriptor) -> Result<Vec<u8>> {
    let about = format!("blob {}", blob.digest);
    if blob.size > LIMIT {
        let message = format!("{} bytes are more than {} MiB", blob.size, LIMIT >> 20);
        return Err(Error::new(Kind::Protocol, message)).during(about);
    }
    // The bytes, what they carry, and what is printed of it.
    memory::take(3 * blob.size as usize)?;
    let mut bytes = Vec::with_capacity(blob.size as usize);
    if let Some(data) = blob.data() {
        Verified::new(&data[..], blob.digest.clone(), Some(blob.size)).read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    let reader = source.blob(&blob.digest, 0)?.reader;
    let mut reader = Verified::new(reader, blob.digest.clone(), Some(blob.size));
    reader.read_to_end(&mut bytes).map_err(Error::from).during(about)?;
    Ok(bytes)
}

fn malformed(why: impl AsRef<str>) -> Error {
    Error::new(Kind::Corrupt, format!("the attestation {}", why.as_ref()))
}

/// The predicate and its type, which a document alone does not have; `None` for a bundle without a
/// statement. Nothing stands in more than a bundle and an envelope.
fn unwrapped(bytes: &[u8]) -> Result<Option<(Option<String>, Vec<u8>)>> {
    let mut bytes = Cow::Borrowed(bytes);
    for _ in 0..3 {
        let members = json::members(&bytes).map_err(|error| malformed(format!("is {error}")))?;
        let text = |key: &str| Some(json::parse(members.get(key)?).ok()?.as_str()?.to_owned());
        let inner = if let Some(envelope) = members.get("dsseEnvelope") {
            envelope.to_vec()
        } else if text("mediaType").is_some_and(|kind| kind.starts_with(BUNDLE)) {
            return Ok(None);
        } else if members.contains_key("payload") && members.contains_key("payloadType") {
            let payload = text("payload").and_then(|text| encoding::decode(&text));
            payload.ok_or_else(|| malformed("has no payload in base64"))?
        } else {
            return Ok(Some(match (members.get("predicate"), members.get("predicateType")) {
                (Some(predicate), Some(_)) => (text("predicateType"), predicate.to_vec()),
                _ => (None, bytes.into_owned()),
            }));
        };
        bytes = Cow::Owned(inner);
    }
    Err(malformed("has envelopes in envelopes"))
}
