//! `push`: lists put together from what the registry has, and what happens when that breaks off.

use serde_json::{Value, json};

use crate::harness::{
    Fault, Image, Index, Proxy, Real, Registry, Response, Tls, Tokens, Tool, sha256, skopeo,
};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn image(platform: &str) -> Image {
    Image::new(platform).layer("hello", platform.as_bytes())
}

/// The command line for a list `a:v1` of these platforms, of images `a:ARCHVARIANT`.
fn from_args(host: &str, platforms: &str) -> Tool {
    let template = format!("{host}/a:ARCHVARIANT");
    let target = format!("{host}/a:v1");
    let args = ["push", "from-args", "--platforms", platforms];
    Tool::new()
        .args(args)
        .args(["--template", &template, "--target", &target])
}

/// The command line for a YAML file, and the file.
fn from_spec(yaml: &str) -> Tool {
    let tool = Tool::new().file("work/spec.yaml", yaml);
    tool.args(["push", "from-spec", "spec.yaml"])
}

fn reported(bytes: &[u8]) -> String {
    format!("Digest: {} {}\n", sha256(bytes), bytes.len())
}

fn tag(registry: &Registry, repository: &str, tag: &str) -> Option<Vec<u8>> {
    let tags = registry.tagged(repository);
    let digest = tags.into_iter().find(|(name, _)| name == tag)?.1;
    registry.manifest_bytes(repository, &digest)
}

/// What changes a registry.
fn writes(registry: &Registry) -> Vec<String> {
    let mut lines = registry.take();
    lines.retain(|line| !line.starts_with("GET ") && !line.starts_with("HEAD "));
    lines
}

#[test]
fn the_list_is_the_one_that_manifest_tool_writes() {
    let registry = Registry::start();
    let amd64 = image("linux/amd64").push_to(&registry, "a", "amd64");
    let arm = image("linux/arm/v7").push_to(&registry, "a", "armv7");
    let size = |platform| image(platform).manifest().len();
    let expected = format!(
        r#"{{
  "schemaVersion": 2,
  "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
  "manifests": [
    {{
      "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
      "size": {},
      "digest": "{amd64}",
      "platform": {{
        "architecture": "amd64",
        "os": "linux"
      }}
    }},
    {{
      "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
      "size": {},
      "digest": "{arm}",
      "platform": {{
        "architecture": "arm",
        "os": "linux",
        "variant": "v7"
      }}
    }}
  ]
}}"#,
        size("linux/amd64"),
        size("linux/arm/v7")
    );
    let tool = from_args(&registry.host(), "linux/amd64,linux/arm/v7");
    let tool = tool.args(["--tags", "v1.0,latest"]);
    tool.run().success(reported(expected.as_bytes()));
    let puts = ["v1", "v1.0", "latest"].map(|tag| format!("PUT /v2/a/manifests/{tag}"));
    assert_eq!(writes(&registry), puts);
    for name in ["v1", "v1.0", "latest"] {
        assert_eq!(tag(&registry, "a", name).unwrap(), expected.as_bytes());
    }
    let json = tool.arg("--json").run().status(0).json();
    assert_eq!(json["digest"], sha256(&expected));
    assert_eq!(json["tags"], json!(["v1", "v1.0", "latest"]));
}

#[test]
fn a_configuration_that_images_share_is_fetched_once() {
    let registry = Registry::start();
    let image = image("linux/arm64").oci();
    image.push_to(&registry, "a", "one");
    let other = image.clone().in_manifest("annotations", json!({"a": "b"}));
    other.push_to(&registry, "a", "two");
    let host = registry.host();
    let yaml = format!(
        "image: {host}/a:v1\nmanifests:\n- image: {host}/a:one\n- image: {host}/a:two\n  \
         platform: {{architecture: arm64, os: linux, variant: v9}}\n"
    );
    from_spec(&yaml).arg("--type=oci").run().status(0);
    let config = format!("GET /v2/a/blobs/{}", image.config_digest());
    let asked = registry.take().into_iter().filter(|it| *it == config);
    assert_eq!(asked.count(), 1);
}

