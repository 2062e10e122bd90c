//! Pushes an index: first manifests and blobs from other repositories, then the index, then its
//! other tags.

use std::collections::BTreeMap;

use super::{BuiltIndex, Entry};
use crate::content::{Content, Descriptor};
use crate::digest::Digest;
use crate::error::Result;
use crate::parallel::Pool;
use crate::reference::{Repository, TagOrDigest};
use crate::source::{Registry, Source};

impl BuiltIndex {
    /// Sends everything, the tags last.
    pub(crate) fn push(
        &self,
        pool: &Pool,
        open: &(dyn Fn(&Repository) -> Result<Registry> + Sync),
    ) -> Result<()> {
        let target = open(&self.target)?.for_pushing();
        let elsewhere = self.entries.iter();
        let elsewhere = elsewhere.filter(|entry| entry.repository != self.target);
        let manifests = pool.all(elsewhere.collect(), |entry: &Entry| {
            let source = open(&entry.repository)?;
            let digest = entry.descriptor.digest.clone();
            let manifest = source.manifest(&TagOrDigest::Digest { digest, tag: None })?;
            Ok((source, manifest))
        })?;
        let mut blobs: BTreeMap<Digest, (&Registry, Descriptor)> = BTreeMap::new();
        for (source, manifest) in &manifests {
            for blob in blobs_of(manifest)? {
                blobs.entry(blob.digest.clone()).or_insert((source, blob));
            }
        }
        let blobs = blobs.into_values().collect();
        pool.all(blobs, |(source, blob)| target.mount_or_copy(&blob, source))?;
        pool.all(manifests, |(_, manifest)| {
            let digest = manifest.digest().to_string();
            target.put_manifest(&digest, manifest.media_type(), manifest.bytes())
        })?;
        for tag in &self.tags {
            target.put_manifest(tag, self.kind.media_type(), &self.bytes)?;
        }
        Ok(())
    }
}

/// The configuration and the layers of a manifest, without foreign layers, which registries do not
/// store.
fn blobs_of(manifest: &Content) -> Result<Vec<Descriptor>> {
    let mut blobs = manifest.descriptors("layers")?;
    blobs.retain(|layer| {
        let media_type = &layer.media_type;
        !media_type.contains(".foreign.") && !media_type.contains(".nondistributable.")
    });
    blobs.extend(manifest.config()?);
    Ok(blobs)
}
