//! Where a registry may send the program, and what it does not take along.

use crate::credentials::{holding_tags, tags};
use crate::harness::{Fault, Image, Output, Proxy, Registry, Response, Tls, Tokens, Tool, sha256};

const TAGS: &str = "[\"v1\"]\n";
const LIST: &str = "/v2/a/tags/list";
const LABELS: &str = "{\"a\":\"b\"}\n";

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b")
}

/// An image whose configuration is at another origin, with a signature in its URL.
struct Apart {
    registry: Registry,
    store: Registry,
    blob: String,
}

impl Apart {
    fn new(registry: Registry) -> Apart {
        Apart::storing(registry, Response::new(200).body(image().config()))
    }

    /// The same with this answer of the store.
    fn storing(registry: Registry, answer: Response) -> Apart {
        let image = image();
        image.push_to(&registry, "a", "v1");
        let blob = format!("/v2/a/blobs/{}", image.config_digest());
        let store = Registry::start();
        store.fail("/stored", answer);
        let there = format!("{}/stored?signature=1", store.base());
        registry.fail(&blob, Fault::Redirect(there));
        Apart {
            registry,
            store,
            blob,
        }
    }

    fn labels(&self) -> Tool {
        Tool::new().args(["labels", "-r", &self.registry.image("a:v1")])
    }
}

#[test]
fn a_store_of_blobs_gets_no_credentials() {
    let tokens = Tokens::new().private().user("user", "swordfish");
    for builder in [
        Registry::builder().basic("user", "swordfish"),
        Registry::builder().tokens(&tokens),
    ] {
        let apart = Apart::new(builder.start());
        let tool = apart.labels().args(["-u", "user:swordfish"]);
        tool.run().success(LABELS);
        let asked = apart.registry.requests().pop().unwrap();
        assert_eq!(asked.path(), apart.blob);
        assert!(asked.header("Authorization").is_some());
        let [stored] = &apart.store.requests()[..] else {
            panic!("asked once");
        };
        assert_eq!(stored.target, "/stored?signature=1");
        assert_eq!(stored.header("Authorization"), None);
    }
}

#[test]
fn a_store_that_asks_for_credentials_gets_none() {
    let registry = Registry::builder().basic("user", "swordfish").start();
    let refusal = Response::new(401).header("WWW-Authenticate", "Basic realm=\"store\"");
    let apart = Apart::storing(registry, refusal);
    let tool = apart.labels().args(["-u", "user:swordfish"]);
    let host = apart.store.host();
    let output = tool.run().status(4).stdout("");
    let message = output.messages();
    assert!(
        message.contains(&format!("{host}: access denied")),
        "{message}"
    );
    assert!(!message.contains("signature"), "{message}");
    let requests = apart.store.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].header("Authorization"), None);
}

#[test]
fn at_home_credentials_are_taken_along() {
    let registry = holding_tags(Registry::builder().basic("user", "swordfish").start());
    for location in [
        format!("{}/v2/a/b/tags/list", registry.base()),
        "/v2/a/b/tags/list".to_owned(),
        "../b/tags/list".to_owned(),
        format!("//{}/v2/a/b/tags/list", registry.host()),
    ] {
        registry.fail(LIST, Fault::Redirect(location));
        let tool = tags(&registry).args(["-u", "user:swordfish"]);
        tool.run().success(TAGS);
        assert_eq!(
            registry.requests().last().unwrap().path(),
            "/v2/a/b/tags/list"
        );
    }
}

#[test]
fn ten_redirects_are_followed_and_no_more() {
    let registry = holding_tags(Registry::start());
    registry
        .fail(LIST, Fault::Redirect(LIST.to_owned()))
        .times(10);
    tags(&registry).run().success(TAGS);
    assert_eq!(registry.take().len(), 11);
    registry
        .fail(LIST, Fault::Redirect(LIST.to_owned()))
        .times(11);
    let host = registry.host();
    tags(&registry).run().fails(
        1,
        format!("docker-registry: {host}/a: tags: {host}: more than 10 redirects\n"),
    );
    assert_eq!(registry.take().len(), 11);
}

#[test]
fn every_kind_of_redirect_is_followed() {
    let registry = holding_tags(Registry::start());
    for status in [301, 302, 303, 307, 308] {
        let there = Response::new(status).header("Location", "/v2/a/b/tags/list");
        registry.fail(LIST, there);
        tags(&registry).run().success(TAGS);
    }
}

#[test]
fn what_does_not_redirect_is_not_followed() {
    let registry = holding_tags(Registry::start());
    let elsewhere = Registry::start();
    let there = format!("{}/elsewhere", elsewhere.base());
    registry.fail(LIST, Fault::Header("Location", there.clone()));
    tags(&registry).run().success(TAGS);
    let digest = image().push_to(&registry, "a", "v1");
    let manifest = format!("/v2/a/manifests/{digest}");
    registry
        .fail(&manifest, Fault::Redirect(there))
        .on("DELETE");
    let delete = Tool::new().args(["delete", "--yes", &registry.image("a:v1")]);
    let _ = delete.run().status(1);
    assert!(elsewhere.take().is_empty());
}

