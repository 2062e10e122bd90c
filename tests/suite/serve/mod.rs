//! `serve`: what the commands answer, over HTTP.

mod access;
mod filters;
mod kept;
mod openapi;

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Image, Index, Registry, Response, Served, Tool};

/// A registry with an image, and its name.
fn registry() -> (Registry, Image, String) {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b");
    image.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    (registry, image, name)
}

/// The program as it serves a registry, and asks nothing again.
fn serving(registry: &Registry) -> Served {
    Tool::new().args([&registry.host(), "--retries=0"]).serve()
}

fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).unwrap()
}

#[test]
fn a_question_is_answered_as_on_the_command_line() {
    let (registry, image, name) = registry();
    let served = serving(&registry);
    let labels = served.get(&format!("/api/v1/labels?image={name}&platform=linux/amd64"));
    assert_eq!((labels.status, &*text(&labels)), (200, "{\"a\":\"b\"}\n"));
    assert_eq!(labels.get("content-type"), Some("application/json"));
    for (target, expected) in [
        (
            format!("digest?arch=amd64&image={name}"),
            json!(image.digest()),
        ),
        (
            format!("labels?image={name}&platform=all"),
            json!({"linux/amd64": {"a": "b"}}),
        ),
        (
            format!("tags?image={name}&match=^v&match=^w&exclude=2"),
            json!(["v1"]),
        ),
        (
            format!("size?image={name}&platform=linux/amd64&unpacked=0"),
            json!({"compressed": 0, "unpacked": null, "layers": 0}),
        ),
        (
            format!("diff?image={name}&image={name}&arch=amd64"),
            json!({}),
        ),
        (
            format!("catalog?registry={}", registry.host()),
            json!(["a"]),
        ),
        (
            format!("catalog?registry={}&tags=1", registry.host()),
            json!({"a": ["v1"]}),
        ),
        (
            format!("resolve?image={name}&oci=false"),
            json!(image.digest()),
        ),
    ] {
        assert_eq!(
            served.json(200, &format!("/api/v1/{target}")),
            expected,
            "{target}"
        );
    }
}

#[test]
fn raw_is_what_the_command_prints_then() {
    let (registry, image, name) = registry();
    let served = serving(&registry);
    let manifest = served.get(&format!("/api/v1/manifest?image={name}&raw=1&arch=amd64"));
    assert_eq!(manifest.body, image.manifest());
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(manifest.get("content-type"), Some(media_type));
    assert_eq!(
        manifest.get("etag"),
        Some(&*format!("\"{}\"", image.digest()))
    );
    for command in ["platforms", "inspect", "digest", "labels"] {
        let printed = Tool::new()
            .args([command, "-r", "--arch=amd64", &name])
            .run()
            .status(0);
        let response = served.get(&format!(
            "/api/v1/{command}?image={name}&raw=true&arch=amd64"
        ));
        assert_eq!(text(&response), printed.text(), "{command}");
        let is_text = command != "labels";
        let expected = if is_text {
            "text/plain; charset=utf-8"
        } else {
            "application/json"
        };
        assert_eq!(response.get("content-type"), Some(expected), "{command}");
    }
}

#[test]
fn a_file_of_an_image_is_served_as_it_is() {
    let registry = Registry::start();
    // More than is kept in memory, too.
    let large: Vec<u8> = (0..3_000_000u32).flat_map(|i| i.to_le_bytes()).collect();
    let image = Image::new("linux/amd64")
        .layer("file", b"\xff\n")
        .layer("large", &large);
    image.push_to(&registry, "a", "v1");
    let served = serving(&registry);
    let question = format!("/api/v1/cat?image={}&path=file", registry.image("a:v1"));
    let file = served.get(&format!("{question}&raw=1"));
    assert_eq!((file.status, &*file.body), (200, &b"\xff\n"[..]));
    assert_eq!(file.get("content-type"), Some("application/octet-stream"));
    let target = format!(
        "/api/v1/cat?image={}&raw=1&path=/large",
        registry.image("a:v1")
    );
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let file = served.get(&target);
                assert_eq!(file.status, 200, "{}", text(&file));
                assert_eq!(file.get("content-type"), Some("application/octet-stream"));
                assert!(file.body == large, "{} bytes", file.body.len());
            });
        }
    });
    let why = "the file cannot be a JSON string: it is not UTF-8";
    let error = served.json(502, &question)["error"].to_string();
    assert!(error.contains(why), "{error}");
}

