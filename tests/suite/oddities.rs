//! What registries do in their own way, each under its name.

use serde_json::json;

use crate::credentials::tags;
use crate::harness::{Fault, Image, Index, Proxy, Registry, Response, Tls, Tokens, Tool, sha256};

const LIST: &str = "/v2/a/tags/list";
const FIRST: &str = "GET /v2/a/tags/list";
const MANY: &str = "GET /v2/a/tags/list?n=1000";

/// A page of tags, with a `Link` to the next one.
fn page(tags: &[&str], next: Option<&str>) -> Response {
    let page = Response::new(200).json(&json!({"name": "a", "tags": tags}));
    match next {
        Some(target) => page.header("Link", format!("<{target}>; rel=\"next\"")),
        None => page,
    }
}

fn asked(registry: &Registry, command: &str) -> Tool {
    Tool::new().args([command, "-r", &registry.image("a:v1")])
}

#[test]
fn ghcr_knows_an_oci_image_only_if_oci_is_accepted() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").oci();
    let digest = Index::new()
        .image(image)
        .oci()
        .push_to(&registry, "a", "v1");
    asked(&registry, "digestlist")
        .run()
        .success(format!("{digest}\n"));
    let accepted = registry.requests()[0].header("Accept").map(str::to_owned);
    let accepted = accepted.unwrap();
    for kind in ["manifest", "index"] {
        assert!(accepted.contains(&format!("application/vnd.oci.image.{kind}.v1+json")));
    }
    for kind in ["manifest.v2", "manifest.list.v2", "manifest.v1"] {
        assert!(accepted.contains(&format!("application/vnd.docker.distribution.{kind}+json")));
    }
}

#[test]
fn quay_has_a_cursor_of_its_own() {
    let registry = Registry::start();
    let next = "/v2/a/tags/list?n=50&next_page=gAAAAABn%3D%3D";
    registry.answer("GET", next, page(&["v2"], None));
    // It has its own number of tags, whatever it is asked for.
    registry.answer("GET", LIST, page(&["v1"], Some(next)));
    tags(&registry).run().success("[\"v1\",\"v2\"]\n");
    let asked = [FIRST, MANY, &format!("GET {next}")];
    assert_eq!(registry.take(), asked);
}

#[test]
fn ecr_names_the_next_page_absolutely_and_its_cursor_means_nothing() {
    let registry = Registry::start();
    let next = format!("{LIST}?last=3Fx%2FQ%2Bz%3D%3D&n=1000");
    let absolute = format!("{}{next}", registry.base());
    registry.answer("GET", &next, page(&["v3"], None));
    let larger = page(&["v1", "v2"], Some(&absolute));
    registry.answer("GET", &format!("{LIST}?n=1000"), larger);
    // Its cursor is of this number of tags, and so it begins anew with another one.
    let other = format!("{LIST}?last=Yp8%2F&n=1");
    registry.answer("GET", LIST, page(&["v1"], Some(&other)));
    tags(&registry).run().success("[\"v1\",\"v2\",\"v3\"]\n");
    assert_eq!(registry.take(), [FIRST, MANY, &format!("GET {next}")]);
}

#[test]
fn ecr_refuses_pages_of_more_than_1000() {
    let registry = Registry::start();
    registry.tags("a", (0..1000).map(|n| format!("v{n:04}")), "sha256:0");
    let output = tags(&registry).args(["-q", "length"]).run();
    output.success("1000\n");
    // What is as long as a limit may not be all.
    let asked = [FIRST, "GET /v2/a/tags/list?n=1000&last=v0999"];
    assert_eq!(registry.take(), asked);
}

#[test]
fn ecr_public_gets_its_cursor_back_as_it_came() {
    let registry = Registry::start();
    // Escapes that need not be, and the other way round: put together anew it is answered with 405.
    let next = format!("{LIST}?n=1000&last=%61%2b+/=:,~*");
    registry.answer("GET", &next, page(&["v2"], None));
    registry.answer("GET", LIST, page(&["v1"], Some(&next)));
    tags(&registry).run().success("[\"v1\",\"v2\"]\n");
    assert_eq!(registry.take(), [FIRST, MANY, &format!("GET {next}")]);
}

