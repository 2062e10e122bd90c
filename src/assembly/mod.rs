//! Manifest lists and indexes of images that a registry has, built and pushed as manifest-tool
//! does.
//!
//! Everything is checked before anything is sent, and tags are set last: an interrupted push leaves
//! no tag that leads to an incomplete index.

mod exists;
mod index;
mod spec;
mod transfer;

use std::collections::HashMap;

use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::{Algorithm, Digest};
use crate::error::{During, Error, Kind, Result};
use crate::image::{Budget, Walk};
use crate::parallel::Pool;
use crate::platform::Platform;
use crate::reference::{Reference, Repository, TagOrDigest, Transport};
use crate::source::{Registry, Source};

use exists::exists;
pub(crate) use index::IndexKind;
pub(crate) use spec::{IndexSpec, SpecEntry};

const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"];

/// An index that is ready to be pushed.
pub(crate) struct BuiltIndex {
    pub(crate) target: Repository,
    /// The first one is the tag of the target.
    pub(crate) tags: Vec<String>,
    pub(crate) kind: IndexKind,
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: Digest,
    /// The errors of the images that were left out.
    pub(crate) missing: Vec<Error>,
    entries: Vec<Entry>,
}

/// An entry of the index.
struct Entry {
    descriptor: Descriptor,
    platform: Platform,
    /// Where its manifest is.
    repository: Repository,
    is_attestation: bool,
}

/// Builds indexes from specs.
pub(crate) struct IndexBuilder<'a> {
    pub(crate) kind: IndexKind,
    /// Whether images that do not exist are left out.
    pub(crate) ignore_missing: bool,
    pub(crate) pool: &'a Pool,
    pub(crate) open: &'a (dyn Fn(&Repository) -> Result<Registry> + Sync),
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
        let manifests = spec.manifests.iter().map(|entry| checked(entry, &target));
        let manifests = manifests.collect::<Result<Vec<_>>>()?;
        let budget = Budget::default();
        let gathered = self.pool.all(manifests, |(entry, repository, at)| {
            let entries = self.entries(entry, &repository, &at, &budget);
            match entries.during(&entry.image) {
                Err(error) if error.kind() == Kind::NotFound && self.ignore_missing => {
                    Ok(Err(error))
                }
                result => result.map(Ok),
            }
        })?;
        let (mut entries, mut missing) = (Vec::new(), Vec::new());
        for found in gathered {
            match found {
                Ok(found) => entries.extend(found),
                Err(error) => missing.push(error),
            }
        }
        // The sort is stable: images keep their order, and so do attestations.
        entries.sort_by_key(|entry: &Entry| entry.is_attestation);
        distinct(&entries)?;
        let bytes = index::bytes(self.kind, &entries, &spec.annotations);
        Ok(BuiltIndex {
            target,
            tags,
            kind: self.kind,
            digest: Digest::of(Algorithm::Sha256, &bytes),
            bytes,
            missing,
            entries,
        })
    }

    /// The entries for one image of the spec: the image, or all images of an index.
    fn entries(
        &self,
        entry: &SpecEntry,
        repository: &Repository,
        at: &TagOrDigest,
        budget: &Budget,
    ) -> Result<Vec<Entry>> {
        let registry = (self.open)(repository)?;
        let document = registry.manifest(at)?;
        if document.kind() == ManifestKind::Index {
            return flattened(&registry, repository, budget, &document);
        }
        let config = config_of(&registry, &document)?;
        let platform = completed(&entry.platform, &config);
        if !exists(&platform) {
            let message = format!("there is no such platform: {platform}");
            return Err(Error::new(Kind::Protocol, message));
        }
        Ok(vec![Entry {
            descriptor: descriptor_of(&document),
            platform,
            repository: repository.clone(),
            is_attestation: false,
        }])
    }
}

/// The repository and the tags of the new index.
fn target(spec: &IndexSpec) -> Result<(Repository, Vec<String>)> {
    let reference: Reference = spec.image.parse()?;
    let (Transport::Registry(repository), TagOrDigest::Tag(tag)) = (reference.place, reference.at)
    else {
        let why = "the new index needs a name and a tag in a registry";
        return Err(Error::usage(format!("{}: {why}", spec.image)));
    };
    let mut tags = vec![tag];
    for tag in &spec.tags {
        let named = format!("{repository}:{tag}");
        match named.parse::<Reference>()?.at {
            TagOrDigest::Tag(parsed) if parsed == *tag => tags.push(parsed),
            _ => return Err(Error::usage(format!("'{tag}' is not a tag"))),
        }
    }
    let mut seen = std::collections::HashSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    Ok((repository, tags))
}

