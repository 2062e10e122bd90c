//! `--index`, `--oci` and `--media-type`: what the registry then serves is what is printed.

use crate::harness::{Image, Index, Layout, Registry, Response, Schema1, Tool, schema1};

const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b").layer("f", b"x")
}

fn index() -> Index {
    Index::new()
        .image(image())
        .image(Image::new("linux/arm64").label("a", "c"))
}

/// What was asked for, and as what.
fn accepted(registry: &Registry) -> Vec<String> {
    let requests = registry.requests();
    registry.take();
    let line = |request: &crate::harness::Request| {
        let accept = request.header("Accept").unwrap_or_default();
        let last = request.target.rsplit('/').next().unwrap_or_default();
        format!("{} {last}: {accept}", request.method)
    };
    requests.iter().map(line).collect()
}

#[test]
fn the_list_itself_is_shown() {
    let registry = Registry::start();
    let digest = index().push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["manifest", "-r", "--index", &image]);
    tool.run()
        .success(String::from_utf8(index().bytes()).unwrap());
    let only = format!("GET v1: {OCI_INDEX}, {DOCKER_LIST}");
    assert_eq!(accepted(&registry), [only]);
    for option in ["--index", "--media-type"] {
        let mut args = vec!["digest", &image, option];
        args.extend((option == "--media-type").then_some(DOCKER_LIST));
        let tool = Tool::new().args(args);
        tool.run().success(format!("{digest}\n"));
        assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
    }
}

#[test]
fn only_the_named_image_is_asked_for_by_choice() {
    let registry = Registry::start();
    index().push_to(&registry, "a", "v1");
    let child = image().digest();
    let tool = Tool::new().args(["labels", "-r", "--arch", "amd64", "--index"]);
    let tool = tool.arg(registry.image("a:v1"));
    tool.run().success("{\"a\":\"b\"}\n");
    let asked = accepted(&registry);
    assert_eq!(asked[0], format!("GET v1: {OCI_INDEX}, {DOCKER_LIST}"));
    assert!(asked[1].starts_with(&format!(
        "GET {child}: {OCI_INDEX}, {DOCKER_LIST}, {OCI_MANIFEST}, {DOCKER_MANIFEST}, "
    )));
    assert_eq!(asked.len(), 3);
    let tool = tool.again(["digest", "--index", "--arch", "amd64", "--no-cache"]);
    let tool = tool.arg(registry.image("a:v1"));
    tool.run().success(format!("{child}\n"));
}

#[test]
fn the_options_choose_media_types() {
    let registry = Registry::start();
    image().oci().push_to(&registry, "a", "v1");
    let oci = Index::new().image(image().oci()).oci();
    oci.push_to(&registry, "a", "list");
    for (options, tag, accept) in [
        (&["--oci"][..], "v1", format!("{OCI_INDEX}, {OCI_MANIFEST}")),
        (&["--oci", "--index"], "list", OCI_INDEX.to_owned()),
        (
            &["--media-type", OCI_MANIFEST, "--media-type=b"],
            "v1",
            format!("{OCI_MANIFEST}, b"),
        ),
    ] {
        let tool = Tool::new().args(["manifest", "-r", "--no-cache"]);
        let tool = tool.args(options).arg(registry.image(&format!("a:{tag}")));
        let _ = tool.run().status(0).stderr("");
        assert_eq!(accepted(&registry), [format!("GET {tag}: {accept}")]);
    }
}

#[test]
fn a_digest_is_asked_for_by_choice_too() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    registry.absent(&format!("/v2/a/manifests/{digest}"));
    let tool = Tool::new().args(["manifest", "--index"]);
    let tool = tool.arg(registry.image(&format!("a@{digest}")));
    let _ = tool.run().status(3).stdout("");
    let only = format!("GET {digest}: {OCI_INDEX}, {DOCKER_LIST}");
    assert_eq!(accepted(&registry), [only]);
}