#[test]
fn gcr_gives_its_challenge_at_the_root_of_the_api_only() {
    let tokens = Tokens::new().private().user("user", "swordfish");
    let registry = Registry::builder().tokens(&tokens).start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let silent = Fault::WithoutHeader("WWW-Authenticate");
    registry.fail("/v2/a/*", silent).before_auth().always();
    let tool = asked(&registry, "digest").args(["-u", "user:swordfish"]);
    tool.run().success(format!("{digest}\n"));
    let targets = registry.requests();
    let targets: Vec<_> = targets.iter().map(|it| it.path()).collect();
    let manifest = "/v2/a/manifests/v1";
    assert_eq!(targets, [manifest, "/v2/", "/token", manifest]);
}

#[test]
fn harbor_and_redhat_call_what_they_do_not_find_unknown() {
    for (status, message) in [
        (404, "artifact a:v1 not found"),
        (400, "artifact a:v1 Not Found"),
        (500, "unable to get manifest: not found"),
    ] {
        let registry = Registry::start();
        let unknown = Response::error(status, "UNKNOWN", message);
        registry.fail("/v2/a/manifests/v1", unknown).always();
        let image = registry.image("a:v1");
        let tool = asked(&registry, "manifest").arg("--retries=0");
        tool.run().fails(
            3,
            format!(
                "docker-registry: {image}: manifest v1: not found ({message})\n\
                 hint: the command 'tags' lists the tags that there are\n"
            ),
        );
        // The answer to HEAD has no words.
        let head = asked(&registry, "digestlist").arg("--retries=0").run();
        assert_eq!(head.code, Some(if status == 500 { 5 } else { 3 }));
    }
}

#[test]
fn artifactory_lists_digests_among_its_tags() {
    let registry = Registry::start();
    let digest = sha256("");
    registry.answer("GET", LIST, page(&["v1", &digest, "v2"], None));
    tags(&registry).run().success("[\"v1\",\"v2\"]\n");
}

#[test]
fn nexus_has_null_for_no_tags() {
    let registry = Registry::start();
    let null = json!({"name": "a", "tags": null});
    registry.answer("GET", LIST, Response::new(200).json(&null));
    tags(&registry).run().success("[]\n");
}

#[test]
fn nexus_behind_tls_names_the_next_page_by_http() {
    let registry = Registry::builder().tls(Tls::authority()).start();
    let next = |last: &str| format!("{LIST}?n=1000&last={last}");
    let plain = |last: &str| format!("http://127.0.0.1:8081{}", next(last));
    registry.answer("GET", &next("v2"), page(&["v3"], None));
    registry.answer("GET", &next("v1"), page(&["v2"], Some(&plain("v2"))));
    registry.answer("GET", LIST, page(&["v1"], Some(&plain("v1"))));
    let tool = tags(&registry).arg("--cacert").arg(registry.ca());
    tool.run().success("[\"v1\",\"v2\",\"v3\"]\n");
    let behind = ["v1", "v2"].map(|last| format!("GET {}", next(last)));
    assert_eq!(registry.take(), [&[FIRST.to_owned()], &behind[..]].concat());
}

#[test]
fn redhat_used_to_say_no_digest() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b");
    let digest = Index::new().image(image).push_to(&registry, "a", "v1");
    let silent = Fault::WithoutHeader("Docker-Content-Digest");
    registry.fail("/v2/*", silent).always();
    let tool = asked(&registry, "digestlist");
    for _ in 0..2 {
        tool.run().success(format!("{digest}\n"));
    }
    let labels = tool.again(["labels", "-r", &registry.image("a:v1")]);
    labels
        .args(["--arch", "amd64"])
        .run()
        .success("{\"a\":\"b\"}\n");
}

#[test]
fn some_serve_manifests_as_text() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b");
    let list = Index::new().image(image.clone());
    for (manifest, digest) in [
        (list.bytes(), list.push_to(&registry, "a", "v1")),
        (image.manifest(), image.push_to(&registry, "b", "v1")),
    ] {
        for kind in [
            "text/plain",
            "text/plain; charset=utf-8",
            "application/json",
            "",
        ] {
            let repository = if manifest == image.manifest() {
                "b"
            } else {
                "a"
            };
            let plain = Fault::Header("Content-Type", kind.to_owned());
            registry
                .fail(&format!("/v2/{repository}/manifests/*"), plain)
                .always();
            let name = registry.image(&format!("{repository}:v1"));
            let tool = Tool::new().args(["labels", "-r", "--arch=amd64", &name]);
            tool.run().success("{\"a\":\"b\"}\n");
            // The second time it is asked by HEAD, which says nothing of the kind.
            tool.run().success("{\"a\":\"b\"}\n");
            let own = Tool::new().args(["digest", "--arch=amd64", &name]).run();
            own.success(format!("{}\n", image.digest()));
            assert_eq!(digest.len(), image.digest().len());
        }
    }
}

