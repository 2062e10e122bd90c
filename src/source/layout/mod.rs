//! An OCI image layout (image-spec, image-layout.md): `index.json` says which images there are,
//! every blob lies under its digest. Its files are in a directory, or in a tar that is read where
//! it lies; what `docker save` writes is seen as one.
//!
//! What Docker 25 and later save is both kinds at once, and each prefix reads its own:
//! `oci-archive:` the `index.json`, `docker-archive:` the `manifest.json`, as skopeo does.

mod docker_save;
mod files;
mod index;
mod tarball;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Value, json};

use super::{Blob, Resolved, Source};
use crate::content::{Content, Descriptor, LIMIT, ManifestKind, parse};
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result, found};
use crate::names::Names;
use crate::reference::{Repository, TagOrDigest};
use files::{Files, small};
use index::{Index, is_named};
use tarball::Tarball;

const INCOMPLETE: &str = "layouts may be incomplete, such as copies of one platform of an image";

/// The files that tell the kinds of archives apart.
const VERSION: &str = "oci-layout";
const MANIFEST: &str = "manifest.json";

/// A layout's images as one repository.
pub(crate) struct Layout {
    files: Box<dyn Files>,
    index: Index,
}

/// `Kind::NotFound` if there is no such file or directory, `Kind::Local` if it is something else.
impl Layout {
    pub(crate) fn directory(path: &Path) -> Result<Self> {
        let (path, repository) = place(path);
        let there = path.display();
        let opened = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Layout::of(Box::new(path.to_owned())),
            Ok(_) => Err(Error::new(Kind::Local, "not a directory")
                .hint(format!("a layout in a tar is oci-archive:{there}"))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::new(Kind::NotFound, "no such directory"))
            }
            Err(error) => Err(error.into()),
        };
        opened.and_then(|layout| layout.only(repository)).during(there)
    }

    /// An OCI image layout in a tar.
    pub(crate) fn oci_archive(path: &Path) -> Result<Self> {
        let (path, repository) = place(path);
        let tarball = archive(path, VERSION, "an OCI image layout", [MANIFEST, "docker-archive"])?;
        let layout = Layout::of(Box::new(tarball));
        layout.and_then(|layout| layout.only(repository)).during(path.display())
    }

    /// What `docker save` writes.
    pub(crate) fn docker_archive(path: &Path) -> Result<Self> {
        let (path, repository) = place(path);
        let tarball = archive(path, MANIFEST, "written by docker save", [VERSION, "oci-archive"])?;
        let layout = docker_save::layout(tarball).and_then(|files| Layout::of(Box::new(files)));
        layout.and_then(|layout| layout.only(repository)).during(path.display())
    }

    /// The images of one repository, if one is named.
    fn only(self, repository: Option<&str>) -> Result<Self> {
        let Some(name) = repository else { return Ok(self) };
        Ok(Layout { index: self.index.of(name)?, ..self })
    }

    /// The layout in these files. `Kind::Local` if it is none.
    pub(super) fn of(files: Box<dyn Files>) -> Result<Self> {
        let needed = |name| match files.open(name, 0)? {
            Some(blob) => small(blob).during(name),
            None => {
                let message = format!("not an OCI image layout: there is no {name}");
                Err(Error::new(Kind::Local, message))
            }
        };
        let version = parse(&needed(VERSION)?).during(VERSION)?;
        let version = version["imageLayoutVersion"].as_str().unwrap_or("none");
        if !version.starts_with("1.") {
            let message = format!("expected an image layout of version 1, not {version}");
            return Err(Error::new(Kind::Local, message));
        }
        let index = Index::read(needed("index.json")?).during("index.json")?;
        Ok(Layout { files, index })
    }

    /// The digest that `at` leads to, and its entry in `index.json`. It may have none, but one in an
    /// index below.
    fn find<'a>(&'a self, at: &'a TagOrDigest) -> Result<(&'a Digest, Option<&'a Descriptor>)> {
        let entry = match at {
            TagOrDigest::Only => self.index.only()?,
            TagOrDigest::Tag(tag) => self.index.tagged(tag)?,
            TagOrDigest::Digest { digest, .. } => {
                let mut entries = self.index.entries.iter();
                return Ok((digest, entries.find(|entry| entry.digest == *digest)));
            }
        };
        Ok((&entry.digest, Some(entry)))
    }

    /// A manifest. A digest without an entry may be that of a layer, by mistake.
    fn read(&self, digest: &Digest, entry: Option<&Descriptor>) -> Result<Content> {
        if entry.is_none() && !self.is_manifest(digest)? {
            let message = format!("{digest} is a blob, not a manifest");
            return Err(Error::new(Kind::NotFound, message));
        }
        let bytes = self.bytes(digest, entry.map(|entry| entry.size))?;
        Content::manifest(entry.and_then(said), bytes, Some(digest)).during(digest)
    }

    /// Whether the content is a manifest, or does not match its digest.
    fn is_manifest(&self, digest: &Digest) -> Result<bool> {
        let blob = self.blob(digest, 0)?;
        if blob.size.is_some_and(|size| size > LIMIT) {
            return Ok(false);
        }
        let bytes = small(blob).during(digest)?;
        let members = ["schemaVersion", "mediaType", "manifests", "layers"];
        let has_any = |json: Value| members.iter().any(|name| !json[name].is_null());
        Ok(digest.verify(&bytes).is_err() || parse(&bytes).is_ok_and(has_any))
    }

    /// `None` for what is not a manifest, and for a missing manifest: a layout may hold only one
    /// platform of an index.
    fn present(&self, descriptor: &Descriptor) -> Result<Option<Content>> {
        let kind = ManifestKind::of(&descriptor.media_type);
        if !matches!(kind, ManifestKind::Index | ManifestKind::Manifest) {
            return Ok(None);
        }
        found(self.read(&descriptor.digest, Some(descriptor)))
    }

    /// A small blob, whole. `Kind::Corrupt` if it has another size.
    fn bytes(&self, digest: &Digest, size: Option<u64>) -> Result<Vec<u8>> {
        let bytes = small(self.blob(digest, 0)?).during(digest)?;
        if let Some(size) = size.filter(|size| *size != bytes.len() as u64) {
            let message = format!("{digest}: the blob has {} bytes, not {size}", bytes.len());
            return Err(Error::new(Kind::Corrupt, message));
        }
        Ok(bytes)
    }
}

