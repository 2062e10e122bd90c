//! Where images come from: one interface over registries, directories and archives.

mod archive;
mod layout;

mod registry;

use std::io::Read;

use crate::digest::Digest;
use crate::document::{Descriptor, Document};
use crate::error::Result;
use crate::reference::At;

/// One repository: of a registry, a layout directory, an archive, or any of them remembered.
/// Every failure names what was asked for; the image is named by the caller.
pub(crate) trait Source: Send + Sync {
    /// The manifest or index that `at` leads to, verified. `Kind::NotFound` if there is none.
    fn manifest(&self, at: &At) -> Result<Document>;

    /// What [`Source::manifest`] would lead to, without its bytes where the source can say so for less.
    fn resolve(&self, at: &At) -> Result<Resolved>;

    /// The small blob that a descriptor leads to, such as a configuration, whole and verified.
    fn document(&self, descriptor: &Descriptor) -> Result<Document>;

    /// A blob of any size as a stream that starts `from` bytes behind its beginning where the source
    /// can do that, else at its beginning. The caller verifies it.
    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob>;

    /// All tags, in the source's order.
    fn tags(&self) -> Result<Vec<String>>;

    /// Descriptors of the manifests whose subject is `digest` (distribution-spec, "Listing Referrers").
    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>>;
}

/// What a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
}

/// A blob on its way.
pub(crate) struct Blob {
    pub(crate) reader: Box<dyn Read + Send>,
    /// Where in the blob the reader starts.
    pub(crate) from: u64,
    /// The length of the whole blob, where the source says it.
    pub(crate) size: Option<u64>,
}
