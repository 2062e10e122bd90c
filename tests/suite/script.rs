//! What each command prints, about every kind of image.

use serde_json::{Value, json};
use sha2::Digest as _;

use crate::harness::{Fault, Image, Index, Layout, Registry, Schema1, Tool, indented, sha256};

const ARM: &[&str] = &["--platform", "linux/arm64"];

fn image(platform: &str) -> Image {
    Image::new(platform)
        .label("maintainer", "hello@example.com")
        .label("org.opencontainers.image.version", "1.0")
        .layer("base", platform.as_bytes())
        .layer("hello", b"hello")
}

/// Asks about one image, with options after the command.
fn ask(command: &str, options: &[&str], image: &str) -> Tool {
    Tool::new().arg(command).args(options).arg(image)
}

/// What the commands print about one image on one platform.
fn answers(image: &Image) -> Vec<(&'static [&'static str], String)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let config: Value = serde_json::from_slice(&image.config()).unwrap();
    vec![
        (&["manifest"], indented(image.manifest())),
        (&["manifest", "--raw"], text(image.manifest())),
        (&["digest"], image.digest() + "\n"),
        (&["config"], indented(image.config())),
        (&["config", "-r"], text(image.config())),
        (&["id"], image.config_digest() + "\n"),
        (
            &["labels"],
            indented(config["config"]["Labels"].to_string()),
        ),
        (&["history"], indented(config["history"].to_string())),
        (&["layers"], indented(layers(image, &config).to_string())),
    ]
}

/// What `layers` joins.
fn layers(image: &Image, config: &Value) -> Value {
    let manifest: Value = serde_json::from_slice(&image.manifest()).unwrap();
    let layer = |i: usize| {
        json!({
            "digest": manifest["layers"][i]["digest"],
            "size": manifest["layers"][i]["size"],
            "mediaType": manifest["layers"][i]["mediaType"],
            "diffId": config["rootfs"]["diff_ids"][i],
            "created": "2026-01-02T03:04:05Z",
            "createdBy": config["history"][i]["created_by"],
        })
    };
    (0..image.layers().len()).map(layer).collect()
}

/// Asks all that can be asked about one image on one platform.
#[track_caller]
fn answers_all(options: &[&str], name: &str, image: &Image) {
    let tool = Tool::new();
    for (command, answer) in answers(image) {
        let asked = tool.again(command).args(options).arg(name);
        asked.run().success(answer);
    }
}

#[test]
fn a_list_of_either_kind_answers_for_its_image() {
    let docker = image("linux/arm64/v8");
    let oci = docker.clone().oci();
    for (image, index) in [
        (docker.clone(), Index::new()),
        (oci.clone(), Index::new().oci()),
        (docker.without_media_type(), Index::new()),
        (oci.without_media_type(), Index::new().oci()),
    ] {
        let registry = Registry::start();
        let index = index
            .image(self::image("linux/amd64"))
            .attestation()
            .image(image.clone());
        for index in [index.clone(), index.without_media_type()] {
            index.push_to(&registry, "a", "v1");
            let name = registry.image("a:v1");
            answers_all(ARM, &name, &image);
            let bytes = index.bytes();
            let list = ask("manifestlist", &[], &name).run();
            list.success(indented(&bytes));
            let list = ask("manifestlist", &["-r"], &name).run();
            list.success(String::from_utf8(bytes).unwrap());
            let digest = ask("digestlist", &[], &name).run();
            digest.success(index.digest() + "\n");
        }
    }
}

#[test]
fn an_image_without_a_list_answers_for_itself() {
    for image in [
        image("linux/s390x"),
        image("linux/s390x").oci(),
        image("linux/s390x").without_media_type(),
        image("linux/s390x").oci().without_media_type(),
    ] {
        let registry = Registry::start();
        let digest = image.push_to(&registry, "a/b", "v1");
        let name = registry.image("a/b:v1");
        answers_all(&[], &name, &image);
        for command in ["manifestlist", "digestlist"] {
            let expected = format!(
                "docker-registry: {name}: no manifest list, but a manifest for linux/s390x \
                 with digest {digest}\n"
            );
            ask(command, &[], &name).run().fails(3, expected);
        }
    }
}

#[test]
fn a_layout_answers_as_a_registry_does() {
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("layout"));
    let image = image("linux/arm64/v8").oci();
    let index = Index::new().image(image.clone()).attestation().oci();
    index.push_to(&layout, "", "v1");
    for (command, answer) in answers(&image) {
        let asked = tool.again(command).args(ARM).arg("oci:layout:v1");
        asked.run().success(answer);
    }
    for (command, answer) in [
        ("manifestlist", indented(index.bytes())),
        ("digestlist", index.digest() + "\n"),
        ("tags", "[\"v1\"]\n".to_owned()),
    ] {
        tool.again([command, "oci:layout"]).run().success(answer);
    }
}

