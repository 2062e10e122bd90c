//! An OCI image layout (image-spec, image-layout.md): `index.json` says which images there are,
//! every blob lies under its digest.

mod files;
mod index;

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Value, json};

use super::{Blob, Resolved, Source};
use crate::content::{self, Content, Descriptor, ManifestKind, parse};
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};
use crate::names::Names;
use crate::reference::TagOrDigest;
use files::Directory;
pub(super) use files::{Files, part, small};
pub(super) use index::REF_NAME;
use index::{Index, is_named};

const INCOMPLETE: &str = "layouts may be incomplete, such as copies of one platform of an image";

/// A layout's images as one repository.
pub(crate) struct Layout {
    files: Box<dyn Files>,
    index: Index,
}

impl Layout {
    /// A directory. `Kind::NotFound` if there is none, `Kind::Local` if it is no layout.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let directory = Directory::open(path)?;
        Layout::of(Box::new(directory)).during(path.display())
    }

    /// The layout in these files. `Kind::Local` if it is none.
    pub(super) fn of(files: Box<dyn Files>) -> Result<Self> {
        let version = parse(&needed(&*files, "oci-layout")?).during("oci-layout")?;
        match version["imageLayoutVersion"].as_str() {
            Some(version) if version.starts_with("1.") => {}
            version => {
                let version = version.unwrap_or("none");
                let message = format!("expected an image layout of version 1, not {version}");
                return Err(Error::new(Kind::Local, message));
            }
        }
        let index = needed(&*files, "index.json")?;
        let index = Index::read(index).during("index.json")?;
        Ok(Layout { files, index })
    }

    fn target<'a>(&'a self, at: &'a TagOrDigest) -> Result<Target<'a>> {
        Ok(match at {
            TagOrDigest::Only => Target::of(self.index.only()?),
            TagOrDigest::Tag(tag) => Target::of(self.index.tagged(tag)?),
            TagOrDigest::Digest { digest, .. } => {
                let entry = self.index.entries().iter().find(|entry| entry.digest == *digest);
                entry.map_or_else(|| Target::unlisted(digest), Target::of)
            }
        })
    }

    fn read(&self, target: &Target) -> Result<Content> {
        if target.is_unlisted() && !self.is_manifest(target.digest)? {
            let message = format!("{} is a blob, not a manifest", target.digest);
            return Err(Error::new(Kind::NotFound, message));
        }
        let bytes = self.bytes(target.digest, target.size)?;
        Content::manifest(target.said, bytes, Some(target.digest)).during(target.digest)
    }

    /// Whether the content is a manifest, or does not match its digest. The digest may be that of a
    /// layer, by mistake.
    fn is_manifest(&self, digest: &Digest) -> Result<bool> {
        let blob = self.blob(digest, 0)?;
        if blob.size.is_some_and(|size| size > content::LIMIT) {
            return Ok(false);
        }
        let bytes = small(blob).during(digest)?;
        let members = ["schemaVersion", "mediaType", "manifests", "layers"];
        let has_any = |json: Value| members.iter().any(|name| !json[name].is_null());
        Ok(digest.verify(&bytes).is_err() || content::parse(&bytes).is_ok_and(has_any))
    }

    /// What the index and the indexes below it lead to, and whether the index of `tag` lists it.
    fn reachable(&self, tag: &str) -> Result<Vec<(Descriptor, bool)>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let top = self.index.entries().iter().rev().cloned();
        let mut ahead: Vec<(Descriptor, bool)> = top.map(|entry| (entry, false)).collect();
        while let Some((descriptor, listed)) = ahead.pop() {
            if !seen.insert((descriptor.digest.clone(), listed)) {
                continue;
            }
            if let Some(manifest) = self.present(&descriptor)? {
                let children = manifest.descriptors("manifests");
                let children = children.during(&descriptor.digest)?.into_iter().rev();
                let listed = is_named(&descriptor, tag);
                ahead.extend(children.map(|child| (child, listed)));
            }
            found.push((descriptor, listed));
        }
        Ok(found)
    }

    /// `None` for what is not a manifest, and for a missing manifest: a layout may hold only one
    /// platform of an index.
    fn present(&self, descriptor: &Descriptor) -> Result<Option<Content>> {
        match ManifestKind::of(&descriptor.media_type) {
            ManifestKind::Other | ManifestKind::Schema1 => return Ok(None),
            ManifestKind::Index | ManifestKind::Manifest => {}
        }
        match self.read(&Target::of(descriptor)) {
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            manifest => manifest.map(Some),
        }
    }

    /// A small blob, whole. `Kind::Corrupt` if it has another size.
    fn bytes(&self, digest: &Digest, size: Option<u64>) -> Result<Vec<u8>> {
        let blob = self.blob(digest, 0)?;
        let bytes = small(blob).during(digest)?;
        match size {
            Some(size) if size != bytes.len() as u64 => Err(Error::new(
                Kind::Corrupt,
                format!("{digest}: the blob has {} bytes, not {size}", bytes.len()),
            )),
            _ => Ok(bytes),
        }
    }
}

