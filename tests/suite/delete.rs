//! `delete`: by digest, and not before it is said what goes.

use crate::harness::{Fault, Image, Index, Oddity, Real, Registry, Response, Tokens, Tool};

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b").layer("f", b"x")
}

#[test]
fn every_tag_that_goes_is_named() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let others = (0..2494).map(|n| format!("v1.{n}"));
    registry.tags(
        "a",
        others,
        &Image::new("linux/arm64").push_to(&registry, "a", "v2"),
    );
    image().push_to(&registry, "a", "v1.0");
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["delete", "--yes", "-j1", &image]);
    let what = format!("{}@{digest}", registry.image("a"));
    let output = tool.run().status(0);
    output
        .stdout(format!("deleted {what} and the tags v1 and v1.0\n"))
        .stderr(format!(
            "docker-registry: deleting {what} and every tag that leads to it\n"
        ));
    let mut asked = registry.take();
    asked.retain(|line| !line.starts_with("GET /v2/a/tags/list"));
    let delete = format!("DELETE /v2/a/manifests/{digest}");
    let head = "HEAD /v2/a/manifests/v1";
    // What was named is looked up before, and what went afterwards.
    let expected = [head, &delete, head, "HEAD /v2/a/manifests/v1.0"];
    assert_eq!(asked, expected);
    assert_eq!(registry.tagged("a").len(), 2494);
}

#[test]
fn a_tag_goes_alone() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    image().push_to(&registry, "a", "v1.0");
    let name = registry.image("a");
    let tool = Tool::new().args(["delete", "--tag", "--yes", &format!("{name}:v1")]);
    let what = format!("the tag v1 of {name}, which leads to {digest}");
    let output = tool.run().status(0).stdout(format!("deleted {what}\n"));
    output.stderr(format!("docker-registry: deleting {what}\n"));
    let manifests = ["HEAD", "DELETE", "HEAD"].map(|it| format!("{it} /v2/a/manifests/v1"));
    let expected = Vec::from_iter(
        manifests
            .into_iter()
            .chain([format!("HEAD /v2/a/manifests/{digest}")]),
    );
    assert_eq!(registry.take(), expected);
    assert_eq!(registry.tagged("a"), [("v1.0".to_owned(), digest)]);
    let tool = tool.again([
        "delete",
        "--tag",
        "--yes",
        "--json",
        "-r",
        &format!("{name}:v1.0"),
    ]);
    let output = tool.run().status(0);
    output.stdout("{\"digest\":null,\"tags\":[\"v1.0\"],\"left\":[]}\n");
}

#[test]
#[cfg(target_os = "linux")]
fn at_a_terminal_a_tag_is_asked_for_too() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let name = registry.image("a");
    let tool = Tool::new().args(["delete", "--tag", &format!("{name}:v1")]);
    let what = format!("the tag v1 of {name}, which leads to {digest}");
    let question = format!("delete {what}? [y/N] ");
    let output = tool.terminal(&[(&question, "n\n")]).status(8);
    assert!(output.text().ends_with("nothing deleted\n"));
    let output = tool.terminal(&[(&question, "y\n")]).status(0);
    assert!(output.text().ends_with(&format!("deleted {what}\n")));
    assert!(registry.tagged("a").is_empty());
}

#[test]
fn a_registry_that_deletes_no_tags_alone_is_explained() {
    let unsupported = Response::error(400, "UNSUPPORTED", "The operation is unsupported.");
    let invalid = Response::error(400, "DIGEST_INVALID", "provided digest did not match");
    for (refused, reason) in [
        (
            unsupported,
            "the registry answers 400 (The operation is unsupported.)",
        ),
        (
            invalid,
            "the registry answers 400 (provided digest did not match)",
        ),
        (Response::new(405), "the registry does not allow this"),
        (Response::new(404), "not found"),
    ] {
        let registry = Registry::start();
        let digest = image().push_to(&registry, "a", "v1");
        registry.answer("DELETE", "/v2/a/manifests/v1", refused);
        let name = registry.image("a");
        let output = Tool::new()
            .args(["delete", "--tag", "--yes", &format!("{name}:v1")])
            .run();
        let what = format!("the tag v1 of {name}, which leads to {digest}");
        let why = "tag v1: the registry does not delete a tag alone";
        output.fails(
            1,
            format!(
                "docker-registry: deleting {what}\n\
            docker-registry: {name}:v1: {why}: {reason}\n\
            hint: without --tag the manifest is deleted, and every tag that leads to it\n"
            ),
        );
        assert_eq!(registry.tagged("a").len(), 1);
    }
}