#[test]
fn what_is_wrong_has_the_status_of_the_exit_code() {
    let (registry, _, name) = registry();
    registry.absent("/v2/a/manifests/v2");
    registry.fail("/v2/a/manifests/denied", 403).always();
    registry.fail("/v2/a/manifests/broken", 500).always();
    let limited = Response::new(429).header("Retry-After", "7");
    registry.fail("/v2/a/manifests/often", limited).always();
    registry.fail("/v2/a/manifests/oftener", 429).always();
    let wrong = crate::harness::Fault::WrongBytes(b"{}".to_vec());
    registry.fail("/v2/a/manifests/wrong", wrong).always();
    Image::new("linux/amd64").push_to(&registry, "a", "wrong");
    let served = serving(&registry);
    for (tag, status, code, after) in [
        ("v2", 404, 3, None),
        ("denied", 403, 4, None),
        ("broken", 504, 5, None),
        ("wrong", 502, 6, None),
        ("often", 429, 7, Some("7")),
        ("oftener", 429, 7, Some("60")),
    ] {
        let image = registry.image(&format!("a:{tag}"));
        let response = served.get(&format!("/api/v1/labels?image={image}"));
        assert_eq!(response.status, status, "{tag}: {}", text(&response));
        assert_eq!(response.get("retry-after"), after, "{tag}");
        assert_eq!(response.get("etag"), None, "{tag}");
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!(body["code"], code, "{tag}");
        let output = Tool::new().args(["labels", "--retries=0", &image]).run();
        let output = output.status(code);
        let message = body["error"].as_str().unwrap();
        let hint = body["hint"].as_str().map(|hint| format!("hint: {hint}\n"));
        output.stderr(format!(
            "docker-registry: {message}\n{}",
            hint.unwrap_or_default()
        ));
    }
    let elsewhere = format!("what is: {}", registry.host());
    for (target, status, body) in [
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
            format!("labels?image={name}&image={name}"),
            400,
            json!({"error": "'labels' wants the parameter 'image' once", "code": 2}),
        ),
        (
            format!("diff?image={name}"),
            400,
            json!({"error": "'diff' wants the parameter 'image' twice", "code": 2}),
        ),
        (
            format!("cat?image={name}"),
            400,
            json!({"error": "'cat' wants the parameter 'path' once", "code": 2}),
        ),
        (
            format!("labels?image={name}&raw=maybe"),
            400,
            json!({"error": "raw wants 1 or 0, not 'maybe'", "code": 2}),
        ),
        (
            format!("tags?image={name}&sort=size"),
            400,
            json!({"error": "sort wants semver, name or created, not 'size'", "code": 2}),
        ),
        (
            format!("tags?image={name}&platform=all"),
            400,
            json!({"error": "--platform all cannot be used with 'tags', which does not depend on the platform", "code": 2}),
        ),
        (
            "push?image=a".to_owned(),
            404,
            json!({"error": "there is no question 'push'", "hint": "/api/openapi.json lists them", "code": 3}),
        ),
        (
            "labels?image=ubuntu".to_owned(),
            403,
            json!({"error": "ubuntu: ubuntu is not served here", "hint": elsewhere, "code": 4}),
        ),
    ] {
        assert_eq!(
            served.json(status, &format!("/api/v1/{target}")),
            body,
            "{target}"
        );
    }
    for target in ["/api", "/api/v1", "/api/v1/", "/nothing"] {
        assert_eq!(served.get(target).status, 404, "{target}");
    }
}

#[test]
fn what_is_not_for_strangers_is_no_parameter() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    for parameter in [
        "user=a:b",
        "output=/tmp/x",
        "force=1",
        "no-progress=1",
        "cacert=x",
        "images=-",
        "jobs=1",
        "max-age=0",
        "plain-http=1",
        "insecure=1",
        "mirror=a=b",
        "cache-dir=/",
        "public-key=/x",
        "key=/x",
        "state=/x",
        "verbose=1",
        "help=1",
        "json=1",
        "table=1",
        "wait=5",
        "arg=x",
        "platform.x=linux",
        "arg.",
        "timeout=1",
        "layers",
    ] {
        let target = format!("/api/v1/labels?image={name}&{parameter}");
        assert_eq!(served.get(&target).status, 400, "{parameter}");
    }
    for command in ["cat", "verifytool", "changed"] {
        for parameter in ["output=/tmp/x", "force=1", "public-key=/x", "state=/x"] {
            let target = format!("/api/v1/{command}?image={name}&path=/x&{parameter}");
            assert_eq!(served.get(&target).status, 400, "{command} {parameter}");
        }
    }
    for command in [
        "push",
        "delete",
        "downloadlayer",
        "testregistry",
        "generate",
        "serve",
        "help",
        "__filter",
        "",
    ] {
        let target = format!("/api/v1/{command}?image={name}");
        assert_eq!(served.get(&target).status, 404, "{command}");
    }
    assert_eq!(registry.take(), [""; 0]);
}

#[test]
fn no_is_an_answer() {
    let (registry, image, name) = registry();
    Image::new("linux/amd64").push_to(&registry, "a", "v2");
    let other = registry.image("a:v2");
    let served = serving(&registry);
    let pinned = format!("{name}@{}", image.digest());
    for (target, verdict) in [
        (format!("changed?image={pinned}"), Some("no")),
        (format!("changed?image={other}@{}", image.digest()), None),
        (format!("newer?image={name}"), None),
        (format!("newer?image={other}"), Some("no")),
        (
            format!("diff?image={name}&image={other}&arch=amd64"),
            Some("no"),
        ),
        (format!("labels?image={name}"), None),
    ] {
        let response = served.get(&format!("/api/v1/{target}"));
        assert_eq!(response.status, 200, "{target}: {}", text(&response));
        assert_eq!(response.get("docker-registry-verdict"), verdict, "{target}");
    }
}