#[test]
fn an_index_has_annotations_in_order_and_as_go_escapes_them() {
    let registry = Registry::start();
    let digest = image("windows/amd64:10.0.17763")
        .oci()
        .push_to(&registry, "a", "win");
    let host = registry.host();
    let yaml = format!(
        "image: {host}/a:v1\nannotations: {{z: <&>, b: \"1\"}}\nmanifests:\n- image: {host}/a:win\n  \
         platform: {{osfeatures: [win32k]}}\n"
    );
    let size = image("windows/amd64:10.0.17763").oci().manifest().len();
    let expected = format!(
        r#"{{
  "schemaVersion": 2,
  "mediaType": "{OCI_INDEX}",
  "manifests": [
    {{
      "mediaType": "application/vnd.oci.image.manifest.v1+json",
      "digest": "{digest}",
      "size": {size},
      "platform": {{
        "architecture": "amd64",
        "os": "windows",
        "os.version": "10.0.17763",
        "os.features": [
          "win32k"
        ]
      }}
    }}
  ],
  "annotations": {{
    "b": "1",
    "c": "d=e",
    "z": "\u003c\u0026\u003e"
  }}
}}"#
    );
    let tool = from_spec(&yaml).args(["--type=oci", "--annotations", "c=d=e"]);
    tool.run().success(reported(expected.as_bytes()));
    assert_eq!(tag(&registry, "a", "v1").unwrap(), expected.as_bytes());
    let request = registry.requests().pop().unwrap();
    assert_eq!(request.header("Content-Type"), Some(OCI_INDEX));
}

#[test]
fn lists_are_flattened_and_attestations_stand_last() {
    let registry = Registry::start();
    let index = Index::new().image(image("linux/amd64").oci()).attestation();
    let nested = Index::new().image_as(image("linux/s390x"), None);
    index
        .clone()
        .index(nested)
        .oci()
        .push_to(&registry, "a", "list");
    image("linux/arm64/v8").push_to(&registry, "a", "arm64");
    let host = registry.host();
    let yaml = format!(
        "image: {host}/a:v1\nmanifests: [{{image: {host}/a:list}}, {{image: {host}/a:arm64}}]"
    );
    let _ = from_spec(&yaml).run().status(0).stderr("");
    let list: Value = serde_json::from_slice(&tag(&registry, "a", "v1").unwrap()).unwrap();
    let entries = list["manifests"].as_array().unwrap();
    let platforms: Vec<_> = entries
        .iter()
        .map(|entry| entry["platform"]["architecture"].as_str().unwrap())
        .collect();
    assert_eq!(platforms, ["amd64", "s390x", "arm64", "unknown"]);
    let note = &entries[3]["annotations"];
    assert_eq!(note["vnd.docker.reference.digest"], entries[0]["digest"]);
}

/// A list `t:v1` of an image in the same repository and one in `a`.
fn across(host: &str) -> Tool {
    from_spec(&format!(
        "image: {host}/t:v1\ntags: [also]\nmanifests:\n- image: {host}/a:amd64\n- image: {host}/t:arm64\n"
    ))
}

fn across_registry() -> Registry {
    let registry = Registry::start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    image("linux/arm64/v8").push_to(&registry, "t", "arm64");
    registry
}

#[test]
fn blobs_of_another_repository_are_mounted_and_tags_come_last() {
    let registry = across_registry();
    let _ = across(&registry.host()).run().status(0).stderr("");
    let mut written = writes(&registry);
    let end = written.split_off(2);
    let config = image("linux/amd64").config_digest();
    let layer = sha256(&image("linux/amd64").layers()[0]);
    let mut mounts =
        [config, layer].map(|digest| format!("POST /v2/t/blobs/uploads/?mount={digest}&from=a"));
    mounts.sort();
    written.sort();
    assert_eq!(written, mounts);
    let digest = image("linux/amd64").digest();
    let puts = [&digest, "v1", "also"].map(|at| format!("PUT /v2/t/manifests/{at}"));
    assert_eq!(end, puts);
    let kept = registry.manifest_bytes("t", &digest).unwrap();
    assert_eq!(kept, image("linux/amd64").manifest());
}

