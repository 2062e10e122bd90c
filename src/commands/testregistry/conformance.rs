//! Checks what a registry supports: manifest lists and indexes are pushed and read back, then the
//! rest is tried.

use super::sample::{self, LAYER, PLATFORMS, Sample};
use crate::assembly::{BuiltIndex, IndexBuilder, IndexKind, IndexSpec, SpecEntry};
use crate::content::Content;
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};
use crate::parallel::Pool;
use crate::reference::{Repository, TagOrDigest};
use crate::source::{Registry, Source};

const LIST: &str = "docker-registry-test-list";
const INDEX: &str = "docker-registry-test-index";
const IMAGE: &str = "docker-registry-test-image";

/// The results of all checks.
pub(super) struct Conformance {
    pub(super) results: Vec<CheckResult>,
    /// Tags that could not be deleted.
    pub(super) left: Vec<&'static str>,
}

pub(super) struct CheckResult {
    pub(super) feature: &'static str,
    /// `None` if the registry supports it.
    pub(super) why_not: Option<Error>,
}

struct ConformanceTest<'a> {
    repository: &'a Repository,
    open: &'a (dyn Fn(&Repository) -> Result<Registry> + Sync),
    pool: &'a Pool,
    reading: Registry,
    writing: Registry,
    results: Vec<CheckResult>,
    /// The manifests that were sent, in the order to delete them in. A registry may have stored one
    /// although it answered with an error.
    pushed: Vec<Digest>,
    /// Whether the registry accepted one of them.
    has_kept: bool,
}

/// Runs all checks. Fails only if the registry cannot be reached or the user may not push.
pub(super) fn conformance(
    repository: &Repository,
    pool: &Pool,
    open: &(dyn Fn(&Repository) -> Result<Registry> + Sync),
) -> Result<Conformance> {
    let reading = open(repository)?;
    let mut test = ConformanceTest {
        repository,
        open,
        pool,
        writing: reading.for_pushing(),
        reading,
        results: Vec::new(),
        pushed: Vec::new(),
        has_kept: false,
    };
    match test.writing.put_blob(&LAYER) {
        // A read-only registry answers with 405, for instance; the checks that only read are still
        // run.
        Err(error) if error.kind() == Kind::Protocol => {}
        outcome => outcome?,
    }
    let lists = test.list(IndexKind::Docker, LIST);
    let indexes = test.list(IndexKind::Oci, INDEX);
    let image = test.image();
    test.found("lists", lists);
    test.found("indexes", indexes);
    test.try_mount();
    let at = TagOrDigest::Tag(IMAGE.to_owned());
    let head = test.reading.check_head(&at);
    test.found("head", head);
    let digest_header = image.and_then(|digest| test.reading.check_digest_header(&at, &digest));
    test.found("digest header", digest_header);
    let paging = test.reading.check_paging();
    test.found("paging", paging);
    let referrers = test.try_referrers();
    test.found("referrers", referrers);
    let range = sample::layer().and_then(|layer| test.reading.check_range(&layer));
    test.found("range", range);
    Ok(test.clean_up())
}

