//! Layers with a table of contents, as their own tools make them (tests/fixtures/layers), are read in
//! parts, and say the same as when they are read whole.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Destination, Image, Layout, Registry, Response, Tool, sha256, tar};

const ESTARGZ: &str = "containerd.io/snapshot/stargz/toc.digest";
const CHECKSUM: &str = "io.github.containers.zstd-chunked.manifest-checksum";
const POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";

/// What the tools said of their layers.
fn fixtures() -> [(&'static str, Value); 3] {
    let estargz = "sha256:9201ffc2f80c0867f5496a15ac362f76efe4c27b23ba66d13d69ddc7898c4268";
    let shared = "sha256:0425567ec37a89385f6c54e61f1b8ecbf242b9623e5c8087b485adb1b12ba891";
    let chunked = "sha256:94c7d2b928aefab1ca63f914ba9a6f05b9d2c77983fd152b36fd63fd04a402f2";
    [
        ("estargz.tar.gz", json!({ESTARGZ: estargz})),
        ("estargz-shared.tar.gz", json!({ESTARGZ: shared})),
        (
            "chunked.tar.zst",
            json!({CHECKSUM: chunked, POSITION: "6290:758:2275:1"}),
        ),
    ]
}

fn blob(name: &str) -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/layers");
    fs::read(fixtures.join(name)).unwrap()
}

/// An image of one layer with these annotations.
fn image(layer: &[u8], annotations: &Value) -> Image {
    let layers = json!([{
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": sha256(layer),
        "size": layer.len(),
        "annotations": annotations,
    }]);
    let image = Image::new("linux/amd64")
        .oci()
        .in_manifest("layers", layers);
    image.raw_layer(layer.to_vec(), &sha256("?"), "")
}

struct Scene {
    registry: Registry,
    layer: String,
}

impl Scene {
    fn new(layer: &[u8], annotations: &Value) -> Scene {
        let registry = Registry::start();
        image(layer, annotations).push_to(&registry, "a", "v1");
        Scene {
            registry,
            layer: sha256(layer),
        }
    }

    fn ask(&self, command: &str, more: &[&str]) -> Tool {
        Tool::new()
            .args([command, &self.registry.image("a:v1")])
            .args(more)
    }

    fn target(&self) -> String {
        format!("/v2/a/blobs/{}", self.layer)
    }

    /// How many bytes of the layer were asked for, request by request; `None` for all.
    fn asked(&self) -> Vec<Option<u64>> {
        let requests = self.registry.requests().into_iter();
        let ours = requests.filter(|request| request.target == self.target());
        let length = |range: &str| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some(last.parse::<u64>().ok()? - first.parse::<u64>().ok()? + 1)
        };
        let asked = ours
            .map(|request| request.header("Range").and_then(length))
            .collect();
        self.registry.take();
        asked
    }
}

/// What the tree has, without the files that eStargz adds.
const FILES: &str = "[.[] | select(.path | test(\"landmark|stargz\") | not) | del(.layer)]";

#[test]
fn a_table_says_what_the_tar_says() {
    for (name, annotations) in fixtures() {
        let layer = blob(name);
        let whole = Scene::new(&layer, &Value::Null);
        let parts = Scene::new(&layer, &annotations);
        let expected = whole.ask("files", &["--json"]).run().status(0).json();
        assert_eq!(whole.asked(), [None], "{name}");
        let tool = parts.ask("files", &["--json"]);
        assert_eq!(tool.run().status(0).json(), expected, "{name}");
        let asked = parts.asked();
        assert!(
            !asked.is_empty() && asked.iter().all(Option::is_some),
            "{name}: {asked:?}"
        );
        // Remembered, as of any layer.
        assert_eq!(tool.run().status(0).json(), expected, "{name}");
        assert_eq!(parts.asked(), [], "{name}");
        for path in [
            "etc/os-release",
            "etc/nothing",
            "etc/zeros",
            "etc/link",
            "bin/same",
        ] {
            let expected = whole.ask("cat", &[path]).run().status(0).stdout;
            whole.asked();
            let came = parts.ask("cat", &[path]).run().status(0).stderr("").stdout;
            assert!(
                came == expected,
                "{name}: {path}: {}",
                String::from_utf8_lossy(&came)
            );
            assert!(parts.asked().iter().all(Option::is_some), "{name}: {path}");
        }
        parts.ask("cat", &["etc/gone"]).run().status(3).stdout("");
        parts.ask("cat", &["empty"]).run().status(1).stdout("");
    }
    let trees = fixtures().map(|(name, annotations)| {
        let scene = Scene::new(&blob(name), &annotations);
        scene.ask("files", &["-q", FILES]).run().status(0).json()
    });
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:#?}");
}

