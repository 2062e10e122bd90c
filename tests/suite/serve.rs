//! `serve`: what the commands answer, over HTTP.

use serde_json::json;

use crate::harness::{Image, Registry, Tool};

/// A registry with an image, and its name.
fn registry() -> (Registry, Image, String) {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b");
    image.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    (registry, image, name)
}

#[test]
fn a_question_is_answered_as_on_the_command_line() {
    let (registry, image, name) = registry();
    let served = Tool::new().arg(registry.host()).serve();
    let labels = served.get(&format!("/api/v1/labels?image={name}&platform=linux/amd64"));
    assert_eq!(
        (labels.status, &*labels.body),
        (200, &b"{\"a\":\"b\"}\n"[..])
    );
    assert_eq!(labels.get("content-type"), Some("application/json"));
    let digest = served.json(200, &format!("/api/v1/digest?arch=amd64&image={name}"));
    assert_eq!(digest, json!(image.digest()));
    let manifest = served.get(&format!("/api/v1/manifest?image={name}&raw=1&arch=amd64"));
    assert_eq!(manifest.body, image.manifest());
    assert_eq!(
        manifest.get("etag"),
        Some(&*format!("\"{}\"", image.digest()))
    );
    let catalog = served.json(
        200,
        &format!("/api/v1/catalog?registry={}", registry.host()),
    );
    assert_eq!(catalog, json!(["a"]));
}

#[test]
fn a_file_of_an_image_is_served_as_it_is() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").layer("file", b"\xff\n");
    image.push_to(&registry, "a", "v1");
    let served = Tool::new().arg(registry.host()).serve();
    let question = format!("/api/v1/cat?image={}&path=file", registry.image("a:v1"));
    let file = served.get(&format!("{question}&raw=1"));
    assert_eq!((file.status, &*file.body), (200, &b"\xff\n"[..]));
    assert_eq!(file.get("content-type"), Some("application/octet-stream"));
    let why = "the file cannot be a JSON string: it is not UTF-8";
    let error = served.json(502, &question)["error"].to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn what_is_wrong_has_the_status_of_the_exit_code() {
    let (registry, _, name) = registry();
    registry.absent("/v2/a/manifests/v2");
    let served = Tool::new().arg(registry.host()).serve();
    let missing = registry.image("a:v2");
    for (target, status, body) in [
        (
            format!("labels?image={missing}"),
            404,
            json!({
                "error": format!("{missing}: manifest v2: not found (manifest unknown)"),
                "hint": "the command 'tags' lists the tags that there are",
                "code": 3,
            }),
        ),
        (
            format!("labels?image={name}&platfrom=linux/amd64"),
            400,
            json!({"error": "'labels' has no parameter 'platfrom'", "hint": "did you mean 'platform'?", "code": 2}),
        ),
        (
            "labels".to_owned(),
            400,
            json!({"error": "'labels' wants the parameter 'image' once", "code": 2}),
        ),
        (
            "push?image=a".to_owned(),
            404,
            json!({"error": "there is no question 'push'", "hint": "/api/openapi.json lists them", "code": 3}),
        ),
        (
            "labels?image=ubuntu".to_owned(),
            403,
            json!({"error": "ubuntu: ubuntu is not served here", "hint": format!("what is: {}", registry.host()), "code": 4}),
        ),
    ] {
        assert_eq!(
            served.json(status, &format!("/api/v1/{target}")),
            body,
            "{target}"
        );
    }
}
