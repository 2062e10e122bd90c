//! What goes wrong: exit code, one line, a hint where a next step is known, and no data.

use std::time::{Duration, Instant};

use crate::harness::{Fault, Image, Index, NOBODY, Registry, Response, Server, Tool, sha256};

fn image() -> Image {
    Image::new("linux/arm64").label("a", "b").layer("a", b"a")
}

fn index() -> Index {
    Index::new().oci().image(image()).attestation()
}

/// A registry with the list `a:v1`.
fn registry() -> (Registry, String) {
    let registry = Registry::start();
    index().push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    (registry, name)
}

fn ask(command: &str, name: &str) -> Tool {
    Tool::new().args([command, "--arch=arm64", name])
}

#[test]
fn wrong_bytes_are_not_printed() {
    let wrong = br#"{"schemaVersion":2,"config":null,"layers":[]}"#.to_vec();
    let of_image = format!("manifests/{}", image().digest());
    let of_config = format!("blobs/{}", image().config_digest());
    let (by_tag, by_digest) = ("manifests/v1", format!("manifests/{}", index().digest()));
    let digests = [index().digest(), image().digest(), image().config_digest()];
    for (command, name, path, expected) in [
        ("manifestlist", "a:v1".to_owned(), by_tag, &digests[0]),
        (
            "manifestlist",
            format!("a@{}", digests[0]),
            &by_digest,
            &digests[0],
        ),
        ("digest", "a:v1".to_owned(), by_tag, &digests[0]),
        ("manifest", "a:v1".to_owned(), &of_image, &digests[1]),
        ("config", "a:v1".to_owned(), &of_config, &digests[2]),
        ("labels", "a:v1".to_owned(), &of_config, &digests[2]),
    ] {
        let (registry, _) = registry();
        let same_length = |right: usize| [&wrong[..], &vec![b' '; right - wrong.len()]].concat();
        let bytes = match path.starts_with("blobs") {
            true => same_length(image().config().len()),
            false => wrong.clone(),
        };
        registry.fail(&format!("/v2/a/{path}"), Fault::WrongBytes(bytes.clone()));
        let name = registry.image(&name);
        let doing = match path.split_once('/').unwrap() {
            ("blobs", digest) => format!("blob {digest}"),
            (_, reference) => format!("manifest {reference}"),
        };
        let why = format!(
            "the digest of the content is {}, not {expected}",
            sha256(bytes)
        );
        let tool = ask(command, &name);
        let output = tool.run();
        output.fails(6, format!("docker-registry: {name}: {doing}: {why}\n"));
        assert_eq!(tool.files(), [""; 0]);
    }
}

#[test]
fn a_size_that_is_not_the_descriptors_is_corrupt() {
    let (registry, name) = registry();
    let (blob, size) = (image().config_digest(), image().config().len());
    let path = format!("/v2/a/blobs/{blob}");
    registry.fail(&path, Fault::Oversize(3));
    let why = format!(
        "blob {blob}: the content has {} bytes, not {size}",
        size + 3
    );
    let output = ask("labels", &name).run();
    output.fails(6, format!("docker-registry: {name}: {why}\n"));
}

#[test]
fn a_header_that_contradicts_the_body_is_corrupt() {
    let other = sha256("other");
    let header = || Fault::Header("Docker-Content-Digest", other.clone());
    let (registry, name) = registry();
    registry.fail("/v2/a/manifests/v1", header());
    let why = format!(
        "the digest of the content is {}, not {other}",
        index().digest()
    );
    let output = ask("manifestlist", &name).run();
    output.fails(6, format!("docker-registry: {name}: manifest v1: {why}\n"));
    let path = format!("manifests/{}", image().digest());
    registry.fail(&format!("/v2/a/{path}"), header());
    let why = format!("the registry answers with {other}");
    let doing = format!("manifest {}", image().digest());
    let output = ask("manifest", &name).run();
    output.fails(6, format!("docker-registry: {name}: {doing}: {why}\n"));
}

#[test]
fn a_header_that_is_missing_or_no_digest_says_nothing() {
    for fault in [
        Fault::WithoutHeader("Docker-Content-Digest"),
        Fault::Header("Docker-Content-Digest", "none".to_owned()),
        Fault::Header("Content-Type", "text/plain".to_owned()),
        Fault::WithoutHeader("Content-Type"),
    ] {
        let (registry, name) = registry();
        registry.fail("/v2/a/manifests/*", fault).always();
        let tool = ask("digestlist", &name);
        tool.run().success(index().digest() + "\n");
        let labels = tool.again(["labels", "-r", "--arch=arm64", &name]);
        labels.run().success("{\"a\":\"b\"}\n");
    }
}

#[test]
fn what_is_not_json_is_corrupt() {
    let registry = Registry::start();
    let kind = image().media_type();
    registry.manifest("a", "v1", kind, "{\"schemaVersion\": 2,");
    registry.manifest("a", "empty", kind, "");
    for tag in ["v1", "empty"] {
        let name = registry.image(&format!("a:{tag}"));
        let output = ask("manifest", &name).run().status(6).stdout("");
        let expected =
            format!("docker-registry: {name}: manifest {tag}: the content is not JSON: ");
        assert!(
            output.messages().starts_with(&expected),
            "{}",
            output.messages()
        );
        assert_eq!(output.messages().lines().count(), 1);
    }
}

