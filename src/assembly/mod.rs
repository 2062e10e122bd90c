//! Manifest lists and indexes of images that a registry has, built and pushed as manifest-tool
//! does.
//!
//! Everything is checked before anything is sent, and tags are set last: an interrupted push leaves
//! no tag that leads to an incomplete index.

mod exists;
mod index;
mod spec;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::content::{Content, DOCKER_CONFIG, Descriptor, ManifestKind, OCI_CONFIG};
use crate::digest::{Algorithm, Digest};
use crate::error::{During, Error, Kind, Result};
use crate::image::{Budget, Walk};
use crate::parallel::Pool;
use crate::platform::Platform;
use crate::reference::{Reference, Repository, TagOrDigest, Transport};
use crate::source::{Registry, Source, Sources};

use exists::exists;
pub(crate) use index::IndexKind;
pub(crate) use spec::{IndexSpec, SpecEntry};

/// An index that is ready to be pushed.
pub(crate) struct BuiltIndex {
    pub(crate) target: Repository,
    /// The first one is the tag of the target.
    pub(crate) tags: Vec<String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
    /// The errors of the images that were left out.
    pub(crate) missing: Vec<Error>,
    /// The digests of manifests that another repository has.
    elsewhere: Vec<(Repository, Digest)>,
}

/// Builds indexes from specs, and pushes them.
pub(crate) struct IndexBuilder<'a> {
    pub(crate) kind: IndexKind,
    /// Whether images that do not exist are left out.
    pub(crate) ignore_missing: bool,
    pub(crate) sources: &'a Sources,
    pub(crate) pool: &'a Pool,
}

impl IndexBuilder<'_> {
    /// Reads all images. `Kind::Usage`, before any request, if the spec itself is wrong;
    /// `Kind::Protocol` if the images do not fit together.
    pub(crate) fn assemble(&self, spec: &IndexSpec) -> Result<BuiltIndex> {
        if self.kind == IndexKind::Docker && !spec.annotations.is_empty() {
            let error = Error::usage("Docker's manifest lists have no annotations");
            return Err(error.hint("--type oci makes an index, which may have them"));
        }
        let (target, tags) = target(spec)?;
        let images = spec.manifests.iter().map(|entry| Ok((entry, checked(entry, &target)?)));
        let budget = Budget::default();
        let found =
            self.pool.all(images.collect::<Result<_>>()?, |(entry, (repository, at))| {
                let found = self.descriptors(entry, &repository, &at, &budget).during(&entry.image);
                match found {
                    Err(error) if error.kind() == Kind::NotFound && self.ignore_missing => {
                        Ok((repository, Err(error)))
                    }
                    found => Ok((repository, Ok(found?))),
                }
            })?;
        let (mut entries, mut missing, mut elsewhere) = (Vec::new(), Vec::new(), Vec::new());
        for (repository, found) in found {
            match found {
                Ok(found) if repository == target => entries.extend(found),
                Ok(found) => {
                    let digests = found.iter().map(|entry| entry.digest.clone());
                    elsewhere.extend(digests.map(|digest| (repository.clone(), digest)));
                    entries.extend(found);
                }
                Err(error) => missing.push(error),
            }
        }
        // The sort is stable: images keep their order, and so do attestations.
        entries.sort_by_key(Descriptor::is_attestation);
        distinct(&entries)?;
        let bytes = index::bytes(self.kind, &entries, &spec.annotations);
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        Ok(BuiltIndex { target, tags, bytes, digest, missing, elsewhere })
    }

    /// The entries for one image of the spec, each with its platform: the image, or all images of an
    /// index with their attestations.
    fn descriptors(
        &self,
        entry: &SpecEntry,
        repository: &Repository,
        at: &TagOrDigest,
        budget: &Budget,
    ) -> Result<Vec<Descriptor>> {
        let registry = self.sources.repository(repository)?;
        let top = registry.manifest(at)?;
        if top.kind() == ManifestKind::Index {
            let listed = Walk::new(&registry, budget, &top)?;
            let listed = listed.map(|entry| with_platform(&registry, budget, entry?));
            return listed.filter_map(Result::transpose).collect();
        }
        let config = config_of(&registry, budget, &top)?;
        let platform = completed(&entry.platform, &config);
        if !exists(&platform) {
            return Err(protocol(format!("there is no such platform: {platform}")));
        }
        Ok(vec![Descriptor {
            media_type: top.media_type().to_owned(),
            digest: top.digest().clone(),
            size: top.bytes().len() as u64,
            platform: Some(platform),
            json: serde_json::Value::Null,
        }])
    }

    /// Sends what other repositories have, then the index, its tags last.
    pub(crate) fn push(&self, index: &BuiltIndex) -> Result<()> {
        let target = self.sources.repository(&index.target)?.for_pushing();
        let elsewhere = index.elsewhere.iter().collect();
        let manifests = self.pool.all(elsewhere, |(repository, digest): &(_, Digest)| {
            let source = self.sources.repository(repository)?;
            let at = TagOrDigest::Digest { digest: digest.clone(), tag: None };
            let manifest = source.manifest(&at)?;
            Ok((source, manifest))
        })?;
        let mut blobs: BTreeMap<Digest, (&Registry, Descriptor)> = BTreeMap::new();
        for (source, manifest) in &manifests {
            for blob in blobs_of(manifest)? {
                blobs.entry(blob.digest.clone()).or_insert((source, blob));
            }
        }
        let blobs = blobs.into_values().collect();
        self.pool.all(blobs, |(source, blob)| target.mount_or_copy(&blob, source))?;
        self.pool.all(manifests, |(_, manifest)| {
            let digest = manifest.digest().to_string();
            target.put_manifest(&digest, manifest.media_type(), manifest.bytes())
        })?;
        let mut tags = index.tags.iter();
        tags.try_for_each(|tag| target.put_manifest(tag, self.kind.media_type(), &index.bytes))
    }
}

