//! What the program asks of a source, put to the endpoints of a registry.

use std::ops::Range;

use serde_json::Value;

use crate::content::{self, Content, Descriptor, LIMIT, ManifestKind};
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};
use crate::names::Names;
use crate::reference::TagOrDigest;

use super::blob::ResumedBlob;
use super::message::{Response, Want};
use super::retry::Tries;
use super::{Blob, Registry, Resolved, Source};

impl Source for Registry {
    fn manifest(&self, at: &TagOrDigest) -> Result<Content> {
        self.get_manifest(at, &Tries::default()).map_err(hinted(at)).during(doing(at))
    }

    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved> {
        self.head_or_get(at).map_err(hinted(at)).during(doing(at))
    }

    fn content(&self, descriptor: &Descriptor) -> Result<Content> {
        self.small_blob(descriptor).during(format!("blob {}", descriptor.digest))
    }

    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        ResumedBlob::open(self, digest, (from, None)).during(format!("blob {digest}"))
    }

    fn part(&self, digest: &Digest, range: Range<u64>) -> Result<Blob> {
        let (from, end) = (range.start, range.end);
        ResumedBlob::open(self, digest, (from, Some(end))).during(format!("blob {digest}"))
    }

    fn tags(&self) -> Result<Names> {
        self.get_tags().during("tags")
    }

    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let listed = self.referrers_or_fallback(digest, artifact_type);
        listed.during(format!("referrers of {digest}"))
    }
}

impl Registry {
    /// What a HEAD says; what a GET brings, if it does not say enough.
    fn head_or_get(&self, at: &TagOrDigest) -> Result<Resolved> {
        let tries = Tries::default();
        let response = self.head_manifest(at, &tries)?;
        if response.is_success() {
            let digest = expected_digest(at, &response)?;
            let media_type = response.header("content-type").unwrap_or_default();
            let media_type = content::without_parameters(media_type).to_owned();
            // Some serve manifests as text/plain: then only the body says what it is.
            if let Some(digest) = digest
                && ManifestKind::of(&media_type) != ManifestKind::Other
            {
                return Ok(Resolved { media_type, digest });
            }
        } else if is_sure(&response) {
            return Err(self.client.error_response(&response));
        }
        Ok(Resolved::of(&self.get_manifest(at, &tries)?))
    }

    fn small_blob(&self, descriptor: &Descriptor) -> Result<Content> {
        let (digest, size) = (&descriptor.digest, descriptor.size);
        if size > LIMIT {
            let message = format!("{size} bytes are too many for a document");
            return Err(Error::new(Kind::Protocol, message));
        }
        let bytes = match descriptor.data() {
            Some(bytes) => bytes,
            None => {
                let response =
                    self.get_blob(digest, (0, None), Want::Whole(LIMIT), &Tries::default())?;
                self.succeeded(response)?.into_bytes()
            }
        };
        if bytes.len() as u64 != size {
            let message = format!("the content has {} bytes, not {size}", bytes.len());
            return Err(Error::new(Kind::Corrupt, message));
        }
        Content::blob(descriptor, bytes)
    }

    /// What the referrers API lists; what the fallback tag lists, where a registry has no such API.
    fn referrers_or_fallback(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>> {
        let tag = TagOrDigest::Tag(digest.fallback_tag());
        let listed = match self.get_referrers(digest, artifact_type)? {
            Some(listed) => listed,
            None => match self.get_manifest(&tag, &Tries::default()) {
                Err(error) if error.kind() == Kind::NotFound => Vec::new(),
                index => index?.json()["manifests"].as_array().cloned().unwrap_or_default(),
            },
        };
        // A registry that filters says so in OCI-Filters-Applied; to filter again does no harm.
        let is_wanted =
            |json: &&Value| artifact_type.is_none_or(|wanted| json["artifactType"] == wanted);
        listed.iter().filter(is_wanted).map(Descriptor::read).collect()
    }
}

/// What stands in the URL of a manifest.
pub(super) fn tag_or_digest(at: &TagOrDigest) -> String {
    match at {
        TagOrDigest::Only => "latest".to_owned(),
        TagOrDigest::Tag(tag) => tag.clone(),
        TagOrDigest::Digest { digest, .. } => digest.to_string(),
    }
}

/// What is being done, for errors.
pub(super) fn doing(at: &TagOrDigest) -> String {
    format!("manifest {}", tag_or_digest(at))
}

/// A tag that is not found is mostly misspelt.
fn hinted(at: &TagOrDigest) -> impl FnOnce(Error) -> Error {
    let is_tag = !matches!(at, TagOrDigest::Digest { .. });
    move |error| match is_tag && error.kind() == Kind::NotFound {
        true => error.hint("the command 'tags' lists the tags that there are"),
        false => error,
    }
}

/// `Docker-Content-Digest`. What is no digest says nothing.
pub(super) fn digest_header(response: &Response) -> Option<Digest> {
    response.header("docker-content-digest")?.parse().ok()
}

/// The digest that a manifest's body must have: the one asked for, else the one in the header.
pub(super) fn expected_digest(at: &TagOrDigest, response: &Response) -> Result<Option<Digest>> {
    let header = digest_header(response);
    let TagOrDigest::Digest { digest: asked, .. } = at else {
        return Ok(header);
    };
    match header {
        Some(other) if other.algorithm() == asked.algorithm() && other != *asked => {
            let message = format!("the registry answers with {other}");
            Err(Error::new(Kind::Corrupt, message))
        }
        _ => Ok(Some(asked.clone())),
    }
}

/// Whether a refused HEAD would be refused as a GET: it has the marks of a registry's own answer,
/// and is not about the method.
fn is_sure(response: &Response) -> bool {
    match response.status {
        400 | 405 | 501 => false,
        404 => {
            response.header("docker-distribution-api-version").is_some()
                || response.header("content-type").is_some_and(|it| it.contains("json"))
        }
        _ => true,
    }
}