#[test]
fn a_web_page_is_no_answer_of_a_registry() {
    let registry = Registry::start();
    let page = Response::new(200).header("Content-Type", "text/html; charset=utf-8");
    let page = page.body("<!DOCTYPE html><title>Welcome</title>");
    registry.answer("GET", "/v2/a/manifests/v1", page.clone());
    registry.answer("GET", "/v2/a/tags/list", page);
    let name = registry.image("a:v1");
    let host = registry.host();
    let output = ask("labels", &name).run();
    output.fails(
        1,
        format!(
            "docker-registry: {name}: manifest v1: the answer is a web page\n\
             hint: is {host} a registry?\n"
        ),
    );
    let output = ask("tags", &name).run().stdout("");
    assert_ne!(output.code, Some(0));
    assert_eq!(output.messages().matches("docker-registry: ").count(), 1);
}

#[test]
fn a_missing_tag_is_not_found_and_hints_at_tags() {
    let (registry, _) = registry();
    registry.absent("/v2/a/manifests/none");
    let name = registry.image("a:none");
    for (command, quoted) in [
        ("digest", " (manifest unknown)"),
        ("labels", " (manifest unknown)"),
        ("manifestlist", " (manifest unknown)"),
        // It asks by HEAD, whose answer says no more.
        ("digestlist", ""),
    ] {
        ask(command, &name).run().fails(
            3,
            format!(
                "docker-registry: {name}: manifest none: not found{quoted}\n\
                 hint: the command 'tags' lists the tags that there are\n"
            ),
        );
    }
}

#[test]
fn a_missing_repository_digest_or_blob_is_not_found() {
    let (registry, name) = registry();
    let missing = format!("a@sha256:{}", "0".repeat(64));
    let blob = image().config_digest();
    registry.absent("/v2/none/tags/list");
    registry.absent(&format!("/v2/a/manifests/sha256:{}", "0".repeat(64)));
    registry.absent(&format!("/v2/a/blobs/{blob}"));
    for (command, name, why) in [
        (
            "tags",
            registry.image("none"),
            "tags: not found (name unknown)\n\
             hint: check the name; a private repository may need credentials\n"
                .to_owned(),
        ),
        (
            "manifest",
            registry.image(&missing),
            format!(
                "manifest {}: not found (manifest unknown)\n\
                 hint: 'digest' shows a manifest's digest; a layer's is for 'downloadlayer'\n",
                &missing[2..]
            ),
        ),
        (
            "labels",
            name,
            format!("blob {blob}: not found (blob unknown)\n"),
        ),
    ] {
        let output = ask(command, &name).run();
        output.fails(3, format!("docker-registry: {name}: {why}"));
    }
}

#[test]
fn a_wrong_password_is_denied() {
    let registry = Registry::builder().basic("user", "password").start();
    image().push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let right = ask("digest", &name).arg("--user=user:password").run();
    right.success(image().digest() + "\n");
    let wrong = ask("digest", &name).arg("--user=user:Password").run();
    let output = wrong.status(4).stdout("");
    let expected = format!("docker-registry: {name}: manifest v1: ");
    assert!(output.messages().starts_with(&expected));
    assert!(!output.messages().contains("Password"));
}

#[test]
fn where_nothing_listens_is_soon_known() {
    let started = Instant::now();
    let name = format!("{NOBODY}/a:v1");
    let output = ask("labels", &name).run();
    assert!(started.elapsed() < Duration::from_secs(1));
    let why = format!("manifest v1: {NOBODY}: connection refused");
    output.fails(5, format!("docker-registry: {name}: {why}\n"));
}

#[test]
fn a_name_that_nobody_knows_is_unavailable() {
    let name = "registry.invalid/a:v1";
    let output = ask("labels", name).arg("--retries=0").run();
    let output = output.status(5).stdout("");
    let expected = format!("docker-registry: {name}: manifest v1: registry.invalid: ");
    assert!(
        output.messages().starts_with(&expected),
        "{}",
        output.messages()
    );
}

#[test]
fn a_server_that_speaks_something_else_is_an_error() {
    for greeting in [&b"220 mail.example.com ESMTP\r\n"[..], b"", b"\0\0\0\0"] {
        let server = Server::saying(greeting);
        let name = format!("{}/a:v1", server.host());
        let output = ask("labels", &name).args(["--retries=0", "--timeout=2"]);
        let output = output.run().stdout("");
        assert!(matches!(output.code, Some(1 | 5)), "{:?}", output.code);
        let lines: Vec<String> = output.messages().lines().map(str::to_owned).collect();
        assert!(lines[0].starts_with(&format!("docker-registry: {name}: ")));
        assert!(
            lines.len() == 1 || lines[1].starts_with("hint: "),
            "{lines:?}"
        );
    }
}

#[test]
fn a_layout_that_is_damaged_is_corrupt() {
    use crate::harness::{Destination, Layout};
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("layout"));
    let digest = index().push_to(&layout, "", "v1");
    let id = layout.put_blob("", &image().config());
    let labels = tool.again(["labels", "--arch=arm64", "oci:layout:v1"]);
    for damaged in [id, image().digest(), digest] {
        let right = std::fs::read(layout.blob(&damaged)).unwrap();
        let mut wrong = right.clone();
        *wrong.last_mut().unwrap() = b' ';
        std::fs::write(layout.blob(&damaged), wrong).unwrap();
        let output = labels.run().status(6).stdout("");
        assert!(output.messages().contains(&format!("not {damaged}")));
        std::fs::write(layout.blob(&damaged), right).unwrap();
        labels.run().status(0).stderr("");
    }
    let missing = tool.again(["labels", "oci:missing"]).run();
    assert_eq!((missing.code, missing.text()), (Some(3), ""));
}
