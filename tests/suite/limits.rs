//! Every body and every header has a limit, and bytes stay what they were.

use serde_json::json;

use crate::credentials::{auths, holding_tags, tags};
use crate::harness::{Fault, Image, Registry, Response, Server, Tokens, Tool, gzip};

const TAGS: &str = "[\"v1\"]\n";
const LIST: &str = "/v2/a/tags/list";

fn holding_image() -> (Registry, Image) {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b").layer("a", b"b");
    image.push_to(&registry, "a", "v1");
    (registry, image)
}

fn asked(registry: &Registry, command: &str) -> Tool {
    Tool::new().args([command, "-r", &registry.image("a:v1")])
}

#[test]
fn a_document_has_8_mib() {
    let (registry, image) = holding_image();
    let manifest = "/v2/a/manifests/v1";
    let config = format!("/v2/a/blobs/{}", image.config_digest());
    for fault in [Fault::Endless, Fault::Oversize(9 << 20)] {
        for target in [manifest, &config] {
            registry.fail(target, fault.clone());
            let output = asked(&registry, "config").run();
            let message = output.messages();
            assert_eq!((output.code, output.text()), (Some(1), ""), "{message}");
            assert!(
                message.contains("the answer is longer than 8388608 bytes\n"),
                "{message}"
            );
        }
    }
}

#[test]
fn a_document_that_says_it_is_larger_is_not_asked_for() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").in_manifest(
        "config",
        json!({
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": Image::new("linux/amd64").config_digest(),
            "size": 8_388_609,
        }),
    );
    image.push_to(&registry, "a", "v1");
    let output = asked(&registry, "config").run().status(1).stdout("");
    let message = output.messages();
    assert!(
        message.contains("8388609 bytes are too many for a document"),
        "{message}"
    );
    assert_eq!(registry.take().len(), 1);
}

#[test]
fn a_page_has_32_mib() {
    let registry = holding_tags(Registry::start());
    registry.fail(LIST, Fault::Oversize(31 << 20));
    tags(&registry).run().success(TAGS);
    registry.fail(LIST, Fault::Endless);
    let host = registry.host();
    tags(&registry).run().fails(
        1,
        format!(
            "docker-registry: {host}/a: tags: {host}: the answer is longer than 33554432 bytes\n"
        ),
    );
}

#[test]
fn all_pages_have_64_mib() {
    let registry = Registry::start();
    let page = |next: &str, padding: usize| {
        let body = format!("{{\"tags\":[\"{padding}\"]}}{}", " ".repeat(padding));
        Response::new(200)
            .body(body)
            .header("Link", format!("<{LIST}?{next}>; rel=\"next\""))
    };
    registry.answer("GET", &format!("{LIST}?last=a"), page("last=b", 30 << 20));
    registry.answer("GET", &format!("{LIST}?last=b"), page("last=c", 4 << 20));
    registry.answer("GET", LIST, page("last=a", 31 << 20));
    let message = format!(
        "docker-registry: {}: tags: all pages together are longer than 64 MiB\n",
        registry.image("a")
    );
    tags(&registry).run().fails(1, message);
}

#[test]
fn a_token_has_1_mib() {
    let registry = Registry::builder().tokens(&Tokens::new()).start();
    registry.fail("/token", Fault::Endless);
    let output = tags(&registry).run().status(1).stdout("");
    let message = output.messages();
    assert!(
        message.contains("the answer is longer than 1048576 bytes\n"),
        "{message}"
    );
}

#[test]
fn a_refusal_is_not_read_to_an_end_that_it_does_not_have() {
    let registry = holding_tags(Registry::start());
    let length = "x".repeat(10 << 20);
    registry.fail(LIST, Response::error(422, "DENIED", &length));
    let output = tags(&registry).run().status(1).stdout("");
    assert!(output.messages().len() < 1000);
    registry.fail(LIST, Response::error(422, "DENIED", &"é".repeat(1000)));
    tags(&registry).run().fails(
        1,
        format!(
            "docker-registry: {}: tags: the registry answers 422 ({}…)\n",
            registry.image("a"),
            "é".repeat(200)
        ),
    );
}

#[test]
fn a_refusal_cannot_drive_the_terminal() {
    let registry = holding_tags(Registry::start());
    registry.fail(
        LIST,
        Response::error(422, "DENIED", "\u{1b}[2J\u{202e}\nhint: run me"),
    );
    tags(&registry).run().fails(
        1,
        format!(
            "docker-registry: {}: tags: the registry answers 422 \
             (\\u{{1b}}[2J\\u{{202e}}\\u{{a}}hint: run me)\n",
            registry.image("a")
        ),
    );
}

#[test]
fn a_header_has_limits() {
    let registry = holding_tags(Registry::start());
    let many = (0..200).fold(Response::new(200), |answer, n| {
        answer.header(&format!("X-{n}"), "x")
    });
    let long = Response::new(200).header("X-Long", "x".repeat(100 << 10));
    for answer in [many, long] {
        registry.fail(LIST, answer);
        let output = tags(&registry).run().status(1).stdout("");
        let message = output.messages();
        assert!(message.contains("the answer is not HTTP: "), "{message}");
    }
    let some = Fault::Header("X-Long", "x".repeat(30 << 10));
    registry.fail(LIST, some);
    tags(&registry).run().success(TAGS);
}

#[test]
fn what_is_no_http_is_exit_1() {
    for said in [
        &b"hello\r\n\r\n"[..],
        b"HTTP/9 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
    ] {
        let server = Server::saying(said);
        let image = format!("{}/a", server.host());
        let output = Tool::new().args(["tags", "--plain-http", &image]).run();
        assert_eq!(
            (output.code, output.text()),
            (Some(1), ""),
            "{}",
            output.messages()
        );
    }
}

#[test]
fn nothing_is_decoded_that_a_registry_encodes_unasked() {
    let (registry, image) = holding_image();
    let encoded = Fault::Header("Content-Encoding", "gzip".to_owned());
    registry.fail("/v2/*", encoded).always();
    let output = asked(&registry, "manifest").run().status(0).stderr("");
    output.stdout_bytes(image.manifest());
    let output = asked(&registry, "config").run().status(0).stderr("");
    output.stdout_bytes(image.config());
    for request in registry.requests() {
        assert_eq!(request.header("Accept-Encoding"), Some("identity"));
    }
    // A document that is encoded is not the document that was named.
    let wrong = Fault::WrongBytes(gzip(&image.manifest()));
    registry.fail("/v2/a/manifests/v1", wrong);
    let output = asked(&registry, "manifest").arg("--no-cache").run();
    assert_eq!((output.code, output.text()), (Some(6), ""));
}

#[test]
fn a_secret_that_no_header_can_hold_is_not_shown() {
    let registry = holding_tags(Registry::builder().tokens(&Tokens::new()).start());
    let entry = json!({"registrytoken": "sword\r\nfish"});
    let tool = tags(&registry).file(".docker/config.json", auths(&registry, entry));
    let output = tool.run().status(1).stdout("");
    let message = output.messages();
    assert!(
        !message.contains("sword") && !message.contains("fish"),
        "{message}"
    );
    assert_eq!(registry.take().len(), 1);
}
