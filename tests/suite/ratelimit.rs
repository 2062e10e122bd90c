//! `ratelimit`, and what `-v` says of limits.

use crate::harness::{Fault, Image, Registry, Response, Tool};

fn limited(remaining: &str) -> Registry {
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let headers = [
        ("RateLimit-Limit", "100;w=21600"),
        ("RateLimit-Remaining", remaining),
        ("Docker-RateLimit-Source", "192.0.2.1"),
    ];
    for (name, value) in headers {
        let fault = Fault::Header(name, value.to_owned());
        registry.fail("/v2/a/manifests/v1", fault).always();
    }
    registry
}

#[test]
fn one_request_that_counts_for_nothing_tells() {
    let registry = limited("98;w=21600");
    let tool = Tool::new().args(["ratelimit", "-r", &registry.image("a:v1")]);
    tool.run().success(
        "{\"limit\":100,\"remaining\":98,\"window\":21600,\"source\":\"192.0.2.1\",\"reset\":null}\n",
    );
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
}

#[test]
fn a_registry_that_says_nothing_is_null() {
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let tool = Tool::new().args(["ratelimit", "-r", &registry.image("a:v1")]);
    tool.run().success(
        "{\"limit\":null,\"remaining\":null,\"window\":null,\"source\":null,\"reset\":null}\n",
    );
}

#[test]
fn who_has_nothing_left_is_told_that() {
    let registry = Registry::start();
    let refused = Response::new(429)
        .header("X-RateLimit-Limit", "10")
        .header("X-RateLimit-Remaining", "0")
        .header("X-RateLimit-Reset", "90");
    registry.answer("HEAD", "/v2/a/manifests/v1", refused);
    let tool = Tool::new().args(["ratelimit", "-r", "--retries=0", &registry.image("a:v1")]);
    tool.run()
        .success("{\"limit\":10,\"remaining\":0,\"window\":null,\"source\":null,\"reset\":90}\n");
}

#[test]
fn an_image_that_is_missing_is_an_error() {
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/v1");
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["ratelimit", &image]);
    let message = format!("docker-registry: {image}: manifest v1: not found\n");
    tool.run().fails(3, message);
}

#[test]
fn verbose_tells_when_little_is_left() {
    for (remaining, is_told) in [("10", false), ("9;w=21600", true)] {
        let registry = limited(remaining);
        let tool = Tool::new().args(["digest", "-v", &registry.image("a:v1")]);
        let output = tool.run().status(0);
        let line = format!("{}: 9 of 100 requests left\n", registry.host());
        assert_eq!(output.messages().contains(&line), is_told, "{remaining}");
    }
}

#[test]
fn a_layout_has_no_limit() {
    let layout = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hello");
    let tool = Tool::new().args(["ratelimit", layout]);
    let message = format!("docker-registry: {layout}: {layout} is not in a registry\n");
    tool.run().fails(2, message);
}