/// The repository and the tags of the new index.
fn target(spec: &IndexSpec) -> Result<(Repository, Vec<String>)> {
    let reference: Reference = spec.image.parse()?;
    let (Transport::Registry(repository), TagOrDigest::Tag(tag)) =
        (reference.transport, reference.at)
    else {
        let why = "the new index needs a name and a tag in a registry";
        return Err(Error::usage(format!("{}: {why}", spec.image)));
    };
    let mut tags = vec![tag];
    for tag in &spec.tags {
        let named: Reference = format!("{repository}:{tag}").parse()?;
        if named.at != TagOrDigest::Tag(tag.clone()) {
            return Err(Error::usage(format!("'{tag}' is not a tag")));
        }
        tags.push(tag.clone());
    }
    let mut seen = HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    Ok((repository, tags))
}

/// Refuses an image that is not in the target's registry.
fn checked(entry: &SpecEntry, target: &Repository) -> Result<(Repository, TagOrDigest)> {
    let reference: Reference = entry.image.parse()?;
    let wrong = |why: String| Err(Error::usage(format!("{}: {why}", entry.image)));
    let Transport::Registry(repository) = reference.transport else {
        return wrong("the images must be in the registry of the new index".into());
    };
    let (host, wanted) = (&repository.host, &target.host);
    if host != wanted {
        return wrong(format!("the image is at {host}, the new index will be at {wanted}"));
    }
    let platform = &entry.platform;
    let is_whole = !platform.os.is_empty() && !platform.architecture.is_empty();
    if is_whole && !exists(platform) {
        return wrong(format!("there is no such platform: {platform}"));
    }
    Ok((repository, reference.at))
}

/// An entry of an index, its platform read from the configuration if it is missing; `None` for an
/// index, whose own entries follow it.
fn with_platform(
    registry: &Registry,
    budget: &Budget,
    mut entry: Descriptor,
) -> Result<Option<Descriptor>> {
    let kind = ManifestKind::of(&entry.media_type);
    if kind == ManifestKind::Index && !entry.is_attestation() {
        return Ok(None);
    }
    if entry.platform.is_none() {
        let manifest = budget.manifest(registry, &entry)?;
        let config = config_of(registry, budget, &manifest)?;
        entry.platform = Some(completed(&Platform::default(), &config));
    }
    match kind {
        ManifestKind::Manifest => Ok(Some(entry)),
        _ => Err(protocol(format!(
            "{}, of type {}, cannot be in an index",
            entry.digest, entry.media_type
        ))),
    }
}

/// The configuration of an image; anything but images is refused, since engines choose from the
/// index.
fn config_of(registry: &Registry, budget: &Budget, manifest: &Content) -> Result<Arc<Content>> {
    let what = if manifest.kind() != ManifestKind::Manifest {
        format!("a manifest of type {}", manifest.media_type())
    } else {
        match manifest.config()? {
            Some(config) if [DOCKER_CONFIG, OCI_CONFIG].contains(&&*config.media_type) => {
                return budget.content(registry, &config);
            }
            Some(config) => format!("a manifest whose configuration is a {}", config.media_type),
            None => "a manifest without configuration".to_owned(),
        }
    };
    Err(protocol(format!("{what} cannot be in an index")))
}

/// The platform of the spec, completed from the configuration. The configuration's variant and
/// version are used only if system and architecture are the same.
fn completed(asked: &Platform, config: &Content) -> Platform {
    let own = Platform::read(config.json()).unwrap_or_default();
    let mut platform = asked.clone();
    if platform.os.is_empty() {
        platform.os.clone_from(&own.os);
    }
    if platform.architecture.is_empty() {
        platform.architecture.clone_from(&own.architecture);
    }
    if platform.os == own.os {
        if platform.architecture == own.architecture {
            platform.variant = platform.variant.or(own.variant);
        }
        platform.os_version = platform.os_version.or(own.os_version);
        if platform.os_features.is_empty() {
            platform.os_features = own.os_features;
        }
    }
    platform
}

/// Refuses an index with two images for one platform, or without images.
fn distinct(entries: &[Descriptor]) -> Result<()> {
    let mut seen = HashMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_attestation()) {
        let platform = entry.platform.clone().unwrap_or_default();
        let key = (platform.to_string(), platform.os_features.join(","));
        if let Some(other) = seen.insert(key, &entry.digest) {
            let digest = &entry.digest;
            return Err(protocol(format!("two images are for {platform}: {other} and {digest}")));
        }
    }
    match seen.is_empty() {
        true => Err(Error::new(Kind::NotFound, "none of the images exists")),
        false => Ok(()),
    }
}

/// The configuration and the layers of a manifest, without foreign layers, which registries do not
/// store.
fn blobs_of(manifest: &Content) -> Result<Vec<Descriptor>> {
    let mut blobs = manifest.descriptors("layers")?;
    blobs.retain(|layer| {
        let media_type = &layer.media_type;
        !media_type.contains(".foreign.") && !media_type.contains(".nondistributable.")
    });
    blobs.extend(manifest.config()?);
    Ok(blobs)
}

fn protocol(message: String) -> Error {
    Error::new(Kind::Protocol, message)
}
