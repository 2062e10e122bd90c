//! What changes a registry: blobs and manifests pushed, manifests deleted (distribution-spec, "Push"
//! and "Content Management").

use std::io::Read;
use std::sync::Arc;

use crate::content::{Descriptor, LIMIT};
use crate::digest::{Algorithm, Digest, Verified};
use crate::error::{During, Error, Kind, Result};
use crate::reference::TagOrDigest;

use super::error_response;
use super::message::{Method, PayloadSource, Request, Response, Want};
use super::realm;
use super::retry::{self, Tries};
use super::state::Scope;
use super::url::{Scheme, Url};
use super::{Registry, Source};

/// How a blob got to where it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// The registry took it from its other repository.
    Mounted,
    /// It was there already.
    Present,
    /// Its bytes were read and sent back.
    Copied,
}

impl Registry {
    /// The same repository, to be written to as well.
    pub(crate) fn for_pushing(&self) -> Registry {
        self.with_scope(Scope::of(&self.repository, "pull,push"))
    }

    fn with_scope(&self, scope: Scope) -> Registry {
        Registry {
            scope,
            ..self.clone()
        }
    }

    /// Puts a manifest there under a tag or its digest.
    pub(crate) fn put_manifest(&self, at: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        self.send_manifest(at, media_type, bytes)
            .during(format!("manifest {at}"))
    }

    fn send_manifest(&self, at: &str, media_type: &str, bytes: &[u8]) -> Result<()> {
        let url = self.url(&format!("manifests/{at}"))?;
        let request = Request::new(Method::Put, url, Want::Whole(LIMIT));
        let content = PayloadSource::Bytes(bytes.to_vec());
        let response = self.succeed(request.with_body(media_type, content))?;
        let sent = Digest::of(Algorithm::Sha256, bytes);
        let kept = response.header("docker-content-digest");
        match kept.and_then(|text| text.parse::<Digest>().ok()) {
            Some(kept) if kept.algorithm() == sent.algorithm() && kept != sent => {
                let message = format!("the registry has kept it as {kept}, not as {sent}");
                Err(Error::new(Kind::Corrupt, message))
            }
            _ => Ok(()),
        }
    }

    /// Puts a small blob there.
    pub(crate) fn put_blob(&self, bytes: &[u8]) -> Result<()> {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let content = PayloadSource::Bytes(bytes.to_vec());
        let sent = self.upload(&digest, &content, None);
        sent.during(format!("blob {digest}"))
    }

    /// Gets a blob from another repository of the same registry, with as little traffic as the
    /// registry allows.
    pub(crate) fn mount_or_copy(&self, blob: &Descriptor, from: &Registry) -> Result<Transfer> {
        let transferred = self.try_mount(blob, from);
        transferred.during(format!("blob {}", blob.digest))
    }

    fn try_mount(&self, blob: &Descriptor, from: &Registry) -> Result<Transfer> {
        let started = match self.mount(&blob.digest, from)? {
            Mount::Done => return Ok(Transfer::Mounted),
            Mount::Refused(started) => started,
        };
        if self.has_blob(&blob.digest)? {
            return Ok(Transfer::Present);
        }
        let (source, digest, size) = (from.clone(), blob.digest.clone(), blob.size);
        let open = move || {
            let content = source.blob(&digest, 0)?;
            let content = Verified::new(content.reader, digest.clone(), Some(size));
            Ok(Box::new(content) as Box<dyn Read + Send>)
        };
        let content = PayloadSource::Stream {
            size,
            open: Arc::new(open),
        };
        self.upload(&blob.digest, &content, started)?;
        Ok(Transfer::Copied)
    }

