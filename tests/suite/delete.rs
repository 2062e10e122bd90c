//! `delete`: by digest, and not before it is said what goes.

use crate::harness::{Image, Index, Real, Registry, Response, Tokens, Tool};

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b").layer("f", b"x")
}

#[test]
fn every_tag_that_goes_is_named_before() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    image().push_to(&registry, "a", "v1.0");
    Image::new("linux/arm64").push_to(&registry, "a", "v2");
    let image = registry.image("a:v1");
    let tool = Tool::new().args(["delete", "--yes", &image]);
    let what = format!("{}@{digest} and the tags v1 and v1.0", registry.image("a"));
    let output = tool.run().status(0);
    output
        .stdout(format!("deleted {what}\n"))
        .stderr(format!("docker-registry: deleting {what}\n"));
    let mut asked = registry.take();
    assert_eq!(
        asked.pop(),
        Some(format!("DELETE /v2/a/manifests/{digest}"))
    );
    assert_eq!(asked.remove(0), "HEAD /v2/a/manifests/v1");
    assert_eq!(asked.len(), 4);
    assert_eq!(registry.tagged("a").len(), 1);
}

#[test]
fn without_a_terminal_it_must_be_said() {
    let registry = Registry::start();
    let tool = Tool::new().args(["delete", &registry.image("a:v1")]);
    tool.run().fails(
        2,
        "docker-registry: delete wants --yes where there is no terminal\n",
    );
    assert_eq!(registry.accepted(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn at_a_terminal_it_is_asked() {
    let registry = Registry::start();
    let digest = image().push_to(&registry, "a", "v1");
    let tool = Tool::new().args(["delete", &registry.image("a:v1")]);
    let what = format!("{}@{digest} and the tag v1", registry.image("a"));
    let question = format!("delete {what}? [y/N] ");
    let output = tool.terminal(&[(&question, "\n")]).status(8);
    assert!(output.text().ends_with("nothing deleted\n"));
    assert_eq!(registry.tagged("a").len(), 1);
    let output = tool.terminal(&[(&question, "y\n")]).status(0);
    assert!(output.text().ends_with(&format!("deleted {what}\n")));
    assert_eq!(registry.tagged("a").len(), 0);
}

#[test]
fn a_digest_needs_no_tag() {
    let registry = Registry::start();
    let digest = image().push(&registry, "a", None);
    let tool = Tool::new().args(["delete", "--yes", "--json", "-r"]);
    let tool = tool.arg(registry.image(&format!("a@{digest}")));
    let output = tool.run().status(0);
    output.stdout(format!("{{\"digest\":\"{digest}\",\"tags\":[]}}\n"));
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
    output.fails(1, format!("docker-registry: deleting {repository}@{digest} and the tag v1\n\
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
    let _ = tool.again(["delete", "--yes", &image]).run().status(0);
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
