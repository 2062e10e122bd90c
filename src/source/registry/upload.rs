//! What changes a registry: blobs and manifests pushed, manifests deleted (distribution-spec, "Push"
//! and "Content Management").

use std::io::Read;
use std::sync::Arc;

use crate::content::{Descriptor, LIMIT};
use crate::digest::{Algorithm, Digest, Verified};
use crate::error::{During, Error, Kind, Result};

use super::message::{Method, Payload, Request, Response, Want};
use super::retry::Tries;
use super::transport::Failure;
use super::url::{Scheme, Url};
use super::{Registry, Source, realm};

/// The media type of a blob that is sent.
const BLOB: &str = "application/octet-stream";

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
    /// Puts a small blob there.
    pub(crate) fn put_blob(&self, bytes: &[u8]) -> Result<()> {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let sent = self.upload(&digest, &Payload::bytes(BLOB, bytes), None);
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
        let content = Payload { media_type: BLOB.to_owned(), size, open: Arc::new(open) };
        self.upload(&blob.digest, &content, started)?;
        Ok(Transfer::Copied)
    }

    /// Asks to take a blob from another repository (distribution-spec, "Mounting a blob from another
    /// repository").
    pub(super) fn mount(&self, digest: &Digest, from: &Registry) -> Result<Mount> {
        match self.post_mount(digest, from.name()) {
            Ok(response) if response.status == 201 => Ok(Mount::Done),
            Ok(response) => Ok(Mount::Refused(self.upload_location(&response).ok())),
            Err(error) if matches!(error.kind(), Kind::Unavailable | Kind::RateLimited) => {
                Err(error)
            }
            // Registries that cannot mount answer in many ways; whether pushing is allowed shows next.
            Err(_) => Ok(Mount::Refused(None)),
        }
    }

    /// Sends a blob in one piece, to where an upload was `started` already or a new one. What breaks
    /// on the way begins anew, since the registry may have kept a part.
    fn upload(&self, digest: &Digest, content: &Payload, mut started: Option<Url>) -> Result<()> {
        let tries = Tries::default();
        let attempt = || {
            let location = match started.take() {
                Some(location) => location,
                None => self.start_upload(&tries)?,
            };
            self.finish_upload(location, digest, content).map_err(|error| match error.kind() {
                Kind::Unavailable => Failure::broken(error),
                _ => error.into(),
            })
        };
        let response = (self.client).retry(&tries, self.state.host.api(), attempt)?;
        match response.is_success() {
            true => Ok(()),
            false => Err(self.client.error_response(&response)),
        }
    }

    /// Where an upload goes on: at the registry, or at a store elsewhere, which sees no credentials.
    pub(super) fn upload_location(&self, response: &Response) -> Result<Url> {
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
            return Err(outside(format!("the upload would leave HTTPS for {target}")));
        }
        realm::admit(&here.origin, &url.origin, &self.client.transport.connections)?;
        Ok(url)
    }

    pub(super) fn delete(&self, path: &str) -> Result<()> {
        let request = Request::new(Method::Delete, self.url(path)?, Want::Whole(LIMIT));
        let response = self.for_actions("delete").ask(request)?;
        if response.is_success() {
            return Ok(());
        }
        let error = self.client.error_response(&response);
        Err(match response.status {
            405 if self.state.host.is_docker_hub() => {
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
