//! `--wait` asks again for what is not found.

use serde_json::json;

use crate::harness::{Image, Index, Registry, Response, Tool};

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b")
}

/// What is said before the first pause.
fn announced(image: &str, why: &str, seconds: u32) -> String {
    format!("docker-registry: {image}: {why}: asking again for {seconds} s\n")
}

#[test]
fn what_is_not_there_is_asked_for_by_head() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let config = image().config_digest();
    registry.absent("/v2/a/manifests/v1").times(1);
    let name = registry.image("a:v1");
    let tool = Tool::new().args(["labels", "-r", "--wait", "10s", &name]);
    let why = "manifest v1: not found (manifest unknown)";
    let output = tool.run().status(0).stderr(announced(&name, why, 10));
    output.stdout("{\"a\":\"b\"}\n");
    let expected = [
        "GET /v2/a/manifests/v1",
        "HEAD /v2/a/manifests/v1",
        &format!("GET /v2/a/manifests/{digest}"),
        &format!("GET /v2/a/blobs/{config}"),
    ];
    assert_eq!(registry.take(), expected);
}

#[test]
fn resolve_asks_by_head_alone() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    registry.absent("/v2/a/manifests/v1").times(1);
    let name = registry.image("a:v1");
    let tool = Tool::new().args(["resolve", "--wait", "10s", &name]);
    let expected = announced(&name, "manifest v1: not found", 10);
    let output = tool.run().status(0).stderr(expected);
    output.stdout(format!("{digest}\n"));
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"; 2]);
    // What is there costs no more than without.
    tool.run().success(format!("{digest}\n"));
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
}

#[test]
fn a_platform_may_come_when_the_tag_is_pushed_anew() {
    let registry = Registry::start();
    let arm = Image::new("linux/arm64");
    let before = Index::new().image(arm.clone());
    let after = Index::new().image(arm).image(image());
    let digest = after.push_to(&registry, "a", "v1");
    let first = Response::new(200)
        .header("Content-Type", before.media_type())
        .body(before.bytes());
    registry.answer("GET", "/v2/a/manifests/v1", first);
    let name = registry.image("a:v1");
    let tool = Tool::new().args([
        "digest",
        "--platform",
        "linux/amd64",
        "--wait",
        "10s",
        &name,
    ]);
    let expected = announced(&name, "no image for linux/amd64", 10);
    let output = tool.run().status(0).stderr(expected);
    output.stdout(format!("{}\n", image().digest()));
    let expected = [
        "GET /v2/a/manifests/v1",
        "HEAD /v2/a/manifests/v1",
        &format!("GET /v2/a/manifests/{digest}"),
    ];
    assert_eq!(registry.take(), expected);
}

#[test]
fn what_is_about_no_tag_is_asked_itself() {
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    registry.absent("/v2/a/tags/list*").times(1);
    // There is no tag `latest`.
    let name = registry.image("a");
    let tool = Tool::new().args(["tags", "--wait", "10s", &name]);
    let output = tool.run().status(0).stdout("[\"v1\"]\n");
    let why = "tags: not found (name unknown)";
    output.stderr(announced(&name, why, 10));
    assert_eq!(registry.take(), ["GET /v2/a/tags/list"; 2]);
}

#[test]
fn both_images_of_a_pair_are_waited_for() {
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    image().push_to(&registry, "a", "v2");
    registry.absent("/v2/a/manifests/v2").times(1);
    let names = ["a:v1", "a:v2"].map(|name| registry.image(name));
    let tool = Tool::new().args(["diff", "-q", ".same", "--wait", "10s"]);
    let output = tool.args(&names).run().status(0);
    let stderr = output.messages();
    assert!(stderr.ends_with("asking again for 10 s\n"), "{stderr}");
    let taken = registry.take();
    let asked = |request: &str| taken.iter().filter(|it| *it == request).count();
    assert_eq!(asked("HEAD /v2/a/manifests/v2"), 1, "{taken:?}");
}

#[test]
fn the_time_is_for_all_images_together() {
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/v1");
    registry.absent("/v2/b/manifests/v1");
    let names = ["a:v1", "b:v1"].map(|name| registry.image(name));
    let tool = Tool::new().args(["digest", "-j1", "--wait", "200ms"]);
    let output = tool.args(&names).run().status(3).stdout("");
    assert_eq!(output.messages().matches("asking again").count(), 1);
    // The second one is asked for when the time is over.
    let [first, second] = ["a", "b"].map(|name| format!("/v2/{name}/manifests/v1"));
    let expected = [
        format!("GET {first}"),
        format!("HEAD {first}"),
        format!("GET {second}"),
    ];
    assert_eq!(registry.take(), expected);
}

#[test]
fn what_is_denied_or_far_away_ends_the_waiting() {
    let patient = |status: u16, header: Option<&str>, code: i32| {
        let registry = Registry::start();
        let response = Response::new(status);
        let response = match header {
            Some(seconds) => response.header("Retry-After", seconds),
            None => response,
        };
        registry.answer("GET", "/v2/a/manifests/v1", response);
        let tool = Tool::new().args(["digest", "--wait", "90s", &registry.image("a:v1")]);
        let output = tool.run().status(code).stdout("");
        assert!(!output.messages().contains("asking again"));
        assert_eq!(registry.take(), ["GET /v2/a/manifests/v1"]);
    };
    patient(403, None, 4);
    patient(404, Some("100"), 3);
    patient(429, Some("100"), 7);
    patient(400, None, 1);
}

#[test]
fn who_is_told_when_to_come_back_waits_so_long() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let busy = Response::new(429).header("Retry-After", "1");
    registry.answer("HEAD", "/v2/a/manifests/v1", busy).times(1);
    let name = registry.image("a:v1");
    let tool = Tool::new().args(["resolve", "--retries", "0", "--wait", "10s", &name]);
    let output = tool.run().status(0).stdout(format!("{digest}\n"));
    let stderr = output.messages();
    assert!(stderr.ends_with("asking again for 10 s\n"), "{stderr}");
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"; 2]);
}

/// Each time it is asked, the question takes more than half of what it may take beside others: a third
/// request shows that it had to be asked alone.
#[test]
fn what_was_in_memory_when_it_was_asked_before_does_not_count() {
    let registry = Registry::start();
    let text = "x".repeat(2 << 20);
    let arm = Image::new("linux/arm64");
    let large = Index::new()
        .oci()
        .image(arm)
        .with("annotations", json!({"a": text}));
    let before = large.clone();
    let after = large.image(image());
    after.push_to(&registry, "a", "v1");
    let first = Response::new(200)
        .header("Content-Type", before.media_type())
        .body(before.bytes());
    registry.answer("GET", "/v2/a/manifests/v1", first);
    let name = registry.image("a:v1");
    let tool = Tool::new().args(["digest", "--platform", "linux/amd64", "--wait", "10s"]);
    let output = tool
        .args(["--images", "-"])
        .stdin(name.clone())
        .run()
        .status(0);
    let expected = announced(&name, "no image for linux/amd64", 10);
    output.stderr(expected);
    let asked = registry.take();
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[test]
fn waiting_is_for_images_that_a_registry_is_asked_for() {
    for (options, why) in [
        (["tags", "--offline", "a.b/a"], "--offline"),
        (["tags", "--max-age=1m", "a.b/a"], "--max-age"),
        (["delete", "--yes", "a.b/a"], "'delete'"),
        (["catalog", "-r", "a.b"], "'catalog'"),
    ] {
        let output = Tool::new().args(["--wait", "1m"]).args(options).run();
        let message = format!("docker-registry: --wait cannot be used with {why}\n");
        output.fails(2, message);
    }
}
