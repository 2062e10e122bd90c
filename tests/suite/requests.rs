//! How much is asked for: the least that the protocol allows, and less the second time.

use std::sync::Arc;

use crate::harness::{Fault, Image, Index, Registry, Tls, Tokens, Tool};

const ARM: &str = "--platform=linux/arm64";

/// Requests the first time, again, and again by digest.
type Counts = (&'static str, usize, usize, usize);

const OF_A_LIST: [Counts; 10] = [
    ("digestlist", 1, 1, 0),
    ("manifestlist", 1, 1, 0),
    ("digest", 1, 1, 0),
    ("manifest", 2, 1, 0),
    ("id", 2, 1, 0),
    ("config", 3, 1, 0),
    ("labels", 3, 1, 0),
    ("history", 3, 1, 0),
    ("layers", 3, 1, 0),
    ("verifytool", 3, 1, 0),
];

const OF_A_SINGLE_IMAGE: [Counts; 7] = [
    ("digest", 1, 1, 0),
    ("manifest", 1, 1, 0),
    ("id", 1, 1, 0),
    ("config", 2, 1, 0),
    ("labels", 2, 1, 0),
    ("history", 2, 1, 0),
    ("layers", 2, 1, 0),
];

fn image() -> Image {
    Image::new("linux/arm64").label("a", "b").layer("a", b"a")
}

fn index() -> Index {
    let other = Image::new("linux/amd64").label("a", "c");
    Index::new().oci().image(other).attestation().image(image())
}

/// A registry with the list `a:list` and the image `a:single`, and what tokens cost there.
fn registry(with_tokens: bool) -> (Registry, usize) {
    let tokens = Tokens::new();
    let (registry, cost) = match with_tokens {
        true => (Registry::builder().tokens(&tokens).start(), 2),
        false => (Registry::start(), 0),
    };
    index().push_to(&registry, "a", "list");
    image().push_to(&registry, "a", "single");
    (registry, cost)
}

#[test]
fn each_command_asks_for_the_least() {
    for with_tokens in [false, true] {
        let (registry, cost) = registry(with_tokens);
        let tables = [
            ("list", index().digest(), OF_A_LIST.as_slice()),
            ("single", image().digest(), &OF_A_SINGLE_IMAGE),
        ];
        for (tag, digest, table) in tables {
            for counts in table {
                let (command, first, again, by_digest) = *counts;
                let tool = Tool::new();
                let asked = |at: &str| asked(&tool, &registry, command, &format!("a{at}"));
                let case = format!("{command} a:{tag}, tokens: {with_tokens}");
                assert_eq!(asked(&format!(":{tag}")).len(), first + cost, "{case}");
                let second = asked(&format!(":{tag}"));
                assert_eq!(second, vec![format!("HEAD /v2/a/manifests/{tag}"); again]);
                asked(&format!("@{digest}"));
                assert_eq!(asked(&format!("@{digest}")).len(), by_digest, "{case}");
            }
        }
    }
}

/// The requests that a command makes, all on one connection.
fn asked(tool: &Tool, registry: &Registry, command: &str, name: &str) -> Vec<String> {
    let platform = if name.contains("single") { "-r" } else { ARM };
    let line = [command, platform, &registry.image(name)];
    tool.again(line).run().status(0).stderr("");
    assert!(registry.connections() <= 1, "{line:?}");
    registry.take()
}

#[test]
fn a_digest_costs_no_more_than_a_tag() {
    for with_tokens in [false, true] {
        let (registry, cost) = registry(with_tokens);
        let name = registry.image(&format!("a@{}", index().digest()));
        for (command, first, _, by_digest) in OF_A_LIST {
            let asked = Tool::new().args([command, ARM, &name]);
            asked.run().status(0).stderr("");
            assert_eq!(registry.take().len(), first + cost, "{command}");
            asked.run().status(0).stderr("");
            assert_eq!(registry.take().len(), by_digest, "{command}");
        }
    }
}

#[test]
fn tags_are_one_request_for_each_page() {
    for with_tokens in [false, true] {
        let (registry, cost) = registry(with_tokens);
        let tags = Tool::new().args(["tags", &registry.image("a")]);
        for count in [1 + cost, 1] {
            tags.run().success("[\"list\",\"single\"]\n");
            assert_eq!(registry.connections(), 1);
            assert_eq!(registry.take().len(), count);
        }
    }
}

#[test]
fn labels_of_a_list_take_three_requests_or_five() {
    for with_tokens in [false, true] {
        let (registry, _) = registry(with_tokens);
        let labels = Tool::new().args(["labels", "-r", ARM, &registry.image("a:list")]);
        labels.run().success("{\"a\":\"b\"}\n");
        assert_eq!(registry.connections(), 1);
        let refused = [
            "GET /v2/a/manifests/list".to_owned(),
            "GET /token?service=suite&scope=repository:a:pull".to_owned(),
        ];
        let asked = [
            "GET /v2/a/manifests/list".to_owned(),
            format!("GET /v2/a/manifests/{}", image().digest()),
            format!("GET /v2/a/blobs/{}", image().config_digest()),
        ];
        let refused = refused.into_iter().filter(|_| with_tokens);
        let expected: Vec<String> = refused.chain(asked).collect();
        assert_eq!(registry.take(), expected);
    }
}

#[test]
fn the_images_of_a_batch_share_connection_and_token() {
    let (registry, cost) = registry(true);
    let image = Image::new("linux/amd64");
    let digest = image.push_to(&registry, "a", "v1");
    registry.tags("a", (2..=20).map(|i| format!("v{i}")), &digest);
    let names = (1..=20).map(|i| registry.image(&format!("a:v{i}")));
    let digests = Tool::new().args(["digest", "-j1"]).args(names);
    digests.run().status(0).stderr("");
    assert_eq!(registry.connections(), 1);
    assert_eq!(registry.take().len(), 20 + cost);
}

#[test]
fn a_redirected_blob_costs_registry_and_store_one_request_each() {
    let (registry, cost) = registry(true);
    let store = Registry::start();
    let blob = format!("/v2/a/blobs/{}", image().config_digest());
    store.blob("a", image().config());
    let target = Fault::Redirect(format!("{}{blob}", store.base()));
    registry.fail(&blob, target);
    let labels = Tool::new().args(["labels", "-r", ARM, &registry.image("a:list")]);
    labels.run().success("{\"a\":\"b\"}\n");
    assert_eq!(registry.take().len(), 3 + cost);
    assert_eq!(store.requests()[0].header("Authorization"), None);
    assert_eq!(store.take(), [format!("GET {blob}")]);
}

#[test]
fn what_an_image_shares_with_another_is_asked_for_once() {
    let (registry, _) = registry(false);
    let tool = Tool::new();
    tool.again(["labels", ARM, &registry.image("a:list")])
        .run()
        .status(0);
    registry.take();
    let labels = tool.again(["labels", "-r", ARM, &registry.image("a:single")]);
    labels.run().success("{\"a\":\"b\"}\n");
    assert_eq!(registry.take(), ["GET /v2/a/manifests/single"]);
}

#[test]
fn a_known_registry_is_connected_to_once() {
    let (tls, tokens) = (Arc::new(Tls::authority()), Tokens::new());
    let secure = || Registry::builder().tls(tls.clone());
    let _server = secure().token_server(&tokens).start();
    let registry = secure().tokens(&tokens).start();
    let tool = Tool::new();
    for (repository, requests) in [("a", 2), ("b", 1)] {
        Image::new("linux/amd64").push_to(&registry, repository, "v1");
        let tags = ["tags", &registry.image(repository), "--cacert"];
        let before = registry.accepted();
        let tags = tool.again(tags).arg(tls.ca());
        tags.run().success("[\"v1\"]\n");
        assert_eq!(registry.take().len(), requests);
        assert_eq!(registry.accepted(), before + 1);
    }
}