#[test]
fn blobs_that_cannot_be_mounted_are_copied() {
    for refusal in [
        Response::new(202),
        Response::error(405, "UNSUPPORTED", "no"),
    ] {
        let registry = across_registry();
        let layer = sha256(&image("linux/amd64").layers()[0]);
        registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", refusal);
        registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
        let _ = across(&registry.host()).run().status(0).stderr("");
        let uploads = registry.requests();
        let upload = uploads.iter().find(|request| {
            request.method == "PUT" && request.query("digest").as_ref() == Some(&layer)
        });
        assert_eq!(upload.unwrap().body, image("linux/amd64").layers()[0]);
        assert!(tag(&registry, "t", "v1").is_some());
    }
}

#[test]
fn a_blob_that_is_there_is_not_copied() {
    let registry = across_registry();
    image("linux/amd64").push(&registry, "t", None);
    registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", Response::new(202));
    let _ = across(&registry.host()).run().status(0).stderr("");
    let written = writes(&registry);
    assert!(
        !written
            .iter()
            .any(|line| line.starts_with("PUT /v2/t/blobs/"))
    );
}

#[test]
fn an_upload_that_breaks_begins_anew() {
    for fault in [Fault::Hangup, 503.into()] {
        let registry = across_registry();
        registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", Response::new(202));
        registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
        registry
            .fail("/v2/t/blobs/uploads/upload-1*", fault)
            .on("PUT");
        let tool = across(&registry.host()).arg("-j1");
        let _ = tool.run().status(0).stderr("");
        let written = writes(&registry);
        let starts = written.iter().filter(|line| line.ends_with("/uploads/"));
        assert_eq!(starts.count(), 3, "{written:?}");
        assert!(tag(&registry, "t", "v1").is_some());
    }
}

/// What is read on the way asks for the rest while it is sent.
#[test]
fn a_source_that_breaks_is_read_on_while_it_is_sent() {
    let registry = across_registry();
    let layer = image("linux/amd64").layers().remove(0);
    registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", Response::new(202));
    registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
    let source = format!("/v2/a/blobs/{}", sha256(&layer));
    registry.fail(&source, Fault::Truncate(layer.len() / 2));
    let tool = across(&registry.host()).arg("-j1");
    let _ = tool.run().status(0).stderr("");
    let requests = registry.requests();
    let sent = requests.iter().filter(|request| {
        request.method == "PUT" && request.query("digest") == Some(sha256(&layer))
    });
    let sent: Vec<&[u8]> = sent.map(|request| &request.body[..]).collect();
    assert_eq!(sent, [&layer[..]]);
}

#[test]
fn an_upload_is_tried_as_often_as_was_said() {
    let registry = across_registry();
    registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", Response::new(202));
    registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
    for fault in [503.into(), Fault::Hangup] {
        registry.take();
        registry
            .fail("/v2/t/blobs/uploads/upload-*", fault)
            .on("PUT")
            .times(4);
        let tool = across(&registry.host()).arg("-j1");
        let _ = tool.run().status(5).stdout("");
        let written = writes(&registry);
        let count = |start: &str, end: &str| {
            let fits = |line: &&String| line.starts_with(start) && line.ends_with(end);
            written.iter().filter(fits).count()
        };
        assert_eq!(count("PUT ", ""), 4, "{written:?}");
        assert_eq!(count("POST ", "/uploads/"), 4, "{written:?}");
    }
}