#[test]
fn another_choice_is_another_question_to_the_cache() {
    let registry = Registry::start();
    let digest = index().push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["digest", "--index", &image]);
    tool.run().success(format!("{digest}\n"));
    let tool = tool.again(["digest", "--oci", "--max-age", "1h", &image]);
    registry.absent("/v2/a/manifests/v1");
    let _ = tool.run().status(3).stdout("");
}

/// A registry that serves what it has, whatever is asked for.
fn careless(registry: &Registry, at: &str, media_type: &str, digest: &str, bytes: &[u8]) {
    for method in ["GET", "HEAD"] {
        let answer = Response::new(200)
            .header("Content-Type", media_type)
            .header("Docker-Content-Digest", digest)
            .body(bytes);
        registry.answer(method, &format!("/v2/a/manifests/{at}"), answer);
    }
}

#[test]
fn another_kind_than_was_asked_for_is_not_found() {
    let registry = Registry::start();
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("layout"));
    image().push_to(&layout, "", "v1");
    let digest = image().digest();
    careless(
        &registry,
        "v1",
        DOCKER_MANIFEST,
        &digest,
        &image().manifest(),
    );
    for (name, repository) in [
        (registry.image("a:v1"), registry.image("a")),
        ("oci:layout:v1".to_owned(), "oci:layout".to_owned()),
    ] {
        for (options, wanted) in [
            (&["--index"][..], format!("{OCI_INDEX} or {DOCKER_LIST}")),
            (&["--oci"], format!("{OCI_INDEX} or {OCI_MANIFEST}")),
            (&["--media-type", "a"], "a".to_owned()),
        ] {
            let why = format!("no {wanted}, but {DOCKER_MANIFEST} with digest {digest}");
            for command in ["manifest", "digest", "labels", "manifestlist", "inspect"] {
                // The second time from the cache.
                for _ in 0..2 {
                    let asked = tool.again([command, &name]).args(options).run();
                    asked.fails(3, format!("docker-registry: {name}: {why}\n"));
                }
            }
            let pinned = format!("{repository}@{digest}");
            let asked = tool.again(["manifest", &pinned]).args(options).run();
            asked.fails(3, format!("docker-registry: {pinned}: {why}\n"));
        }
        let asked = tool.again(["digest", "--media-type", DOCKER_MANIFEST, &name]);
        asked.run().success(format!("{digest}\n"));
    }
}

/// distribution 2.8.2 has nothing under the digest of what it makes.
#[test]
fn schema_1_that_was_made_for_the_question_is_named() {
    let registry = Registry::start();
    let made = Schema1::new(&image(), "a", "v1");
    careless(
        &registry,
        "v1",
        schema1::MEDIA_TYPE,
        &made.digest,
        &made.bytes,
    );
    let name = registry.image("a:v1");
    let tool = Tool::new();
    let why = format!(
        "no {OCI_INDEX} or {OCI_MANIFEST}, but {} with digest {}\n\
         hint: some registries convert to schema 1 what they cannot serve otherwise\n",
        schema1::MEDIA_TYPE,
        made.digest
    );
    for command in ["manifest", "digest"] {
        let asked = tool.again([command, "--oci", &name]).run();
        asked.fails(3, format!("docker-registry: {name}: {why}"));
    }
}

#[test]
fn schema_1_that_was_made_for_the_question_is_asked_for_by_its_tag() {
    let registry = Registry::start();
    let name = registry.image("a:v1");
    let alone = ["manifest", "-r", "--media-type", schema1::MEDIA_TYPE, &name];
    let asked = Tool::new().args(alone);
    for content in [b"x", b"y"] {
        let image = image().layer("g", content);
        let made = Schema1::push_to(&image, &registry, "a", "v1");
        let _ = asked.run().status(0).stdout_bytes(&made.bytes);
    }
    let asked: Vec<String> = registry.take();
    let tag = "/v2/a/manifests/v1";
    assert_eq!(
        asked,
        [
            format!("GET {tag}"),
            format!("HEAD {tag}"),
            format!("GET {tag}")
        ]
    );
}