impl ConformanceTest<'_> {
    fn found(&mut self, feature: &'static str, outcome: Result<()>) {
        self.results.push(CheckResult { feature, why_not: outcome.err() });
    }

    fn put(&mut self, at: Option<&str>, manifest: &Sample) -> Result<()> {
        let digest = manifest.digest();
        let at = at.map_or_else(|| digest.to_string(), str::to_owned);
        if !self.pushed.contains(&digest) {
            self.pushed.push(digest);
        }
        self.writing.put_manifest(&at, manifest.media_type, &manifest.bytes)?;
        self.has_kept = true;
        Ok(())
    }

    /// Pushes images and an index of them, and reads everything back.
    fn list(&mut self, kind: IndexKind, tag: &str) -> Result<()> {
        let mut spec =
            IndexSpec { image: format!("{}:{tag}", self.repository), ..IndexSpec::default() };
        for platform in PLATFORMS {
            let [config, manifest] = sample::image(kind, platform);
            self.writing.put_blob(&config.bytes)?;
            self.put(None, &manifest)?;
            spec.manifests.push(SpecEntry {
                image: format!("{}@{}", self.repository, manifest.digest()),
                ..SpecEntry::default()
            });
        }
        let builder =
            IndexBuilder { kind, ignore_missing: false, pool: self.pool, open: self.open };
        let index = builder.assemble(&spec)?;
        // An index is deleted before its manifests: some registries refuse the other order.
        self.pushed.insert(0, index.digest.clone());
        index.push(self.pool, self.open)?;
        self.read_back(&index, tag)
    }

    fn read_back(&self, index: &BuiltIndex, tag: &str) -> Result<()> {
        let list = self.reading.manifest(&TagOrDigest::Tag(tag.to_owned()))?;
        same(&list, &index.bytes, index.kind.media_type()).during(tag)?;
        for platform in PLATFORMS {
            let [config, manifest] = sample::image(index.kind, platform);
            let digest = manifest.digest();
            let read = self.reading.manifest(&TagOrDigest::Digest { digest, tag: None })?;
            same(&read, &manifest.bytes, manifest.media_type).during(read.digest())?;
            if let Some(descriptor) = read.config()? {
                let read = self.reading.document(&descriptor)?;
                same(&read, &config.bytes, config.media_type).during(read.digest())?;
            }
        }
        Ok(())
    }

    /// Pushes a tagged image, of the first kind that the registry accepts.
    fn image(&mut self) -> Result<Digest> {
        let mut outcome = Err(Error::new(Kind::Protocol, "no image could be pushed"));
        for kind in [IndexKind::Docker, IndexKind::Oci] {
            let [config, manifest] = sample::image(kind, PLATFORMS[3]);
            outcome = self
                .writing
                .put_blob(&config.bytes)
                .and_then(|()| self.put(Some(IMAGE), &manifest))
                .map(|()| manifest.digest());
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Mounts a blob into a second repository.
    fn try_mount(&mut self) {
        let beside = Repository {
            name: format!("{}-mount", self.repository.name),
            ..self.repository.clone()
        };
        let mounted = sample::layer().and_then(|layer| {
            let beside = (self.open)(&beside)?.for_pushing();
            beside.check_mount(&layer.digest, &self.reading)?;
            // Nothing else uses this repository. Most registries refuse to delete blobs, which is
            // no failure.
            let _ = beside.delete_blob(&layer.digest);
            Ok(())
        });
        self.found("mount", mounted);
    }

    fn try_referrers(&mut self) -> Result<()> {
        let [_, subject] = sample::image(IndexKind::Oci, PLATFORMS[3]);
        let [empty, artifact] = sample::artifact(&subject);
        self.writing.put_blob(&empty.bytes)?;
        self.put(None, &artifact)?;
        self.reading.check_referrers(&subject.digest(), &artifact.digest())
    }

    /// Deletes the manifests, which is a check too. Blobs are not deleted: other images may use
    /// them.
    fn clean_up(mut self) -> Conformance {
        let mut outcome = match self.has_kept {
            true => Ok(()),
            false => Err(Error::new(Kind::Protocol, "no manifest could be pushed")),
        };
        for digest in std::mem::take(&mut self.pushed) {
            let deleted = self.writing.delete_manifest(&digest);
            outcome = outcome.and(deleted);
        }
        let mut left = self.left();
        if !left.is_empty() {
            let stay = Error::new(Kind::Protocol, "the tags of the deleted manifest still exist");
            outcome = outcome.and(Err(stay));
            // crane's and CUE's registries delete tags by name.
            left.iter().for_each(|tag| drop(self.writing.delete_tag(tag)));
            left = self.left();
        }
        self.found("delete", outcome);
        Conformance { results: self.results, left }
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
fn same(read: &Content, bytes: &[u8], media_type: &str) -> Result<()> {
    if read.bytes() != bytes {
        let message = "what is read back is not what was pushed";
        return Err(Error::new(Kind::Corrupt, message));
    }
    if read.media_type() != media_type {
        let message = format!("it comes back as {}", read.media_type());
        return Err(Error::new(Kind::Corrupt, message));
    }
    Ok(())
}
