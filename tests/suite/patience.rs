//! What may pass is tried again, for as long as it makes sense.

use std::time::{Duration, Instant};

use crate::credentials::{holding_tags, tags};
use crate::harness::{Fault, Image, Registry, Response, Tokens, Tool};

const TAGS: &str = "[\"v1\"]\n";
const LIST: &str = "/v2/a/tags/list";

fn open() -> Registry {
    holding_tags(Registry::start())
}

fn failed(registry: &Registry, why: &str) -> String {
    format!("docker-registry: {}: tags: {why}\n", registry.image("a"))
}

fn later(status: u16, when: &str) -> Response {
    Response::new(status).header("Retry-After", when)
}

#[test]
fn what_may_pass_is_tried_again() {
    let registry = open();
    for status in [408, 429, 500, 502, 503, 504] {
        registry.fail(LIST, status);
        tags(&registry).run().success(TAGS);
        assert_eq!(registry.take().len(), 2, "{status}");
    }
    registry.fail(LIST, Fault::Hangup);
    tags(&registry).run().success(TAGS);
    assert_eq!(registry.take().len(), 2);
}

#[test]
fn what_does_not_pass_is_not_tried_again() {
    let registry = open();
    for status in [402, 404, 410, 418, 451] {
        registry.fail(LIST, status);
        let code = tags(&registry).run().code;
        assert_eq!(code, Some(if status == 404 { 3 } else { 1 }), "{status}");
        assert_eq!(registry.take().len(), 1, "{status}");
    }
}

#[test]
fn three_times_it_is_tried_again_unless_said_otherwise() {
    let registry = open();
    registry.fail(LIST, 503).always();
    for (args, requests) in [
        (&[][..], 4),
        (&["--retries", "0"], 1),
        (&["--retries=2"], 3),
    ] {
        let message = failed(&registry, "the registry answers 503");
        let output = tags(&registry).args(args).run();
        output.fails(5, message);
        assert_eq!(registry.take().len(), requests);
    }
}

#[test]
fn a_broken_connection_is_exit_5_after_all_tries() {
    let registry = open();
    registry.fail(LIST, Fault::Hangup).times(2);
    let host = registry.host();
    let message = failed(&registry, &format!("{host}: the connection was closed"));
    tags(&registry).arg("--retries=1").run().fails(5, message);
}

#[test]
fn a_registry_may_say_when_to_come_back() {
    let registry = open();
    let date = "Sun, 06 Nov 1994 08:49:3";
    for status in [429, 503] {
        for answer in [
            later(status, "1"),
            later(status, &format!("{date}8 GMT")).header("Date", format!("{date}7 GMT")),
        ] {
            registry.fail(LIST, answer);
            let start = Instant::now();
            tags(&registry).run().success(TAGS);
            assert!(start.elapsed() >= Duration::from_secs(1));
        }
    }
    // What is over by our own clock is over.
    registry.fail(LIST, later(429, &format!("{date}7 GMT")));
    registry.fail(LIST, later(503, "0"));
    registry.fail(LIST, later(503, "soon"));
    tags(&registry).run().success(TAGS);
}

#[test]
fn a_wait_that_is_too_long_is_not_begun() {
    let registry = open();
    let come_back = |when: &str| failed(&registry, &format!("too many requests: come back {when}"));
    let date = "Sun, 06 Nov 1994 0";
    for (answer, message) in [
        (later(429, "61"), come_back("in 61 s")),
        (later(429, "3600"), come_back("in 60 min")),
        (
            later(429, "18446744073709551615"),
            come_back("in 5124095576030432 h"),
        ),
        (
            later(429, &format!("{date}9:00:00 GMT")).header("Date", format!("{date}8:00:00 GMT")),
            come_back("in 60 min"),
        ),
    ] {
        registry.fail(LIST, answer);
        tags(&registry).run().fails(7, message);
        assert_eq!(registry.take().len(), 1);
    }
    registry.fail(LIST, later(503, "300"));
    let message = failed(&registry, "the registry answers 503: come back in 5 min");
    tags(&registry).run().fails(5, message);
    registry.fail(LIST, Response::error(429, "TOOMANYREQUESTS", "slow down"));
    let message = "too many requests (slow down): come back later; the registry does not say when";
    let tool = tags(&registry).arg("--retries=0");
    tool.run().fails(7, failed(&registry, message));
}

#[test]
fn the_waits_of_a_request_are_added_up() {
    let registry = open();
    registry.fail(LIST, later(429, "1"));
    registry.fail(LIST, later(429, "60"));
    let message = failed(&registry, "too many requests: come back in 60 s");
    tags(&registry).run().fails(7, message);
}

#[cfg(target_os = "linux")]
#[test]
fn a_noticeable_wait_is_announced_and_can_be_interrupted() {
    let registry = open();
    registry.fail(LIST, later(429, "60"));
    let said = format!(
        "docker-registry: waiting 60 s before asking {} again\n",
        registry.host()
    );
    let output = tags(&registry).terminal(&[(said.as_str(), "\u{3}")]);
    assert_eq!(
        (output.code, output.text()),
        (None, format!("{said}^C").as_str())
    );
}

#[test]
fn a_document_that_is_cut_off_is_fetched_again() {
    let tokens = Tokens::new();
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    let image = Image::new("linux/amd64").label("a", "b");
    image.push_to(&registry, "a", "v1");
    let config = format!("/v2/a/blobs/{}", image.config_digest());
    let manifest = "/v2/a/manifests/v1";
    let chunked = Fault::Header("Transfer-Encoding", "chunked".to_owned());
    for target in ["/token", manifest, &config] {
        registry.fail(target, Fault::Truncate(7));
    }
    // In chunks no length says how much there should be.
    registry.fail(&config, chunked).after(1);
    registry.fail(&config, Fault::Truncate(40));
    let tool = Tool::new().args(["labels", "-r", &registry.image("a:v1")]);
    tool.run().success("{\"a\":\"b\"}\n");
    let targets: Vec<_> = registry
        .requests()
        .iter()
        .map(|it| it.path().to_owned())
        .collect();
    let expected = [
        manifest, "/token", "/token", manifest, manifest, &config, &config, &config,
    ];
    assert_eq!(targets, expected);
}

#[test]
fn a_document_that_is_always_cut_off_is_exit_5() {
    let registry = open();
    registry.fail(LIST, Fault::Truncate(7)).times(2);
    let host = registry.host();
    let why = format!("{host}: in the middle of the answer: the connection was closed");
    let tool = tags(&registry).arg("--retries=1");
    tool.run().fails(5, failed(&registry, &why));
}

#[test]
fn a_token_server_is_waited_for_too() {
    let tokens = Tokens::new();
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    registry.fail("/token", 503);
    registry.fail("/token", Fault::Hangup);
    tags(&registry).run().success(TAGS);
    let host = registry.host();
    registry.fail("/token", later(429, "3600"));
    tags(&registry).run().fails(
        7,
        format!(
            "docker-registry: {host}/a: tags: token from {host}: \
             too many requests: come back in 60 min\n"
        ),
    );
}

/// Four times in all, not four times the token and four times the list.
#[test]
fn what_a_request_passes_through_is_tried_as_often_as_one() {
    let tokens = Tokens::new();
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    registry.fail("/token", 503).times(2);
    registry.fail(LIST, 503).times(2);
    let message = failed(&registry, "the registry answers 503");
    tags(&registry).run().fails(5, message);
    // One that asks for the token, three for the token, two with it.
    assert_eq!(registry.take().len(), 6);
}
