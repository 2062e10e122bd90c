//! The images that an index lists, and the one for a platform.

use std::cell::OnceCell;

use super::{Image, Walk};
use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result, some_of};
use crate::platform::Platform;

/// What an index lists.
pub(crate) struct Listed {
    /// In the index's order.
    pub(crate) images: Vec<(Platform, Image)>,
    /// The errors of entries that cannot be read.
    pub(crate) missing: Vec<Error>,
}

impl Image {
    /// One image for each platform, in the index's order. For an image that this function returned:
    /// itself.
    pub(crate) fn platforms(&self) -> Result<Listed> {
        let alone = |platform: Option<Platform>, entry| {
            Ok(Listed { images: vec![self.on(platform, entry)], missing: Vec::new() })
        };
        if self.fixed.is_some() {
            return alone(self.fixed.clone(), self.platform_descriptor()?.cloned());
        }
        let top = self.top_manifest()?;
        if top.kind() != ManifestKind::Index {
            return alone(self.platform_of(top)?, None);
        }
        let (entries, missing) = self.flattened(top)?;
        let images = entries.into_iter().map(|entry| self.on(entry.platform.clone(), Some(entry)));
        Ok(Listed { images: images.collect(), missing })
    }

    fn on(&self, platform: Option<Platform>, entry: Option<Descriptor>) -> (Platform, Image) {
        let platform = platform.unwrap_or_else(Platform::unknown);
        let image = Image {
            fixed: Some(platform.clone()),
            top_manifest: self.top_manifest.clone(),
            platform_descriptor: OnceCell::from(entry),
            budget: self.budget.clone(),
            ..self.at(self.reference.at.clone())
        };
        (platform, image)
    }

    pub(super) fn check(&self, top: &Content) -> Result<()> {
        let platform = self.platform_of(top)?.unwrap_or_else(Platform::unknown);
        match self.matcher.accepts(&platform) {
            true => Ok(()),
            false => Err(self.without(format!("the image is only for {platform}"))),
        }
    }

    fn without(&self, hint: String) -> Error {
        Error::new(Kind::NotFound, format!("no image for {}", self.matcher)).hint(hint)
    }

    pub(super) fn choose(&self, index: &Content) -> Result<Descriptor> {
        let mut direct = self.budget.entries(index, 0)?;
        direct.retain(is_image);
        if let Some(best) = self.best(direct) {
            return Ok(best);
        }
        let (all, missing) = self.flattened(index)?;
        let available = some_of(all.iter().filter_map(|entry| entry.platform.as_ref()));
        self.best(all).ok_or_else(|| match (missing.into_iter().next(), &*available) {
            (Some(error), _) => error,
            (None, "") => self.without("the index lists no image".to_owned()),
            (None, _) => self.without(format!("available: {available}")),
        })
    }

    fn best(&self, mut entries: Vec<Descriptor>) -> Option<Descriptor> {
        entries.retain(|entry| entry.platform.is_some());
        let best = self.matcher.best(entries.iter().filter_map(|entry| entry.platform.as_ref()))?;
        Some(entries.swap_remove(best))
    }

    /// All images below an index, and the errors of those that cannot be read. A missing platform
    /// is read from the configuration.
    fn flattened(&self, index: &Content) -> Result<(Vec<Descriptor>, Vec<Error>)> {
        let (mut flat, mut missing) = (Vec::new(), Vec::new());
        for entry in Walk::new(&*self.source, &self.budget, index)? {
            match entry.and_then(|entry| self.with_platform(entry)) {
                Ok(entry) if is_image(&entry) => flat.push(entry),
                Ok(_) => {}
                Err(error) if self.budget.exceeded().is_some() => return Err(error),
                Err(error) => missing.push(error),
            }
        }
        Ok((flat, missing))
    }

    fn with_platform(&self, mut entry: Descriptor) -> Result<Descriptor> {
        if is_image(&entry) && entry.platform.is_none() {
            let manifest = self.budget.manifest(&*self.source, &entry)?;
            entry.platform = self.platform_of(&manifest)?;
        }
        Ok(entry)
    }

    /// Whether the index, or an index in it, lists the digest.
    pub(super) fn lists(&self, index: &Content, digest: &Digest) -> Result<bool> {
        for entry in Walk::new(&*self.source, &self.budget, index)? {
            if entry?.digest == *digest {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether an entry is neither an index nor an attestation.
fn is_image(entry: &Descriptor) -> bool {
    ManifestKind::of(&entry.media_type) != ManifestKind::Index && !entry.is_attestation()
}
