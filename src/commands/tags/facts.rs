//! What is known of a tag's image beyond its name.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::content::ManifestKind;
use crate::digest::Digest;
use crate::error::{Kind, Result};
use crate::image::{Image, Once};
use crate::platform::Platform;
use crate::source::Resolved;

/// The annotation and the label (image-spec, annotations.md).
const CREATED: &str = "org.opencontainers.image.created";

/// Of what a tag leads to, of a manifest, or as far as a configuration says it.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    media_type: String,
    platforms: Vec<String>,
    /// Of the layers for the platform; `None` if there is no image for it, or its manifest does not
    /// say.
    size: Option<u64>,
    /// As it is written, and always a time.
    created: Option<String>,
}

impl Facts {
    pub(super) fn created(&self) -> Option<Timestamp> {
        self.created.as_ref().and_then(|date| date.parse().ok())
    }

    /// The line of `--long`.
    pub(super) fn line(&self, tag: &str, digest: &str) -> String {
        let Facts { media_type, platforms, size, created } = self;
        json!({
            "tag": tag,
            "digest": digest,
            "mediaType": media_type,
            "platforms": platforms,
            "size": size,
            "created": created,
        })
        .to_string()
    }
}

/// The digest that a tag leads to, and the facts; `None` if it is not the one that is wanted.
pub(super) type Found = Option<(String, Arc<Facts>)>;

/// The facts by digest: no manifest and no configuration is asked for twice, however many tags lead
/// there.
#[derive(Default)]
pub(super) struct Known {
    tops: Once<Option<Arc<Facts>>>,
    parts: Once<Arc<Facts>>,
}

impl Known {
    /// Without facts unless they are needed. What is wanted may be the digest of an index or of a
    /// manifest that it lists.
    pub(super) fn of(
        &self,
        image: &Image,
        wanted: Option<&Digest>,
        is_needed: bool,
    ) -> Result<Found> {
        let digest = image.resolved()?.digest.to_string();
        let facts = self.tops.get(digest.clone(), || {
            let is_wanted = wanted.map_or(Ok(true), |wanted| image.leads_to(wanted))?;
            let facts =
                is_wanted.then(|| if is_needed { self.top(image) } else { Ok(Arc::default()) });
            facts.transpose()
        })?;
        Ok(facts.map(|facts| (digest, facts)))
    }

    fn top(&self, image: &Image) -> Result<Arc<Facts>> {
        let Resolved { media_type, digest } = image.resolved()?;
        let is_index = ManifestKind::of(media_type) == ManifestKind::Index;
        let digest = if is_index { image.digest() } else { Ok(digest.clone()) };
        let below =
            digest.and_then(|digest| self.parts.get(digest.to_string(), || self.manifest(image)));
        let below = match below {
            // There is no image for the platform.
            Err(error) if error.kind() == Kind::NotFound => Arc::default(),
            below => below?,
        };
        if !is_index && !below.platforms.is_empty() {
            return Ok(below);
        }
        let top = image.top_manifest()?;
        let listed = image.platforms()?.images.into_iter().map(|(platform, _)| platform);
        let known = listed.filter(|platform| !platform.is_unknown());
        Ok(Arc::new(Facts {
            media_type: top.media_type().to_owned(),
            platforms: known.map(|platform| platform.to_string()).collect(),
            size: below.size,
            created: date(&top.json()["annotations"][CREATED]).or(below.created.clone()),
        }))
    }

    /// Of the manifest for the platform.
    fn manifest(&self, image: &Image) -> Result<Arc<Facts>> {
        let manifest = image.manifest()?;
        let config = match image.config_digest() {
            // Schema 1 has it inside, some artifacts have none.
            Err(error) if error.kind() == Kind::NotFound => config(image),
            digest => self.parts.get(digest?.to_string(), || config(image)),
        };
        let config = (*config?).clone();
        Ok(Arc::new(Facts {
            media_type: manifest.media_type().to_owned(),
            size: image.layers()?.iter().map(|layer| layer.size).sum(),
            created: date(&manifest.json()["annotations"][CREATED]).or(config.created),
            platforms: config.platforms,
        }))
    }
}

/// What the configuration says; nothing for an artifact.
fn config(image: &Image) -> Result<Arc<Facts>> {
    let config = image.config_json()?;
    let platform = Platform::read(config);
    Ok(Arc::new(Facts {
        platforms: platform.iter().map(Platform::to_string).collect(),
        created: date(&config["config"]["Labels"][CREATED]).or(date(&config["created"])),
        ..Facts::default()
    }))
}

/// A time as RFC 3339 has it.
fn date(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    text.parse::<Timestamp>().ok().map(|_| text.to_owned())
}
