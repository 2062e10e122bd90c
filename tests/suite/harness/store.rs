//! What a registry holds, and the distribution API's answers about it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sha2::Digest as _;

use super::http::{Request, Response};

/// Repositories by name, as the distribution API shows them.
#[derive(Default)]
pub struct Store {
    pub(super) repositories: BTreeMap<String, Repository>,
    pub(super) uploads: BTreeMap<String, Vec<u8>>,
    pub(super) page_size: Option<usize>,
    pub(super) without_referrers: bool,
    pub(super) oddities: Vec<Oddity>,
    /// The paths of what was there once: they may be asked for again.
    pub(super) deleted: BTreeSet<String>,
}

/// What a registry does in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// A page does not name the next one: crane's registry, CUE's with `OmitLinkHeaderFromResponses`.
    NoLink,
    /// Behind the very last name everything comes once more: crane's.
    LastBeginsAnew,
    /// Names come in no order, so that `last` says nothing: the catalog of crane's.
    NoOrder,
    /// Who asks for no number gets so many.
    FewUnasked(usize),
    /// Who asks for more than so many gets 400: distribution's `catalog.maxentries`, CUE's
    /// `MaxListPageSize`.
    MaxEntries(usize),
    /// Tags lead to a deleted manifest as before: crane's.
    TagsStay,
    /// Tags of a deleted manifest are listed and answered by HEAD, but not by GET: CUE's.
    TagsDangle,
}

#[derive(Default)]
pub struct Repository {
    pub(super) manifests: BTreeMap<String, Manifest>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) blobs: BTreeMap<String, Vec<u8>>,
    /// Manifests that were deleted, but not behind their tags.
    pub(super) behind_tags: BTreeMap<String, Manifest>,
}

pub struct Manifest {
    pub(super) media_type: String,
    pub(super) bytes: Vec<u8>,
}

/// The digest that a registry gives to these bytes.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    let hash = sha2::Sha256::digest(bytes.as_ref());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl Store {
    /// The answer to a request that is part of the API.
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        let path = request.path().to_owned();
        let Some(rest) = path.strip_prefix("/v2/") else {
            return Response::error(404, "NOT_FOUND", "not part of the API");
        };
        if rest.is_empty() {
            return Response::new(200).json(&json!({}));
        }
        if rest == "_catalog" {
            let names = self.repositories.keys().cloned().collect();
            return self.page(request, names, |names| json!({"repositories": names}));
        }
        let asks = matches!(request.method.as_str(), "GET" | "HEAD");
        match split(rest) {
            Some((name, kind, last)) if !asks => self.change(request, name, kind, last),
            Some((name, "tags", "list")) => self.tags(request, name),
            Some((name, "manifests", reference)) => self.manifest(request, name, reference),
            Some((name, "blobs", digest)) => self.blob(request, name, digest),
            Some((name, "referrers", digest)) => self.referrers(request, name, digest),
            _ => Response::error(404, "NOT_FOUND", "not part of the API"),
        }
    }

    fn tags(&self, request: &Request, name: &str) -> Response {
        let Some(repository) = self.repositories.get(name) else {
            return Response::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let tags = repository.tags.keys().cloned().collect();
        self.page(request, tags, |tags| json!({"name": name, "tags": tags}))
    }

    /// The page that was asked for, with `Link` when more follow.
    fn page(
        &self,
        request: &Request,
        all: Vec<String>,
        document: impl Fn(&[String]) -> Value,
    ) -> Response {
        let asked = request.query("n").and_then(|n| n.parse().ok());
        if let Some(most) = self.max_entries().filter(|most| asked > Some(*most)) {
            let message = format!("more than {most}");
            return Response::error(400, "PAGINATION_NUMBER_INVALID", &message);
        }
        let size = self.page_size.unwrap_or(usize::MAX);
        let unasked = self.oddities.iter().find_map(|oddity| match oddity {
            Oddity::FewUnasked(few) => Some(*few),
            _ => None,
        });
        let size = asked.or(unasked).map_or(size, |asked| asked.min(size));
        let last = request.query("last").unwrap_or_default();
        let behind = |item: &&String| **item > last || self.is(Oddity::NoOrder);
        let mut rest: Vec<String> = all.iter().filter(behind).cloned().collect();
        if rest.is_empty() && self.is(Oddity::LastBeginsAnew) {
            rest = all;
        }
        if self.is(Oddity::NoOrder) {
            rest.reverse();
        }
        let page = &rest[..size.min(rest.len())];
        let response = Response::new(200).json(&document(page));
        match page.last() {
            Some(last) if page.len() < rest.len() && !self.is(Oddity::NoLink) => {
                let path = request.path();
                response.header(
                    "Link",
                    format!("<{path}?last={last}&n={size}>; rel=\"next\""),
                )
            }
            _ => response,
        }
    }

    pub(super) fn is(&self, oddity: Oddity) -> bool {
        self.oddities.contains(&oddity)
    }

    fn max_entries(&self) -> Option<usize> {
        self.oddities.iter().find_map(|oddity| match oddity {
            Oddity::MaxEntries(most) => Some(*most),
            _ => None,
        })
    }

    fn manifest(&self, request: &Request, name: &str, reference: &str) -> Response {
        let Some(repository) = self.repositories.get(name) else {
            return Response::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        };
        let digest = repository
            .tags
            .get(reference)
            .map_or(reference, String::as_str);
        let mut manifest = repository.manifests.get(digest);
        let is_served = request.method == "HEAD" || !self.is(Oddity::TagsDangle);
        if digest != reference && is_served {
            manifest = manifest.or(repository.behind_tags.get(digest));
        }
        let Some(manifest) = manifest else {
            return Response::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
        };
        // GHCR and distribution do not know a manifest whose kind was not asked for.
        if !accepts(request, &manifest.media_type) {
            let message = format!("Accept lacks {}", manifest.media_type);
            return Response::error(404, "MANIFEST_UNKNOWN", &message);
        }
        let etag = format!("\"{digest}\"");
        if request.header("If-None-Match") == Some(&etag) {
            return Response::new(304).header("ETag", etag);
        }
        Response::new(200)
            .header("Content-Type", &manifest.media_type)
            .header("Docker-Content-Digest", digest)
            .header("ETag", etag)
            .body(manifest.bytes.clone())
    }

    fn blob(&self, request: &Request, name: &str, digest: &str) -> Response {
        let repository = self.repositories.get(name);
        let blob = repository.and_then(|repository| repository.blobs.get(digest));
        let Some(blob) = blob else {
            return Response::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
        };
        served(request, digest, blob)
    }

    fn referrers(&self, request: &Request, name: &str, digest: &str) -> Response {
        if self.without_referrers {
            return Response::error(404, "NOT_FOUND", "not part of this version");
        }
        let manifests = self.repositories.get(name).map(|of| &of.manifests);
        let kind = request.query("artifactType");
        let referrers: Vec<Value> = manifests
            .into_iter()
            .flatten()
            .filter_map(|(own, manifest)| referrer(own, manifest, digest))
            .filter(|descriptor| {
                kind.as_ref()
                    .is_none_or(|kind| descriptor["artifactType"] == **kind)
            })
            .collect();
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": referrers,
        });
        let response = Response::new(200)
            .header("Content-Type", "application/vnd.oci.image.index.v1+json")
            .body(index.to_string());
        match kind {
            Some(_) => response.header("OCI-Filters-Applied", "artifactType"),
            None => response,
        }
    }
}