#[test]
fn no_more_than_table_and_file_is_read() {
    for (name, annotations) in fixtures() {
        let layer = blob(name);
        let scene = Scene::new(&layer, &annotations);
        let content = "ID=hello\nNAME=\"Hello Linux\"\n";
        scene
            .ask("cat", &["/etc/os-release"])
            .run()
            .success(content);
        let asked = scene.asked();
        // The footer, the table, the file.
        let requests = if name.starts_with("estargz") { 3 } else { 2 };
        assert_eq!(asked.len(), requests, "{name}");
        let sum: u64 = asked.iter().map(|length| length.unwrap()).sum();
        // Files that share a gzip member are read together.
        let most = if name.contains("shared") {
            layer.len()
        } else {
            layer.len() / 2
        };
        assert!(sum < most as u64, "{name}: {asked:?} of {}", layer.len());
    }
}

#[test]
fn without_parts_the_answer_is_the_same() {
    for (name, annotations) in fixtures() {
        let layer = blob(name);
        let scene = Scene::new(&layer, &annotations);
        let expected = scene.ask("files", &["--json"]).run().status(0).json();
        let target = scene.target();
        scene
            .registry
            .answer("GET", &target, Response::new(200).body(layer.clone()));
        let asked = scene.ask("files", &["--json"]);
        assert_eq!(asked.run().status(0).json(), expected, "{name}");
        let content = "ID=hello\nNAME=\"Hello Linux\"\n";
        scene
            .ask("cat", &["/etc/os-release"])
            .run()
            .success(content);
    }
}

#[test]
fn what_was_tampered_with_is_not_shown() {
    for (name, annotations) in fixtures() {
        let layer = blob(name);
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::create(directory.path());
        image(&layer, &annotations).push_to(&layout, "a", "v1");
        let path = layout.blob(&layout.put_blob("", &layer));
        let there = format!("oci:{}:v1", directory.path().display());
        let ask = |command: &str| Tool::new().args([command, &there, "/usr/bin/same"]).run();
        let content = ask("cat").status(0).stdout;
        assert_eq!(content.len(), 10_800);
        let mut refused = 0;
        for at in (0..layer.len()).step_by(150) {
            let mut damaged = layer.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, damaged).unwrap();
            let output = ask("cat");
            // Damage elsewhere is not noticed, as it is not read.
            match output.code {
                Some(0) => assert!(output.stdout == content, "{name}: {at}"),
                _ => {
                    let output = output.stdout("");
                    assert_eq!(output.code, Some(6), "{name}: {at}: {}", output.messages());
                    refused += 1;
                }
            }
        }
        assert!(refused > 10, "{name}: {refused}");
    }
}

#[test]
fn another_table_is_not_believed() {
    for (name, mut annotations) in fixtures() {
        for digest in annotations.as_object_mut().unwrap().values_mut() {
            if digest.as_str().unwrap().starts_with("sha256:") {
                *digest = json!(sha256("another"));
            }
        }
        let scene = Scene::new(&blob(name), &annotations);
        for command in ["files", "cat"] {
            let output = scene
                .ask(command, &["/etc/zeros"])
                .run()
                .status(6)
                .stdout("");
            assert!(
                output.messages().contains("table of contents"),
                "{}",
                output.messages()
            );
        }
    }
}

