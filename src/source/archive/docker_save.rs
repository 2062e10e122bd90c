//! What `docker save` writes, seen as a layout: `manifest.json` names configurations, layers and
//! tags, but there are no manifests. They are made as skopeo makes them.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};

use serde_json::{Value, json};

use super::tarball::{Position, Tarball};
use super::{Files, MANIFEST};
use crate::compression::Compression;
use crate::content::{DOCKER_LAYER, DOCKER_MANIFEST, parse};
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{During, Error, Kind, Result};
use crate::source::Blob;
use crate::source::layout::{REF_NAME, blob_name, small};

const CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// How many images, and how many layers and tags in all, an archive may list.
const IMAGES: usize = 1_000;
const LISTED: usize = 10_000;

pub(super) struct DockerSave {
    tarball: Tarball,
    /// The digests of compressed layers, by where they lie in the tar.
    digests: HashMap<u64, Digest>,
    /// How many layers and tags may still be listed.
    left: usize,
    /// The files of the layout, by their names there.
    files: HashMap<String, SavedFile>,
}

enum SavedFile {
    Made(Vec<u8>),
    /// A file of the tar.
    Stored(String),
}

impl DockerSave {
    /// `Kind::Local` if there is no `manifest.json`, `Kind::Corrupt` if it does not fit the rest.
    pub(super) fn read(tarball: Tarball) -> Result<Self> {
        let manifest = parse(&read(&tarball, MANIFEST)?).during(MANIFEST)?;
        let images = manifest.as_array().ok_or_else(|| {
            Error::new(Kind::Local, format!("{MANIFEST}: expected a list of images"))
        })?;
        if images.len() > IMAGES {
            return Err(too_many(IMAGES, "images"));
        }
        let mut docker_save =
            DockerSave { tarball, digests: HashMap::new(), left: LISTED, files: HashMap::new() };
        let mut entries = Vec::new();
        for image in images {
            let manifest = docker_save.manifest(image)?.to_string();
            let digest = docker_save.make(manifest.as_bytes());
            let entry = json!({
                "mediaType": DOCKER_MANIFEST,
                "size": manifest.len(),
                "digest": digest.to_string(),
            });
            let tags = texts(&image["RepoTags"]);
            docker_save.count(tags.len())?;
            entries.extend(tagged(&entry, tags));
        }
        let index = json!({"schemaVersion": 2, "manifests": entries}).to_string();
        let version = br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec();
        docker_save.files.insert("index.json".into(), SavedFile::Made(index.into()));
        docker_save.files.insert("oci-layout".into(), SavedFile::Made(version));
        Ok(docker_save)
    }

    /// The manifest of one image, its members in the order of Docker's and skopeo's.
    fn manifest(&mut self, image: &Value) -> Result<Value> {
        let name = image["Config"].as_str().unwrap_or_default();
        let bytes = read(&self.tarball, name)?;
        let config = parse(&bytes).during(name)?;
        let config_digest = Digest::of(Algorithm::Sha256, &bytes);
        self.store(&config_digest, name);
        let diff_ids = texts(&config["rootfs"]["diff_ids"]);
        let names = texts(&image["Layers"]);
        if diff_ids.len() != names.len() {
            let (in_config, listed) = (diff_ids.len(), names.len());
            let message =
                format!("{name} and {MANIFEST} disagree: {in_config} and {listed} layers");
            return Err(Error::new(Kind::Corrupt, message));
        }
        self.count(names.len())?;
        let layers = names.into_iter().zip(diff_ids);
        let layers: Result<Vec<Value>> = layers.map(|(name, id)| self.layer(name, id)).collect();
        Ok(json!({
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": {"mediaType": CONFIG, "size": bytes.len(), "digest": config_digest.to_string()},
            "layers": layers?,
        }))
    }

    /// The descriptor of a layer as it is stored.
    fn layer(&mut self, name: &str, diff_id: &str) -> Result<Value> {
        let &Position { offset, size, compression, .. } =
            self.tarball.find(name).ok_or_else(|| missing(name))?;
        let digest = match compression {
            // The digest of an uncompressed layer is its diff ID; it is verified when the layer is
            // read.
            Compression::None => {
                diff_id.parse().map_err(|why: Error| Error::new(Kind::Corrupt, why.to_string()))?
            }
            _ => match self.digests.get(&offset) {
                Some(known) => known.clone(),
                None => self.packed_digest(name)?,
            },
        };
        self.digests.insert(offset, digest.clone());
        self.store(&digest, name);
        // skopeo writes the gzip media type for uncompressed tars too, and the digest of the
        // manifest depends on it.
        Ok(json!({"mediaType": DOCKER_LAYER, "size": size, "digest": digest.to_string()}))
    }

    /// The digest of a compressed layer is in its name, or must be computed from its bytes.
    fn packed_digest(&self, name: &str) -> Result<Digest> {
        let named = name.strip_prefix("blobs/").map(|name| name.replacen('/', ":", 1));
        if let Some(digest) = named.and_then(|name| name.parse().ok()) {
            return Ok(digest);
        }
        let mut blob = open(&self.tarball, name)?;
        digest_of(&mut blob.reader).during(name)
    }

    fn count(&mut self, listed: usize) -> Result<()> {
        let left = self.left.checked_sub(listed);
        self.left = left.ok_or_else(|| too_many(LISTED, "layers and tags"))?;
        Ok(())
    }

    fn make(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(Algorithm::Sha256, bytes);
        self.files.insert(blob_name(&digest), SavedFile::Made(bytes.to_vec()));
        digest
    }

    fn store(&mut self, digest: &Digest, name: &str) {
        self.files.insert(blob_name(digest), SavedFile::Stored(name.to_owned()));
    }
}

impl Files for DockerSave {
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>> {
        match self.files.get(name) {
            Some(SavedFile::Stored(name)) => self.tarball.open(name, from),
            Some(SavedFile::Made(bytes)) => Ok(Some(Blob {
                reader: Box::new(Cursor::new(bytes.clone())),
                from: 0,
                size: Some(bytes.len() as u64),
            })),
            None => Ok(None),
        }
    }
}

fn open(tarball: &Tarball, name: &str) -> Result<Blob> {
    tarball.open(name, 0)?.ok_or_else(|| missing(name))
}

fn read(tarball: &Tarball, name: &str) -> Result<Vec<u8>> {
    small(open(tarball, name)?).during(name)
}

fn missing(name: &str) -> Error {
    let message = match name {
        MANIFEST => format!("not written by docker save: there is no {MANIFEST}"),
        name => format!("the archive is incomplete: there is no '{name}'"),
    };
    Error::new(Kind::Local, message)
}

fn too_many(limit: usize, what: &str) -> Error {
    Error::new(Kind::Local, format!("{MANIFEST}: more than {limit} {what}"))
}

/// One entry for each tag, or one without.
fn tagged(entry: &Value, tags: Vec<&str>) -> Vec<Value> {
    if tags.is_empty() {
        return vec![entry.clone()];
    }
    let named = tags.into_iter().map(|tag| {
        let mut entry = entry.clone();
        entry["annotations"] = json!({REF_NAME: tag});
        entry
    });
    named.collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn digest_of(reader: &mut dyn Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hasher.digest()),
            n => hasher.update(&buffer[..n]),
        }
    }
}
