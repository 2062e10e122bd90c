//! One image on one platform: index → manifest → configuration, each fetched when first asked for.

mod budget;
mod choice;
mod config;

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::parallel::Pool;
use crate::platform::{Platform, PlatformMatcher};
use crate::reference::{Reference, TagOrDigest};
use crate::source::{Resolved, Source};

pub(crate) use budget::{Budget, Once, Walk};

pub(crate) struct Image {
    text: String,
    pub(crate) reference: Reference,
    pub(crate) source: Arc<dyn Source>,
    matcher: PlatformMatcher,
    /// The workers for parallel requests.
    pub(crate) pool: Arc<Pool>,
    /// The limits of the question, shared by its images.
    pub(crate) budget: Arc<Budget>,
    /// The media types that the user chose to ask for; none for all.
    kinds: Vec<String>,
    /// The platform of an image that [`Image::platforms`] returned.
    fixed: Option<Platform>,
    /// Whether the source was asked what the reference leads to, and did not find it.
    is_absent: Cell<bool>,
    resolved: OnceCell<Resolved>,
    top_manifest: OnceCell<Arc<Content>>,
    platform_descriptor: OnceCell<Option<Descriptor>>,
    manifest: OnceCell<Arc<Content>>,
    config: OnceCell<Arc<Content>>,
}

impl Image {
    /// `text` is the reference as the user wrote it.
    pub(crate) fn new(
        text: &str,
        reference: Reference,
        source: Arc<dyn Source>,
        matcher: PlatformMatcher,
        pool: Arc<Pool>,
    ) -> Self {
        Image {
            text: text.to_owned(),
            reference,
            source,
            matcher,
            pool,
            budget: Arc::default(),
            kinds: Vec::new(),
            fixed: None,
            is_absent: Cell::new(false),
            resolved: OnceCell::new(),
            top_manifest: OnceCell::new(),
            platform_descriptor: OnceCell::new(),
            manifest: OnceCell::new(),
            config: OnceCell::new(),
        }
    }

    /// The image when the user restricted the media types to ask for. Unless a platform is chosen
    /// too, commands then print what the registry serves.
    pub(crate) fn of_kinds(self, kinds: Vec<String>) -> Self {
        Image { kinds, ..self }
    }

    fn has_accept_override(&self) -> bool {
        !self.kinds.is_empty() && !self.matcher.is_explicit()
    }

    /// `Kind::NotFound` for a media type that was not asked for: registries may ignore the Accept
    /// header, and layouts have none.
    fn compare(&self, media_type: &str, digest: &Digest) -> Result<()> {
        if self.kinds.is_empty() || self.kinds.iter().any(|kind| kind == media_type) {
            return Ok(());
        }
        let kinds = self.kinds.join(" or ");
        let error = not_found(format!("no {kinds}, but {media_type} with digest {digest}"));
        Err(match ManifestKind::of(media_type) {
            // distribution 2.8.2 does, and does not find the result by its digest.
            ManifestKind::Schema1 => {
                error.hint("some registries convert to schema 1 what they cannot serve otherwise")
            }
            _ => error,
        })
    }

    /// As the user wrote it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The image when nothing is to be done side by side.
    pub(crate) fn alone(self) -> Image {
        Image { pool: Arc::new(Pool::new(1)), ..self }
    }

    /// Another image of the same repository, for the same platform.
    pub(crate) fn at(&self, at: TagOrDigest) -> Image {
        let reference = Reference { at, ..self.reference.clone() };
        let (source, matcher) = (self.source.clone(), self.matcher.clone());
        Image::new(&self.text, reference, source, matcher, self.pool.clone())
    }

    /// Another image for the platform that this one has.
    pub(crate) fn elsewhere(
        &self,
        text: &str,
        reference: Reference,
        source: Arc<dyn Source>,
    ) -> Result<Image> {
        let said = Platform::read(self.config_json()?);
        let matcher = said.as_ref().map_or_else(|| self.matcher.clone(), PlatformMatcher::from);
        Ok(Image::new(text, reference, source, matcher, self.pool.clone()))
    }

    /// Digest and media type of what the reference leads to; by HEAD where the source has it.
    pub(crate) fn resolved(&self) -> Result<&Resolved> {
        once(&self.resolved, || {
            if let Some(top) = self.top_manifest.get() {
                return Ok(Resolved::of(top));
            }
            let resolved = self.source.resolve(&self.reference.at);
            let resolved = resolved.map_err(|error| self.hinted(error))?;
            self.compare(&resolved.media_type, &resolved.digest)?;
            Ok(resolved)
        })
    }

    /// The digest that referrers of the image have as their subject: the platform's manifest if a
    /// platform was chosen, else what the reference leads to.
    pub(crate) fn subject(&self) -> Result<Digest> {
        if self.fixed.is_some() || self.matcher.is_explicit() {
            return self.digest();
        }
        match &self.reference.at {
            TagOrDigest::Digest { digest, .. } => Ok(digest.clone()),
            _ => Ok(self.resolved()?.digest.clone()),
        }
    }

    /// What the reference leads to: an index, or the manifest of an image without one.
    pub(crate) fn top_manifest(&self) -> Result<&Arc<Content>> {
        once(&self.top_manifest, || {
            let at = match self.resolved.get() {
                // By digest: the tag may have moved since, and the manifest may be in the cache.
                Some(resolved) if !resolved.is_made() => {
                    TagOrDigest::Digest { digest: resolved.digest.clone(), tag: None }
                }
                _ => self.reference.at.clone(),
            };
            let manifest = self.source.manifest(&at).map(Arc::new);
            let manifest = manifest.map_err(|error| self.hinted(error))?;
            self.compare(manifest.media_type(), manifest.digest())?;
            self.budget.hold(manifest.weight())?;
            Ok(manifest)
        })
    }

