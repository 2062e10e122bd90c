//! The distribution API: a repository of a registry (opencontainers/distribution-spec 1.1).
//!
//! This file has a function for each endpoint, in the order of the specification: it builds the
//! request and reads the answer. The way of a request, of `docker-registry labels` for example:
//!
//! ```text
//! source           Source::manifest       what the program wants to know
//! mod              Registry::get_manifest   end-3: the request
//! authenticator      Registry::ask            origin, then in turn: send, 401, challenge, token
//! retry                Client::follow           redirects, which see no credentials elsewhere
//! retry                  Client::send             one server, unless it was out of reach before
//! retry                    Client::retry            again and again, as often as the policy says
//! transport                  HttpClient::exchange     headers, body, limits
//!                              ureq::Agent::run
//! transport/connection           TransportConnector   ureq's connection: pace, meaning of failures
//! transport/connections            Connections::open    address, proxy, TLS
//! ```
//!
//! and back: [`message::Response`] → status ([`error_response`]) → digest → [`Content`].
//!
//! ```text
//! client           what all registries share: connections, credentials, the state of each
//! state            what is known of one: origin, challenges, tokens, refused credentials
//! challenge  token  realm  credentials/   what a 401 asks for, what answers it, where that may go
//! source  blob     what the program asks, of endpoints in sequence; blobs that resume
//! pages            tags, repositories and referrers, page after page
//! upload           blobs brought there
//! conformance      what a registry supports, found out by trying
//! message  url     requests, answers, URLs
//! rate  trace/     what is left of a rate limit; what stderr shows
//! count            how many requests there were
//! transport/       connections: names, proxies, TLS, deadlines; the only user of ureq and rustls
//! ```

mod authenticator;
mod blob;
mod challenge;
mod client;
mod conformance;
mod count;
mod credentials;
mod error_response;
mod message;
mod pages;
mod rate;
mod realm;
mod retry;
mod source;
mod state;
mod token;
mod trace;
mod transport;
mod upload;
mod url;

use std::sync::Arc;

use serde_json::Value;

use crate::content::{
    Content, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, SCHEMA1, SIGNED_SCHEMA1,
};
use crate::digest::{Algorithm, Digest};
use crate::error::{During, Error, Kind, Result};
use crate::json;
use crate::names::Names;
use crate::reference::{Host, TagOrDigest, is_repository, is_tag};

pub(crate) use client::{Client, PlainHttp, Role, Settings};
pub(crate) use count::requests;
pub(crate) use credentials::{AuthFiles, ExplicitCredentials};
pub(crate) use state::AuthCache;
pub(crate) use trace::Verbosity;
pub(crate) use transport::{Certificates, Proxies};

use message::{Method, Payload, Request, Response, Want};
use retry::Tries;
use source::{digest_header, expected_digest, tag_or_digest};
use state::RegistryState;
use token::Scope;
use url::{Origin, Url};

use super::{Blob, Resolved, Source};

/// All kinds of manifest, in one header: GHCR and others answer 404 where the kind they have is
/// not accepted.
const MANIFESTS: [&str; 6] =
    [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST, SIGNED_SCHEMA1, SCHEMA1];

/// One repository, or a registry as a whole.
#[derive(Clone)]
pub(crate) struct Registry {
    client: Arc<Client>,
    host: Host,
    /// The path of the API: `/v2`, unless a mirror has it elsewhere.
    api: String,
    /// The registry that is meant, for a server that mirrors several.
    namespace: Option<String>,
    state: Arc<RegistryState>,
    /// What requests want to do, as tokens name it, and in which repository.
    scope: Scope,
    /// The only manifest that is asked for by the media types that the user chose, and these.
    accept_override: Option<(TagOrDigest, String)>,
}

/// The endpoints. A blob is sent in one request, so that there is no use for end-4b and end-5, and
/// sent anew where that breaks, so that there is none for end-13. `tries` are shared by requests that
/// are tried again as one.
impl Registry {
    /// end-1: `GET /v2/`. It goes without credentials, to learn which ones are asked for.
    fn ping(&self, origin: &Origin, tries: Option<Tries>) -> Result<Response> {
        let request = Request::new(Method::Get, origin.url(format!("{}/", self.api)));
        self.client.follow(&Request { tries, ..request })
    }

