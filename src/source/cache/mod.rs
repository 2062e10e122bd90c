//! A source with a disk cache: content is fetched once per digest, and what a tag leads to is asked
//! for again.

pub(crate) mod disk;

use std::io::Cursor;
use std::ops::Range;
use std::time::Duration;

use super::{Blob, CacheSettings, Resolved, Source};
use crate::content::{Content, Descriptor, LIMIT};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result, say};
use crate::json;
use crate::names::Names;
use crate::reference::{Repository, TagOrDigest};
use disk::{DiskCache, Namespace, line};

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Cached tags are used below this age: with zero they are asked for each time.
    Within(Duration),
    /// No request is sent.
    Offline,
}

pub(crate) struct Cache<S> {
    inner: S,
    /// The repository's prefix of keys: `HOST/NAME`.
    name: String,
    settings: CacheSettings,
}

impl<S: Source> Cache<S> {
    pub(super) fn new(inner: S, repository: &Repository, settings: &CacheSettings) -> Self {
        Cache { inner, name: name(repository), settings: settings.clone() }
    }

    /// The source, unless requests are forbidden.
    fn asked(&self, what: &dyn std::fmt::Display) -> Result<&S> {
        if self.settings.freshness != Freshness::Offline {
            return Ok(&self.inner);
        }
        let error = Error::new(Kind::Unavailable, format!("{what}: not in the cache"));
        Err(error.hint("without --offline the registry is asked"))
    }

    fn manifest_key(&self, digest: &Digest) -> String {
        format!("{}@{digest}", self.name)
    }

    fn blob_key(&self, digest: &Digest) -> String {
        format!("{} blob {digest}", self.name)
    }

    /// The media types that are asked for are part of it, since the tag may lead to another manifest
    /// with each choice.
    fn tag_key(&self, tag: &str) -> String {
        format!("{}:{tag} {}", self.name, self.settings.accept).trim_end().to_owned()
    }

    /// The cached manifest, verified again.
    fn cached_manifest(&self, digest: &Digest) -> Option<Content> {
        let mut bytes =
            self.settings.disk.get(Namespace::Content, &self.manifest_key(digest))?.value;
        let (media_type, manifest) = line(&bytes)?;
        let (media_type, start) = (media_type.to_vec(), bytes.len() - manifest.len());
        bytes.drain(..start);
        let media_type = str::from_utf8(&media_type).ok()?;
        let manifest = Content::manifest(Some(media_type), bytes, Some(digest)).ok()?;
        self.note(&manifest);
        Some(manifest)
    }

    fn save_manifest(&self, manifest: &Content) {
        let value = [manifest.media_type().as_bytes(), b"\n", manifest.bytes()].concat();
        self.settings.disk.put(Namespace::Content, &self.manifest_key(manifest.digest()), &value);
    }

    /// What the tag last led to, and the age of this entry.
    fn cached_tag(&self, tag: &str) -> Option<(Resolved, Duration)> {
        let entry = self.settings.disk.get(Namespace::Tags, &self.tag_key(tag))?;
        let (media_type, digest) = str::from_utf8(&entry.value).ok()?.split_once('\n')?;
        let (media_type, digest) = (media_type.to_owned(), digest.parse().ok()?);
        Some((Resolved { media_type, digest }, entry.age))
    }

    fn save_tag(&self, tag: &str, resolved: &Resolved) {
        let value = format!("{}\n{}", resolved.media_type, resolved.digest);
        self.settings.disk.put(Namespace::Tags, &self.tag_key(tag), value.as_bytes());
    }

    fn is_fresh(&self, age: Duration) -> bool {
        match self.settings.freshness {
            Freshness::Within(limit) => age < limit,
            Freshness::Offline => true,
        }
    }

    /// Reports what was read from the cache.
    fn note(&self, content: &Content) {
        if self.settings.is_verbose {
            let (digest, size) = (content.digest(), content.bytes().len());
            say(&format!("cache {}@{digest} {size} B", self.name));
        }
    }

    fn by_digest(&self, digest: &Digest) -> Result<Content> {
        if let Some(manifest) = self.cached_manifest(digest) {
            return Ok(manifest);
        }
        let at = TagOrDigest::Digest { digest: digest.clone(), tag: None };
        let manifest = self.asked(digest)?.manifest(&at)?;
        self.save_manifest(&manifest);
        Ok(manifest)
    }