impl Source for Layout {
    fn manifest(&self, at: &TagOrDigest) -> Result<Content> {
        let (digest, entry) = self.find(at)?;
        self.read(digest, entry)
    }

    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved> {
        let (digest, entry) = self.find(at)?;
        match entry.and_then(said) {
            Some(said) => Ok(Resolved { media_type: said.to_owned(), digest: digest.clone() }),
            None => Ok(Resolved::of(&self.read(digest, entry)?)),
        }
    }

    fn content(&self, descriptor: &Descriptor) -> Result<Content> {
        let stored = || self.bytes(&descriptor.digest, Some(descriptor.size));
        let bytes = descriptor.data().map_or_else(stored, Ok)?;
        Content::blob(descriptor, bytes).during(&descriptor.digest)
    }

    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        self.files.open(&blob_name(digest), from)?.ok_or_else(|| {
            let message = format!("the layout has no blob {digest}");
            Error::new(Kind::NotFound, message).hint(INCOMPLETE)
        })
    }

    fn tags(&self) -> Result<Names> {
        let mut tags = Names::default();
        self.index.tags().into_iter().for_each(|tag| tags.push(tag));
        Ok(tags)
    }

    /// Reads every manifest below the index, since only the manifest itself has its subject. What
    /// the fallback tag lists (distribution-spec, "Referrers Tag Schema") is added, even if the
    /// layout does not have it.
    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let tag = digest.fallback_tag();
        let (mut found, mut added, mut seen) = (Vec::new(), HashSet::new(), HashSet::new());
        // What is to be read, and whether the index of the fallback tag lists it.
        let mut ahead: Vec<(Descriptor, bool)> = Vec::new();
        ahead.extend(self.index.entries.iter().rev().map(|entry| (entry.clone(), false)));
        while let Some((descriptor, is_listed)) = ahead.pop() {
            if !seen.insert((descriptor.digest.clone(), is_listed)) {
                continue;
            }
            let manifest = self.present(&descriptor)?;
            if let Some(manifest) = &manifest {
                let children = manifest.descriptors("manifests").during(&descriptor.digest)?;
                let is_listed = is_named(&descriptor, &tag);
                ahead.extend(children.into_iter().rev().map(|child| (child, is_listed)));
            }
            let referrer = match manifest {
                Some(manifest) if is_listed || has_subject(&manifest, digest) => {
                    Descriptor::read(&referrer(&manifest))?
                }
                None if is_listed => descriptor,
                _ => continue,
            };
            let fits = artifact_type.is_none_or(|wanted| referrer.json["artifactType"] == wanted);
            if fits && added.insert(referrer.digest.clone()) {
                found.push(referrer);
            }
        }
        Ok(found)
    }
}

/// The path of `PATH[:NAME]`, and the repository, which skopeo writes so: a path may hold colons too.
/// The longest one that is there is meant, or else the shortest.
fn place(path: &Path) -> (&Path, Option<&str>) {
    let Some(text) = path.to_str().filter(|_| !path.exists()) else { return (path, None) };
    let mut places = text.match_indices(':').filter_map(|(colon, _)| {
        let (path, name) = (&text[..colon], &text[colon + 1..]);
        let is_place = !path.is_empty() && name.parse::<Repository>().is_ok();
        is_place.then_some((Path::new(path), Some(name)))
    });
    let is_there = |path: &Path| path == Path::new("-") || path.exists();
    let there = places.clone().rfind(|(path, _)| is_there(path));
    there.or_else(|| places.next()).unwrap_or((path, None))
}

/// The tar, unless the file that tells the other kind stands in place of this one's.
fn archive(path: &Path, file: &str, kind: &str, other: [&str; 2]) -> Result<Tarball> {
    let (tarball, [other, prefix]) = (Tarball::open(path)?, other);
    if tarball.find(file).is_some() || tarball.find(other).is_none() {
        return Ok(tarball);
    }
    let path = path.display();
    let message = format!("{path}: the archive is not {kind}");
    Err(Error::new(Kind::Local, message).hint(format!("try {prefix}:{path}")))
}

/// The media type that an entry says.
fn said(entry: &Descriptor) -> Option<&str> {
    Some(entry.media_type.as_str()).filter(|said| !said.is_empty())
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}", digest.to_string().replacen(':', "/", 1))
}

fn has_subject(manifest: &Content, digest: &Digest) -> bool {
    manifest.json()["subject"]["digest"] == digest.to_string()
}

/// A manifest's descriptor as the referrers API shows it (distribution-spec, "Listing Referrers").
fn referrer(manifest: &Content) -> Value {
    let json = manifest.json();
    let mut descriptor = json!({
        "mediaType": manifest.media_type(),
        "digest": manifest.digest().to_string(),
        "size": manifest.bytes().len(),
    });
    let own = [&json["artifactType"], &json["config"]["mediaType"]];
    if let Some(artifact_type) = own.into_iter().find(|value| value.is_string()) {
        descriptor["artifactType"] = artifact_type.clone();
    }
    if json["annotations"].is_object() {
        descriptor["annotations"] = json["annotations"].clone();
    }
    descriptor
}