/// Refuses an image that is not in the target's registry.
fn checked<'a>(
    entry: &'a SpecEntry,
    target: &Repository,
) -> Result<(&'a SpecEntry, Repository, TagOrDigest)> {
    let reference: Reference = entry.image.parse()?;
    let wrong = |why: String| Err(Error::usage(format!("{}: {why}", entry.image)));
    let Transport::Registry(repository) = reference.place else {
        return wrong("the images must be in the registry of the new index".into());
    };
    if repository.host != target.host {
        return wrong(format!(
            "the image is at {}, the new index will be at {}",
            repository.host, target.host
        ));
    }
    let platform = &entry.platform;
    let is_whole = !platform.os.is_empty() && !platform.architecture.is_empty();
    if is_whole && !exists(platform) {
        return wrong(format!("there is no such platform: {platform}"));
    }
    Ok((entry, repository, reference.at))
}

/// The configuration of an image; anything but images is refused, since engines choose from the
/// index.
fn config_of(registry: &Registry, manifest: &Content) -> Result<Content> {
    let unfit =
        |what: String| Err(Error::new(Kind::Protocol, format!("{what} cannot be in an index")));
    if manifest.kind() != ManifestKind::Manifest {
        return unfit(format!("a manifest of type {}", manifest.media_type()));
    }
    match manifest.config()? {
        Some(config) if IMAGE_CONFIGS.contains(&config.media_type.as_str()) => {
            registry.document(&config)
        }
        Some(config) => unfit(format!("a manifest whose configuration is a {}", config.media_type)),
        None => unfit("a manifest without configuration".into()),
    }
}

/// The platform of the spec, completed from the configuration. The configuration's variant and
/// version are used only if system and architecture are the same.
fn completed(asked: &Platform, config: &Content) -> Platform {
    let own = Platform::read(config.json()).unwrap_or_default();
    let mut platform = asked.clone();
    if platform.os.is_empty() {
        platform.os = own.os.clone();
    }
    if platform.architecture.is_empty() {
        platform.architecture = own.architecture.clone();
    }
    let same_os = platform.os == own.os;
    if same_os && platform.architecture == own.architecture {
        platform.variant = platform.variant.or(own.variant);
    }
    if same_os {
        platform.os_version = platform.os_version.or(own.os_version);
        if platform.os_features.is_empty() {
            platform.os_features = own.os_features;
        }
    }
    platform
}

/// All images below an index, with their attestations.
fn flattened(
    registry: &Registry,
    repository: &Repository,
    budget: &Budget,
    index: &Content,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for descriptor in Walk::new(registry, budget, index)? {
        let descriptor = descriptor?;
        let is_attestation = descriptor.is_attestation();
        let form = ManifestKind::of(&descriptor.media_type);
        if form == ManifestKind::Index && !is_attestation {
            continue;
        }
        let platform = match &descriptor.platform {
            Some(platform) => platform.clone(),
            None => {
                let manifest = budget.manifest(registry, &descriptor)?;
                completed(&Platform::default(), &config_of(registry, &manifest)?)
            }
        };
        if form != ManifestKind::Manifest {
            let (digest, media_type) = (&descriptor.digest, &descriptor.media_type);
            let message = format!("{digest}, of type {media_type}, cannot be in an index");
            return Err(Error::new(Kind::Protocol, message));
        }
        entries.push(Entry {
            descriptor,
            platform,
            repository: repository.clone(),
            is_attestation,
        });
    }
    Ok(entries)
}

/// A descriptor of the manifest.
fn descriptor_of(document: &Content) -> Descriptor {
    Descriptor {
        media_type: document.media_type().to_owned(),
        digest: document.digest().clone(),
        size: document.bytes().len() as u64,
        platform: None,
        json: serde_json::Value::Null,
    }
}

/// Refuses an index with two images for one platform, or without images.
fn distinct(entries: &[Entry]) -> Result<()> {
    let mut seen = HashMap::new();
    for entry in entries.iter().filter(|entry| !entry.is_attestation) {
        let platform = &entry.platform;
        let key = (platform.to_string(), platform.os_features.join(","));
        if let Some(other) = seen.insert(key, &entry.descriptor.digest) {
            let digest = &entry.descriptor.digest;
            let message = format!("two images are for {platform}: {other} and {digest}");
            return Err(Error::new(Kind::Protocol, message));
        }
    }
    match seen.is_empty() {
        true => Err(Error::new(Kind::NotFound, "none of the images exists")),
        false => Ok(()),
    }
}