#[test]
fn a_redirect_to_nowhere_is_exit_1() {
    let registry = Registry::start();
    for (answer, why) in [
        (Response::new(307), "the registry answers 307".to_owned()),
        (
            Response::new(307).header("Location", "ftp://example.com/x?signature=1"),
            "redirect: URL 'ftp://example.com/x': expected http or https".to_owned(),
        ),
        (
            Response::new(307).header("Location", "http://user:trout@example.com/"),
            "redirect: a URL holds a user or password".to_owned(),
        ),
    ] {
        registry.fail(LIST, answer);
        let output = tags(&registry).run().status(1).stdout("");
        let message = output.messages();
        assert!(
            !message.contains("signature") && !message.contains("trout"),
            "{message}"
        );
        assert!(message.contains(&why), "{message}");
    }
}

#[test]
fn https_never_leads_to_http() {
    let registry = Registry::builder().tls(Tls::authority()).start();
    let store = Registry::start();
    registry.fail(
        LIST,
        Fault::Redirect(format!("{}/x?signature=1", store.base())),
    );
    let (host, plain) = (registry.host(), store.base());
    let tool = tags(&registry).arg("--cacert").arg(registry.ca());
    tool.run().fails(
        1,
        format!(
            "docker-registry: {host}/a: tags: \
             https://{host} redirects from HTTPS to {plain}/x\n"
        ),
    );
    assert_eq!(store.accepted(), 0);
}

#[test]
fn http_may_lead_to_https() {
    let store = holding_tags(Registry::builder().tls(Tls::authority()).start());
    let registry = Registry::start();
    registry.fail(LIST, Fault::Redirect(format!("{}{LIST}", store.base())));
    let tool = tags(&registry).arg("--cacert").arg(store.ca());
    tool.run().success(TAGS);
}

#[test]
fn what_a_store_sends_is_verified() {
    let wrong = Response::new(200).body("{\"config\":{\"Labels\":{}}}");
    let apart = Apart::storing(Registry::start(), wrong);
    let output = apart.labels().run();
    assert_eq!((output.code, output.text()), (Some(6), ""));
}

#[test]
fn pages_stay_with_their_registry() {
    let (registry, other) = (holding_tags(Registry::start()), Registry::start());
    let next = |target: &str| Fault::Header("Link", format!("<{target}>; rel=\"next\""));
    let host = registry.host();
    registry.fail(LIST, next("https://example.com/v2/a/tags/list"));
    tags(&registry).run().fails(
        1,
        format!("docker-registry: {host}/a: tags: the next page would be at https://example.com\n"),
    );
    registry.tags("b", ["v2".to_owned()], "sha256:0");
    // Another port of the same host is taken for the registry's own, behind a proxy.
    let there = format!("{}/v2/b/tags/list", other.base());
    registry.fail(&format!("{LIST}*"), next(&there)).times(2);
    tags(&registry).run().success("[\"v1\",\"v2\"]\n");
    assert_eq!(other.accepted(), 0);
}

#[test]
fn a_page_that_repeats_is_exit_1() {
    let registry = holding_tags(Registry::start());
    let endless = format!(
        "docker-registry: {}: tags: the registry's list has no end: a page repeats\n",
        registry.image("a")
    );
    for target in ["/v2/a/tags/list?n=1000", "?last=v1", "?last=v0"] {
        let next = Fault::Header("Link", format!("<{target}>; rel=\"next\""));
        registry.fail(&format!("{LIST}*"), next).times(2);
        tags(&registry).run().fails(1, &endless);
        registry.take();
        registry.forgive();
    }
}

#[test]
fn a_digest_that_a_redirect_leads_to_is_still_compared() {
    let apart = Apart::new(Registry::start());
    let digest = sha256("other");
    let image = apart.registry.image(&format!("a@{digest}"));
    let path = format!("/v2/a/manifests/{digest}");
    apart
        .registry
        .fail(&path, Fault::Redirect("/v2/a/manifests/v1".to_owned()));
    let output = Tool::new().args(["manifest", &image]).run();
    assert_eq!((output.code, output.text()), (Some(6), ""));
    apart.registry.forgive();
    apart.store.forgive();
}

#[test]
fn a_public_registry_leads_nobody_inside() {
    let tls = Tls::named(&["registry.example.com"]);
    let registry = holding_tags(Registry::builder().tls(tls).start());
    image().push_to(&registry, "a", "v1");
    let inside = Registry::builder().tls(Tls::authority()).start();
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    let digest = image().config_digest();
    let ask = |command: &str, image: &str| {
        let tool = Tool::new().args([command, image, "--cacert"]);
        tool.arg(registry.ca())
            .env("HTTPS_PROXY", proxy.url())
            .run()
    };
    let fails = |output: Output, what: &str, there: &str| {
        output.fails(
            1,
            format!(
                "docker-registry: registry.example.com/a{what}: \
                 https://registry.example.com leads to {there}, which is an internal address\n"
            ),
        );
    };
    for there in [inside.base(), inside.base().replace("127.0.0.1", "127.1")] {
        registry.fail(
            &format!("/v2/a/blobs/{digest}"),
            Fault::Redirect(format!("{there}/x?signature=1")),
        );
        let output = ask("labels", "registry.example.com/a:v1");
        fails(output, &format!(":v1: blob {digest}"), &there);
        registry.fail(LIST, Fault::Redirect(format!("{there}{LIST}")));
        fails(ask("tags", "registry.example.com/a"), ": tags", &there);
    }
    assert_eq!(inside.accepted(), 0);
}