    fn by_tag(&self, tag: &str, at: &TagOrDigest) -> Result<Content> {
        if let Some((last, age)) = self.cached_tag(tag)
            && let Some(manifest) = self.cached_manifest(&last.digest)
        {
            if self.is_fresh(age) {
                return Ok(manifest);
            }
            // A HEAD transfers less, and Docker Hub does not count it as a pull.
            let now = self.inner.resolve(at)?;
            self.save_tag(tag, &now);
            if now.digest == last.digest {
                return Ok(manifest);
            }
            if !now.is_made() {
                return self.by_digest(&now.digest);
            }
        }
        let manifest = self.asked(&format_args!("tag {tag}"))?.manifest(at)?;
        self.save_manifest(&manifest);
        self.save_tag(tag, &Resolved::of(&manifest));
        Ok(manifest)
    }
}

impl<S: Source> Source for Cache<S> {
    fn manifest(&self, at: &TagOrDigest) -> Result<Content> {
        match at {
            TagOrDigest::Digest { digest, .. } => self.by_digest(digest),
            TagOrDigest::Tag(tag) => self.by_tag(tag, at),
            TagOrDigest::Only => self.asked(&"image")?.manifest(at),
        }
    }

    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved> {
        let TagOrDigest::Tag(tag) = at else {
            return Ok(Resolved::of(&self.manifest(at)?));
        };
        if let Some((last, age)) = self.cached_tag(tag)
            && self.is_fresh(age)
        {
            return Ok(last);
        }
        let now = self.asked(&format_args!("tag {tag}"))?.resolve(at)?;
        self.save_tag(tag, &now);
        Ok(now)
    }

    fn content(&self, descriptor: &Descriptor) -> Result<Content> {
        let key = self.blob_key(&descriptor.digest);
        if let Some(entry) = self.settings.disk.get(Namespace::Content, &key)
            && let Ok(document) = Content::blob(descriptor, entry.value)
        {
            self.note(&document);
            return Ok(document);
        }
        let document = self.asked(&descriptor.digest)?.content(descriptor)?;
        self.settings.disk.put(Namespace::Content, &key, document.bytes());
        Ok(document)
    }

    /// Layers are not cached; configurations may be, as documents.
    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        if self.settings.freshness == Freshness::Offline
            && let Some(entry) = self.settings.disk.get(Namespace::Content, &self.blob_key(digest))
        {
            let size = Some(entry.value.len() as u64);
            return Ok(Blob { reader: Box::new(Cursor::new(entry.value)), from: 0, size });
        }
        self.asked(digest)?.blob(digest, from)
    }

    fn part(&self, digest: &Digest, range: Range<u64>) -> Result<Blob> {
        self.asked(digest)?.part(digest, range)
    }

    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        let value = self.settings.disk.get(Namespace::Layers, name)?.value;
        if self.settings.is_verbose {
            say(&format!("cache {name} {} B", value.len()));
        }
        Some(value)
    }

    fn remember(&self, name: &str, value: &[u8]) {
        self.settings.disk.put(Namespace::Layers, name, value);
    }

    fn tags(&self) -> Result<Names> {
        if self.is_fresh(Duration::ZERO)
            && let Some(entry) = self.settings.disk.get(Namespace::Tags, &self.name)
            && self.is_fresh(entry.age)
        {
            let mut tags = Names::default();
            if let Ok(Some(())) = json::strings(&entry.value, None, &mut tags) {
                return Ok(tags);
            }
        }
        let tags = self.asked(&"tags")?.tags()?;
        if tags.json().len() as u64 <= LIMIT {
            self.settings.disk.put(Namespace::Tags, &self.name, tags.json().as_bytes());
        }
        Ok(tags)
    }

    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        self.asked(&format_args!("referrers of {digest}"))?.referrers(digest, artifact_type)
    }
}

/// Deletes the entries of a repository's tags, and of these manifests.
pub(super) fn forget(disk: &DiskCache, repository: &Repository, gone: &[Digest]) {
    let name = name(repository);
    for key in disk.keys(Namespace::Tags) {
        let rest = key.strip_prefix(&name);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':')) {
            disk.put(Namespace::Tags, &key, b"");
        }
    }
    for digest in gone {
        disk.put(Namespace::Content, &format!("{name}@{digest}"), b"");
    }
}

/// What tells the values of a repository from those of others.
fn name(repository: &Repository) -> String {
    format!("{}/{}", repository.host, repository.name)
}