impl Source for Layout {
    fn manifest(&self, at: &TagOrDigest) -> Result<Content> {
        self.read(&self.target(at)?)
    }

    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved> {
        let target = self.target(at)?;
        if let Some(media_type) = target.said {
            return Ok(Resolved {
                media_type: media_type.to_owned(),
                digest: target.digest.clone(),
            });
        }
        let manifest = self.read(&target)?;
        Ok(Resolved {
            media_type: manifest.media_type().to_owned(),
            digest: manifest.digest().clone(),
        })
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Content> {
        let bytes = match descriptor.data() {
            Some(bytes) => bytes,
            None => self.bytes(&descriptor.digest, Some(descriptor.size))?,
        };
        Content::blob(descriptor, bytes).during(&descriptor.digest)
    }

    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        self.files.open(&blob_name(digest), from)?.ok_or_else(|| {
            let message = format!("the layout has no blob {digest}");
            Error::new(Kind::NotFound, message).hint(INCOMPLETE)
        })
    }

    fn tags(&self) -> Result<Names> {
        Ok(self.index.tags().into_iter().collect())
    }

    /// Reads every manifest below the index, since only the manifest itself has its subject. What
    /// the fallback tag lists (distribution-spec, "Referrers Tag Schema") is added, even if the
    /// layout does not have it.
    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for (descriptor, listed) in self.reachable(&digest.fallback_tag())? {
            let descriptor = match self.present(&descriptor)? {
                Some(manifest) if listed || has_subject(&manifest, digest) => {
                    Descriptor::read(&referrer(&manifest))?
                }
                None if listed => descriptor,
                _ => continue,
            };
            let fits = artifact_type.is_none_or(|wanted| descriptor.json["artifactType"] == wanted);
            if fits && seen.insert(descriptor.digest.clone()) {
                found.push(descriptor);
            }
        }
        Ok(found)
    }
}

/// A manifest to be read, and what is known about it.
struct Target<'a> {
    /// The media type in the index.
    said: Option<&'a str>,
    digest: &'a Digest,
    size: Option<u64>,
}

impl<'a> Target<'a> {
    fn of(descriptor: &'a Descriptor) -> Self {
        let said = Some(descriptor.media_type.as_str());
        Target {
            said: said.filter(|media_type| !media_type.is_empty()),
            digest: &descriptor.digest,
            size: Some(descriptor.size),
        }
    }

    fn is_unlisted(&self) -> bool {
        self.said.is_none() && self.size.is_none()
    }

    /// A digest that is not in `index.json`, but may be in an index below it.
    fn unlisted(digest: &'a Digest) -> Self {
        Target { said: None, digest, size: None }
    }
}

/// A file that every layout must have.
fn needed(files: &dyn Files, name: &str) -> Result<Vec<u8>> {
    let blob = files.open(name, 0)?.ok_or_else(|| {
        let message = format!("not an OCI image layout: there is no {name}");
        Error::new(Kind::Local, message)
    })?;
    small(blob).during(name)
}

