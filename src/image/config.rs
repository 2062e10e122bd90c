//! What the configuration of an image says.

use std::sync::Arc;

use serde_json::Value;

use super::{Image, not_found, once};
use crate::content::{Content, Descriptor, Layer, ManifestKind};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::platform::Platform;

impl Image {
    /// The image configuration for the platform. A schema 1 manifest carries it inside.
    pub(crate) fn config(&self) -> Result<&Arc<Content>> {
        let manifest = self.manifest()?;
        once(&self.config, || self.config_of(manifest))
    }

    /// The configuration's JSON; null for an artifact, whose configuration is not an image's.
    pub(crate) fn config_json(&self) -> Result<&Value> {
        if is_artifact(self.manifest()?)? {
            return Ok(&Value::Null);
        }
        Ok(self.config()?.json())
    }

    /// The digest of the configuration; `Kind::NotFound` for a manifest that has none.
    pub(crate) fn config_digest(&self) -> Result<Digest> {
        Ok(config_descriptor(self.manifest()?)?.digest)
    }

    /// The layers, the lowest first.
    pub(crate) fn layers(&self) -> Result<Vec<Layer>> {
        self.manifest()?.layers()
    }

    /// The digests of the uncompressed layers, the lowest first; empty for artifacts.
    pub(crate) fn diff_ids(&self) -> Result<Vec<Digest>> {
        let diff_ids = self.config_json()?["rootfs"]["diff_ids"].as_array();
        let parsed =
            diff_ids.into_iter().flatten().map(|id| id.as_str().unwrap_or_default().parse());
        // Not a usage error: the digest is the registry's.
        let wrong = |error: Error| Error::new(Kind::Corrupt, format!("diff_ids: {error}"));
        parsed.collect::<Result<_>>().map_err(wrong)
    }

    /// The configuration's `history`, which may be empty; for schema 1 the `v1Compatibility` of
    /// each layer, newest first.
    pub(crate) fn history(&self) -> Result<Value> {
        let manifest = self.manifest()?;
        if manifest.kind() == ManifestKind::Schema1 {
            return manifest.v1_history().collect();
        }
        Ok(match &self.config_json()?["history"] {
            Value::Null => Value::Array(Vec::new()),
            history => history.clone(),
        })
    }

    /// The configuration's platform; `None` for an artifact.
    pub(super) fn platform_of(&self, manifest: &Content) -> Result<Option<Platform>> {
        if is_artifact(manifest)? {
            return Ok(None);
        }
        Ok(Platform::read(self.config_of(manifest)?.json()))
    }

    fn config_of(&self, manifest: &Content) -> Result<Arc<Content>> {
        match manifest.kind() {
            ManifestKind::Schema1 => manifest.v1_compatibility().map(Arc::new),
            _ => self.budget.content(&*self.source, &config_descriptor(manifest)?),
        }
    }
}

/// Whether a manifest has no image configuration.
fn is_artifact(manifest: &Content) -> Result<bool> {
    let is_image = manifest.kind() == ManifestKind::Schema1
        || manifest.config()?.is_some_and(|config| config.is_image_config());
    Ok(!is_image)
}

fn config_descriptor(manifest: &Content) -> Result<Descriptor> {
    let without = || format!("a manifest of type {} has no configuration", manifest.media_type());
    manifest.config()?.ok_or_else(|| not_found(without()))
}
