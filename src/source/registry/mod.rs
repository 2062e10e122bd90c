//! The distribution API: a repository of a registry (opencontainers/distribution-spec).

mod authenticator;
mod blob;
mod challenge;
mod client;
mod conformance;
mod credentials;
mod error_response;
mod grant;
mod home;
mod lists;
mod message;
mod pages;
mod rate;
mod realm;
mod retry;
mod state;
mod token;
mod trace;
mod transport;
mod upload;
mod url;

use std::sync::Arc;

use crate::content::{
    Content, DOCKER_LIST, DOCKER_MANIFEST, Descriptor, LIMIT, ManifestKind, OCI_INDEX,
    OCI_MANIFEST, SCHEMA1, SIGNED_SCHEMA1,
};
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};
use crate::reference::{Repository, TagOrDigest};

pub(crate) use client::{Client, Settings};
pub(crate) use credentials::{AuthFiles, ExplicitCredentials};
pub(crate) use state::AuthCache;
pub(crate) use trace::Verbosity;
pub(crate) use transport::{Certificates, Proxies};

use message::{Method, Request, Response, Want};
use retry::Tries;
use state::Scope;

use super::{Blob, Resolved, Source};

/// All kinds of manifest, in one header: GHCR and others answer 404 to whoever does not name the
/// kind they have.
const KINDS: [&str; 6] = [
    OCI_INDEX,
    DOCKER_LIST,
    OCI_MANIFEST,
    DOCKER_MANIFEST,
    SIGNED_SCHEMA1,
    SCHEMA1,
];

/// One repository.
#[derive(Clone)]
pub(crate) struct Registry {
    client: Arc<Client>,
    repository: Repository,
    scope: Scope,
    /// The manifest that a choice of media types is about.
    accept_override: Option<TagOrDigest>,
}

impl Client {
    pub(crate) fn repository(self: &Arc<Self>, repository: &Repository) -> Registry {
        Registry {
            client: Arc::clone(self),
            repository: repository.clone(),
            scope: Scope::of(repository, "pull"),
            accept_override: None,
        }
    }
}

impl Registry {
    /// Only the manifest at `at` is asked for by the media types that the user chose.
    pub(super) fn with_accept_override(self, at: &TagOrDigest) -> Self {
        Registry {
            accept_override: Some(at.clone()),
            ..self
        }
    }

    fn ask(&self, request: Request) -> Result<Response> {
        self.client.ask(&self.repository.host, &self.scope, request)
    }

    fn succeed(&self, request: Request) -> Result<Response> {
        self.client
            .succeed(&self.repository.host, &self.scope, request)
    }

    /// A URL below the repository's.
    fn url(&self, path: &str) -> Result<url::Url> {
        let origin = self
            .client
            .origin(&self.client.state(&self.repository.host))?;
        Ok(origin.url(format!("/v2/{}/{path}", self.repository.name)))
    }

    fn manifest_request(&self, method: Method, at: &TagOrDigest) -> Result<Request> {
        let url = self.url(&format!("manifests/{}", target(at)))?;
        let accept = match &self.client.settings.accept {
            Some(types) if self.accept_override.as_ref() == Some(at) => types.join(", "),
            _ => KINDS.join(", "),
        };
        Ok(Request::new(method, url, Want::Whole(LIMIT)).header("Accept", accept))
    }

    fn fetch_manifest(&self, at: &TagOrDigest) -> Result<Content> {
        self.fetch_manifest_within(at, &Tries::default())
    }

    fn fetch_manifest_within(&self, at: &TagOrDigest, tries: &Tries) -> Result<Content> {
        let request = self.manifest_request(Method::Get, at)?.within(tries);
        let response = self.succeed(request)?;
        let expected = expected(at, &response)?;
        let media_type = response.header("content-type").map(str::to_owned);
        if media_type
            .as_deref()
            .is_some_and(|t| t.starts_with("text/html"))
        {
            let error = Error::new(Kind::Protocol, "the answer is a web page");
            return Err(error.hint(format!("is {} a registry?", self.repository.host)));
        }
        Content::manifest(
            media_type.as_deref(),
            response.into_bytes(),
            expected.as_ref(),
        )
    }