#[test]
fn indexes_within_indexes_are_opened() {
    let image = image("linux/arm64");
    let inner = Index::new().oci().image(image.clone());
    let outer = Index::new()
        .oci()
        .image(self::image("linux/amd64"))
        .index(Index::new().oci().index(inner));
    let registry = Registry::start();
    outer.push_to(&registry, "a", "v1");
    answers_all(ARM, &registry.image("a:v1"), &image);
}

#[test]
fn a_platform_that_the_index_does_not_name_is_read_from_the_image() {
    let image = image("linux/arm64");
    let index = Index::new()
        .image_as(self::image("linux/amd64"), None)
        .image_as(image.clone(), None);
    let registry = Registry::start();
    index.push_to(&registry, "a", "v1");
    answers_all(ARM, &registry.image("a:v1"), &image);
}

#[test]
fn an_attestation_is_never_chosen() {
    let index = Index::new().oci().image(image("linux/amd64")).attestation();
    let registry = Registry::start();
    index.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let expected = format!(
        "docker-registry: {name}: no image for unknown/unknown\nhint: available: linux/amd64\n"
    );
    let options = ["--platform", "unknown/unknown"];
    ask("digest", &options, &name).run().fails(3, expected);
}

#[test]
fn a_digest_leads_to_its_list_or_to_its_image() {
    let image = image("linux/arm64");
    let index = Index::new()
        .image(self::image("linux/amd64"))
        .image(image.clone());
    let registry = Registry::start();
    index.push_to(&registry, "a", "v1");
    let list = registry.image(&format!("a@{}", index.digest()));
    answers_all(ARM, &list, &image);
    let digest = ask("digestlist", &[], &list).run();
    digest.success(index.digest() + "\n");
    answers_all(
        &[],
        &registry.image(&format!("a@{}", image.digest())),
        &image,
    );
}

#[test]
fn with_a_tag_and_a_digest_the_digest_decides() {
    let (old, new) = (image("linux/arm64"), Image::new("linux/arm64"));
    let registry = Registry::start();
    let digest = old.push_to(&registry, "a", "v1");
    new.push_to(&registry, "a", "v1");
    let name = registry.image(&format!("a:v1@{digest}"));
    answers_all(&[], &name, &old);
}

#[test]
fn without_labels_and_history_there_are_none() {
    let registry = Registry::start();
    let bare = Image::new("linux/amd64").in_config("history", Value::Null);
    bare.push_to(&registry, "a", "latest");
    for (label, tag) in [(json!({"Labels": null}), "null"), (Value::Null, "none")] {
        let image = bare.clone().in_config("config", label);
        image.push_to(&registry, "a", tag);
    }
    for name in ["a", "a:null", "a:none"] {
        let name = registry.image(name);
        ask("labels", &[], &name).run().success("{}\n");
        ask("history", &[], &name).run().success("[]\n");
        ask("layers", &[], &name).run().success("[]\n");
    }
}

#[test]
fn what_an_image_does_not_say_of_its_layers_is_null() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64")
        .layer("a", b"a")
        .in_config("history", json!([]))
        .in_config("rootfs", Value::Null);
    image.push_to(&registry, "a", "v1");
    let layer = &image.layers()[0];
    let expected = json!([{
        "digest": sha256(layer),
        "size": layer.len(),
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "diffId": null,
        "created": null,
        "createdBy": null,
    }]);
    let asked = ask("layers", &["--raw"], &registry.image("a:v1"));
    asked.run().success(format!("{expected}\n"));
}

#[test]
fn steps_without_a_layer_are_no_layers() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").layer("a", b"a").in_config(
        "history",
        json!([
            {"created_by": "ENV A=b", "empty_layer": true},
            {"created_by": "COPY a /"},
        ]),
    );
    image.push_to(&registry, "a", "v1");
    let asked = ask("layers", &["-q", ".[].createdBy"], &registry.image("a:v1"));
    asked.run().success("COPY a /\n");
}

#[test]
fn tags_of_all_pages_are_one_array() {
    let registry = Registry::builder().page_size(2).start();
    let digest = image("linux/amd64").push_to(&registry, "a/b", "v1");
    registry.tags("a/b", ["v2", "v3", "v4", "v5"].map(str::to_owned), &digest);
    let tags = ask("tags", &[], &registry.image("a/b"));
    tags.run().success("[\"v1\",\"v2\",\"v3\",\"v4\",\"v5\"]\n");
    let asked = registry.take();
    assert_eq!(
        asked,
        [
            "GET /v2/a/b/tags/list",
            "GET /v2/a/b/tags/list?n=1000&last=v2",
            "GET /v2/a/b/tags/list?last=v4&n=2"
        ]
    );
}

#[test]
fn a_repository_without_tags_has_an_empty_array() {
    let registry = Registry::start();
    for (path, body) in [
        ("/v2/a/tags/list", json!({"name": "a", "tags": null})),
        ("/v2/b/tags/list", json!({"name": "b", "tags": []})),
    ] {
        let response = crate::harness::Response::new(200).json(&body);
        registry.answer("GET", path, response);
    }
    for name in ["a", "b"] {
        ask("tags", &[], &registry.image(name))
            .run()
            .success("[]\n");
    }
}