    /// end-2: `GET /v2/<name>/blobs/<digest>`, from this byte on and to the one before `end`, where the
    /// registry can do that.
    fn get_blob(
        &self,
        digest: &Digest,
        (from, end): (u64, Option<u64>),
        want: Want,
        tries: &Tries,
    ) -> Result<Response> {
        let request = self.request(Method::Get, &format!("blobs/{digest}"))?;
        let request = Request { want, tries: Some(tries.clone()), ..request };
        self.ask(match (from, end) {
            (0, None) => request,
            (_, None) => request.header("Range", format!("bytes={from}-")),
            (_, Some(end)) => request.header("Range", format!("bytes={from}-{}", end - 1)),
        })
    }

    /// end-2: `HEAD /v2/<name>/blobs/<digest>`
    fn has_blob(&self, digest: &Digest) -> Result<bool> {
        let request = self.request(Method::Head, &format!("blobs/{digest}"))?;
        Ok(self.ask(request)?.is_success())
    }

    /// end-3: `GET /v2/<name>/manifests/<tag or digest>`
    fn get_manifest(&self, at: &TagOrDigest, tries: &Tries) -> Result<Content> {
        let response = self.ask(self.manifest_request(Method::Get, at, tries)?)?;
        let response = self.succeeded(response)?;
        let expected = expected_digest(at, &response)?;
        let media_type = response.header("content-type").map(str::to_owned);
        if media_type.as_deref().is_some_and(|it| it.starts_with("text/html")) {
            let error = Error::new(Kind::Protocol, "the answer is a web page");
            return Err(error.hint(format!("is {} a registry?", self.host)));
        }
        Content::manifest(media_type.as_deref(), response.into_bytes(), expected.as_ref())
    }

    /// end-3: `HEAD /v2/<name>/manifests/<tag or digest>`
    fn head_manifest(&self, at: &TagOrDigest, tries: &Tries) -> Result<Response> {
        self.ask(self.manifest_request(Method::Head, at, tries)?)
    }

    fn manifest_request(&self, method: Method, at: &TagOrDigest, tries: &Tries) -> Result<Request> {
        let accept = match &self.accept_override {
            Some((only, accept)) if only == at => accept.clone(),
            _ => MANIFESTS.join(", "),
        };
        let request = self.request(method, &format!("manifests/{}", tag_or_digest(at)))?;
        Ok(Request { tries: Some(tries.clone()), ..request }.header("Accept", accept))
    }

    /// end-4a: `POST /v2/<name>/blobs/uploads/`. Where the blob is to be sent. An upload that is
    /// never finished is swept away, so this may be repeated.
    fn start_upload(&self, tries: &Tries) -> Result<Url> {
        let request = self.request(Method::Post, "blobs/uploads/")?;
        let request = Request { tries: Some(tries.clone()), ..request };
        self.upload_location(&self.succeeded(self.ask(request)?)?)
    }

    /// end-6: `PUT <location>?digest=<digest>` with the whole blob, which is not repeated: the
    /// registry may have kept a part. A location elsewhere sees no credentials.
    fn finish_upload(&self, location: Url, digest: &Digest, blob: &Payload) -> Result<Response> {
        let is_own = location.origin == self.origin()?;
        let request = Request::new(Method::Put, location).query("digest", &digest.to_string());
        let request = Request { body: Some(blob.clone()), tries: None, ..request };
        if is_own { self.ask(request) } else { self.client.follow(&request) }
    }

    /// end-7: `PUT /v2/<name>/manifests/<tag or digest>`
    pub(crate) fn put_manifest(&self, at: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        let doing = format!("manifest {at}");
        let request = self.request(Method::Put, &format!("manifests/{at}"))?;
        let request = Request { body: Some(Payload::bytes(media_type, bytes)), ..request };
        let response = self.ask(request).and_then(|it| self.succeeded(it)).during(&doing)?;
        let sent = Digest::of(Algorithm::Sha256, bytes);
        match digest_header(&response) {
            Some(kept) if kept.algorithm() == sent.algorithm() && kept != sent => {
                let message = format!("the registry has kept it as {kept}, not as {sent}");
                Err(Error::new(Kind::Corrupt, message)).during(doing)
            }
            _ => Ok(()),
        }
    }

