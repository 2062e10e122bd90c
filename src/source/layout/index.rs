//! Finds the image of a layout that a reference names.
//!
//! The specification leaves open how a layout names its images. Here the tag of an entry is its
//! annotation `org.opencontainers.image.ref.name`, or what stands behind the last colon of it or of
//! containerd's `io.containerd.image.name`; what stands before it is a repository, which a reference
//! may name too. Of several entries with one tag the last one counts,
//! unless they are of different repositories.

use std::collections::{BTreeSet, HashSet};

use crate::content::{Content, Descriptor, OCI_INDEX};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result, some_of};
use crate::reference::Repository;

pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// What `index.json` says.
pub(super) struct Index {
    pub(super) entries: Vec<Descriptor>,
    /// The only one whose images are meant.
    repository: Option<String>,
}

impl Index {
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self> {
        let index = Content::manifest(Some(OCI_INDEX), bytes, None)?;
        let entries = index.descriptors("manifests")?;
        Ok(Index { entries, repository: None })
    }

    /// The index when only the images of this repository are meant. `Kind::NotFound` if there are
    /// none.
    pub(super) fn of(self, name: &str) -> Result<Self> {
        let all: BTreeSet<&str> = self.entries.iter().filter_map(repository).collect();
        if all.iter().any(|other| is_same(name, other)) {
            return Ok(Index { repository: Some(name.to_owned()), ..self });
        }
        let error = Error::new(Kind::NotFound, format!("there is no image of '{name}'"));
        Err(if all.is_empty() { error } else { error.hint(format!("available: {}", some_of(all))) })
    }

    fn images(&self) -> impl DoubleEndedIterator<Item = &Descriptor> {
        self.entries.iter().filter(|entry| match (&self.repository, repository(entry)) {
            (Some(name), Some(other)) => is_same(name, other),
            (name, _) => name.is_none(),
        })
    }

    /// All tags in the order of the entries, each once.
    pub(super) fn tags(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.images().filter_map(tag).filter(|tag| seen.insert(*tag)).collect()
    }

    /// The only image. Images without a tag are ignored if others have one, and artifacts if there
    /// are images.
    pub(super) fn only(&self) -> Result<&Descriptor> {
        let images = || self.images().filter(|entry| is_image(entry));
        let tagged = images().find(|entry| tag(entry).is_some());
        let Some(first) = tagged.or(images().next()).or(self.images().next()) else {
            return Err(Error::new(Kind::NotFound, "there is no image in it"));
        };
        let is_candidate = |entry: &&Descriptor| match is_image(first) {
            true => is_image(entry) && tag(entry).is_some() == tag(first).is_some(),
            false => true,
        };
        if self.images().filter(is_candidate).all(|other| other.digest == first.digest) {
            return Ok(first);
        }
        if self.images().any(|entry| is_named(entry, "latest")) {
            return self.tagged("latest");
        }
        let message = "there are several images in it, and none has the tag latest";
        Err(Error::new(Kind::NotFound, message).hint(self.choices()))
    }

    /// The last entry of that tag, or of that whole name.
    pub(super) fn tagged(&self, tag: &str) -> Result<&Descriptor> {
        let named = || self.images().filter(|entry| is_named(entry, tag));
        let Some(last) = named().next_back() else {
            let message = format!("there is no tag '{tag}'");
            return Err(Error::new(Kind::NotFound, message).hint(self.choices()));
        };
        let repositories: BTreeSet<&str> = named().filter_map(repository).collect();
        if repositories.len() > 1 && named().any(|other| other.digest != last.digest) {
            let names = some_of(repositories);
            let message = format!("several images have the tag '{tag}': {names}");
            let hint = format!("choose one by its digest, such as @{}", last.digest);
            return Err(Error::new(Kind::NotFound, message).hint(hint));
        }
        Ok(last)
    }

    /// A hint that lists the available tags.
    fn choices(&self) -> String {
        match (&*self.tags(), self.images().next()) {
            ([], Some(entry)) => {
                format!("there are no tags; choose by digest, such as @{}", entry.digest)
            }
            ([], None) => "there are no images".to_owned(),
            ([tag], _) => format!("available: the tag {tag}"),
            (tags, _) => format!("available: the tags {}", some_of(tags)),
        }
    }
}

fn is_image(entry: &Descriptor) -> bool {
    !entry.is_attestation()
        && entry.json["artifactType"].is_null()
        && !tag(entry).is_some_and(Digest::is_in_tag)
}

/// Under which names the entry was stored: a tag, or a repository and a tag.
fn names(entry: &Descriptor) -> impl Iterator<Item = &str> {
    let names = [REF_NAME, CONTAINERD_NAME].into_iter().filter_map(|key| entry.annotation(key));
    names.filter(|name| !name.contains('@'))
}

pub(super) fn is_named(entry: &Descriptor, wanted: &str) -> bool {
    names(entry).any(|name| match split(name) {
        _ if name == wanted => true,
        (Some(repository), "latest") => wanted == "latest" || is_same(wanted, repository),
        (_, tag) => tag == wanted,
    })
}

/// Whether both mean one repository, however much of Docker Hub's name is written.
fn is_same(name: &str, other: &str) -> bool {
    let read = |text: &str| text.parse::<Repository>().ok();
    name == other || read(name).is_some_and(|it| read(other) == Some(it))
}

fn tag(entry: &Descriptor) -> Option<&str> {
    names(entry).next().map(|name| split(name).1)
}

fn repository(entry: &Descriptor) -> Option<&str> {
    names(entry).find_map(|name| split(name).0)
}

/// `HOST:PORT/NAME:TAG` as repository and tag; a name without a repository is a tag.
fn split(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (Some(repository), tag),
        _ => (None, name),
    }
}