#[test]
fn what_was_checked_and_is_wrong_is_a_bad_answer() {
    let (registry, image, name) = registry();
    let wrong = crate::harness::Fault::WrongBytes(b"{}".to_vec());
    registry
        .fail(&format!("/v2/a/blobs/{}", image.config_digest()), wrong)
        .always();
    let served = serving(&registry);
    let response = served.get(&format!("/api/v1/verifytool?image={name}&arch=amd64"));
    assert_eq!(response.status, 502);
    assert_eq!(response.get("docker-registry-verdict"), Some("corrupt"));
    assert!(
        text(&response).contains("\"passed\":false"),
        "{}",
        text(&response)
    );
}

/// The rest of an answer that is not whole comes with what is missing.
#[test]
fn a_part_of_an_answer_is_no_success() {
    let registry = Registry::start();
    let image = |platform: &str| Image::new(platform).oci().label("of", platform);
    let images = ["linux/amd64", "linux/arm64", "linux/s390x"].map(image);
    let index = images.iter().fold(Index::new().oci(), |index, image| {
        index.image(image.clone())
    });
    index.push_to(&registry, "a", "v1");
    for image in &images[1..] {
        registry.absent(&format!("/v2/a/manifests/{}", image.digest()));
    }
    let name = registry.image("a:v1");
    let body = serving(&registry).json(404, &format!("/api/v1/labels?image={name}&platform=all"));
    let why = |image: &Image, platform: &str| {
        let digest = image.digest();
        json!(format!(
            "{name}: {platform}: manifest {digest}: not found (manifest unknown)"
        ))
    };
    assert_eq!(
        body,
        json!({
            "error": why(&images[1], "linux/arm64"),
            "code": 3,
            "others": [why(&images[2], "linux/s390x")],
            "answer": {"linux/amd64": {"of": "linux/amd64"}},
        })
    );
}

#[test]
fn mquery_gets_its_fields() {
    let (registry, image, name) = registry();
    let served = serving(&registry);
    let fields = served.json(200, &format!("/mquery?image={name}"));
    assert_eq!(fields["imagename"], *name);
    assert_eq!(fields["digest"], image.digest());
    assert_eq!(fields["islist"], false);
    assert_eq!(
        fields["archlist"],
        json!([{"architecture": "amd64", "os": "linux"}])
    );
    assert!(fields["cachets"].is_u64());
    assert_eq!(registry.take().len(), 2);
    let again = served.json(200, &format!("/mquery?image={name}&x=y"));
    assert_eq!((again, registry.take().len()), (fields, 0));
    for target in ["/mquery", "/mquery?image="] {
        let body = served.json(400, target);
        assert_eq!(
            body["error"], "the parameter 'image' is missing",
            "{target}"
        );
    }
    assert_eq!(served.get("/mquery?image=ubuntu").status, 403);
}

#[test]
fn every_response_has_the_headers_of_a_page() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    let labels = format!("/api/v1/labels?image={name}");
    let raw = format!("{labels}&raw=1");
    for target in [
        &*labels,
        &raw,
        "/",
        "/healthz",
        "/api/openapi.json",
        "/mquery",
        "/%00",
    ] {
        let response = served.get(target);
        let policy = response.get("content-security-policy").expect(target);
        assert!(
            policy.starts_with("default-src 'none';"),
            "{target}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{target}: {policy}");
        for (name, value) in [
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ] {
            assert_eq!(response.get(name), Some(value), "{target}");
        }
        assert_eq!(response.get("set-cookie"), None, "{target}");
    }
}

#[test]
fn who_serves_chooses_the_usual_platform() {
    let registry = Registry::start();
    let image = |platform: &str| Image::new(platform).oci().label("of", platform);
    let index = Index::new().oci().image(image("linux/amd64"));
    index
        .image(image("linux/s390x"))
        .push_to(&registry, "a", "v1");
    let tool = Tool::new().args([&registry.host(), "--platform=linux/s390x"]);
    let served = tool.serve();
    let target = format!("/api/v1/labels?image={}", registry.image("a:v1"));
    assert_eq!(served.json(200, &target)["of"], "linux/s390x");
    let other = served.json(200, &format!("{target}&platform=linux/amd64"));
    assert_eq!(other["of"], "linux/amd64");
}

#[test]
fn what_is_kept_is_counted() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    for _ in 0..3 {
        served.json(200, &format!("/api/v1/resolve?image={name}"));
    }
    // A request is counted when its client has been answered.
    let counts = || text(&served.get("/metrics"));
    let of_requests = "docker_registry_requests_total{route=\"/api/v1/resolve\",status=\"200\"} 3";
    let begun = Instant::now();
    while !counts().contains(of_requests) {
        assert!(begun.elapsed() < Duration::from_secs(20), "{}", counts());
        thread::sleep(Duration::from_millis(10));
    }
    for line in [
        "docker_registry_answers_total{from=\"kept\"} 2",
        "docker_registry_answers_total{from=\"source\"} 1",
    ] {
        assert!(counts().lines().any(|it| it == line), "{}", counts());
    }
}
