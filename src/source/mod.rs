//! Where images come from: one interface over registries, directories and archives.

mod cache;
mod layout;
mod mirrors;
mod registry;
mod sources;

use std::io::Read;
use std::ops::Range;

use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::Digest;
use crate::error::Result;
use crate::names::Names;
use crate::reference::TagOrDigest;

pub(crate) use cache::Freshness;
pub(crate) use cache::disk::{DiskCache, Namespace};
pub(crate) use mirrors::{MirrorSettings, Server};
pub(crate) use registry::{
    AuthCache, AuthFiles, Certificates, Client, ExplicitCredentials, PlainHttp, Proxies, Registry,
    Role, Settings, Verbosity, requests,
};
pub(crate) use sources::{Admit, CacheSettings, Sources};

/// One repository: of a registry, a layout directory, an archive, or any of them remembered.
/// Every failure names what was asked for; the image is named by the caller.
pub(crate) trait Source: Send + Sync {
    /// The manifest or index that `at` leads to, verified. `Kind::NotFound` if there is none.
    fn manifest(&self, at: &TagOrDigest) -> Result<Content>;

    /// What [`Source::manifest`] would lead to, without its bytes where the source can say so for less.
    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved>;

    /// The small blob that a descriptor leads to, such as a configuration, whole and verified.
    fn content(&self, descriptor: &Descriptor) -> Result<Content>;

    /// A blob of any size as a stream that starts `from` bytes behind its beginning where the source
    /// can do that, else at its beginning. The caller verifies it.
    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob>;

    /// No more of a blob than these bytes, where the source can do that, else as [`Source::blob`].
    fn part(&self, digest: &Digest, range: Range<u64>) -> Result<Blob> {
        self.blob(digest, range.start)
    }

    /// What was remembered under a name, in this run or an earlier one, of content that has a digest.
    fn recall(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    /// Remembers for [`Source::recall`], where the source can.
    fn remember(&self, _: &str, _: &[u8]) {}

    /// All tags, in the source's order.
    fn tags(&self) -> Result<Names>;

    /// Descriptors of the manifests whose subject is `digest` (distribution-spec, "Listing Referrers").
    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>>;
}

/// What a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
}

impl Resolved {
    pub(crate) fn of(manifest: &Content) -> Self {
        let media_type = manifest.media_type().to_owned();
        Resolved { media_type, digest: manifest.digest().clone() }
    }

    /// Whether it may have been made for the question: distribution 2.8.2 makes schema 1 of other
    /// kinds, and then has nothing under its digest.
    pub(crate) fn is_made(&self) -> bool {
        ManifestKind::of(&self.media_type) == ManifestKind::Schema1
    }
}

/// A blob on its way.
pub(crate) struct Blob {
    pub(crate) reader: Box<dyn Read + Send>,
    /// Where in the blob the reader starts.
    pub(crate) from: u64,
    /// The length of the whole blob, where the source says it.
    pub(crate) size: Option<u64>,
}
