//! What is asked once, kept for a time, and not sent again.

use std::thread;
use std::time::Duration;

use super::{registry, serving, text};
use crate::harness::{Fault, Image, Tool};

#[test]
fn what_is_known_is_not_sent_again() {
    let (registry, image, name) = registry();
    let served = serving(&registry);
    let digest = image.digest();
    for (target, etag) in [
        (
            format!("manifest?image={name}&raw=1&arch=amd64"),
            Some(format!("\"{digest}\"")),
        ),
        (
            format!("manifest?image={name}&arch=amd64"),
            Some(format!("W/\"{digest}\"")),
        ),
        (
            format!("labels?image={name}&arch=amd64"),
            Some(format!("W/\"{digest}\"")),
        ),
        (format!("tags?image={name}"), None),
        (format!("labels?image={name}&jq=.a"), None),
    ] {
        let target = &format!("/api/v1/{target}");
        let first = served.get(target);
        assert_eq!(first.status, 200, "{}", text(&first));
        let told = first.get("etag").expect(target).to_owned();
        assert_eq!(etag.unwrap_or(told.clone()), told, "{target}");
        let opaque = told.trim_start_matches("W/");
        for (known, status) in [
            (told.clone(), 304),
            (format!("W/{opaque}"), 304),
            (opaque.to_owned(), 304),
            (format!("\"x\", {told}"), 304),
            ("*".to_owned(), 304),
            ("\"x\"".to_owned(), 200),
            ("\"\"".to_owned(), 200),
        ] {
            let response = served.ask(target, &[("If-None-Match", &known)]);
            assert_eq!(response.status, status, "{target} {known}");
            assert_eq!(response.get("etag"), Some(&*told), "{target} {known}");
            assert_eq!(response.body.is_empty(), status == 304);
            assert!(response.get("content-security-policy").is_some());
        }
    }
    let etag = served
        .get(&format!("/api/v1/tags?image={name}"))
        .get("etag")
        .unwrap()
        .to_owned();
    Image::new("linux/amd64").push_to(&registry, "a", "v2");
    let other = Tool::new().args([&registry.host(), "--max-age=0"]).serve();
    let other = other.get(&format!("/api/v1/tags?image={name}"));
    assert_ne!(other.get("etag"), Some(&*etag));
}

#[test]
fn an_answer_is_believed_for_a_time() {
    let (registry, _, name) = registry();
    let target = format!("/api/v1/labels?image={name}&platform=linux/amd64");
    let turned = format!("/api/v1/labels?platform=linux/amd64&image={name}");
    let served = serving(&registry);
    served.json(200, &target);
    assert!(!registry.take().is_empty());
    served.json(200, &target);
    served.json(200, &turned);
    assert_eq!(registry.take(), [""; 0], "kept");
    let unsure = Tool::new().args([&registry.host(), "--max-age=0"]).serve();
    unsure.json(200, &target);
    registry.take();
    unsure.json(200, &target);
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"], "asked again");
    Image::new("linux/amd64")
        .label("a", "c")
        .push_to(&registry, "a", "v1");
    assert_eq!(unsure.json(200, &target)["a"], "c");
    assert_eq!(served.json(200, &target)["a"], "b");
}

#[test]
fn what_has_a_digest_is_not_asked_for_again() {
    let (registry, image, _) = registry();
    let unsure = Tool::new()
        .args([&registry.host(), "--max-age=0", "--no-cache"])
        .serve();
    let pinned = registry.image(&format!("a@{}", image.digest()));
    let target = format!("/api/v1/labels?image={pinned}");
    unsure.json(200, &target);
    registry.take();
    unsure.json(200, &target);
    assert_eq!(registry.take(), [""; 0]);
    // Who refers to it may change.
    let target = format!("/api/v1/referrers?image={pinned}");
    for _ in 0..2 {
        unsure.json(200, &target);
        assert_eq!(registry.take().len(), 1);
    }
}

#[test]
fn a_failure_is_not_believed_for_long() {
    let (registry, _, _) = registry();
    registry.absent("/v2/a/manifests/v2").times(1);
    let served = serving(&registry);
    let target = format!("/api/v1/resolve?image={}", registry.image("a:v2"));
    served.json(404, &target);
    Image::new("linux/amd64").push_to(&registry, "a", "v2");
    thread::sleep(Duration::from_millis(1100));
    served.json(200, &target);
}

#[test]
fn what_500_ask_at_once_is_asked_once() {
    let (registry, _, name) = registry();
    // So that all of them come before there is an answer.
    let slow = Fault::Slow(100, Duration::from_millis(100));
    registry.fail("/v2/a/manifests/v1", slow).always();
    let target = format!("/api/v1/labels?image={name}&platform=linux/amd64");
    let expected = {
        let alone = serving(&registry);
        alone.json(200, &target);
        registry.take()
    };
    let served = serving(&registry);
    thread::scope(|scope| {
        for _ in 0..500 {
            scope.spawn(|| assert_eq!(served.json(200, &target)["a"], "b"));
        }
    });
    assert_eq!(registry.take(), expected);
}
