//! Signatures that cosign made with a key, wherever they are kept, compared with a public key.
//!
//! - A layer is a payload that names the image, and an annotation is its signature
//!   (cosign, specs/SIGNATURE_SPEC.md). The manifest has the tag `sha256-….sig`, or it names the
//!   image as its subject.
//! - A Sigstore bundle names the image as its subject (cosign, specs/BUNDLE_SPEC.md). It has a
//!   statement about the image in an envelope (DSSE), or the signature of the manifest itself.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::{BUNDLE, PublicKeys, is_signature, statements};
use crate::content::{Content, Descriptor};
use crate::digest::Digest;
use crate::encoding;
use crate::error::{Error, Kind, Result};
use crate::image::{Budget, Image};
use crate::json;
use crate::source::Source;

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

/// The type of a payload and, in a bundle, of a statement: other statements are attestations.
const PAYLOAD_TYPE: &str = "cosign container image signature";
const STATEMENT_TYPE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Each signature of the image or of its index: the digest of its payload or bundle, and what the
/// keys say. `Kind::Corrupt` and `Kind::NotFound` speak against it.
pub(crate) fn signatures(image: &Image, keys: &PublicKeys) -> Result<Vec<(Digest, Result<()>)>> {
    let (source, budget) = (&*image.source, &*image.budget);
    let mut subjects = vec![image.manifest()?, image.top_manifest()?];
    subjects.dedup_by_key(|subject| subject.digest());
    let places: [Place; 2] = [tagged, listed];
    let places = subjects.into_iter().flat_map(|it| places.map(|place| (it, place))).collect();
    let found = image.pool.all(places, |(subject, place)| {
        let blobs = place(source, budget, subject.digest())?.into_iter();
        Ok(blobs.map(|blob| (subject, blob)).collect::<Vec<_>>())
    })?;
    let mut found: Vec<(&Arc<Content>, Listed)> = found.into_iter().flatten().collect();
    // Some are kept in both places.
    let mut seen = HashSet::new();
    found.retain(|(subject, listed)| {
        let (digest, signature) = match listed {
            Listed::Blob(blob) => (&blob.digest, blob.annotation(SIGNATURE)),
            Listed::Gone(digest, _) => (digest, None),
        };
        seen.insert((subject.digest(), digest.clone(), signature.map(str::to_owned)))
    });
    let checked = image.pool.all(found, |(subject, listed)| {
        let blob = match listed {
            Listed::Blob(blob) => blob,
            Listed::Gone(digest, error) => return Ok(Some((digest, Err(error)))),
        };
        let signed = budget.content(source, &blob).and_then(|it| Signed::read(subject, &blob, &it));
        let outcome = signed.transpose().map(|signed| signed?.check(subject.digest(), keys));
        Ok(outcome.map(|outcome| (blob.digest, outcome)))
    })?;
    Ok(checked.into_iter().flatten().collect())
}

/// Lists the payloads and bundles that are kept for a manifest in one place.
type Place = fn(&dyn Source, &Budget, &Digest) -> Result<Vec<Listed>>;

enum Listed {
    Blob(Descriptor),
    /// A manifest that is listed and not there, and what was said of it.
    Gone(Digest, Error),
}

fn tagged(source: &dyn Source, budget: &Budget, subject: &Digest) -> Result<Vec<Listed>> {
    let manifest = budget.tagged(source, &format!("{}.sig", subject.fallback_tag()))?;
    manifest.map_or(Ok(Vec::new()), |manifest| payloads(&manifest))
}

fn listed(source: &dyn Source, budget: &Budget, subject: &Digest) -> Result<Vec<Listed>> {
    let mut blobs = Vec::new();
    for entry in budget.referrers(source, subject, 0)?.iter() {
        let kind = entry.json["artifactType"].as_str().unwrap_or_default();
        if kind.is_empty() || kind.starts_with(BUNDLE) || is_signature(entry) {
            let manifest = match budget.manifest(source, entry) {
                Err(error) if error.kind() == Kind::NotFound => {
                    blobs.push(Listed::Gone(entry.digest.clone(), error));
                    continue;
                }
                manifest => manifest?,
            };
            blobs.extend(payloads(&manifest)?);
            let bundles = statements(&manifest)?.into_iter().filter(is_bundle);
            blobs.extend(bundles.map(Listed::Blob));
        }
    }
    Ok(blobs)
}

