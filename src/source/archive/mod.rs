//! Images in a tar, plain or compressed, read where they lie and never unpacked to disk.
//!
//! What Docker 25 and later save is both kinds at once, and each prefix reads its own:
//! `oci-archive:` the `index.json`, `docker-archive:` the `manifest.json`, as skopeo does.

mod docker_save;
mod tarball;

use std::path::Path;

use super::layout::{Files, Layout};
use crate::error::{During, Error, Kind, Result};
use docker_save::DockerSave;
use tarball::Tarball;

/// The file in which `docker save` lists images and layers.
const MANIFEST: &str = "manifest.json";

/// An OCI image layout in a tar. `Kind::NotFound` if there is no such file, `Kind::Local` if it is
/// something else.
pub(crate) fn oci(path: &Path) -> Result<Layout> {
    let tarball = Tarball::open(path)?;
    if !tarball.has("oci-layout") && tarball.has(MANIFEST) {
        return Err(other_kind(path, "an OCI image layout", "docker-archive"));
    }
    Layout::of(Box::new(tarball)).during(path.display())
}

/// What `docker save` writes. `Kind::NotFound` if there is no such file, `Kind::Local` if it is
/// something else.
pub(crate) fn docker(path: &Path) -> Result<Layout> {
    let tarball = Tarball::open(path)?;
    if !tarball.has(MANIFEST) && tarball.has("oci-layout") {
        return Err(other_kind(path, "written by docker save", "oci-archive"));
    }
    let docker_save = DockerSave::read(tarball).during(path.display())?;
    Layout::of(Box::new(docker_save)).during(path.display())
}

