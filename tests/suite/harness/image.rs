//! Images as builders write them: whole documents, real digests.

use serde_json::{Value, json};

use super::layer::{gzip, tar};
use super::registry::Registry;
use super::store::sha256;

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// When every image of the suite was made.
const CREATED: &str = "2026-01-02T03:04:05Z";

/// Where images can be put.
pub trait Destination {
    /// Keeps a blob and gives its digest.
    fn put_blob(&self, repository: &str, bytes: &[u8]) -> String;
    /// Keeps a manifest or index and gives its digest; without a tag, by digest alone.
    fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> String;
}

impl Destination for Registry {
    fn put_blob(&self, repository: &str, bytes: &[u8]) -> String {
        self.blob(repository, bytes)
    }

    fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> String {
        self.manifest(repository, tag.unwrap_or_default(), media_type, bytes)
    }
}

/// An image for one platform: Docker's kind unless `oci()` is said.
#[derive(Clone)]
pub struct Image {
    pub(super) platform: Value,
    labels: Option<Value>,
    layers: Vec<Layer>,
    oci: bool,
    media_type_in_body: bool,
    manifest_extra: Value,
    config_extra: Value,
}

#[derive(Clone)]
struct Layer {
    media_type: Option<String>,
    bytes: Vec<u8>,
    diff_id: String,
    created_by: String,
}

impl Image {
    /// For `OS/ARCH[/VARIANT][:OSVERSION]`; no labels and no layers yet.
    pub fn new(platform: &str) -> Image {
        Image {
            platform: platform_value(platform),
            labels: None,
            layers: Vec::new(),
            oci: false,
            media_type_in_body: true,
            manifest_extra: json!({}),
            config_extra: json!({}),
        }
    }

    pub fn label(mut self, name: &str, value: &str) -> Image {
        self.labels.get_or_insert_with(|| json!({}))[name] = json!(value);
        self
    }

    /// A layer with one file.
    pub fn layer(self, name: &str, content: &[u8]) -> Image {
        let tar = tar(&[(name, content)]);
        let bytes = gzip(&tar);
        let created_by = format!("COPY {name} / # buildkit");
        self.raw_layer(bytes, &sha256(&tar), &created_by)
    }

    /// A layer with these bytes and diff ID, right or wrong.
    pub fn raw_layer(mut self, bytes: Vec<u8>, diff_id: &str, created_by: &str) -> Image {
        self.layers.push(Layer {
            media_type: None,
            bytes,
            diff_id: diff_id.to_owned(),
            created_by: created_by.to_owned(),
        });
        self
    }

    /// What the manifest says that the last layer is: zstd, a plain tar, no archive at all.
    pub fn layer_type(mut self, media_type: &str) -> Image {
        let last = self.layers.last_mut().expect("a layer");
        last.media_type = Some(media_type.to_owned());
        self
    }

    pub fn oci(mut self) -> Image {
        self.oci = true;
        self
    }

    pub fn docker(mut self) -> Image {
        self.oci = false;
        self
    }

    /// `mediaType` stands in the `Content-Type` only.
    pub fn without_media_type(mut self) -> Image {
        self.media_type_in_body = false;
        self
    }

    /// Sets a field of the manifest: `annotations`, `subject`, `artifactType` …
    pub fn in_manifest(mut self, field: &str, value: Value) -> Image {
        self.manifest_extra[field] = value;
        self
    }

    /// Sets a field of the configuration.
    pub fn in_config(mut self, field: &str, value: Value) -> Image {
        self.config_extra[field] = value;
        self
    }

    pub fn media_type(&self) -> &'static str {
        if self.oci {
            OCI_MANIFEST
        } else {
            DOCKER_MANIFEST
        }
    }

    /// The configuration as it is served: compact.
    pub fn config(&self) -> Vec<u8> {
        let mut config = json!({"created": CREATED});
        merge(&mut config, &self.platform);
        config["config"] = json!({"Env": ["PATH=/bin"], "Cmd": ["/hello"]});
        if let Some(labels) = &self.labels {
            config["config"]["Labels"] = labels.clone();
        }
        let diff_ids: Vec<&str> = self.layers.iter().map(|it| it.diff_id.as_str()).collect();
        config["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
        let entry = |created_by: &str| json!({"created": CREATED, "created_by": created_by});
        let mut history: Vec<Value> = self.layers.iter().map(|it| entry(&it.created_by)).collect();
        history.push(entry("CMD [\"/hello\"]"));
        history[self.layers.len()]["empty_layer"] = json!(true);
        config["history"] = json!(history);
        merge(&mut config, &self.config_extra);
        config.to_string().into_bytes()
    }

    /// The manifest as it is served: indented by two.
    pub fn manifest(&self) -> Vec<u8> {
        let (config, layer) = match self.oci {
            true => (
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
            false => (
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ),
        };
        let layers: Vec<Value> = self
            .layers
            .iter()
            .map(|it| descriptor(it.media_type.as_deref().unwrap_or(layer), &it.bytes))
            .collect();
        let mut manifest = json!({"schemaVersion": 2});
        if self.media_type_in_body {
            manifest["mediaType"] = json!(self.media_type());
        }
        manifest["config"] = descriptor(config, &self.config());
        manifest["layers"] = json!(layers);
        merge(&mut manifest, &self.manifest_extra);
        pretty(&manifest)
    }

    pub fn digest(&self) -> String {
        sha256(self.manifest())
    }

    /// The image ID.
    pub fn config_digest(&self) -> String {
        sha256(self.config())
    }

    /// The bytes of each layer as they are served.
    pub fn layers(&self) -> Vec<Vec<u8>> {
        self.layers.iter().map(|it| it.bytes.clone()).collect()
    }

    /// Puts blobs and manifest there; gives the manifest's digest.
    pub fn push_to(&self, there: &impl Destination, repository: &str, tag: &str) -> String {
        self.push(there, repository, Some(tag))
    }

    /// The same; without a tag it is there by digest alone.
    pub fn push(&self, there: &impl Destination, repository: &str, tag: Option<&str>) -> String {
        there.put_blob(repository, &self.config());
        for layer in &self.layers {
            there.put_blob(repository, &layer.bytes);
        }
        there.put_manifest(repository, tag, self.media_type(), &self.manifest())
    }
}

pub(super) fn platform_value(text: &str) -> Value {
    let (names, version) = match text.split_once(':') {
        Some((names, version)) => (names, Some(version)),
        None => (text, None),
    };
    let mut names = names.split('/');
    let mut platform = json!({});
    for field in ["architecture", "os", "variant"] {
        platform[field] = Value::Null;
    }
    for field in ["os", "architecture", "variant"] {
        platform[field] = names.next().into();
    }
    if version.is_some() {
        platform["os.version"] = version.into();
    }
    let fields = platform.as_object_mut().expect("an object");
    fields.retain(|_, value| !value.is_null());
    platform
}

pub(super) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "size": bytes.len(), "digest": sha256(bytes)})
}

pub(super) fn merge(into: &mut Value, from: &Value) {
    for (field, value) in from.as_object().into_iter().flatten() {
        into[field] = value.clone();
    }
}

pub(super) fn pretty(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("a value")
}