#[test]
fn a_tag_that_stays_and_a_manifest_that_goes_are_said_to() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let name = registry.image("a");
    let tool = Tool::new().args([
        "delete",
        "--tag",
        "--yes",
        "--json",
        "-r",
        &format!("{name}:v1"),
    ]);
    let deleting =
        format!("docker-registry: deleting the tag v1 of {name}, which leads to {digest}\n");
    registry.answer("DELETE", "/v2/a/manifests/v1", Response::new(202));
    let output = tool.run().status(1);
    let output = output.stdout("{\"digest\":null,\"tags\":[],\"left\":[\"v1\"]}\n");
    output.stderr(format!(
        "{deleting}docker-registry: {name}:v1: the tag v1 still exists\n"
    ));
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    registry.absent(&format!("/v2/a/manifests/{digest}"));
    let name = registry.image("a");
    let tool = tool.again([
        "delete",
        "--tag",
        "--yes",
        "--json",
        "-r",
        &format!("{name}:v1"),
    ]);
    let output = tool.run().status(1);
    let output = output.stdout(format!(
        "{{\"digest\":\"{digest}\",\"tags\":[\"v1\"],\"left\":[]}}\n"
    ));
    let why =
        format!("docker-registry: {name}:v1: the registry has deleted {digest} with the tag\n");
    assert!(output.messages().ends_with(&why), "{}", output.messages());
}

#[test]
fn a_digest_is_no_tag() {
    let registry = Registry::start();
    let digest = image().digest();
    for at in [format!("a@{digest}"), format!("a:v1@{digest}")] {
        let image = registry.image(&at);
        let tool = Tool::new().args(["delete", "--tag", "--yes", &image]);
        tool.run().fails(
            2,
            format!("docker-registry: {image}: delete --tag wants a tag, not a digest\n"),
        );
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn without_a_terminal_it_must_be_said() {
    let registry = Registry::start();
    let tool = Tool::new().args(["delete", &registry.image("a:v1")]);
    tool.run().fails(
        2,
        "docker-registry: delete needs --yes where there is no terminal\n",
    );
    assert_eq!(registry.accepted(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn at_a_terminal_it_is_asked() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    image().push_to(&registry, "a", "v1.0");
    Image::new("linux/arm64").push_to(&registry, "a", "v2");
    let tool = Tool::new().args(["delete", "-j1", &registry.image("a:v1")]);
    let what = format!("{}@{digest} and the tags v1 and v1.0", registry.image("a"));
    let question = format!("delete {what}? [y/N] ");
    let output = tool.terminal(&[(&question, "\n")]).status(8);
    assert!(output.text().ends_with("nothing deleted\n"));
    assert_eq!(registry.tagged("a").len(), 3);
    registry.take();
    let output = tool.terminal(&[(&question, "y\n")]).status(0);
    assert!(output.text().ends_with(&format!("deleted {what}\n")));
    assert_eq!(registry.tagged("a").len(), 1);
    // Every tag is looked at before, and afterwards those that were to go.
    let looked_at = registry.take().into_iter();
    let looked_at =
        looked_at.filter_map(|line| Some(line.strip_prefix("HEAD /v2/a/manifests/")?.to_owned()));
    let looked_at: Vec<String> = looked_at.collect();
    assert_eq!(looked_at, ["v1", "v1.0", "v2", "v1", "v1.0"]);
}

#[test]
fn a_digest_needs_no_tag() {
    let registry = Registry::start();
    let digest = image().push(&registry, "a", None);
    let tool = Tool::new().args(["delete", "--yes", "--json", "-r"]);
    let tool = tool.arg(registry.image(&format!("a@{digest}")));
    let output = tool.run().status(0);
    output.stdout(format!(
        "{{\"digest\":\"{digest}\",\"tags\":[],\"left\":[]}}\n"
    ));
}

/// What is said of tags that did not go, by a registry that is odd like this.
fn some_stay(oddity: Oddity) {
    let registry = Registry::builder().odd(oddity).start();
    let digest = image().push_to(&registry, "a", "v1");
    image().push_to(&registry, "a", "v1.0");
    let image = registry.image("a:v1");
    let what = format!("{}@{digest}", registry.image("a"));
    let tool = Tool::new().args(["delete", "--yes", &image]);
    let output = tool.run().status(1).stdout(format!("deleted {what}\n"));
    output.stderr(format!(
        "docker-registry: deleting {what} and every tag that leads to it\n\
         docker-registry: {image}: the tags v1 and v1.0 still exist\n"
    ));
}

#[test]
fn tags_that_stay_are_said_to() {
    some_stay(Oddity::TagsStay);
}

#[test]
fn tags_that_are_still_listed_are_said_to_be() {
    some_stay(Oddity::TagsDangle);
}

#[test]
fn what_stays_is_told_from_what_went() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    image().push_to(&registry, "a", "v1.0");
    let there = Response::new(200).header("Docker-Content-Digest", &digest);
    let there = there.header(
        "Content-Type",
        "application/vnd.docker.distribution.manifest.v2+json",
    );
    registry.answer("HEAD", "/v2/a/manifests/v1.0", there);
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["delete", "--yes", "--json", "-r", &image]);
    let output = tool.run().status(1);
    let output = output.stdout(format!(
        "{{\"digest\":\"{digest}\",\"tags\":[\"v1\"],\"left\":[\"v1.0\"]}}\n"
    ));
    let message = format!("docker-registry: {image}: the tag v1.0 still exists\n");
    assert!(output.messages().ends_with(&message));
}

#[test]
fn tags_that_are_not_listed_are_not_said_to_be_none() {
    let registry = Registry::start();
    registry.absent("/v2/a/tags/list*");
    for at in ["a:v1", "a@"] {
        let digest = image().push_to(&registry, "a", "v1");
        let (at, tag) = match at {
            "a@" => (format!("a@{digest}"), ""),
            at => (at.to_owned(), " and the tag v1"),
        };
        let what = format!("{}@{digest}", registry.image("a"));
        let tool = Tool::new().args(["delete", "--yes", &registry.image(&at)]);
        let output = tool.run().status(0);
        let output = output.stdout(format!(
            "deleted {what}{tag} (the registry lists no tags)\n"
        ));
        output.stderr(format!(
            "docker-registry: deleting {what} and every tag that leads to it\n"
        ));
    }
}

#[test]
fn a_deletion_whose_answer_is_lost_has_succeeded() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let target = format!("/v2/a/manifests/{digest}");
    registry.fail(&target, Fault::Lost).on("DELETE");
    let image = registry.image("a:v1");
    let output = Tool::new().args(["delete", "--yes", &image]).run();
    let what = format!("{}@{digest} and the tag v1", registry.image("a"));
    let _ = output.status(0).stdout(format!("deleted {what}\n"));
    let deletes = format!("DELETE {target}");
    let asked = registry.take();
    assert_eq!(asked.iter().filter(|line| **line == deletes).count(), 2);
}

#[test]
fn not_found_is_no_success_while_the_manifest_is_there() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let target = format!("/v2/a/manifests/{digest}");
    registry.absent(&target).on("DELETE");
    let image = registry.image("a:v1");
    let output = Tool::new().args(["delete", "--yes", &image]).run();
    let message =
        format!("docker-registry: {image}: manifest {digest}: not found (manifest unknown)\n");
    let output = output.status(3).stdout("");
    assert!(
        output.messages().ends_with(&message),
        "{}",
        output.messages()
    );
}