    /// Asks to take a blob from another repository (distribution-spec, "Mounting a blob from another
    /// repository").
    pub(super) fn mount(&self, digest: &Digest, from: &Registry) -> Result<Mount> {
        let url = self.url("blobs/uploads/")?;
        let url = url.with("mount", &digest.to_string());
        let url = url.with("from", &from.repository.name);
        let request = Request::new(Method::Post, url, Want::Whole(LIMIT)).repeatable();
        let both = self.with_scope(self.scope.and_pull(&from.repository));
        match both.succeed(request) {
            Ok(response) if response.status == 201 => Ok(Mount::Done),
            Ok(response) => Ok(Mount::Refused(self.location(&response).ok())),
            Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::RateLimited) => {
                Err(error)
            }
            // Who cannot mount says so in many ways; whether pushing is allowed shows next.
            Err(_) => Ok(Mount::Refused(None)),
        }
    }

    fn has_blob(&self, digest: &Digest) -> Result<bool> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let response = self.ask(Request::new(Method::Head, url, Want::Whole(0)))?;
        Ok(response.is_success())
    }

    /// Sends a blob in one piece, to where an upload was `started` already or a new one. What breaks
    /// on the way begins anew, since the registry may have kept a part.
    fn upload(&self, digest: &Digest, content: &PayloadSource, started: Option<Url>) -> Result<()> {
        let mut started = started;
        let tries = Tries::default();
        let host = self.repository.host.api();
        loop {
            let url = match started.take() {
                Some(url) => url,
                None => self.start_upload(&tries)?,
            };
            let (error, after) = match self.finish_upload(url, digest, content) {
                Ok(response) if response.is_success() => return Ok(()),
                Ok(response) => {
                    let error = self.client.error_response(&response);
                    if !retry::is_temporary(response.status) {
                        return Err(error);
                    }
                    let now = (self.client.settings.clock)();
                    (error, error_response::wait(&response, now))
                }
                Err(error) if error.kind() == Kind::Unavailable => (error, None),
                Err(error) => return Err(error),
            };
            if !self.client.wait(&tries, after, host) {
                return Err(error);
            }
        }
    }

    fn start_upload(&self, tries: &Tries) -> Result<Url> {
        let url = self.url("blobs/uploads/")?;
        // An upload that is never finished is swept away.
        let request = Request::new(Method::Post, url, Want::Whole(LIMIT)).repeatable();
        let request = request.within(tries);
        self.location(&self.succeed(request)?)
    }

    fn finish_upload(
        &self,
        url: Url,
        digest: &Digest,
        content: &PayloadSource,
    ) -> Result<Response> {
        let home = self.url("")?.origin;
        let url = url.with("digest", &digest.to_string());
        let is_home = url.origin == home;
        let mut request = Request::new(Method::Put, url, Want::Whole(LIMIT))
            .with_body("application/octet-stream", content.clone())
            .within(&Tries::once());
        request.is_repeatable = false;
        match is_home {
            true => self.ask(request),
            false => self.client.follow(&request),
        }
    }

    /// Where an upload goes on: at the registry, or at a store elsewhere, which sees no credentials.
    fn location(&self, response: &Response) -> Result<Url> {
        let outside = |why: String| Error::new(Kind::Protocol, why);
        let Some(location) = response.header("location") else {
            return Err(outside("the registry does not say where to send it".into()));
        };
        let here = &response.url;
        let url = here.join(location)?;
        if url.origin.host == here.origin.host {
            // Nexus behind a proxy names http and its own port.
            return Ok(here.origin.url(url.path()));
        }
        if here.origin.scheme == Scheme::Https && url.origin.scheme == Scheme::Http {
            let target = url.without_query();
            return Err(outside(format!(
                "the upload would leave HTTPS for {target}"
            )));
        }
        realm::admit(
            &here.origin,
            &url.origin,
            &self.client.transport.connections,
        )?;
        Ok(url)
    }

    /// Deletes a manifest, and with it every tag that leads to it. What is there no more is deleted:
    /// the answer to a first try may have been lost.
    pub(crate) fn delete_manifest(&self, digest: &Digest) -> Result<()> {
        let deleted = self.delete(&format!("manifests/{digest}"));
        let at = TagOrDigest::Digest {
            digest: digest.clone(),
            tag: None,
        };
        let is_gone = || {
            let found = self.resolve(&at);
            found.is_err_and(|error| error.kind() == Kind::NotFound)
        };
        match deleted {
            // Registries and proxies that do not delete may answer so too.
            Err(error) if error.kind() == Kind::NotFound && is_gone() => Ok(()),
            deleted => deleted.during(format!("manifest {digest}")),
        }
    }

    /// Deletes a tag alone, which not all registries do.
    pub(crate) fn delete_tag(&self, tag: &str) -> Result<()> {
        self.delete(&format!("manifests/{tag}"))
            .during(format!("tag {tag}"))
    }

    pub(crate) fn delete_blob(&self, digest: &Digest) -> Result<()> {
        let deleted = self.delete(&format!("blobs/{digest}"));
        deleted.during(format!("blob {digest}"))
    }

    fn delete(&self, path: &str) -> Result<()> {
        let deleting = self.with_scope(Scope::of(&self.repository, "delete"));
        let request = Request::new(Method::Delete, self.url(path)?, Want::Whole(LIMIT));
        let response = deleting.ask(request)?;
        if response.is_success() {
            return Ok(());
        }
        let error = self.client.error_response(&response);
        Err(match response.status {
            405 if self.repository.host.is_docker_hub() => {
                error.hint("Docker Hub deletes on its web site and by its own API only")
            }
            405 => error.hint(
                "whoever runs it must allow deletion: distribution's storage.delete.enabled, or a setting of that kind",
            ),
            _ => error,
        })
    }
}

/// What became of the wish to mount a blob.
pub(super) enum Mount {
    Done,
    /// The upload that the registry began instead, if it did.
    Refused(Option<Url>),
}