#[test]
fn wrong_bytes_are_not_passed_on() {
    let registry = across_registry();
    let layer = image("linux/amd64").layers().remove(0);
    registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", Response::new(202));
    registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
    let source = format!("/v2/a/blobs/{}", sha256(&layer));
    let mut wrong = layer.clone();
    wrong[9] ^= 1;
    registry.fail(&source, Fault::WrongBytes(wrong)).always();
    let output = across(&registry.host()).run().status(6).stdout("");
    assert!(
        output
            .messages()
            .contains("the digest of the content is sha256:")
    );
    assert_eq!(registry.tagged("t").len(), 1);
}

#[test]
fn a_push_that_dies_leaves_no_tag() {
    let digest = image("linux/amd64").digest();
    let layer = sha256(&image("linux/amd64").layers()[0]);
    for target in [
        format!("/v2/t/manifests/{digest}"),
        format!("/v2/t/blobs/uploads/?mount={layer}&from=a"),
        "/v2/t/manifests/v1".to_owned(),
    ] {
        for (fault, code) in [(Fault::Hangup, 5), (403.into(), 4), (500.into(), 5)] {
            // A mount that is refused is no failure: what is not let in shows with the copy.
            if target.contains("mount") && code == 4 {
                continue;
            }
            let registry = across_registry();
            registry.fail(&target, fault).always();
            let tool = across(&registry.host()).args(["--retries", "1"]);
            let _ = tool.run().status(code).stdout("");
            let tags = registry.tagged("t");
            assert_eq!(tags.len(), 1, "{target} {code}: {tags:?}");
        }
    }
}