#[test]
fn a_registry_that_forbids_it_is_explained() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let target = format!("/v2/a/manifests/{digest}");
    let refused = Response::error(405, "UNSUPPORTED", "The operation is unsupported.");
    registry.answer("DELETE", &target, refused);
    let image = registry.image("a:v1");
    let output = Tool::new().args(["delete", "--yes", &image]).run();
    let repository = registry.image("a");
    output.fails(1, format!("docker-registry: deleting {repository}@{digest} and every tag that leads to it\n\
        docker-registry: {image}: manifest {digest}: the registry does not allow this (The operation is unsupported.)\n\
        hint: whoever runs it must allow deletion: distribution's storage.delete.enabled, or a setting of that kind\n"));
}

#[test]
fn a_layout_is_not_a_registry() {
    let tool = Tool::new().args(["delete", "--yes", "oci:hello:latest"]);
    tool.run().fails(
        2,
        "docker-registry: oci:hello:latest: delete is for images in a registry\n",
    );
}

#[test]
fn what_is_gone_is_forgotten() {
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["digest", &image]);
    let _ = tool.run().status(0);
    let names = ["a", "ab", "a/b"].map(|name| registry.image(name));
    for name in &names {
        let other = name.strip_prefix(&registry.image("")).unwrap();
        crate::delete::image().push_to(&registry, other, "v2");
        let list = tool.again(["tags", "--max-age=1h", name]);
        let _ = list.run().status(0);
    }
    let _ = tool.again(["delete", "--yes", &image]).run().status(0);
    for (name, code) in names.iter().zip([5, 0, 0]) {
        let list = tool.again(["tags", "--offline", name]).run();
        assert_eq!(list.code, Some(code), "{name}");
    }
    let offline = tool.again(["digest", "--offline", &image]).run();
    let _ = offline.status(5).stdout("");
}