    /// end-8a and end-8b: `GET /v2/<name>/tags/list?n=<integer>&last=<tag>`, as many times as it takes.
    fn get_tags(&self) -> Result<Names> {
        let mut tags = self.names("tags/list", "tags")?;
        // Artifactory lists digests among them.
        let is_digest = |tag: &&str| tag.starts_with("sha256:");
        if tags.iter().any(|tag| is_digest(&tag)) {
            tags = tags.iter().filter(|tag| !is_digest(tag)).collect();
        }
        Ok(self.sound(tags, is_tag))
    }

    /// What one request tells of these.
    pub(crate) fn some_tags(&self) -> Result<Names> {
        Ok(self.sound(self.first_names("tags/list", "tags")?, is_tag))
    }

    /// end-9: `DELETE /v2/<name>/manifests/<digest>`, and with it every tag that leads to it. What is
    /// there no more is deleted: the answer to a first try may have been lost.
    pub(crate) fn delete_manifest(&self, digest: &Digest) -> Result<()> {
        let at = TagOrDigest::Digest { digest: digest.clone(), tag: None };
        let is_gone = || matches!(self.resolve(&at), Err(error) if error.kind() == Kind::NotFound);
        match self.delete(&format!("manifests/{digest}")) {
            Err(error) if error.kind() == Kind::NotFound && is_gone() => Ok(()),
            deleted => deleted.during(format!("manifest {digest}")),
        }
    }

    /// end-9: `DELETE /v2/<name>/manifests/<tag>`: the tag alone, which registries need not do. They
    /// refuse it as 400 or 405 (distribution-spec, "Deleting tags"), or do not know the tag as a digest.
    pub(crate) fn delete_tag(&self, tag: &str) -> Result<()> {
        let at = TagOrDigest::Tag(tag.to_owned());
        let is_gone = || matches!(self.resolve(&at), Err(error) if error.kind() == Kind::NotFound);
        let deleted = match self.delete(&format!("manifests/{tag}")) {
            Err(error) if error.kind() == Kind::NotFound && is_gone() => Ok(()),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Protocol) => {
                let message = format!("the registry does not delete a tag alone: {error}");
                let hint = "without --tag the manifest is deleted, and every tag that leads to it";
                Err(Error::new(Kind::Protocol, message).hint(hint))
            }
            deleted => deleted,
        };
        deleted.during(format!("tag {tag}"))
    }

    /// end-10: `DELETE /v2/<name>/blobs/<digest>`
    pub(crate) fn delete_blob(&self, digest: &Digest) -> Result<()> {
        self.delete(&format!("blobs/{digest}")).during(format!("blob {digest}"))
    }

    fn delete(&self, path: &str) -> Result<()> {
        let response = self.for_actions("delete").ask(self.request(Method::Delete, path)?)?;
        let hint = match (response.status, self.host.is_docker_hub()) {
            (405, true) => "Docker Hub deletes on its web site and by its own API only",
            (405, false) => {
                "whoever runs it must allow deletion: distribution's storage.delete.enabled, or a setting of that kind"
            }
            _ => return self.succeeded(response).map(drop),
        };
        Err(self.client.error_response(&response).hint(hint))
    }

    /// end-11: `POST /v2/<name>/blobs/uploads/?mount=<digest>&from=<other name>`
    fn post_mount(&self, digest: &Digest, from: &str) -> Result<Response> {
        let request = self.request(Method::Post, "blobs/uploads/")?;
        let request = request.query("mount", &digest.to_string()).query("from", from);
        self.succeeded(self.with_scope(self.scope.and_pull(from)).ask(request)?)
    }

    /// end-12a and end-12b: `GET /v2/<name>/referrers/<digest>?artifactType=<type>`, all pages. `None`
    /// if the registry does not have this endpoint.
    fn get_referrers(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Value>>> {
        let mut request =
            self.list_request(&format!("referrers/{digest}"))?.header("Accept", OCI_INDEX);
        if let Some(artifact_type) = artifact_type {
            request = request.query("artifactType", artifact_type);
        }
        let first = self.ask(request.clone())?;
        // Registries without the API do not know the path, or answer with a page for browsers.
        let is_unknown = matches!(first.status, 400 | 404 | 405 | 501)
            || (first.is_success() && json::check(first.bytes()).is_err());
        if is_unknown { Ok(None) } else { self.items(request, first, "manifests").map(Some) }
    }

    /// `GET /v2/_catalog`, which is no part of the specification any more.
    fn catalog(&self) -> Result<Names> {
        let names = self.names("_catalog", "repositories").during("catalog")?;
        Ok(self.sound(names, is_repository))
    }
}