pub(super) fn blob_name(digest: &Digest) -> String {
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

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::io::Read;

    use super::*;
    use crate::content::{LIMIT, OCI_INDEX, OCI_MANIFEST};
    use crate::digest::Algorithm;
    use tempfile::TempDir;

    /// A layout in the making.
    pub(in crate::source) struct Sample {
        pub(in crate::source) directory: TempDir,
        entries: Vec<Value>,
    }

    impl Sample {
        pub(in crate::source) fn new() -> Self {
            let directory = TempDir::new().unwrap();
            fs::create_dir_all(directory.path().join("blobs/sha256")).unwrap();
            let sample = Sample { directory, entries: Vec::new() };
            sample.write("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
            sample.index();
            sample
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.directory.path().join(name), text).unwrap();
        }

        fn index(&self) {
            let index = json!({"schemaVersion": 2, "manifests": self.entries});
            self.write("index.json", &index.to_string());
        }

        /// Stores a blob and gives its descriptor.
        pub(in crate::source) fn blob(&self, media_type: &str, text: &str) -> Value {
            let digest = Digest::of(Algorithm::Sha256, text.as_bytes());
            self.write(&blob_name(&digest), text);
            json!({"mediaType": media_type, "digest": digest.to_string(), "size": text.len()})
        }

        /// Stores a manifest that differs from others by its word.
        pub(in crate::source) fn manifest(&self, word: &str, mut members: Value) -> Value {
            members["annotations"] = json!({"word": word});
            self.blob(OCI_MANIFEST, &members.to_string())
        }

        /// Lists a descriptor under a name, or under none.
        pub(in crate::source) fn list(&mut self, entry: &Value, name: &str) -> &mut Self {
            let mut entry = entry.clone();
            if !name.is_empty() {
                entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
            }
            self.entries.push(entry);
            self.index();
            self
        }

        fn open(&self) -> Layout {
            Layout::open(self.directory.path()).unwrap()
        }
    }

    fn digest(descriptor: &Value) -> Digest {
        descriptor["digest"].as_str().unwrap().parse().unwrap()
    }

    fn at(descriptor: &Value) -> TagOrDigest {
        TagOrDigest::Digest { digest: digest(descriptor), tag: None }
    }

    fn tag_at(tag: &str) -> TagOrDigest {
        TagOrDigest::Tag(tag.to_owned())
    }

    /// Asserts which descriptor is found.
    fn leads(layout: &Layout, at: &TagOrDigest, to: &Value) {
        let manifest = layout.manifest(at).unwrap();
        assert_eq!(*manifest.digest(), digest(to), "{at:?}");
        let resolved = layout.resolve(at).unwrap();
        assert_eq!(resolved.digest, digest(to), "{at:?}");
        assert_eq!(resolved.media_type, manifest.media_type(), "{at:?}");
    }

    fn refused(result: Result<impl Sized>, kind: Kind, message: &str) {
        let error = result.err().expect("this is refused");
        assert_eq!((error.kind(), &*format!("{error:#}")), (kind, message));
    }

    #[test]
    fn tags_are_found_however_tools_write_them() {
        let mut sample = Sample::new();
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|word| sample.manifest(word, json!({})));
        let mut containerd = c.clone();
        containerd["annotations"] = json!({"io.containerd.image.name": "docker.io/library/c:3.0"});
        sample.list(&a, "1.0").list(&b, "example.com:5000/b:2.0");
        sample.list(&containerd, "").list(&d, "").list(&d, "1.0");
        let layout = sample.open();
        leads(&layout, &tag_at("2.0"), &b);
        leads(&layout, &tag_at("example.com:5000/b:2.0"), &b);
        leads(&layout, &tag_at("3.0"), &c);
        leads(&layout, &tag_at("1.0"), &d);
        leads(&layout, &at(&a), &a);
        assert_eq!(layout.tags().unwrap(), ["1.0", "2.0", "3.0"]);
        refused(
            layout.manifest(&tag_at("4.0")),
            Kind::NotFound,
            "there is no tag '4.0'\nhint: available: the tags 1.0, 2.0, 3.0",
        );
    }

    #[test]
    fn the_same_tag_of_two_repositories_is_not_guessed() {
        let mut sample = Sample::new();
        let [a, b] = ["a", "b"].map(|word| sample.manifest(word, json!({})));
        let layout = sample.list(&a, "a:1").list(&b, "b:1").open();
        leads(&layout, &tag_at("a:1"), &a);
        refused(
            layout.manifest(&tag_at("1")),
            Kind::NotFound,
            &format!(
                "several images have the tag '1': a, b\nhint: choose one by its digest, such as @{}",
                digest(&b)
            ),
        );
    }

    #[test]
    fn without_a_tag_the_only_image_or_the_latest_is_meant() {
        let mut sample = Sample::new();
        let [a, b] = ["a", "b"].map(|word| sample.manifest(word, json!({})));
        let mut signature = b.clone();
        signature["artifactType"] = "application/example".into();
        sample.list(&signature, "").list(&a, "");
        leads(&sample.open(), &TagOrDigest::Only, &a);
        sample.list(&b, "1.0").list(&b, "1");
        leads(&sample.open(), &TagOrDigest::Only, &b);
        sample.list(&a, "2.0");
        refused(
            sample.open().manifest(&TagOrDigest::Only),
            Kind::NotFound,
            "there are several images in it, and none has the tag latest\n\
             hint: available: the tags 1.0, 1, 2.0",
        );
        leads(&sample.list(&a, "latest").open(), &TagOrDigest::Only, &a);
        refused(
            Sample::new().open().manifest(&TagOrDigest::Only),
            Kind::NotFound,
            "there is no image in it",
        );
    }

    #[test]
    fn other_bytes_than_the_descriptor_says_are_corrupt() {
        let sample = Sample::new();
        let config = sample.blob("application/json", "{}");
        let descriptor = Descriptor::read(&config).unwrap();
        let name = blob_name(&descriptor.digest);
        let layout = sample.open();
        assert_eq!(layout.document(&descriptor).unwrap().bytes(), b"{}");
        for (text, why) in [
            ("{ }", "the blob has 3 bytes, not 2".to_owned()),
            (
                "[]",
                format!(
                    "the digest of the content is {}, not {}",
                    Digest::of(Algorithm::Sha256, b"[]"),
                    descriptor.digest
                ),
            ),
        ] {
            sample.write(&name, text);
            let message = format!("{}: {why}", descriptor.digest);
            refused(layout.document(&descriptor), Kind::Corrupt, &message);
        }
        sample.write(&name, &" ".repeat(LIMIT as usize + 1));
        let message = format!("{}: expected at most 8 MiB", descriptor.digest);
        refused(layout.document(&descriptor), Kind::Local, &message);
        fs::remove_file(sample.directory.path().join(&name)).unwrap();
        let message = format!("the layout has no blob {}\nhint: {INCOMPLETE}", descriptor.digest);
        refused(layout.document(&descriptor), Kind::NotFound, &message);
    }

    #[test]
    fn a_blob_goes_on_where_it_was_left() {
        let sample = Sample::new();
        let digest = digest(&sample.blob("text/plain", "hello"));
        for (from, starts, text) in [(0, 0, "hello"), (3, 3, "lo"), (5, 5, ""), (6, 0, "hello")] {
            let mut blob = sample.open().blob(&digest, from).unwrap();
            let mut read = String::new();
            blob.reader.read_to_string(&mut read).unwrap();
            assert_eq!((blob.from, blob.size, &*read), (starts, Some(5), text), "{from}");
        }
    }

    #[test]
    fn referrers_are_found_by_their_subject_and_by_the_fallback_tag() {
        let mut sample = Sample::new();
        let image = sample.manifest("image", json!({}));
        let about = |kind: &str| json!({"subject": image, "artifactType": kind});
        let listed = sample.manifest("listed", about("application/a"));
        let nested = sample.manifest(
            "nested",
            json!({"subject": image, "config": {"mediaType": "application/b"}}),
        );
        let elsewhere = json!({"mediaType": OCI_MANIFEST, "size": 1, "artifactType": "application/c",
            "digest": format!("sha256:{}", "0".repeat(64))});
        let index = |children: &[&Value]| {
            sample.blob(OCI_INDEX, &json!({"manifests": children}).to_string())
        };
        let nesting = index(&[&image, &nested]);
        let fallback = index(&[&listed, &elsewhere]);
        let digest = digest(&image);
        let tag = digest.fallback_tag();
        sample.list(&nesting, "1.0").list(&listed, "");
        let layout = sample.list(&fallback, &tag).open();
        let found = |artifact_type| -> Vec<Value> {
            let found = layout.referrers(&digest, artifact_type).unwrap();
            found.into_iter().map(|found| found.json).collect()
        };
        let shown = |descriptor: &Value, kind: &str, word: &str| {
            let mut shown = descriptor.clone();
            shown["artifactType"] = kind.into();
            shown["annotations"] = json!({"word": word});
            shown
        };
        let nested = shown(&nested, "application/b", "nested");
        let listed = shown(&listed, "application/a", "listed");
        assert_eq!(found(None), [nested.clone(), listed, elsewhere]);
        assert_eq!(found(Some("application/b")), [nested]);
        leads(&layout, &TagOrDigest::Only, &nesting);
    }

    #[test]
    fn what_is_no_layout_says_so() {
        let sample = Sample::new();
        let path = sample.directory.path();
        let there = path.display();
        let opened = || Layout::open(path);
        let missing = path.join("missing");
        let message = format!("{}: no such directory", missing.display());
        refused(Layout::open(&missing), Kind::NotFound, &message);
        let file = path.join("index.json");
        let message = format!(
            "{0}: not a directory\nhint: a layout in a tar is oci-archive:{0}",
            file.display()
        );
        refused(Layout::open(&file), Kind::Local, &message);
        sample.write("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#);
        let message = format!("{there}: expected an image layout of version 1, not 2.0.0");
        refused(opened(), Kind::Local, &message);
        sample.write("oci-layout", r#"{"imageLayoutVersion":"1.1.0"}"#);
        fs::remove_file(&file).unwrap();
        let message = format!("{there}: not an OCI image layout: there is no index.json");
        refused(opened(), Kind::Local, &message);
        sample.write("index.json", "no JSON");
        assert_eq!(opened().err().unwrap().kind(), Kind::Corrupt);
    }
}
