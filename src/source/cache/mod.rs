//! A source with a disk cache: content is fetched once per digest, and what a tag leads to is asked
//! for again.

pub(crate) mod disk;

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use super::{Blob, CacheSettings, Resolved, Source};
use crate::content::{Content, Descriptor, LIMIT};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result, say};
use crate::json;
use crate::names::Names;
use crate::reference::{Repository, TagOrDigest};
use disk::{DiskCache, Namespace};

/// How old an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Tags are asked for each time.
    Asked,
    /// Cached tags are used up to this age.
    Within(Duration),
    /// No request is sent.
    Offline,
}

pub(crate) struct Cache<S> {
    inner: S,
    disk: Arc<DiskCache>,
    /// The repository's prefix of keys: `HOST/NAME`.
    name: String,
    /// The media types that were asked for, since the same tag may lead to another manifest with
    /// each choice.
    accept: String,
    freshness: Freshness,
    /// Whether to report what was read from the cache.
    is_verbose: bool,
}

impl<S: Source> Cache<S> {
    pub(super) fn new(inner: S, repository: &Repository, settings: &CacheSettings) -> Self {
        Cache {
            inner,
            disk: settings.disk.clone(),
            name: name(repository),
            accept: settings.accept.clone(),
            freshness: settings.freshness,
            is_verbose: settings.is_verbose,
        }
    }

    /// The source, unless requests are forbidden.
    fn asked(&self, what: &dyn std::fmt::Display) -> Result<&S> {
        if self.freshness != Freshness::Offline {
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

    fn tag_key(&self, tag: &str) -> String {
        format!("{}:{tag} {}", self.name, self.accept).trim_end().to_owned()
    }

    /// The cached manifest, verified again.
    fn cached_manifest(&self, digest: &Digest) -> Option<Content> {
        let key = self.manifest_key(digest);
        let mut bytes = self.disk.get(Namespace::Content, &key)?.value;
        let (media_type, manifest) = unpacked(&bytes)?;
        let (media_type, start) = (media_type.to_owned(), bytes.len() - manifest.len());
        bytes.drain(..start);
        let document = Content::manifest(Some(&media_type), bytes, Some(digest)).ok()?;
        self.note(digest, document.bytes());
        Some(document)
    }

    fn save_manifest(&self, document: &Content) {
        let value = [document.media_type().as_bytes(), b"\n", document.bytes()].concat();
        self.disk.put(Namespace::Content, &self.manifest_key(document.digest()), &value);
    }

    /// What the tag last led to, and the age of this entry.
    fn cached_tag(&self, tag: &str) -> Option<(Resolved, Duration)> {
        let entry = self.disk.get(Namespace::Tags, &self.tag_key(tag))?;
        let (media_type, digest) = unpacked(&entry.value)?;
        let digest = str::from_utf8(digest).ok()?.parse().ok()?;
        Some((Resolved { media_type: media_type.to_owned(), digest }, entry.age))
    }

    fn save_tag(&self, tag: &str, resolved: &Resolved) {
        let value = format!("{}\n{}", resolved.media_type, resolved.digest);
        self.disk.put(Namespace::Tags, &self.tag_key(tag), value.as_bytes());
    }

    fn is_fresh(&self, age: Duration) -> bool {
        match self.freshness {
            Freshness::Asked => false,
            Freshness::Within(limit) => age <= limit,
            Freshness::Offline => true,
        }
    }

    fn note(&self, what: &dyn std::fmt::Display, bytes: &[u8]) {
        if self.is_verbose {
            say(&format!("cache {}@{what} {} B", self.name, bytes.len()));
        }
    }

    fn by_digest(&self, digest: &Digest) -> Result<Content> {
        if let Some(document) = self.cached_manifest(digest) {
            return Ok(document);
        }
        let at = TagOrDigest::Digest { digest: digest.clone(), tag: None };
        let document = self.asked(digest)?.manifest(&at)?;
        self.save_manifest(&document);
        Ok(document)
    }

    fn by_tag(&self, tag: &str, at: &TagOrDigest) -> Result<Content> {
        if let Some((last, age)) = self.cached_tag(tag)
            && let Some(document) = self.cached_manifest(&last.digest)
        {
            if self.is_fresh(age) {
                return Ok(document);
            }
            // A HEAD transfers less, and Docker Hub does not count it as a pull.
            let now = self.inner.resolve(at)?;
            self.save_tag(tag, &now);
            if now.digest == last.digest {
                return Ok(document);
            }
            if !now.is_made() {
                return self.by_digest(&now.digest);
            }
        }
        let document = self.asked(&format_args!("tag {tag}"))?.manifest(at)?;
        self.save_manifest(&document);
        let digest = document.digest().clone();
        self.save_tag(tag, &Resolved { media_type: document.media_type().to_owned(), digest });
        Ok(document)
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
            let document = self.manifest(at)?;
            let media_type = document.media_type().to_owned();
            return Ok(Resolved { media_type, digest: document.digest().clone() });
        };
        match self.cached_tag(tag) {
            Some((last, age)) if self.is_fresh(age) => Ok(last),
            _ => {
                let now = self.asked(&format_args!("tag {tag}"))?.resolve(at)?;
                self.save_tag(tag, &now);
                Ok(now)
            }
        }
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Content> {
        let digest = &descriptor.digest;
        if let Some(entry) = self.disk.get(Namespace::Content, &self.blob_key(digest))
            && let Ok(document) = Content::blob(descriptor, entry.value)
        {
            self.note(digest, document.bytes());
            return Ok(document);
        }
        let document = self.asked(digest)?.document(descriptor)?;
        self.disk.put(Namespace::Content, &self.blob_key(digest), document.bytes());
        Ok(document)
    }

    /// Layers are not cached; configurations may be, as documents.
    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        if self.freshness != Freshness::Offline {
            return self.inner.blob(digest, from);
        }
        let Some(entry) = self.disk.get(Namespace::Content, &self.blob_key(digest)) else {
            return self.asked(digest)?.blob(digest, from);
        };
        let size = Some(entry.value.len() as u64);
        Ok(Blob { reader: Box::new(Cursor::new(entry.value)), from: 0, size })
    }

    fn tags(&self) -> Result<Names> {
        let cached = || self.disk.get(Namespace::Tags, &self.name);
        if self.freshness != Freshness::Asked
            && let Some(entry) = cached()
            && self.is_fresh(entry.age)
        {
            let mut tags = Names::default();
            if let Ok(Some(())) = json::strings(&entry.value, None, &mut tags) {
                return Ok(tags);
            }
        }
        let tags = self.asked(&"tags")?.tags()?;
        if tags.weight() as u64 <= LIMIT {
            self.disk.put(Namespace::Tags, &self.name, json::list(tags.iter()).as_bytes());
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

/// The first line, and the rest.
fn unpacked(value: &[u8]) -> Option<(&str, &[u8])> {
    let end = value.iter().position(|byte| *byte == b'\n')?;
    Some((str::from_utf8(&value[..end]).ok()?, &value[end + 1..]))
}
