//! Tiny images to try a registry with: a layer without files, and a configuration for each platform.

use serde_json::{Value, json};

use crate::assembly::IndexKind;
use crate::content::{
    DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST, Descriptor, OCI_CONFIG, OCI_MANIFEST,
};
use crate::digest::{Algorithm, Digest};
use crate::error::Result;

/// An architecture and its variant.
pub(super) type Platform = (&'static str, Option<&'static str>);

/// Those of manifest-tool's own test.
pub(super) const PLATFORMS: [Platform; 4] =
    [("s390x", None), ("ppc64le", None), ("arm64", Some("v8")), ("amd64", None)];

/// An empty tar, packed: the bytes that Docker has for an empty layer.
pub(super) const LAYER: [u8; 32] = [
    31, 139, 8, 0, 0, 9, 110, 136, 0, 255, 98, 24, 5, 163, 96, 20, 140, 88, 0, 8, 0, 0, 255, 255,
    46, 175, 181, 239, 0, 4, 0, 0,
];

const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The digest of the unpacked tar.
const DIFF_ID: &str = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/// Bytes and what they are.
pub(super) struct Sample {
    pub(super) media_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Sample {
    fn new(media_type: &'static str, json: &Value) -> Sample {
        Sample { media_type, bytes: json.to_string().into_bytes() }
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(Algorithm::Sha256, &self.bytes)
    }

    pub(super) fn descriptor(&self) -> Value {
        descriptor(self.media_type, &self.bytes)
    }
}

/// The configuration and the manifest of an image.
pub(super) fn image(kind: IndexKind, (architecture, variant): Platform) -> [Sample; 2] {
    let (config, layer, manifest) = match kind {
        IndexKind::Docker => (DOCKER_CONFIG, DOCKER_LAYER, DOCKER_MANIFEST),
        IndexKind::Oci => (OCI_CONFIG, OCI_LAYER, OCI_MANIFEST),
    };
    let mut json = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Labels": {"org.opencontainers.image.title": "docker-registry testregistry"}},
        "rootfs": {"type": "layers", "diff_ids": [DIFF_ID]},
    });
    if let Some(variant) = variant {
        json["variant"] = variant.into();
    }
    let config = Sample::new(config, &json);
    let json = json!({
        "schemaVersion": 2,
        "mediaType": manifest,
        "config": config.descriptor(),
        "layers": [descriptor(layer, &LAYER)],
    });
    [config, Sample::new(manifest, &json)]
}

/// The empty blob of an artifact, and an artifact whose subject is the manifest.
pub(super) fn artifact(subject: &Sample) -> [Sample; 2] {
    let empty = Sample::new("application/vnd.oci.empty.v1+json", &json!({}));
    let json = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.docker-registry.test",
        "config": empty.descriptor(),
        "layers": [empty.descriptor()],
        "subject": subject.descriptor(),
    });
    let artifact = Sample::new(OCI_MANIFEST, &json);
    [empty, artifact]
}

pub(super) fn layer() -> Result<Descriptor> {
    Descriptor::read(&descriptor("application/octet-stream", &LAYER))
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(Algorithm::Sha256, bytes).to_string();
    json!({"mediaType": media_type, "size": bytes.len(), "digest": digest})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression;
    use crate::digest::Verified;

    #[test]
    fn the_layer_is_what_its_diff_id_says() {
        let (_, tar) = compression::unpacked(&LAYER[..]).unwrap();
        let mut tar = Verified::new(tar, DIFF_ID.parse().unwrap(), Some(1024));
        assert_eq!(std::io::copy(&mut tar, &mut std::io::sink()).unwrap(), 1024);
    }
}