    /// Whether it is known that there is nothing that the reference leads to.
    pub(crate) fn is_absent(&self) -> bool {
        self.is_absent.get()
    }

    /// Adds a hint for a digest that may be the one of a layer.
    fn hinted(&self, error: Error) -> Error {
        self.is_absent.set(error.kind() == Kind::NotFound);
        match (&self.reference.at, error.kind()) {
            (TagOrDigest::Digest { .. }, Kind::NotFound) => {
                error.hint("'digest' shows a manifest's digest; a layer's is for 'downloadlayer'")
            }
            _ => error,
        }
    }

    /// Whether the reference leads to the digest, or to an index that lists it.
    pub(crate) fn leads_to(&self, digest: &Digest) -> Result<bool> {
        let resolved = self.resolved()?;
        let is_index = ManifestKind::of(&resolved.media_type) == ManifestKind::Index;
        Ok(resolved.digest == *digest || is_index && self.lists(self.top_manifest()?, digest)?)
    }

    /// The chosen platform, in the form of `--platform`.
    pub(crate) fn platform_name(&self) -> String {
        match &self.fixed {
            Some(platform) => platform.to_string(),
            None => self.matcher.to_string(),
        }
    }

    /// The index; `Kind::NotFound` if the image has none, naming what it is instead.
    pub(crate) fn index(&self) -> Result<&Arc<Content>> {
        let top = self.top_manifest()?;
        if top.kind() == ManifestKind::Index {
            return Ok(top);
        }
        let what = match self.platform_of(top)? {
            Some(platform) => format!("for {platform}"),
            None => format!("of type {}", top.media_type()),
        };
        Err(not_found(format!(
            "no manifest list, but a manifest {what} with digest {}",
            top.digest()
        )))
    }

    /// The index's digest; by HEAD where the source has it.
    pub(crate) fn index_digest(&self) -> Result<Digest> {
        let resolved = self.resolved()?;
        match ManifestKind::of(&resolved.media_type) {
            ManifestKind::Index => Ok(resolved.digest.clone()),
            // Some registries serve a generic media type; the document's content tells its kind.
            _ => self.index().map(|index| index.digest().clone()),
        }
    }

    /// The manifest that `manifest` prints: the one for the platform, or with restricted media
    /// types what the registry serves.
    pub(crate) fn printed_manifest(&self) -> Result<&Arc<Content>> {
        if self.has_accept_override() { self.top_manifest() } else { self.manifest() }
    }

    /// The digest of [`Image::printed_manifest`].
    pub(crate) fn printed_digest(&self) -> Result<Digest> {
        if self.has_accept_override() { Ok(self.resolved()?.digest.clone()) } else { self.digest() }
    }

    /// The digest of the manifest for the platform.
    pub(crate) fn digest(&self) -> Result<Digest> {
        Ok(match self.platform_descriptor()? {
            Some(entry) => entry.digest.clone(),
            None => self.top_manifest()?.digest().clone(),
        })
    }

    /// The manifest for the platform.
    pub(crate) fn manifest(&self) -> Result<&Arc<Content>> {
        once(&self.manifest, || match self.platform_descriptor()? {
            Some(entry) => self.budget.manifest(&*self.source, entry),
            None => self.top_manifest().cloned(),
        })
    }

    /// The image that the tag of `IMAGE:TAG@DIGEST` leads to; `None` without a tag.
    pub(crate) fn tagged(&self) -> Option<Image> {
        match &self.reference.at {
            TagOrDigest::Digest { tag: Some(tag), .. } => {
                Some(self.at(TagOrDigest::Tag(tag.clone())))
            }
            _ => None,
        }
    }

    /// The platform that was chosen, as far as it is known without another request.
    pub(crate) fn platform(&self) -> Option<Platform> {
        let chosen = self.platform_descriptor.get().and_then(Option::as_ref);
        let listed = chosen.and_then(|entry| entry.platform.clone());
        listed.or_else(|| Platform::read(self.config.get()?.json()))
    }

    /// The digest of the manifest for the platform, or of what the reference leads to where no platform
    /// is chosen yet, as far as it is known without another request.
    pub(crate) fn known_digest(&self) -> Option<&Digest> {
        let chosen = self.platform_descriptor.get().and_then(Option::as_ref);
        let chosen = chosen.map(|entry| &entry.digest);
        let top = self.top_manifest.get().map(|top| top.digest());
        chosen.or(top).or_else(|| Some(&self.resolved.get()?.digest))
    }

    /// The entry of the index for the platform; `None` for an image without an index, whose
    /// platform is checked if one was asked for.
    pub(crate) fn platform_descriptor(&self) -> Result<Option<&Descriptor>> {
        let chosen = once(&self.platform_descriptor, || {
            let top = self.top_manifest()?;
            match top.kind() {
                ManifestKind::Index => self.choose(top).map(Some),
                _ if self.matcher.is_explicit() => self.check(top).map(|()| None),
                _ => Ok(None),
            }
        })?;
        Ok(chosen.as_ref())
    }
}

fn not_found(message: String) -> Error {
    Error::new(Kind::NotFound, message)
}

/// `OnceCell::get_or_try_init`, which is not stable yet.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if cell.get().is_none() {
        let value = make()?;
        return Ok(cell.get_or_init(|| value));
    }
    Ok(cell.get().expect("the cell was filled a line above"))
}
