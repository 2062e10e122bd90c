//! The pages of `serve`, as they come over HTTP.

use serde_json::json;

use crate::harness::{Image, Index, Registry, Schema1, Served, Tool, schema1, sha256};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/sha256-*");
    registry
}

fn serve(registry: &Registry) -> Served {
    Tool::new().arg(registry.host()).serve()
}

/// The page, which has this status.
#[track_caller]
fn page(served: &Served, status: u16, target: &str) -> String {
    let response = served.get(target);
    let html = String::from_utf8(response.body.clone()).unwrap();
    assert_eq!(response.status, status, "{target}: {html}");
    let kind = response.get("Content-Type");
    assert_eq!(kind, Some("text/html; charset=utf-8"), "{target}");
    html
}

#[test]
fn a_page_takes_the_requests_of_one_question() {
    let registry = registry();
    let index = Index::new().image(Image::new("linux/amd64").oci());
    let index = index.image(Image::new("linux/s390x").layer("a", b"a").oci());
    index.oci().push_to(&registry, "a", "v1");
    let served = serve(&registry);
    let target = format!(
        "/image?platform=linux/s390x&image={}",
        registry.image("a:v1")
    );
    page(&served, 200, &target);
    let asked = registry.take();
    let count = |part: &str| asked.iter().filter(|line| line.contains(part)).count();
    // The index, the manifest and the configuration.
    assert_eq!(
        (
            count("/manifests/v1"),
            count("/manifests/sha256:"),
            count("/blobs/")
        ),
        (1, 1, 1)
    );
    page(&served, 200, &target);
    assert_eq!(registry.take(), [""; 0]);
}

#[test]
fn whatever_a_tag_leads_to_has_a_page() {
    let registry = registry();
    let windows = Image::new("windows/amd64:10.0.20348.2113").layer("a", b"a");
    Index::new()
        .image(windows)
        .push_to(&registry, "a", "windows");
    let old = Image::new("linux/amd64").layer("a", b"a");
    let old = Schema1::new(&old, "a", "old");
    registry.blob(
        "a",
        Image::new("linux/amd64")
            .layer("a", b"a")
            .layers()
            .remove(0),
    );
    registry.keep("a", "old", &old.digest, schema1::MEDIA_TYPE, old.bytes);
    let artifact = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.example",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": registry.blob("a", "{}")},
        "layers": [{"mediaType": "text/plain", "size": 4, "digest": sha256("text")}],
    });
    let kind = "application/vnd.oci.image.manifest.v1+json";
    registry.manifest("a", "artifact", kind, artifact.to_string());
    Index::new().push_to(&registry, "a", "empty");
    let odd = Image::new("linux/amd64").in_config("config", json!([1]));
    let odd = odd
        .in_config("history", json!({"a": 1}))
        .in_config("created", json!("soon"));
    odd.in_manifest("annotations", json!("none"))
        .push_to(&registry, "a", "odd");
    let served = serve(&registry);
    for (tag, expected) in [
        ("windows", "windows/amd64:10.0.20348.2113"),
        ("old", "<code class=\"step\">COPY a /</code>"),
        ("artifact", "application/vnd.oci.empty.v1+json"),
        ("odd", "<dt>Layers</dt><dd>0</dd>"),
    ] {
        let html = page(
            &served,
            200,
            &format!("/image?image={}", registry.image(&format!("a:{tag}"))),
        );
        assert!(html.contains(expected), "{tag}: {html}");
        assert!(!html.contains("class=\"fault\""), "{tag}: {html}");
    }
    page(
        &served,
        404,
        &format!("/image?image={}", registry.image("a:empty")),
    );
    let tags = page(
        &served,
        200,
        &format!("/repository?name={}", registry.image("a")),
    );
    for tag in ["artifact", "empty", "odd", "old", "windows"] {
        assert!(
            tags.contains(&format!(":{tag}\">{tag}</a>")),
            "{tag}: {tags}"
        );
    }
}

#[test]
fn a_failure_is_told_as_on_the_command_line() {
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/gone");
    registry.fail("/v2/b/tags/list", 403).always();
    let served = serve(&registry);
    let gone = registry.image("a:gone");
    for (target, status, message, hint) in [
        (
            format!("/image?image={gone}"),
            404,
            format!("{gone}: manifest gone: not found (manifest unknown)"),
            "the command &#39;tags&#39; lists the tags that there are",
        ),
        (
            "/image".to_owned(),
            400,
            "the parameter &#39;image&#39; is missing".to_owned(),
            "",
        ),
        (
            "/image?image=Ubuntu".to_owned(),
            400,
            "image &#39;Ubuntu&#39;: ".to_owned(),
            "",
        ),
        (
            "/image?image=ubuntu".to_owned(),
            403,
            "ubuntu is not served here".to_owned(),
            "what is: ",
        ),
        (
            format!("/document?image={gone}&what=x"),
            400,
            "what wants one of manifestlist, manifest, config, sbom, provenance, not &#39;x&#39;"
                .to_owned(),
            "",
        ),
        (
            format!("/repository?name={}", registry.image("b")),
            403,
            "b: tags: ".to_owned(),
            "",
        ),
        (
            "/nowhere".to_owned(),
            404,
            "there is nothing at this address".to_owned(),
            "",
        ),
    ] {
        let html = page(&served, status, &target).replace('\'', "&#39;");
        assert!(html.contains(&message), "{target}: {message}\n{html}");
        assert!(hint.is_empty() || html.contains(hint), "{target}: {html}");
    }
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let served = Tool::new().serve();
    let response = served.get("/compare");
    let etag = response.get("ETag").unwrap().to_owned();
    let again = served.ask("/compare", &[("If-None-Match", &etag)]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let html = String::from_utf8(response.body).unwrap();
    for path in ["/style.css?", "/page.js?", "/icon.svg?"] {
        let (_, rest) = html.split_once(&format!("\"{path}")).expect(path);
        let digest = rest.split('"').next().unwrap();
        let kept = |target: &str| {
            let response = served.get(target);
            assert_eq!(response.status, 200);
            response.get("Cache-Control").unwrap().to_owned()
        };
        let forever = "public, max-age=31536000, immutable";
        assert_eq!(kept(&format!("{path}{digest}")), forever);
        assert_eq!(kept(&format!("{path}0")), "no-cache");
    }
    let robots = served.get("/robots.txt");
    assert!(robots.body.starts_with(b"User-agent: *\nDisallow: /api/\n"));
}

#[test]
fn nothing_in_a_page_runs_but_its_own_script() {
    let served = Tool::new().serve();
    let response = served.get("/");
    let policy = response.get("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = String::from_utf8(response.body).unwrap();
    for inline in [" style=", "<style", " on", "<script>", "javascript:"] {
        assert!(!html.contains(inline), "{inline}: {html}");
    }
}

#[test]
fn pages_name_the_server_as_the_visitor_does() {
    let registry = registry();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let served = serve(&registry);
    let image = registry.image("a:v1");
    let target = format!("/image?image={image}");
    let host = served.host();
    for (scheme, headers) in [
        ("http", &[][..]),
        ("https", &[("X-Forwarded-Proto", "https")]),
    ] {
        let html = String::from_utf8(served.ask(&target, headers).body).unwrap();
        let command = format!("curl '{scheme}://{host}/api/v1/config?image={image}'");
        assert!(html.contains(&command), "{html}");
    }
}
