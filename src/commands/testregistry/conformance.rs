//! Checks what a registry supports: manifest lists and indexes are pushed and read back, then the
//! rest is tried.

use super::sample::{self, LAYER, PLATFORMS, Sample};
use crate::assembly::{IndexBuilder, IndexKind, IndexSpec, SpecEntry};
use crate::commands::Invocation;
use crate::content::Content;
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};
use crate::reference::{Repository, TagOrDigest};
use crate::source::{Registry, Source};

const LIST: &str = "docker-registry-test-list";
const INDEX: &str = "docker-registry-test-index";
const IMAGE: &str = "docker-registry-test-image";

/// Whether each feature is supported, and the tags that could not be deleted.
type Results = (Vec<(&'static str, Result<()>)>, Vec<&'static str>);

/// Runs all checks. Fails only if the registry cannot be reached or the user may not push.
pub(super) fn test(repository: &Repository, invocation: &Invocation) -> Result<Results> {
    let reading = invocation.sources.repository(repository)?;
    let writing = reading.for_pushing();
    match writing.put_blob(&LAYER) {
        // A read-only registry answers with 405, for instance; the checks that only read are still
        // run.
        Err(error) if error.kind() == Kind::Protocol => {}
        outcome => outcome?,
    }
    let mut test = Conformance {
        repository,
        invocation,
        reading,
        writing,
        pushed: Vec::new(),
        has_kept: false,
    };
    let lists = test.list(IndexKind::Docker, LIST);
    let indexes = test.list(IndexKind::Oci, INDEX);
    // An image of the first kind that the registry accepts.
    let image = test.put_image(IndexKind::Docker, PLATFORMS[3], Some(IMAGE));
    let image = image.or_else(|_| test.put_image(IndexKind::Oci, PLATFORMS[3], Some(IMAGE)));
    let at = TagOrDigest::Tag(IMAGE.to_owned());
    let mut results = vec![
        ("lists", lists),
        ("indexes", indexes),
        ("mount", test.mount()),
        ("head", test.reading.check_head(&at)),
        ("digest header", image.and_then(|digest| test.reading.check_digest_header(&at, &digest))),
        ("paging", test.reading.check_paging()),
        ("referrers", test.referrers()),
        ("range", sample::layer().and_then(|layer| test.reading.check_range(&layer))),
    ];
    let (deleted, left) = test.clean_up();
    results.push(("delete", deleted));
    Ok((results, left))
}

struct Conformance<'a> {
    repository: &'a Repository,
    invocation: &'a Invocation<'a>,
    reading: Registry,
    writing: Registry,
    /// The manifests that were sent, in the order to delete them in. A registry may have stored one
    /// although it answered with an error.
    pushed: Vec<Digest>,
    /// Whether the registry accepted one of them.
    has_kept: bool,
}