#[test]
fn the_scope_that_the_registry_names_is_asked_for() {
    let tokens = Tokens::new().user("user", "password");
    let challenge = "Bearer realm=\"{realm}\",service=\"suite\",scope=\"repository:a:*\"";
    let registry = Registry::builder().tokens(&tokens).challenges(&[challenge]);
    let registry = registry.start();
    image().push_to(&registry, "a", "v1");
    let tool = Tool::new().args(["delete", "--yes", "-u", "user:password"]);
    let _ = tool.arg(registry.image("a:v1")).run().status(0);
    assert!(registry.tagged("a").is_empty());
}

#[test]
fn a_scope_beyond_the_usual_one_is_asked_for() {
    let tokens = Tokens::new().user("user", "password");
    let registry = Registry::builder().tokens(&tokens).start();
    let digest = image().push_to(&registry, "a", "v1");
    let realm = format!("{}/token", registry.base());
    let challenge = format!("Bearer realm=\"{realm}\",service=\"suite\",scope=\"repository:a:*\"");
    let refused = Response::error(401, "UNAUTHORIZED", "more is needed");
    let refused = refused.header("WWW-Authenticate", challenge);
    let target = format!("/v2/a/manifests/{digest}");
    registry.fail(&target, refused).on("DELETE");
    let tool = Tool::new().args(["delete", "--yes", "-u", "user:password"]);
    let _ = tool.arg(registry.image("a:v1")).run().status(0);
    assert!(registry.tagged("a").is_empty());
}

/// Deletes one of two images and leaves the other.
fn deletes(real: &Real, options: &[&str]) {
    let index = Index::new().image(image());
    let digest = index.push_to(real, "a", "v1");
    index.push_to(real, "a", "v2");
    let child = image().push_to(real, "a", "v3");
    let tool = Tool::new().args(options).args(["delete", "--yes"]);
    let output = tool.clone().arg(real.image("a:v1")).run().status(0);
    let repository = real.image("a");
    output.stdout(format!(
        "deleted {repository}@{digest} and the tags v1 and v2\n"
    ));
    let digests = Tool::new()
        .args(options)
        .args(["digest", &real.image("a:v3")]);
    digests.run().success(format!("{child}\n"));
    let again = tool.arg(format!("{repository}@{digest}")).run();
    let _ = again.status(3).stdout("");
}

#[test]
fn a_plain_registry_deletes() {
    let Some(real) = Real::plain() else { return };
    deletes(&real, &[]);
}

#[test]
fn a_registry_with_basic_credentials_deletes() {
    let Some(real) = Real::basic() else { return };
    let ca = real.ca().display().to_string();
    deletes(&real, &["-u", "user:password", "--cacert", &ca]);
}

#[test]
fn a_registry_with_tokens_deletes() {
    let Some(real) = Real::tokens() else { return };
    let ca = real.ca().display().to_string();
    deletes(&real, &["-u", "user:password", "--cacert", &ca]);
    let scopes: Vec<String> = real.token_server().take();
    assert!(
        scopes
            .iter()
            .any(|line| line.contains("repository:a:delete"))
    );
}

#[test]
fn a_name_that_no_tag_has_is_in_nobodys_way() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let mut names = vec!["v1"];
    names.extend(crate::tags::NO_TAGS);
    let listed = serde_json::json!({"name": "a", "tags": names});
    registry.answer("GET", "/v2/a/tags/list*", Response::new(200).json(&listed));
    let name = registry.image("a");
    let output = Tool::new()
        .args(["delete", "--yes", &format!("{name}:v1")])
        .run();
    let output = output.status(0);
    output.stdout(format!("deleted {name}@{digest} and the tag v1\n"));
}

/// Deletes one of two tags, in a registry that can.
fn deletes_tag(real: Option<Real>) {
    let Some(real) = real else { return };
    let digest = image().push_to(&real, "a", "v1");
    image().push_to(&real, "a", "v2");
    let tool = Tool::new().args(["delete", "--tag", "--yes", &real.image("a:v1")]);
    let what = format!("the tag v1 of {}, which leads to {digest}", real.image("a"));
    let output = tool.run().status(0);
    output.stdout(format!("deleted {what}\n"));
    let _ = tool.again(["digest", &real.image("a:v1")]).run().status(3);
    let left = tool.again(["digest", &real.image("a:v2")]);
    left.run().success(format!("{digest}\n"));
}

#[test]
fn cranes_deletes_a_tag() {
    deletes_tag(Real::crane());
}

#[test]
fn distribution_deletes_a_tag() {
    deletes_tag(Real::distribution());
}
