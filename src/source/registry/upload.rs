//! Blobs brought to a registry (distribution-spec, "Push").

use std::io::Read;
use std::sync::Arc;

use crate::content::Descriptor;
use crate::digest::{Algorithm, Digest, Verified};
use crate::error::{During, Error, Kind, Result};

use super::message::{Payload, Response};
use super::retry::Tries;
use super::transport::Failure;
use super::url::{Scheme, Url};
use super::{Registry, Source, realm};

/// The media type of a blob that is sent.
const BLOB: &str = "application/octet-stream";

/// What became of the wish to mount a blob.
pub(super) enum Mount {
    Done,
    /// The upload that the registry began instead, if it did.
    Refused(Option<Url>),
}

impl Registry {
    /// Puts a small blob there.
    pub(crate) fn put_blob(&self, bytes: &[u8]) -> Result<()> {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        let sent = self.upload(&digest, &Payload::bytes(BLOB, bytes), None);
        sent.during(format!("blob {digest}"))
    }

    /// Gets a blob from another repository of the same registry, with as little traffic as the
    /// registry allows: mounted, or there already, or read and sent back.
    pub(crate) fn mount_or_copy(&self, blob: &Descriptor, from: &Registry) -> Result<()> {
        let doing = format!("blob {}", blob.digest);
        let Mount::Refused(started) = self.mount(&blob.digest, from).during(&doing)? else {
            return Ok(());
        };
        if self.has_blob(&blob.digest).during(&doing)? {
            return Ok(());
        }
        let (source, digest, size) = (from.clone(), blob.digest.clone(), blob.size);
        let open = move || {
            let content = source.blob(&digest, 0)?;
            let content = Verified::new(content.reader, digest.clone(), Some(size));
            Ok(Box::new(content) as Box<dyn Read + Send>)
        };
        let content = Payload { media_type: BLOB.to_owned(), size, open: Arc::new(open) };
        self.upload(&blob.digest, &content, started).during(doing)
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
            let location = started.take().map_or_else(|| self.start_upload(&tries), Ok)?;
            self.finish_upload(location, digest, content).map_err(|error| match error.kind() {
                Kind::Unavailable => Failure::broken(error),
                _ => error.into(),
            })
        };
        let response = self.client.retry(&tries, self.host.api(), attempt)?;
        if response.is_success() { Ok(()) } else { Err(self.client.error_response(&response)) }
    }

    /// Where an upload goes on: at the registry, or at a store elsewhere, which sees no credentials.
    pub(super) fn upload_location(&self, response: &Response) -> Result<Url> {
        let Some(location) = response.header("location") else {
            let message = "the registry does not say where to send it";
            return Err(Error::new(Kind::Protocol, message));
        };
        let here = &response.url;
        let url = here.join(location)?;
        if url.origin.host == here.origin.host {
            // Nexus behind a proxy names http and its own port.
            return Ok(here.origin.url(url.path()));
        }
        if here.origin.scheme == Scheme::Https && url.origin.scheme == Scheme::Http {
            let message = format!("the upload would leave HTTPS for {}", url.without_query());
            return Err(Error::new(Kind::Protocol, message));
        }
        realm::admit(&here.origin, &url.origin, &self.client.transport.connections)?;
        Ok(url)
    }
}