impl Conformance<'_> {
    /// Pushes images and an index of them, and reads everything back.
    fn list(&mut self, kind: IndexKind, tag: &str) -> Result<()> {
        let image = format!("{}:{tag}", self.repository);
        let mut spec = IndexSpec { image, ..IndexSpec::default() };
        for platform in PLATFORMS {
            let digest = self.put_image(kind, platform, None)?;
            let image = format!("{}@{digest}", self.repository);
            spec.manifests.push(SpecEntry { image, ..SpecEntry::default() });
        }
        let Invocation { sources, pool, .. } = *self.invocation;
        let builder = IndexBuilder { kind, ignore_missing: false, sources, pool };
        let index = builder.assemble(&spec)?;
        // An index is deleted before its manifests: some registries refuse the other order.
        self.pushed.insert(0, index.digest.clone());
        builder.push(&index)?;
        let read = self.reading.manifest(&TagOrDigest::Tag(tag.to_owned()))?;
        same(&read, &Sample { media_type: kind.media_type(), bytes: index.bytes }).during(tag)?;
        for platform in PLATFORMS {
            let [config, manifest] = sample::image(kind, platform);
            let digest = manifest.digest();
            let read = self.reading.manifest(&TagOrDigest::Digest { digest, tag: None })?;
            same(&read, &manifest).during(read.digest())?;
            if let Some(descriptor) = read.config()? {
                let read = self.reading.content(&descriptor)?;
                same(&read, &config).during(read.digest())?;
            }
        }
        Ok(())
    }

    /// Pushes an image, by its digest unless there is a tag.
    fn put_image(
        &mut self,
        kind: IndexKind,
        platform: sample::Platform,
        tag: Option<&str>,
    ) -> Result<Digest> {
        let [config, manifest] = sample::image(kind, platform);
        self.writing.put_blob(&config.bytes)?;
        self.put(&manifest, tag)
    }

    fn put(&mut self, manifest: &Sample, tag: Option<&str>) -> Result<Digest> {
        let digest = manifest.digest();
        if !self.pushed.contains(&digest) {
            self.pushed.push(digest.clone());
        }
        let at = tag.map_or_else(|| digest.to_string(), str::to_owned);
        self.writing.put_manifest(&at, manifest.media_type, &manifest.bytes)?;
        self.has_kept = true;
        Ok(digest)
    }

    /// Mounts a blob into a second repository.
    fn mount(&self) -> Result<()> {
        let name = format!("{}-mount", self.repository.name);
        let beside = Repository { name, ..self.repository.clone() };
        let layer = sample::layer()?;
        let beside = self.invocation.sources.repository(&beside)?.for_pushing();
        beside.check_mount(&layer.digest, &self.reading)?;
        // Nothing else uses this repository. Most registries refuse to delete blobs, which is no
        // failure.
        let _ = beside.delete_blob(&layer.digest);
        Ok(())
    }

    fn referrers(&mut self) -> Result<()> {
        let [_, subject] = sample::image(IndexKind::Oci, PLATFORMS[3]);
        let [empty, artifact] = sample::artifact(&subject);
        self.writing.put_blob(&empty.bytes)?;
        let digest = self.put(&artifact, None)?;
        self.reading.check_referrers(&subject.digest(), &digest)
    }

    /// Deletes the manifests, which is a check too. Blobs are not deleted: other images may use
    /// them. Gives the tags that still exist, too.
    fn clean_up(&self) -> (Result<()>, Vec<&'static str>) {
        let broken = |why: &str| Err(Error::new(Kind::Protocol, why));
        let mut outcome =
            if self.has_kept { Ok(()) } else { broken("no manifest could be pushed") };
        for digest in &self.pushed {
            let deleted = self.writing.delete_manifest(digest);
            outcome = outcome.and(deleted);
        }
        let mut left = self.left();
        if !left.is_empty() {
            outcome = outcome.and(broken("the tags of the deleted manifest still exist"));
            // crane's and CUE's registries delete tags by name.
            left.iter().for_each(|tag| drop(self.writing.delete_tag(tag)));
            left = self.left();
        }
        (outcome, left)
    }

    /// The tags that still exist, or cannot be asked for.
    fn left(&self) -> Vec<&'static str> {
        let is_left = |tag: &&str| {
            let found = self.reading.resolve(&TagOrDigest::Tag((*tag).to_owned()));
            !found.is_err_and(|error| error.kind() == Kind::NotFound)
        };
        [LIST, INDEX, IMAGE].into_iter().filter(is_left).collect()
    }
}

/// Whether what was read back is what was pushed.
fn same(read: &Content, pushed: &Sample) -> Result<()> {
    if read.bytes() != pushed.bytes {
        return Err(Error::new(Kind::Corrupt, "what is read back is not what was pushed"));
    }
    if read.media_type() != pushed.media_type {
        let message = format!("it comes back as {}", read.media_type());
        return Err(Error::new(Kind::Corrupt, message));
    }
    Ok(())
}