#[test]
fn crane_does_not_find_the_rest_of_a_blob() {
    let registry = Registry::start();
    let layer = vec![7; 5000];
    let digest = registry.blob("a", layer.clone());
    let target = format!("/v2/a/blobs/{digest}");
    registry.fail(&target, Fault::Truncate(1000));
    let unknown = Response::error(404, "BLOB_UNKNOWN", "We don't understand your Range");
    registry.fail(&target, unknown);
    let image = registry.image(&format!("a@{digest}"));
    let tool = Tool::new().args(["downloadlayer", "-o", "-", &image]);
    let output = tool.run().status(0);
    let _ = output.stdout_bytes(&layer);
    assert_eq!(registry.take(), vec![format!("GET {target}"); 3]);
}

#[test]
fn some_answer_head_with_405() {
    let registry = Registry::start();
    let refused = Response::new(405);
    registry.answer("HEAD", "/v2/*", refused);
    let image = Image::new("linux/amd64").label("a", "b").layer("f", b"x");
    let index = Index::new().image(image.clone());
    let digest = index.push_to(&registry, "a", "v1");
    index.push_to(&registry, "a", "v2");
    for (command, answer) in [
        ("digestlist", digest.clone()),
        ("digest", image.digest()),
        ("id", image.config_digest()),
        ("labels", "{\"a\":\"b\"}".to_owned()),
        ("tags", "[\"v1\",\"v2\"]".to_owned()),
    ] {
        let tool = asked(&registry, command).arg("--arch=amd64");
        // The second time the tag is looked up only.
        for _ in 0..2 {
            tool.run().success(format!("{answer}\n"));
        }
    }
    let deleted = format!(
        "deleted {}@{digest} and the tags v1 and v2\n",
        registry.image("a")
    );
    let output = asked(&registry, "delete").arg("--yes").run().status(0);
    let _ = output.stdout(deleted);
}

#[test]
fn distribution_gives_fewer_tags_than_asked_for() {
    // Its `tags.maxtags`: the first page names the next one, of its own size.
    let registry = Registry::builder().page_size(10).start();
    registry.tags("a", (0..25).map(|n| format!("v{n:04}")), "sha256:0");
    let output = tags(&registry).args(["-q", "length"]).run();
    output.success("25\n");
    let next = ["n=1000&last=v0009", "last=v0019&n=10"];
    let next = next.map(|query| format!("GET {LIST}?{query}"));
    assert_eq!(registry.take(), [&[FIRST.to_owned()], &next[..]].concat());
}

#[test]
fn docker_hub_keeps_official_images_below_library() {
    let registry = Registry::builder()
        .tls(Tls::named(&["registry-1.docker.io"]))
        .start();
    registry.tags("library/ubuntu", ["v1".to_owned()], "sha256:0");
    registry.tags("sphinxdoc/sphinx", ["v1".to_owned()], "sha256:0");
    let proxy = Proxy::start().route("registry-1.docker.io:443", &registry.host());
    let tool = Tool::new().env("HTTPS_PROXY", proxy.url());
    for (image, repository) in [
        ("ubuntu", "library/ubuntu"),
        ("library/ubuntu", "library/ubuntu"),
        ("docker.io/ubuntu", "library/ubuntu"),
        ("index.docker.io/library/ubuntu", "library/ubuntu"),
        ("sphinxdoc/sphinx", "sphinxdoc/sphinx"),
    ] {
        let tool = tool.again(["tags", image, "--cacert"]).arg(registry.ca());
        tool.run().success("[\"v1\"]\n");
        let path = format!("GET /v2/{repository}/tags/list");
        assert_eq!(registry.take(), [path], "{image}");
    }
}

#[test]
fn a_web_page_is_no_registry() {
    let registry = Registry::start();
    let page = Response::new(200)
        .header("Content-Type", "text/html")
        .body("<html>");
    registry.answer("GET", "/v2/a/manifests/v1", page.clone());
    registry.answer("GET", LIST, page);
    let host = registry.host();
    asked(&registry, "manifest").run().fails(
        1,
        format!(
            "docker-registry: {host}/a:v1: manifest v1: the answer is a web page\n\
             hint: is {host} a registry?\n"
        ),
    );
    let message = format!(
        "docker-registry: {host}/a: tags: the answer is not JSON: a value is expected at line 1 column 1\n"
    );
    tags(&registry).run().fails(1, message);
}
