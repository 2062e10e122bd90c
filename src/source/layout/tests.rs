//! A layout in a directory, in a tar, and as `docker save` writes it.

use std::fs;
use std::io::{Read, Write};
use std::process::Command;

use serde_json::{Value, json};
use tar::EntryType;
use tempfile::{NamedTempFile, TempDir};

use super::*;
use crate::compression::{gzip, zstd};
use crate::content::{OCI_INDEX, OCI_MANIFEST};
use crate::digest::Algorithm;

/// A layout in the making.
struct Sample {
    directory: TempDir,
    entries: Vec<Value>,
}

impl Sample {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        fs::create_dir_all(directory.path().join("blobs/sha256")).unwrap();
        let sample = Sample { directory, entries: Vec::new() };
        sample.write("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
        sample.index();
        sample
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn index(&self) {
        let index = json!({"schemaVersion": 2, "manifests": self.entries});
        self.write("index.json", &index.to_string());
    }

    /// Stores a blob and gives its descriptor.
    fn blob(&self, media_type: &str, text: &str) -> Value {
        let digest = Digest::of(Algorithm::Sha256, text.as_bytes());
        self.write(&blob_name(&digest), text);
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": text.len()})
    }

    /// Stores a manifest that differs from others by its word.
    fn manifest(&self, word: &str, mut members: Value) -> Value {
        members["annotations"] = json!({"word": word});
        self.blob(OCI_MANIFEST, &members.to_string())
    }

    /// Lists a descriptor under a name, or under none.
    fn list(&mut self, entry: &Value, name: &str) -> &mut Self {
        let mut entry = entry.clone();
        if !name.is_empty() {
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        self.entries.push(entry);
        self.index();
        self
    }

    fn open(&self) -> Layout {
        Layout::directory(self.directory.path()).unwrap()
    }
}

fn digest(descriptor: &Value) -> Digest {
    descriptor["digest"].as_str().unwrap().parse().unwrap()
}

fn at(descriptor: &Value) -> TagOrDigest {
    TagOrDigest::Digest { digest: digest(descriptor), tag: None }
}

fn tag_at(tag: &str) -> TagOrDigest {
    TagOrDigest::Tag(tag.to_owned())
}

/// Asserts which descriptor is found.
fn leads(layout: &Layout, at: &TagOrDigest, to: &Value) {
    let manifest = layout.manifest(at).unwrap();
    assert_eq!(*manifest.digest(), digest(to), "{at:?}");
    let resolved = layout.resolve(at).unwrap();
    assert_eq!(resolved.digest, digest(to), "{at:?}");
    assert_eq!(resolved.media_type, manifest.media_type(), "{at:?}");
}

fn refused(result: Result<impl Sized>, kind: Kind, message: &str) {
    let error = result.err().expect("this is refused");
    assert_eq!((error.kind(), &*format!("{error:#}")), (kind, message));
}

#[test]
fn tags_are_found_however_tools_write_them() {
    let mut sample = Sample::new();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|word| sample.manifest(word, json!({})));
    let mut containerd = c.clone();
    containerd["annotations"] = json!({"io.containerd.image.name": "docker.io/library/c:3.0"});
    sample.list(&a, "1.0").list(&b, "example.com:5000/b:2.0");
    sample.list(&containerd, "").list(&d, "").list(&d, "1.0");
    let layout = sample.open();
    leads(&layout, &tag_at("2.0"), &b);
    leads(&layout, &tag_at("example.com:5000/b:2.0"), &b);
    leads(&layout, &tag_at("3.0"), &c);
    leads(&layout, &tag_at("1.0"), &d);
    leads(&layout, &at(&a), &a);
    assert_eq!(layout.tags().unwrap(), ["1.0", "2.0", "3.0"]);
    refused(
        layout.manifest(&tag_at("4.0")),
        Kind::NotFound,
        "there is no tag '4.0'\nhint: available: the tags 1.0, 2.0, 3.0",
    );
}

#[test]
fn the_same_tag_of_two_repositories_is_not_guessed() {
    let mut sample = Sample::new();
    let [a, b] = ["a", "b"].map(|word| sample.manifest(word, json!({})));
    let layout = sample.list(&a, "a:1").list(&b, "b:1").open();
    leads(&layout, &tag_at("a:1"), &a);
    refused(
        layout.manifest(&tag_at("1")),
        Kind::NotFound,
        &format!(
            "several images have the tag '1': a, b\nhint: choose one by its digest, such as @{}",
            digest(&b)
        ),
    );
}

#[test]
fn without_a_tag_the_only_image_or_the_latest_is_meant() {
    let mut sample = Sample::new();
    let [a, b] = ["a", "b"].map(|word| sample.manifest(word, json!({})));
    let mut signature = b.clone();
    signature["artifactType"] = "application/example".into();
    sample.list(&signature, "").list(&a, "");
    leads(&sample.open(), &TagOrDigest::Only, &a);
    sample.list(&b, "1.0").list(&b, "1");
    leads(&sample.open(), &TagOrDigest::Only, &b);
    sample.list(&a, "2.0");
    refused(
        sample.open().manifest(&TagOrDigest::Only),
        Kind::NotFound,
        "there are several images in it, and none has the tag latest\n\
         hint: available: the tags 1.0, 1, 2.0",
    );
    leads(&sample.list(&a, "latest").open(), &TagOrDigest::Only, &a);
    refused(
        Sample::new().open().manifest(&TagOrDigest::Only),
        Kind::NotFound,
        "there is no image in it",
    );
}

#[test]
fn other_bytes_than_the_descriptor_says_are_corrupt() {
    let sample = Sample::new();
    let config = sample.blob("application/json", "{}");
    let descriptor = Descriptor::read(&config).unwrap();
    let name = blob_name(&descriptor.digest);
    let layout = sample.open();
    assert_eq!(layout.content(&descriptor).unwrap().bytes(), b"{}");
    for (text, why) in [
        ("{ }", "the blob has 3 bytes, not 2".to_owned()),
        (
            "[]",
            format!(
                "the digest of the content is {}, not {}",
                Digest::of(Algorithm::Sha256, b"[]"),
                descriptor.digest
            ),
        ),
    ] {
        sample.write(&name, text);
        let message = format!("{}: {why}", descriptor.digest);
        refused(layout.content(&descriptor), Kind::Corrupt, &message);
    }
    sample.write(&name, &" ".repeat(LIMIT as usize + 1));
    let message = format!("{}: expected at most 8 MiB", descriptor.digest);
    refused(layout.content(&descriptor), Kind::Local, &message);
    fs::remove_file(sample.directory.path().join(&name)).unwrap();
    let message = format!("the layout has no blob {}\nhint: {INCOMPLETE}", descriptor.digest);
    refused(layout.content(&descriptor), Kind::NotFound, &message);
}

#[test]
fn a_blob_goes_on_where_it_was_left() {
    let sample = Sample::new();
    let digest = digest(&sample.blob("text/plain", "hello"));
    for (from, starts, text) in [(0, 0, "hello"), (3, 3, "lo"), (5, 5, ""), (6, 0, "hello")] {
        let mut blob = sample.open().blob(&digest, from).unwrap();
        let mut read = String::new();
        blob.reader.read_to_string(&mut read).unwrap();
        assert_eq!((blob.from, blob.size, &*read), (starts, Some(5), text), "{from}");
    }
}

#[test]
fn referrers_are_found_by_their_subject_and_by_the_fallback_tag() {
    let mut sample = Sample::new();
    let image = sample.manifest("image", json!({}));
    let about = |kind: &str| json!({"subject": image, "artifactType": kind});
    let listed = sample.manifest("listed", about("application/a"));
    let nested = sample
        .manifest("nested", json!({"subject": image, "config": {"mediaType": "application/b"}}));
    let elsewhere = json!({"mediaType": OCI_MANIFEST, "size": 1, "artifactType": "application/c",
        "digest": format!("sha256:{}", "0".repeat(64))});
    let index =
        |children: &[&Value]| sample.blob(OCI_INDEX, &json!({"manifests": children}).to_string());
    let nesting = index(&[&image, &nested]);
    let fallback = index(&[&listed, &elsewhere]);
    let digest = digest(&image);
    let tag = digest.fallback_tag();
    sample.list(&nesting, "1.0").list(&listed, "");
    let layout = sample.list(&fallback, &tag).open();
    let found = |artifact_type| -> Vec<Value> {
        let found = layout.referrers(&digest, artifact_type).unwrap();
        found.into_iter().map(|found| found.json).collect()
    };
    let shown = |descriptor: &Value, kind: &str, word: &str| {
        let mut shown = descriptor.clone();
        shown["artifactType"] = kind.into();
        shown["annotations"] = json!({"word": word});
        shown
    };
    let nested = shown(&nested, "application/b", "nested");
    let listed = shown(&listed, "application/a", "listed");
    assert_eq!(found(None), [nested.clone(), listed, elsewhere]);
    assert_eq!(found(Some("application/b")), [nested]);
    leads(&layout, &TagOrDigest::Only, &nesting);
}

#[test]
fn what_is_no_layout_says_so() {
    let sample = Sample::new();
    let path = sample.directory.path();
    let there = path.display();
    let opened = || Layout::directory(path);
    let missing = path.join("missing");
    let message = format!("{}: no such directory", missing.display());
    refused(Layout::directory(&missing), Kind::NotFound, &message);
    let file = path.join("index.json");
    let message =
        format!("{0}: not a directory\nhint: a layout in a tar is oci-archive:{0}", file.display());
    refused(Layout::directory(&file), Kind::Local, &message);
    sample.write("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#);
    let message = format!("{there}: expected an image layout of version 1, not 2.0.0");
    refused(opened(), Kind::Local, &message);
    sample.write("oci-layout", r#"{"imageLayoutVersion":"1.1.0"}"#);
    fs::remove_file(&file).unwrap();
    let message = format!("{there}: not an OCI image layout: there is no index.json");
    refused(opened(), Kind::Local, &message);
    sample.write("index.json", "no JSON");
    assert_eq!(opened().err().unwrap().kind(), Kind::Corrupt);
}

const CONFIG: &str = "config.json";

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
        let layout = Layout::oci_archive(archive.path()).unwrap();
        assert_eq!(layout.tags().unwrap(), ["1.0"]);
        assert_eq!(layout.manifest(&tag_at("1.0")).unwrap().bytes(), manifest);
        assert_eq!(read(&layout, &digest), *manifest);
        let there = archive.path().display();
        let message = format!(
            "{there}: the archive is not written by docker save\nhint: try oci-archive:{there}"
        );
        refused(Layout::docker_archive(archive.path()), Kind::Local, &message);
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
    let layout = Layout::docker_archive(archive.path()).unwrap();
    assert_eq!(layout.tags().unwrap(), ["1.0", "2.0"]);
    let manifest = layout.manifest(&TagOrDigest::Only).unwrap();
    for name in ["1.0", "2.0", "example.com/a:1.0"] {
        assert_eq!(layout.resolve(&tag_at(name)).unwrap().digest, *manifest.digest());
    }
    for (layer, digest) in layers.iter().zip(&diff_ids) {
        assert_eq!(read(&layout, digest), *layer);
    }
    let config = manifest.config().unwrap().unwrap();
    assert_eq!(layout.content(&config).unwrap().json()["os"], "linux");
    let there = archive.path().display();
    let message = format!(
        "{there}: the archive is not an OCI image layout\nhint: try docker-archive:{there}"
    );
    refused(Layout::oci_archive(archive.path()), Kind::Local, &message);
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
fn a_repository_may_stand_between_path_and_tag() {
    let layer = tar(&[("a", b"one")]);
    let images = |tags: Value| json!([{"Config": CONFIG, "RepoTags": tags, "Layers": ["l.tar"]}]);
    let saved = |tags: Value| save(images(tags), &[("l.tar", &layer)], &[sha256(&layer)]);
    let bytes =
        saved(json!(["ubuntu:18.04", "ubuntu:latest", "localhost:5000/a/b:1.0", "a/c:18.04"]));
    let archive = file(&bytes);
    let path = archive.path().to_str().unwrap();
    let open = |name: &str| Layout::docker_archive(Path::new(&format!("{path}:{name}")));
    for (name, tags) in [
        ("ubuntu", &["18.04", "latest"][..]),
        ("docker.io/library/ubuntu", &["18.04", "latest"]),
        ("localhost:5000/a/b", &["1.0"]),
        ("a/c", &["18.04"]),
    ] {
        let layout = open(name).unwrap();
        assert_eq!(layout.tags().unwrap().iter().collect::<Vec<_>>(), tags, "{name}");
        assert!(layout.manifest(&TagOrDigest::Only).is_ok(), "{name}");
        assert!(layout.manifest(&tag_at(tags[0])).is_ok(), "{name}");
    }
    refused(
        open("ubuntu").unwrap().manifest(&tag_at("1.0")),
        Kind::NotFound,
        "there is no tag '1.0'\nhint: available: the tags 18.04, latest",
    );
    let message = format!(
        "{path}: there is no image of 'b'\nhint: available: a/c, localhost:5000/a/b, ubuntu"
    );
    refused(open("b"), Kind::NotFound, &message);
    // A tag alone may be a repository too, and means `latest` there.
    let whole = Layout::docker_archive(archive.path()).unwrap();
    assert!(whole.resolve(&tag_at("ubuntu")).is_ok());
    // The longest path that is there is the path, else the shortest.
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    fs::write(place("a"), &bytes).unwrap();
    fs::write(place("a:ubuntu"), saved(json!(["b:2.0"]))).unwrap();
    let tags = |name: &str| Layout::docker_archive(&place(name)).unwrap().tags().unwrap();
    assert_eq!(tags("a:ubuntu"), ["2.0"]);
    assert_eq!(tags("a:ubuntu:b"), ["2.0"]);
    assert_eq!(tags("a:a/c"), ["18.04"]);
    let message = format!("{}: no such file", place("missing").display());
    refused(Layout::docker_archive(&place("missing:a:5/b")), Kind::NotFound, &message);
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
    assert_eq!(Layout::oci_archive(archive.path()).unwrap().tags().unwrap(), [""; 0]);
    assert_eq!(Layout::docker_archive(archive.path()).unwrap().tags().unwrap(), ["1.0"]);
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
        let layout = Layout::docker_archive(file(&tar).path()).unwrap();
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
        (Layout::docker_archive(archive.path()), archive)
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
        refused(Layout::docker_archive(archive.path()), kind, &message);
    }
    let archive = file(&tar(&[("a", b"one")]));
    let there = archive.path().display();
    let message = format!("{there}: not written by docker save: there is no manifest.json");
    refused(Layout::docker_archive(archive.path()), Kind::Local, &message);
    let message = format!("{there}: not an OCI image layout: there is no oci-layout");
    refused(Layout::oci_archive(archive.path()), Kind::Local, &message);
}

fn header(name: &str, entry_type: EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    // Set as it is: the crate refuses names that lead out of a tar.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(entry_type);
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

/// A plain tar of these files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = header("", EntryType::Regular, bytes.len());
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn text(tarball: &Tarball, name: &str) -> Option<String> {
    let mut blob = tarball.open(name, 0).unwrap()?;
    let mut text = String::new();
    blob.reader.read_to_string(&mut text).unwrap();
    assert_eq!(blob.size, Some(text.len() as u64), "{name}");
    Some(text)
}

#[test]
fn files_are_found_by_plain_long_and_linked_names() {
    let (gnu, pax) = ("g/".repeat(80) + "x", "p/".repeat(80) + "x");
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in [("./dir/a", "{a}"), (&gnu, "gnu"), ("last", "one"), ("last", "two")] {
        let mut header = header("", EntryType::Regular, bytes.len());
        builder.append_data(&mut header, name, bytes.as_bytes()).unwrap();
    }
    builder.append_pax_extensions([("path", pax.as_bytes())]).unwrap();
    builder.append(&header("short", EntryType::Regular, 3), &b"pax"[..]).unwrap();
    for (name, target, entry_type) in [
        ("b/layer.tar", "../dir/a", EntryType::Symlink),
        ("c/layer.tar", "../b/layer.tar", EntryType::Symlink),
        ("hard", "./dir/a", EntryType::Link),
        ("loop", "loop", EntryType::Symlink),
        ("out", "../dir/a", EntryType::Symlink),
        ("root", "/dir/a", EntryType::Symlink),
    ] {
        let mut header = header("", entry_type, 0);
        builder.append_link(&mut header, name, target).unwrap();
    }
    for name in ["/absolute", "../outside"] {
        builder.append(&header(name, EntryType::Regular, 1), &b"x"[..]).unwrap();
    }
    let tar = builder.into_inner().unwrap();
    for packed in [gzip(&tar), zstd(&tar), tar] {
        let file = file(&packed);
        let tarball = Tarball::open(file.path()).unwrap();
        let text = |name| text(&tarball, name);
        for name in ["dir/a", "b/layer.tar", "c/layer.tar", "hard"] {
            assert_eq!(text(name).as_deref(), Some("{a}"), "{name}");
        }
        assert_eq!(text(&gnu).as_deref(), Some("gnu"));
        assert_eq!(text(&pax).as_deref(), Some("pax"));
        assert_eq!(text("last").as_deref(), Some("two"));
        for name in ["short", "loop", "out", "root", "/absolute", "absolute", "outside", "dir"] {
            assert_eq!(text(name), None, "{name}");
        }
    }
}

#[test]
fn a_plain_tar_is_read_from_the_middle_of_a_file() {
    let tar = file(&tar(&[("a", b"a"), ("b", b"hello")]));
    let tarball = Tarball::open(tar.path()).unwrap();
    let mut blob = tarball.open("b", 3).unwrap().unwrap();
    let mut rest = String::new();
    blob.reader.read_to_string(&mut rest).unwrap();
    assert_eq!((blob.from, blob.size, &*rest), (3, Some(5), "lo"));
}

#[test]
fn names_and_headers_have_a_limit() {
    let long = |kind: EntryType, name: &[u8]| {
        let mut builder = tar::Builder::new(Vec::new());
        let header = header("long", kind, name.len());
        builder.append(&header, name).unwrap();
        let file = self::header("a", EntryType::Regular, 1);
        builder.append(&file, &b"x"[..]).unwrap();
        builder.into_inner().unwrap()
    };
    let kinds = [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader];
    for tar in kinds.map(|kind| long(kind, &vec![b'a'; 2 << 20])) {
        for packed in [gzip(&tar), zstd(&tar), tar] {
            let file = file(&packed);
            let error = Tarball::open(file.path()).err().expect("this is refused");
            let message = format!(
                "{}: the tar has a name or header of more than 1048576 bytes",
                file.path().display()
            );
            assert_eq!((error.kind(), &*error.to_string()), (Kind::Corrupt, &*message));
        }
    }
    let mut many = Vec::new();
    for i in 0..17 {
        let name = format!("{i}{}", "a".repeat(1_000_000));
        many.extend(
            &long(EntryType::GNULongName, name.as_bytes())[..name.len() / 512 * 512 + 2048],
        );
    }
    for packed in [gzip(&many), many] {
        let error = Tarball::open(file(&packed).path()).err().expect("this is refused");
        assert_eq!(error.kind(), Kind::Local, "{error}");
        assert!(error.to_string().contains("names of more than"), "{error}");
    }
}

#[test]
fn what_is_no_tar_says_so() {
    let refused = |path: &Path, kind, why: &str| {
        let error = Tarball::open(path).err().expect("this is refused");
        let message = format!("{}: {why}", path.display());
        assert_eq!(error.kind(), kind, "{error}");
        assert!(format!("{error:#}").starts_with(&message), "{error:#}");
    };
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    refused(&missing, Kind::NotFound, "no such file");
    let hint =
        format!("not a file\nhint: a layout in a directory is oci:{}", directory.path().display());
    refused(directory.path(), Kind::Local, &hint);
    let text = [b'x'; 1024];
    let packed = gzip(&tar(&[("a", &text)]));
    for bytes in [&text[..], &gzip(&text)] {
        refused(file(bytes).path(), Kind::Corrupt, "not a tar, or a damaged one: ");
    }
    let cut = file(&packed[..packed.len() / 2]);
    refused(cut.path(), Kind::Corrupt, "the gzip data is damaged or cut off: ");
}
