//! What an index lists, and which of it is the image for a platform.

use std::cell::OnceCell;

use super::{DEPTH, Image, fetch};
use crate::digest::Digest;
use crate::document::{Descriptor, Document, Form};
use crate::error::{Error, Kind, Result, some_of};
use crate::platform::Platform;

impl Image {
    /// One image for each platform there is, in the index's order, with its platform; of such an
    /// image itself.
    pub(crate) fn platforms(&self) -> Result<Vec<(Platform, Image)>> {
        if let Some(platform) = &self.fixed {
            return Ok(vec![self.on(platform.clone(), self.chosen()?.cloned())]);
        }
        let root = self.root()?;
        if root.form() != Form::Index {
            let platform = self.platform_of(root)?.unwrap_or_else(Platform::unknown);
            return Ok(vec![self.on(platform, None)]);
        }
        let entries = self.flattened(root, DEPTH)?;
        let on = |entry: Descriptor| {
            let platform = entry.platform.clone();
            self.on(platform.unwrap_or_else(Platform::unknown), Some(entry))
        };
        Ok(entries.into_iter().map(on).collect())
    }

    fn on(&self, platform: Platform, entry: Option<Descriptor>) -> (Platform, Image) {
        let image = Image {
            fixed: Some(platform.clone()),
            root: self.root.clone(),
            chosen: OnceCell::from(entry),
            ..self.at(self.reference.at.clone())
        };
        (platform, image)
    }

    pub(super) fn check(&self, root: &Document) -> Result<()> {
        let platform = self.platform_of(root)?.unwrap_or_else(Platform::unknown);
        if self.wanted.accepts(&platform) {
            return Ok(());
        }
        let hint = format!("the image has no manifest list; it is for {platform}");
        Err(Error::new(Kind::NotFound, format!("no image for {}", self.wanted)).hint(hint))
    }

    pub(super) fn choose(&self, index: &Document) -> Result<Descriptor> {
        let direct: Vec<Descriptor> = images(index)?
            .into_iter()
            .filter(|entry| entry.platform.is_some() && Form::of(&entry.media_type) != Form::Index)
            .collect();
        if let Some(best) = self.best(&direct) {
            return Ok(best);
        }
        let all = self.flattened(index, DEPTH)?;
        self.best(&all).ok_or_else(|| {
            let names: Vec<String> = all
                .iter()
                .filter_map(|entry| Some(entry.platform.as_ref()?.to_string()))
                .collect();
            let hint = match names[..] {
                [] => "the index lists no image".to_owned(),
                _ => format!("there is {}", some_of(&names)),
            };
            Error::new(Kind::NotFound, format!("no image for {}", self.wanted)).hint(hint)
        })
    }

    fn best(&self, entries: &[Descriptor]) -> Option<Descriptor> {
        let best = self
            .wanted
            .best(entries.iter().filter_map(|entry| entry.platform.as_ref()))?;
        entries
            .iter()
            .filter(|entry| entry.platform.is_some())
            .nth(best)
            .cloned()
    }

    /// All images below an index: nested indexes opened, and platforms read from the configuration
    /// where the index does not name them.
    fn flattened(&self, index: &Document, depth: usize) -> Result<Vec<Descriptor>> {
        let mut flat = Vec::new();
        for mut entry in images(index)? {
            if Form::of(&entry.media_type) == Form::Index {
                if depth == 0 {
                    return Err(Error::new(Kind::Local, "indexes are nested too deeply"));
                }
                flat.extend(self.flattened(&fetch(&*self.source, &entry)?, depth - 1)?);
                continue;
            }
            if entry.platform.is_none() {
                entry.platform = self.platform_of(&fetch(&*self.source, &entry)?)?;
            }
            flat.push(entry);
        }
        Ok(flat)
    }

    /// Whether the index, or an index in it, lists the digest.
    pub(super) fn lists(&self, index: &Document, digest: &Digest, depth: usize) -> Result<bool> {
        for entry in index.descriptors("manifests")? {
            let is_index = Form::of(&entry.media_type) == Form::Index;
            if entry.digest == *digest
                || (is_index
                    && depth > 0
                    && self.lists(&fetch(&*self.source, &entry)?, digest, depth - 1)?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What an index lists that is an image or another index.
fn images(index: &Document) -> Result<Vec<Descriptor>> {
    let mut entries = index.descriptors("manifests")?;
    entries.retain(|entry| !entry.is_attestation());
    Ok(entries)
}