fn payloads(manifest: &Content) -> Result<Vec<Listed>> {
    let layers = manifest.descriptors("layers")?.into_iter();
    Ok(layers.filter(|layer| layer.media_type == PAYLOAD).map(Listed::Blob).collect())
}

fn is_bundle(blob: &Descriptor) -> bool {
    blob.media_type.starts_with(BUNDLE)
}

/// What was signed, and by what.
struct Signed {
    message: Vec<u8>,
    /// The digests of the manifests that it is about.
    about: Vec<String>,
    /// One of them suffices.
    signatures: Vec<Value>,
    /// Whether a certificate says whose the key is.
    has_certificate: bool,
}

impl Signed {
    /// `None` for the bundle of an attestation.
    fn read(subject: &Content, blob: &Descriptor, content: &Content) -> Result<Option<Self>> {
        let json = content.json();
        if !is_bundle(blob) {
            let critical = &json["critical"];
            if critical["type"] != PAYLOAD_TYPE {
                return Err(malformed("is not one of an image"));
            }
            return Ok(Some(Signed {
                message: content.bytes().to_vec(),
                about: vec![
                    critical["image"]["docker-manifest-digest"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                ],
                signatures: vec![blob.json["annotations"][SIGNATURE].clone()],
                has_certificate: blob.annotation(CERTIFICATE).is_some(),
            }));
        }
        let material = &json["verificationMaterial"];
        let has_certificate =
            ["certificate", "x509CertificateChain"].iter().any(|key| !material[key].is_null());
        let envelope = &json["dsseEnvelope"];
        if envelope.is_null() {
            return Ok(Some(Signed {
                message: subject.bytes().to_vec(),
                about: vec![subject.digest().to_string()],
                signatures: vec![json["messageSignature"]["signature"].clone()],
                has_certificate,
            }));
        }
        let payload = envelope["payload"].as_str().and_then(encoding::decode);
        let payload = payload.ok_or_else(|| malformed("has no payload in base64"))?;
        let statement = json::parse_strict(&payload)?;
        if statement["predicateType"] != STATEMENT_TYPE {
            return Ok(None);
        }
        let subjects = statement["subject"].as_array().into_iter().flatten();
        let digests = subjects.filter_map(|it| it["digest"].as_object()).flatten();
        let digests =
            digests.map(|(name, hex)| format!("{name}:{}", hex.as_str().unwrap_or_default()));
        let signatures = envelope["signatures"].as_array().into_iter().flatten();
        Ok(Some(Signed {
            message: encoded(envelope["payloadType"].as_str().unwrap_or_default(), &payload),
            about: digests.collect(),
            signatures: signatures.map(|it| it["sig"].clone()).collect(),
            has_certificate,
        }))
    }

    fn check(&self, subject: &Digest, keys: &PublicKeys) -> Result<()> {
        let signatures = self.signatures.iter().filter_map(|it| encoding::decode(it.as_str()?));
        if !{ signatures }.any(|it| keys.verify(&self.message, &it)) {
            return Err(malformed(match self.has_certificate {
                true => "was not made with the key; keyless signatures are not checked",
                false => "was not made with the key",
            }));
        }
        match self.about.contains(&subject.to_string()) {
            true => Ok(()),
            false => Err(malformed(&format!("is about {}, not {subject}", self.about.join(", ")))),
        }
    }
}

/// What an envelope's signature is of (DSSE, protocol.md, "Pre-Authentication Encoding").
fn encoded(kind: &str, payload: &[u8]) -> Vec<u8> {
    let start = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [start.as_bytes(), payload].concat()
}

fn malformed(why: &str) -> Error {
    Error::new(Kind::Corrupt, format!("the signature {why}"))
}