#[test]
fn a_kept_digest_that_differs_is_noticed() {
    let registry = Registry::start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    let wrong = Fault::Header("Docker-Content-Digest", sha256("other"));
    registry.fail("/v2/a/manifests/v1", wrong);
    let tool = from_args(&registry.host(), "linux/amd64");
    let output = tool.run().status(6).stdout("");
    let message = format!("the registry has kept it as {}", sha256("other"));
    assert!(output.messages().contains(&message));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_sent() {
    let registry = Registry::start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    let other = image("linux/amd64").label("a", "b");
    other.push_to(&registry, "a", "same");
    image("linux/bogus").push_to(&registry, "a", "bogus");
    let artifact = image("linux/amd64").oci().in_manifest(
        "config",
        json!({"mediaType": "application/vnd.oci.empty.v1+json", "digest": registry.blob("a", "{}"), "size": 2}),
    );
    artifact.push_to(&registry, "a", "artifact");
    let host = registry.host();
    let two = image("linux/amd64").digest();
    for (name, why) in [
        (
            "same",
            format!(
                "two images are for linux/amd64: {two} and {}",
                other.digest()
            ),
        ),
        (
            "bogus",
            format!("{host}/a:bogus: there is no such platform: linux/bogus"),
        ),
        (
            "artifact",
            format!(
                "{host}/a:artifact: a manifest whose configuration is a application/vnd.oci.empty.v1+json cannot be in an index"
            ),
        ),
    ] {
        let yaml = format!(
            "image: {host}/t:v1\nmanifests: [{{image: {host}/a:amd64}}, {{image: {host}/a:{name}}}]"
        );
        let message = format!("docker-registry: {why}\n");
        from_spec(&yaml).run().fails(1, message);
        assert!(writes(&registry).is_empty());
    }
}

#[test]
fn wrong_use_is_seen_without_a_request() {
    let registry = Registry::start();
    let host = registry.host();
    let spec = |rest: &str| format!("image: {host}/a:v1\n{rest}");
    for (yaml, why) in [
        (
            spec("manifest: []"),
            "spec.yaml: line 2, column 1: unknown key 'manifest': expected image, tags, manifests or annotations",
        ),
        (
            spec("tags: x\nmanifests: [{image: a}]"),
            "spec.yaml: line 2, column 7: tags must be a list",
        ),
        (
            spec("manifests: [{image: example.com/a}]"),
            &*format!(
                "example.com/a: the image is at example.com, the new index will be at {host}"
            ),
        ),
        (
            spec("manifests: [{image: 'oci:a'}]"),
            "oci:a: the images must be in the registry of the new index",
        ),
        (
            spec(&format!(
                "manifests: [{{image: {host}/a, platform: {{os: plan9, architecture: s390x}}}}]"
            )),
            &*format!("{host}/a: there is no such platform: plan9/s390x"),
        ),
        (
            spec("annotations: {a: b}\nmanifests: [{image: a}]"),
            "Docker's manifest lists have no annotations\nhint: --type oci makes an index, which may have them",
        ),
        (
            spec("tags: ['a/b']\nmanifests: [{image: a}]"),
            &*format!("image '{host}/a:v1:a/b': x"),
        ),
    ] {
        let output = from_spec(&yaml).run().status(2).stdout("");
        if !why.ends_with(": x") {
            output.stderr(format!("docker-registry: {why}\n"));
        }
    }
    for (args, why) in [
        (&["from-args"][..], "push from-args wants --platforms"),
        (
            &["from-args", "--platforms=a", "--template=b", "--target=c"],
            "--platforms wants OS/ARCH[/VARIANT], not 'a'",
        ),
        (
            &["from-spec", "x", "--target=c"],
            "--target is for from-args only",
        ),
        (&["from-spec", "x"], "x: no such file or directory"),
    ] {
        let output = Tool::new().arg("push").args(args).run().stdout("");
        output.stderr(format!("docker-registry: {why}\n"));
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn what_is_missing_may_be_left_out() {
    let registry = Registry::start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    registry.absent("/v2/a/manifests/s390x");
    let host = registry.host();
    let tool = from_args(&host, "linux/amd64,linux/s390x");
    let _ = tool.run().status(3).stdout("");
    assert!(writes(&registry).is_empty());
    let output = tool.arg("--ignore-missing").run().status(0);
    let line = format!("docker-registry: left out: {host}/a:s390x: manifest s390x: not found");
    assert!(output.messages().starts_with(&line));
    assert_eq!(writes(&registry), ["PUT /v2/a/manifests/v1"]);
    let none = from_args(&host, "linux/s390x").arg("--ignore-missing");
    none.run()
        .fails(3, "docker-registry: none of the images exists\n");
}

#[test]
fn a_store_elsewhere_sees_no_credentials() {
    let store = Registry::start();
    store.answer("PUT", "/upload?*", Response::new(201));
    let tokens = Tokens::new().user("user", "password");
    let registry = Registry::builder().tokens(&tokens).start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    let place = format!(
        "{}/upload?signature=1",
        store.base().replace("127.0.0.1", "localhost")
    );
    let elsewhere = Response::new(202).header("Location", place);
    registry.answer("POST", "/v2/t/blobs/uploads/?mount=*", elsewhere);
    registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
    let host = registry.host();
    let yaml = format!("image: {host}/t:v1\nmanifests: [{{image: {host}/a:amd64}}]");
    let tool = from_spec(&yaml).args(["-u", "user:password"]);
    // The registry has not got what was sent elsewhere.
    let _ = tool.run().status(3).stdout("");
    let requests = store.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!(request.header("Authorization"), None);
        assert_eq!(request.query("signature").as_deref(), Some("1"));
    }
}

#[test]
fn a_public_registry_takes_no_upload_inside() {
    let inside = Registry::builder().tls(Tls::authority()).start();
    let tls = Tls::named(&["registry.example.com"]);
    let registry = Registry::builder().tls(tls).start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    let place = format!("{}/upload", inside.base());
    let elsewhere = Response::new(202).header("Location", place);
    registry.answer("POST", "/v2/t/blobs/uploads/*", elsewhere);
    registry.absent("/v2/t/blobs/sha256:*").on("HEAD");
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    let host = "registry.example.com";
    let yaml = format!("image: {host}/t:v1\nmanifests: [{{image: {host}/a:amd64}}]");
    let tool = from_spec(&yaml).arg("--cacert").arg(registry.ca());
    let output = tool
        .env("HTTPS_PROXY", proxy.url())
        .run()
        .status(1)
        .stdout("");
    let message = output.messages();
    let why = format!("leads to {}, which is an internal address", inside.base());
    assert!(message.contains(&why), "{message}");
    assert_eq!(inside.accepted(), 0);
}

#[test]
fn what_a_tag_led_to_is_forgotten() {
    let registry = Registry::start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    let old = Index::new()
        .image(image("linux/s390x"))
        .push_to(&registry, "a", "v1");
    let tool = from_args(&registry.host(), "linux/amd64");
    let image = registry.image("a:v1");
    let digest = tool.again(["digestlist", "--max-age", "1h", &image]);
    digest.run().success(format!("{old}\n"));
    let _ = tool.run().status(0);
    let new = sha256(tag(&registry, "a", "v1").unwrap());
    digest.run().success(format!("{new}\n"));
}

#[test]
fn a_spec_may_come_from_stdin() {
    let registry = Registry::start();
    image("linux/amd64").push_to(&registry, "a", "amd64");
    let host = registry.host();
    let yaml = format!("image: {host}/a:v1\nmanifests: [{{image: {host}/a:amd64}}]");
    let tool = Tool::new().args(["push", "from-spec", "-"]).stdin(yaml);
    let _ = tool.run().status(0).stderr("");
    assert!(tag(&registry, "a", "v1").is_some());
}

/// Lists of both kinds, of images in two repositories, read back by skopeo.
fn pushes(real: &Real, options: &[&str]) {
    let Some(skopeo) = skopeo() else { return };
    image("linux/amd64").oci().push_to(real, "team/a", "amd64");
    let index = Index::new()
        .image(image("linux/arm64/v8").oci())
        .attestation();
    index.oci().push_to(real, "list", "v1");
    let host = real.host();
    for (kind, tag) in [("docker", "v1"), ("oci", "v2")] {
        let yaml = format!(
            "image: {host}/t:{tag}\nmanifests:\n- image: {host}/team/a:amd64\n- image: {host}/list:v1\n"
        );
        let tool = from_spec(&yaml).args(options).args(["--type", kind]);
        let output = tool.run().status(0).stderr("");
        let image = format!("docker://{host}/t:{tag}");
        let skopeo = skopeo
            .clone()
            .args(["inspect", "--raw", "--tls-verify=false"]);
        let skopeo = match options.is_empty() {
            true => skopeo,
            false => skopeo.arg("--creds=user:password"),
        };
        let raw = skopeo.arg(&image).run().status(0).stdout;
        assert_eq!(output.text(), reported(&raw));
        let list: Value = serde_json::from_slice(&raw).unwrap();
        assert_eq!(list["manifests"].as_array().unwrap().len(), 3);
        let tool = Tool::new().args(["verifytool", "--layers", "--platform=all", "-r"]);
        let tool = tool.args(options).arg(format!("{host}/t:{tag}"));
        let verified = tool.run().status(0).text().to_owned();
        assert!(!verified.contains("false"), "{verified}");
    }
}

#[test]
fn a_plain_registry_gets_lists() {
    let Some(real) = Real::plain() else { return };
    pushes(&real, &[]);
}

#[test]
fn a_registry_with_basic_credentials_gets_lists() {
    let Some(real) = Real::basic() else { return };
    let ca = real.ca().display().to_string();
    pushes(&real, &["-u", "user:password", "--cacert", &ca]);
}

#[test]
fn a_registry_with_tokens_gets_lists() {
    let Some(real) = Real::tokens() else { return };
    let ca = real.ca().display().to_string();
    pushes(&real, &["-u", "user:password", "--cacert", &ca]);
    let asked = real.token_server().take();
    let mounting = asked.iter().find(|line| {
        line.contains("repository:t:pull,push") && line.contains("repository:list:pull")
    });
    assert!(mounting.is_some(), "{asked:?}");
}
