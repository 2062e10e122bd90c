//! What is asked of registries on behalf of who asks `serve`.

use serde_json::{Value, json};

use crate::harness::{Image, Proxy, Registry, Tls, Tool};

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b")
}

fn labels(image: &str) -> String {
    format!("/api/v1/labels?platform=linux/amd64&image={image}")
}

/// What registries were shown.
fn shown(registry: &Registry) -> Vec<bool> {
    let requests = registry.requests();
    let is_shown = |it: &crate::harness::Request| it.header("Authorization").is_some();
    requests.iter().map(is_shown).collect()
}

/// A server for any image, with `registry.example.com` at the registry.
fn serving(tool: &Tool, registry: &Registry) -> (Proxy, Tool) {
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    let tool = tool.again(["--any", "--retries=0"]);
    let tool = tool.env("HTTPS_PROXY", proxy.url());
    (proxy, tool)
}

fn public() -> Tls {
    Tls::named(&["registry.example.com"])
}

#[test]
fn only_what_is_named_may_be_internal() {
    let [named, other] = [0; 2].map(|_| Registry::start());
    for registry in [&named, &other] {
        image().push_to(registry, "a", "v1");
    }
    // What the user has asked for is kept, and is the user's.
    let pinned = other.image(&format!("a@{}", image().digest()));
    let tool = Tool::new().args(["labels", "-r", &pinned]);
    tool.run().success("{\"a\":\"b\"}\n");
    let before = other.accepted();
    let served = tool.again(["--any", &named.host()]).serve();
    assert_eq!(served.json(200, &labels(&named.image("a:v1")))["a"], "b");
    let host = other.host();
    for name in [&other.image("a:v1"), &pinned] {
        let why = format!("{name}: {host} is an internal address, which is not served here");
        let expected = json!({"error": why, "code": 4});
        assert_eq!(served.json(403, &labels(name)), expected);
    }
    let host = host.replace("127.0.0.1", "localhost");
    assert_eq!(
        served.json(403, &labels(&format!("{host}/a:v1")))["code"],
        4
    );
    assert_eq!(other.accepted(), before);
}

#[test]
fn what_cannot_be_looked_up_is_not_answered_from_the_cache() {
    let mirror = Registry::start();
    image().push_to(&mirror, "a", "v1");
    let pinned = format!("registry.invalid/a@{}", image().digest());
    let tool = Tool::new().args(["labels", "-r", &pinned, "--mirror"]);
    let tool = tool.arg(format!("registry.invalid={}", mirror.base()));
    tool.run().success("{\"a\":\"b\"}\n");
    let served = tool.again(["--any"]).serve();
    assert_eq!(served.json(504, &labels(&pinned))["code"], 5);
}

#[test]
fn what_is_given_is_for_what_is_named() {
    let secure = || Registry::builder().tls(public()).basic("user", "password");
    let [named, other] = [0; 2].map(|_| secure().start());
    for registry in [&named, &other] {
        image().push_to(registry, "a", "v1");
    }
    let ask = |options: &[&str]| -> Value {
        let (_proxy, tool) = serving(&Tool::new(), &other);
        let served = tool.args(options).args([&named.host()]).serve();
        assert_eq!(served.json(200, &labels(&named.image("a:v1")))["a"], "b");
        let other = served.get(&labels("registry.example.com/a:v1"));
        json!(other.status)
    };
    // Nobody knows the other's certificate.
    assert_eq!(ask(&["-k", "-u", "user:password"]), 504);
    assert_eq!(other.take(), [""; 0]);
    // Nor, where they do, is it shown the password.
    let both = [named.ca(), other.ca()].map(|path| std::fs::read(path).unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), both.concat()).unwrap();
    let trusted = file.path().to_str().unwrap();
    assert_eq!(ask(&["--cacert", trusted, "-u", "user:password"]), 403);
    assert_eq!(shown(&other), [false]);
}

#[test]
fn what_is_stored_lets_strangers_in() {
    let registry = Registry::builder().tls(public()).basic("user", "password");
    let registry = registry.start();
    image().push_to(&registry, "a", "v1");
    let auths = json!({"registry.example.com": {"username": "user", "password": "password"}});
    let tool = Tool::new().file(".docker/config.json", json!({"auths": auths}).to_string());
    let (_proxy, tool) = serving(&tool, &registry);
    let served = tool.arg("--cacert").arg(registry.ca()).serve();
    let answer = served.json(200, &labels("registry.example.com/a:v1"));
    assert_eq!(answer["a"], "b");
}