fn other_kind(path: &Path, expected: &str, prefix: &str) -> Error {
    let path = path.display();
    let message = format!("{path}: the archive is not {expected}");
    Error::new(Kind::Local, message).hint(format!("try {prefix}:{path}"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;
    use std::process::Command;

    use serde_json::{Value, json};

    use super::tarball::tests::{file, tar};
    use super::*;
    use crate::compression::tests::gzip;
    use crate::digest::{Algorithm, Digest};
    use crate::reference::TagOrDigest;
    use crate::source::Source;
    use crate::source::layout::tests::Sample;

    const CONFIG: &str = "config.json";

    fn tag(tag: &str) -> TagOrDigest {
        TagOrDigest::Tag(tag.to_owned())
    }

    fn sha256(bytes: &[u8]) -> Digest {
        Digest::of(Algorithm::Sha256, bytes)
    }

    /// What `docker save` writes for images of these plain layers, each stored under its name.
    fn save(images: Value, layers: &[(&str, &[u8])], diff_ids: &[Digest]) -> Vec<u8> {
        let diff_ids: Vec<String> = diff_ids.iter().map(Digest::to_string).collect();
        let config = json!({
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let (config, images) = (config.to_string(), images.to_string());
        let files = [(CONFIG, config.as_bytes()), (MANIFEST, images.as_bytes())];
        tar(&[layers, &files].concat())
    }

    fn read(layout: &Layout, digest: &Digest) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut blob = layout.blob(digest, 0).unwrap();
        blob.reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn refused(result: Result<Layout>, kind: Kind, message: &str) {
        let error = result.err().expect("this is refused");
        assert_eq!((error.kind(), &*format!("{error:#}")), (kind, message));
    }

    #[test]
    fn a_layout_in_a_tar_is_that_layout() {
        let mut sample = Sample::new();
        let manifest = sample.manifest("a", json!({}));
        sample.list(&manifest, "1.0");
        let digest: Digest = manifest["digest"].as_str().unwrap().parse().unwrap();
        let blob = format!("blobs/sha256/{}", digest.hex());
        let names = ["oci-layout", &blob, "index.json"];
        let files = names.map(|name| fs::read(sample.directory.path().join(name)).unwrap());
        let [version, manifest, index] = &files;
        let tar = tar(&[(names[0], version), (names[1], manifest), (names[2], index)]);
        for packed in [gzip(&tar), tar] {
            let archive = file(&packed);
            let layout = oci(archive.path()).unwrap();
            assert_eq!(layout.tags().unwrap(), ["1.0"]);
            assert_eq!(layout.manifest(&tag("1.0")).unwrap().bytes(), manifest);
            assert_eq!(read(&layout, &digest), *manifest);
            let there = archive.path().display();
            let message = format!(
                "{there}: the archive is not written by docker save\nhint: try oci-archive:{there}"
            );
            refused(docker(archive.path()), Kind::Local, &message);
        }
    }

    #[test]
    fn saved_images_get_the_manifest_that_skopeo_makes() {
        let layers = [tar(&[("a", b"one")]), tar(&[("b", b"two")])];
        let diff_ids = layers.each_ref().map(|layer| sha256(layer));
        let images = json!([{
            "Config": CONFIG,
            "RepoTags": ["example.com/a:1.0", "a:2.0"],
            "Layers": ["0/layer.tar", "1/layer.tar"],
        }]);
        let stored = [("0/layer.tar", &*layers[0]), ("1/layer.tar", &layers[1])];
        let archive = file(&save(images, &stored, &diff_ids));
        let layout = docker(archive.path()).unwrap();
        assert_eq!(layout.tags().unwrap(), ["1.0", "2.0"]);
        let manifest = layout.manifest(&TagOrDigest::Only).unwrap();
        for name in ["1.0", "2.0", "example.com/a:1.0"] {
            assert_eq!(layout.resolve(&tag(name)).unwrap().digest, *manifest.digest());
        }
        for (layer, digest) in layers.iter().zip(&diff_ids) {
            assert_eq!(read(&layout, digest), *layer);
        }
        let config = manifest.config().unwrap().unwrap();
        assert_eq!(layout.document(&config).unwrap().json()["os"], "linux");
        let there = archive.path().display();
        let message = format!(
            "{there}: the archive is not an OCI image layout\nhint: try docker-archive:{there}"
        );
        refused(oci(archive.path()), Kind::Local, &message);
        let source = format!("docker-archive:{there}");
        let skopeo = Command::new("skopeo").args(["inspect", "--raw", &source]).output();
        match skopeo {
            Ok(output) => assert_eq!(
                String::from_utf8_lossy(manifest.bytes()),
                String::from_utf8_lossy(&output.stdout)
            ),
            Err(error) => {
                assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "skopeo: {error}");
                eprintln!("not compared with skopeo: {error}");
            }
        }
    }

    #[test]
    fn of_what_is_both_each_prefix_reads_its_own() {
        let layer = tar(&[("a", b"one")]);
        let index = br#"{"schemaVersion":2,"manifests":[]}"#;
        let stored: [(&str, &[u8]); 3] = [
            ("layer.tar", &layer),
            ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
            ("index.json", index),
        ];
        let images = json!([{"Config": CONFIG, "RepoTags": ["a:1.0"], "Layers": ["layer.tar"]}]);
        let archive = file(&save(images, &stored, &[sha256(&layer)]));
        assert_eq!(oci(archive.path()).unwrap().tags().unwrap(), [""; 0]);
        assert_eq!(docker(archive.path()).unwrap().tags().unwrap(), ["1.0"]);
    }

    #[test]
    fn a_compressed_layer_is_named_by_its_own_bytes() {
        let layer = tar(&[("a", b"one")]);
        let packed = gzip(&layer);
        let digest = sha256(&packed);
        let diff_id = sha256(&layer);
        for name in ["0.tar.gz", &format!("blobs/sha256/{}", digest.hex())] {
            let images = json!([{"Config": CONFIG, "RepoTags": null, "Layers": [name]}]);
            let tar = save(images, &[(name, &packed)], std::slice::from_ref(&diff_id));
            let layout = docker(file(&tar).path()).unwrap();
            let manifest = layout.manifest(&TagOrDigest::Only).unwrap();
            let layers = manifest.descriptors("layers").unwrap();
            assert_eq!(layers[0].digest, digest, "{name}");
            assert_eq!(layers[0].size, packed.len() as u64, "{name}");
            assert_eq!(layout.tags().unwrap(), [""; 0]);
        }
    }

    #[test]
    fn a_layer_that_is_listed_often_is_read_once() {
        let content: Vec<u8> = (0..4_000_000u32).map(|n| (n.wrapping_mul(n) >> 11) as u8).collect();
        let layer = tar(&[("a", &content)]);
        let packed = gzip(&layer);
        let digest = sha256(&packed);
        let list = |times| {
            let diff_ids = vec![sha256(b"layer"); times];
            let images = json!([{"Config": CONFIG, "Layers": vec!["0.tar.gz"; times]}]);
            let archive = file(&save(images, &[("0.tar.gz", &packed)], &diff_ids));
            (docker(archive.path()), archive)
        };
        let start = std::time::Instant::now();
        let layout = list(5_000).0.unwrap();
        let layers = layout.manifest(&TagOrDigest::Only).unwrap();
        let layers = layers.descriptors("layers").unwrap();
        assert_eq!(layers.len(), 5_000);
        assert!(layers.iter().all(|layer| layer.digest == digest));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
        let (refusal, archive) = list(100_000);
        let message =
            format!("{}: manifest.json: more than 10000 layers and tags", archive.path().display());
        refused(refusal, Kind::Local, &message);
    }

    #[test]
    fn an_archive_that_contradicts_itself_is_refused() {
        let layer = tar(&[("a", b"one")]);
        let diff_ids = [sha256(&layer)];
        let cases = [
            (
                json!([{"Config": CONFIG, "Layers": []}]),
                Kind::Corrupt,
                "config.json and manifest.json disagree: 1 and 0 layers",
            ),
            (
                json!([{"Config": CONFIG, "Layers": ["../secret"]}]),
                Kind::Local,
                "the archive is incomplete: there is no '../secret'",
            ),
            (
                json!([{"Config": "/etc/passwd", "Layers": ["layer.tar"]}]),
                Kind::Local,
                "the archive is incomplete: there is no '/etc/passwd'",
            ),
            (json!({}), Kind::Local, "manifest.json: expected a list of images"),
        ];
        for (images, kind, why) in cases {
            let archive = file(&save(images, &[("layer.tar", &layer)], &diff_ids));
            let message = format!("{}: {why}", archive.path().display());
            refused(docker(archive.path()), kind, &message);
        }
        let archive = file(&tar(&[("a", b"one")]));
        let there = archive.path().display();
        let message = format!("{there}: not written by docker save: there is no manifest.json");
        refused(docker(archive.path()), Kind::Local, &message);
        let message = format!("{there}: not an OCI image layout: there is no oci-layout");
        refused(oci(archive.path()), Kind::Local, &message);
    }
}