#[test]
fn schema_1_is_shown_as_it_is_and_its_configuration_read() {
    let registry = Registry::start();
    let schema1 = Schema1::push_to(&image("linux/amd64"), &registry, "a", "v1");
    let name = registry.image("a:v1");
    let bytes = String::from_utf8(schema1.bytes).unwrap();
    let json: Value = serde_json::from_str(&bytes).unwrap();
    let compatible = |layer: usize| json["history"][layer]["v1Compatibility"].as_str().unwrap();
    let newest: Value = serde_json::from_str(compatible(0)).unwrap();
    let history: Value = (0..2)
        .map(|layer| serde_json::from_str::<Value>(compatible(layer)).unwrap())
        .collect();
    let labels = newest["config"]["Labels"].to_string();
    assert!(labels.contains("hello@example.com"));
    for (command, answer) in [
        (&["manifest", "-r"][..], bytes.clone()),
        (&["manifest"], indented(&bytes)),
        (&["digest"], schema1.digest + "\n"),
        (&["config"], indented(compatible(0))),
        (&["config", "-r"], compatible(0).to_owned()),
        (&["labels"], indented(labels)),
        (&["history"], indented(history.to_string())),
    ] {
        Tool::new().args(command).arg(&name).run().success(answer);
    }
    let expected = format!(
        "docker-registry: {name}: a manifest of type \
         application/vnd.docker.distribution.manifest.v1+prettyjws has no configuration\n"
    );
    ask("id", &[], &name).run().fails(3, expected);
}

#[test]
fn the_layers_of_schema_1_are_its_fs_layers() {
    let registry = Registry::start();
    let image = image("linux/amd64");
    Schema1::push_to(&image, &registry, "a", "v1");
    let name = registry.image("a:v1");
    let digests: Vec<String> = image.layers().iter().map(sha256).collect();
    let config: Value = serde_json::from_slice(&image.config()).unwrap();
    let described = digests.iter().enumerate().map(|(i, digest)| {
        json!({
            "digest": digest,
            "size": null,
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "diffId": null,
            "created": config["created"],
            "createdBy": config["history"][i]["created_by"],
        })
    });
    let described = described.collect::<Value>().to_string();
    let layers = ask("layers", &["-r"], &name).run();
    layers.success(described + "\n");
    let verify = ask("verifytool", &["--layers"], &name).run();
    let tested: String = digests
        .iter()
        .map(|digest| format!("PASSED layer {digest} digest test\n"))
        .collect();
    verify.success(format!(
        "PASSED manifest digest test\n\
         SKIPPED config digest test: a schema 1 manifest contains its configuration\n{tested}"
    ));
    let skipped = ask("verifytool", &["--json", "-q", ".[1].passed"], &name);
    skipped.run().success("null\n");
    let all = ask("downloadlayer", &["--all", "there"], &name);
    let _ = all.run().status(0).stderr("");
    for (digest, layer) in digests.iter().zip(image.layers()) {
        let file = all.work().join(format!("there/{digest}.tgz"));
        assert_eq!(std::fs::read(file).unwrap(), layer);
    }
    let path = format!("/v2/a/blobs/{}", digests[1]);
    registry.fail(&path, Fault::WrongBytes(b"other".to_vec()));
    let verify = ask("verifytool", &["--layers"], &name).run().status(6);
    let failed = format!("FAILED layer {} digest test: ", digests[1]);
    assert!(verify.text().contains(&failed), "{}", verify.text());
}

#[test]
fn sha512_is_a_digest_too() {
    let sha512 = |bytes: &[u8]| {
        let hash = sha2::Sha512::digest(bytes);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha512:{hex}")
    };
    let registry = Registry::start();
    let plain = image("linux/amd64").oci();
    let id = sha512(&plain.config());
    let config = json!({
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "size": plain.config().len(),
        "digest": id,
    });
    let image = plain.in_manifest("config", config);
    let digest = sha512(&image.manifest());
    registry.keep_blob("a", &id, image.config());
    registry.keep("a", "v1", &digest, image.media_type(), image.manifest());
    for name in ["a:v1".to_owned(), format!("a@{digest}")] {
        let name = registry.image(&name);
        for (command, answer) in [
            ("digest", format!("{digest}\n")),
            ("id", format!("{id}\n")),
            ("config", indented(image.config())),
        ] {
            ask(command, &[], &name).run().success(answer);
        }
    }
}

#[test]
fn without_arguments_there_is_help() {
    let help = Tool::new().arg("--help").run();
    assert!(help.text().contains("docker-registry [OPTION]... COMMAND"));
    let short = Tool::new().arg("-h").run();
    let short = short.text().to_owned();
    Tool::new().run().success(&short);
    Tool::new().arg("help").run().success(&short);
    assert!(short.lines().count() < help.text().lines().count());
    let labels = Tool::new().args(["labels", "--help"]).run();
    let labels = labels.text().to_owned();
    Tool::new().args(["help", "labels"]).run().success(labels);
    let version = concat!("docker-registry ", env!("CARGO_PKG_VERSION"), "\n");
    Tool::new().arg("-V").run().success(version);
}
