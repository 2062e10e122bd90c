//! What `docker save` writes, seen as a layout: `manifest.json` names configurations, layers and
//! tags, but there are no manifests. They are made as skopeo makes them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::files::small;
use super::index::REF_NAME;
use super::tarball::{Entry, TarFile, Tarball};
use super::{MANIFEST, VERSION, blob_name};
use crate::compression::Compression;
use crate::content::{DOCKER_LAYER, DOCKER_MANIFEST, parse};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{During, Error, Kind, Result};

const CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// How many images, and how many layers and tags in all, an archive may list.
const IMAGES: usize = 1_000;
const LISTED: usize = 10_000;

/// The tar with the files of the layout in place of its own. `Kind::Local` if there is no
/// `manifest.json`, `Kind::Corrupt` if it does not fit the rest.
pub(super) fn layout(mut tarball: Tarball) -> Result<Tarball> {
    let manifest = parse(&read(&tarball, MANIFEST)?).during(MANIFEST)?;
    let images = manifest
        .as_array()
        .ok_or_else(|| Error::new(Kind::Local, format!("{MANIFEST}: expected a list of images")))?;
    let listed = |image: &Value| texts(&image["Layers"]).len() + texts(&image["RepoTags"]).len();
    for (count, limit, what) in [
        (images.len(), IMAGES, "images"),
        (images.iter().map(listed).sum(), LISTED, "layers and tags"),
    ] {
        if count > limit {
            return Err(Error::new(Kind::Local, format!("{MANIFEST}: more than {limit} {what}")));
        }
    }
    let mut layout = Layout { tarball: &tarball, digests: HashMap::new(), files: HashMap::new() };
    let mut entries = Vec::new();
    for image in images {
        let manifest = layout.manifest(image)?.to_string();
        let digest = Digest::of(Algorithm::Sha256, manifest.as_bytes());
        let entry = json!({
            "mediaType": DOCKER_MANIFEST,
            "size": manifest.len(),
            "digest": digest.to_string(),
        });
        layout.files.insert(blob_name(&digest), Entry::made(manifest));
        let tags = texts(&image["RepoTags"]);
        let named = tags.iter().map(|tag| {
            let mut entry = entry.clone();
            entry["annotations"] = json!({REF_NAME: tag});
            entry
        });
        entries.extend(named);
        if tags.is_empty() {
            entries.push(entry);
        }
    }
    let index = json!({"schemaVersion": 2, "manifests": entries});
    let version = json!({"imageLayoutVersion": "1.0.0"});
    let mut files = layout.files;
    for (name, content) in [("index.json", index), (VERSION, version)] {
        files.insert(name.to_owned(), Entry::made(content.to_string()));
    }
    tarball.entries = files;
    Ok(tarball)
}

/// The layout in the making.
struct Layout<'a> {
    tarball: &'a Tarball,
    /// The digests of compressed layers, by where they lie in the tar.
    digests: HashMap<u64, Digest>,
    files: HashMap<String, Entry>,
}

impl Layout<'_> {
    /// The manifest of one image, its members in the order of Docker's and skopeo's.
    fn manifest(&mut self, image: &Value) -> Result<Value> {
        let name = image["Config"].as_str().unwrap_or_default();
        let bytes = read(self.tarball, name)?;
        let config = parse(&bytes).during(name)?;
        let digest = Digest::of(Algorithm::Sha256, &bytes);
        self.store(&digest, find(self.tarball, name)?);
        let (diff_ids, names) = (texts(&config["rootfs"]["diff_ids"]), texts(&image["Layers"]));
        if diff_ids.len() != names.len() {
            let (in_config, listed) = (diff_ids.len(), names.len());
            let message =
                format!("{name} and {MANIFEST} disagree: {in_config} and {listed} layers");
            return Err(Error::new(Kind::Corrupt, message));
        }
        let layers = names.into_iter().zip(diff_ids);
        let layers: Result<Vec<Value>> = layers.map(|(name, id)| self.layer(name, id)).collect();
        Ok(json!({
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {"mediaType": CONFIG, "size": bytes.len(), "digest": digest.to_string()},
            "layers": layers?,
        }))
    }

    /// The descriptor of a layer as it is stored.
    fn layer(&mut self, name: &str, diff_id: &str) -> Result<Value> {
        let file = find(self.tarball, name)?;
        let digest = match (file.compression, self.digests.get(&file.offset)) {
            // The digest of an uncompressed layer is its diff ID; it is verified when the layer is
            // read.
            (Compression::None, _) => {
                diff_id.parse().map_err(|why: Error| Error::new(Kind::Corrupt, why.to_string()))?
            }
            (_, Some(known)) => known.clone(),
            _ => packed_digest(self.tarball, name)?,
        };
        self.digests.insert(file.offset, digest.clone());
        self.store(&digest, file);
        // skopeo writes the gzip media type for uncompressed tars too, and the digest of the
        // manifest depends on it.
        Ok(json!({"mediaType": DOCKER_LAYER, "size": file.size, "digest": digest.to_string()}))
    }

    fn store(&mut self, digest: &Digest, file: &TarFile) {
        self.files.insert(blob_name(digest), Entry::File(file.clone()));
    }
}

/// The digest of a compressed layer is in its name, or must be computed from its bytes.
fn packed_digest(tarball: &Tarball, name: &str) -> Result<Digest> {
    let named = name.strip_prefix("blobs/").map(|name| name.replacen('/', ":", 1));
    if let Some(digest) = named.and_then(|name| name.parse().ok()) {
        return Ok(digest);
    }
    let mut blob = tarball.read(find(tarball, name)?, 0).during(name)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.read(&mut blob.reader).during(name)?;
    Ok(hasher.digest())
}

fn read(tarball: &Tarball, name: &str) -> Result<Vec<u8>> {
    small(tarball.read(find(tarball, name)?, 0).during(name)?).during(name)
}

fn find<'a>(tarball: &'a Tarball, name: &str) -> Result<&'a TarFile> {
    tarball.find(name).ok_or_else(|| {
        let message = match name {
            MANIFEST => format!("not written by docker save: there is no {MANIFEST}"),
            name => format!("the archive is incomplete: there is no '{name}'"),
        };
        Error::new(Kind::Local, message)
    })
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