/// A blob, or the part of it that was asked for.
pub(super) fn served(request: &Request, digest: &str, blob: &[u8]) -> Response {
    let etag = format!("\"{digest}\"");
    let response = Response::new(200)
        .header("Content-Type", "application/octet-stream")
        .header("Docker-Content-Digest", digest)
        .header("Accept-Ranges", "bytes")
        .header("ETag", &etag);
    let same = request.header("If-Range").is_none_or(|tag| tag == etag);
    let Some((start, end)) = range(request).filter(|_| same) else {
        return response.body(blob);
    };
    let length = blob.len();
    if start >= length {
        return Response::new(416).header("Content-Range", format!("bytes */{length}"));
    }
    let end = end.unwrap_or(length - 1).min(length - 1);
    Response {
        status: 206,
        ..response
    }
    .header("Content-Range", format!("bytes {start}-{end}/{length}"))
    .body(&blob[start..=end])
}

/// First and last byte of a `Range` header of the form that clients of blobs use.
fn range(request: &Request) -> Option<(usize, Option<usize>)> {
    let (start, end) = request
        .header("Range")?
        .strip_prefix("bytes=")?
        .split_once('-')?;
    Some((start.parse().ok()?, end.parse().ok()))
}

/// The descriptor of a manifest whose subject has this digest.
fn referrer(own: &str, manifest: &Manifest, subject: &str) -> Option<Value> {
    let document: Value = serde_json::from_slice(&manifest.bytes).ok()?;
    if document["subject"]["digest"] != subject {
        return None;
    }
    let kind = match &document["artifactType"] {
        Value::String(kind) => kind.clone(),
        _ => document["config"]["mediaType"].as_str()?.to_owned(),
    };
    let mut descriptor = json!({
        "mediaType": manifest.media_type,
        "digest": own,
        "size": manifest.bytes.len(),
        "artifactType": kind,
    });
    if !document["annotations"].is_null() {
        descriptor["annotations"] = document["annotations"].clone();
    }
    Some(descriptor)
}

/// Schema 1 is what registries serve to clients that do not say what they accept.
fn accepts(request: &Request, media_type: &str) -> bool {
    let mut headers = request.headers.iter();
    headers.any(|(name, value)| {
        name.eq_ignore_ascii_case("Accept")
            && value.split(',').any(|accepted| {
                let accepted = accepted.split(';').next().unwrap_or_default().trim();
                accepted == media_type || accepted == "*/*"
            })
    })
}

/// Name of the repository, kind and the last part, which for uploads holds the rest of the path.
fn split(path: &str) -> Option<(&str, &str, &str)> {
    let kinds = ["manifests", "blobs", "tags", "referrers"];
    kinds.iter().find_map(|kind| {
        let (name, last) = path.split_once(&format!("/{kind}/"))?;
        Some((name, *kind, last))
    })
}