    fn fetch_head(&self, at: &TagOrDigest) -> Result<Resolved> {
        let request = self.manifest_request(Method::Head, at)?;
        let tries = request.tries.clone();
        let response = self.ask(request)?;
        if let (true, Some(digest)) = (response.is_success(), expected(at, &response)?) {
            let media_type = response.header("content-type").unwrap_or_default();
            let media_type = media_type.split(';').next().unwrap_or_default().trim();
            // Some serve manifests as text/plain: then only the body says what it is.
            if ManifestKind::of(media_type) != ManifestKind::Other {
                return Ok(Resolved {
                    media_type: media_type.to_owned(),
                    digest,
                });
            }
        } else if !response.is_success() && is_sure(&response) {
            return Err(self.client.error_response(&response));
        }
        let document = self.fetch_manifest_within(at, &tries)?;
        Ok(Resolved {
            media_type: document.media_type().to_owned(),
            digest: document.digest().clone(),
        })
    }

    fn fetch_document(&self, descriptor: &Descriptor) -> Result<Content> {
        if descriptor.size > LIMIT {
            let message = format!("{} bytes are too many for a document", descriptor.size);
            return Err(Error::new(Kind::Protocol, message));
        }
        let bytes = match descriptor.data() {
            Some(bytes) => bytes,
            None => {
                let url = self.url(&format!("blobs/{}", descriptor.digest))?;
                self.succeed(Request::get(url, LIMIT))?.into_bytes()
            }
        };
        if bytes.len() as u64 != descriptor.size {
            let (length, size) = (bytes.len(), descriptor.size);
            let message = format!("the content has {length} bytes, not {size}");
            return Err(Error::new(Kind::Corrupt, message));
        }
        Content::blob(descriptor, bytes)
    }
}

impl Source for Registry {
    fn manifest(&self, at: &TagOrDigest) -> Result<Content> {
        let result = self.fetch_manifest(at);
        result.map_err(hinted(at)).during(doing(at))
    }

    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved> {
        let result = self.fetch_head(at);
        result.map_err(hinted(at)).during(doing(at))
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Content> {
        let result = self.fetch_document(descriptor);
        result.during(format!("blob {}", descriptor.digest))
    }

    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        self.fetch_blob(digest, from)
            .during(format!("blob {digest}"))
    }

    fn tags(&self) -> Result<Vec<String>> {
        self.fetch_tags().during("tags")
    }

    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let result = self.fetch_referrers(digest, artifact_type);
        result.during(format!("referrers of {digest}"))
    }
}

/// What stands in the URL of a manifest.
fn target(at: &TagOrDigest) -> String {
    match at {
        TagOrDigest::Only => "latest".to_owned(),
        TagOrDigest::Tag(tag) => tag.clone(),
        TagOrDigest::Digest { digest, .. } => digest.to_string(),
    }
}

fn doing(at: &TagOrDigest) -> String {
    format!("manifest {}", target(at))
}

/// A tag that is not found is mostly misspelt.
fn hinted(at: &TagOrDigest) -> impl FnOnce(Error) -> Error {
    let is_tag = !matches!(at, TagOrDigest::Digest { .. });
    move |error| {
        if is_tag && error.kind() == Kind::NotFound {
            return error.hint("the command 'tags' lists the tags that there are");
        }
        error
    }
}

/// The digest that a manifest's body must have: the one asked for, else the one in the header.
fn expected(at: &TagOrDigest, response: &Response) -> Result<Option<Digest>> {
    // What is no digest says nothing.
    let said = response
        .header("docker-content-digest")
        .and_then(|text| text.parse::<Digest>().ok());
    let TagOrDigest::Digest { digest: asked, .. } = at else {
        return Ok(said);
    };
    match said {
        Some(said) if said.algorithm() == asked.algorithm() && said != *asked => {
            let message = format!("the registry answers with {said}");
            Err(Error::new(Kind::Corrupt, message))
        }
        _ => Ok(Some(asked.clone())),
    }
}

/// Whether a refused HEAD would be refused as a GET: it has the marks of a registry's own answer,
/// and is not about the method.
fn is_sure(response: &Response) -> bool {
    let is_json = |value: &str| value.contains("json");
    let is_registry = response.header("docker-distribution-api-version").is_some()
        || response.header("content-type").is_some_and(is_json);
    match response.status {
        400 | 405 | 501 => false,
        404 => is_registry,
        _ => true,
    }
}