#[test]
fn a_table_that_cannot_be_read_is_done_without() {
    let layer = blob("estargz.tar.gz");
    for annotations in [
        json!({ESTARGZ: "sha256:short"}),
        json!({CHECKSUM: sha256("x"), POSITION: "1:2:3"}),
        json!({CHECKSUM: sha256("x"), POSITION: "99999999:1:1:1"}),
        json!({CHECKSUM: sha256(""), POSITION: "0:0:0:1"}),
        json!({CHECKSUM: sha256(""), POSITION: "7:0:0:1"}),
        json!({POSITION: "18446744073709551615:1:1:1", CHECKSUM: sha256("x")}),
    ] {
        let scene = Scene::new(&layer, &annotations);
        let output = scene.ask("cat", &["/etc/os-release"]).run();
        match annotations[POSITION].as_str() {
            Some("1:2:3") => drop(output.status(6).stdout("")),
            _ => drop(output.success("ID=hello\nNAME=\"Hello Linux\"\n")),
        }
    }
}

#[test]
fn the_header_before_a_table_has_a_limit() {
    let mut layer = tar(&[("a", b"content")]);
    let (start, name) = (layer.len(), vec![b'n'; 2 << 20]);
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(name.len() as u64);
    header.set_cksum();
    layer.extend(header.as_bytes());
    layer.extend(name);
    let footer = format!("SG\u{16}\0{start:016x}STARGZ");
    layer.extend(
        [
            b"\x1f\x8b\x08\x04\0\0\0\0\0\0\x1a\0",
            footer.as_bytes(),
            &[0; 13],
        ]
        .concat(),
    );
    let scene = Scene::new(&layer, &json!({ESTARGZ: sha256("x")}));
    let output = scene.ask("cat", &["a"]).run().status(6).stdout("");
    let why = "the tar has a name or header of more than 1048576 bytes";
    assert!(output.messages().contains(why), "{}", output.messages());
}

/// The table follows the tar, and nothing is packed.
#[test]
fn numbers_that_lead_nowhere_do_no_harm() {
    let file = |changes: Value| {
        let mut entry = json!({"name": "a", "type": "reg", "size": 7, "offset": 512,
            "endOffset": 519, "digest": sha256("content")});
        for (key, value) in changes.as_object().unwrap() {
            entry[key] = value.clone();
        }
        entry
    };
    let chunk = |size: u64| {
        json!({"name": "a", "type": "chunk", "chunkOffset": 1,
        "chunkSize": size, "chunkDigest": sha256("")})
    };
    let odd = "/a: the chunks in the table of contents are not the whole file";
    for (entries, is_whole, error) in [
        (vec![file(json!({}))], false, None),
        (vec![file(json!({"endOffset": 512}))], true, None),
        (vec![file(json!({"endOffset": 3}))], true, None),
        (vec![file(json!({"offset": u64::MAX}))], true, None),
        (
            vec![file(json!({"chunkSize": u64::MAX})), chunk(8)],
            false,
            Some(odd),
        ),
        (vec![file(json!({"chunkSize": 3}))], false, Some(odd)),
    ] {
        let table = json!({"version": 1, "entries": entries}).to_string();
        let mut layer = tar(&[("a", b"content")]);
        let position = format!("{}:{}:0:1", layer.len(), table.len());
        layer.extend(table.bytes());
        let scene = Scene::new(
            &layer,
            &json!({CHECKSUM: sha256(table), POSITION: position}),
        );
        let output = scene.ask("cat", &["a"]).run();
        match error {
            None => drop(output.success("content")),
            Some(why) => {
                let output = output.status(6).stdout("");
                assert!(output.messages().contains(why), "{}", output.messages());
            }
        }
        assert_eq!(scene.asked().contains(&None), is_whole, "{entries:?}");
    }
}

#[test]
fn a_mirror_is_read_in_parts_too() {
    let [(name, annotations), ..] = fixtures();
    let mirror = Scene::new(&blob(name), &annotations);
    let registry = Registry::start();
    let option = format!("--mirror={}={}", registry.host(), mirror.registry.base());
    let tool = Tool::new().args(["cat", &option, &registry.image("a:v1"), "/etc/os-release"]);
    tool.run().success("ID=hello\nNAME=\"Hello Linux\"\n");
    let asked = mirror.asked();
    assert!(
        asked.len() > 1 && asked.iter().all(Option::is_some),
        "{asked:?}"
    );
}
