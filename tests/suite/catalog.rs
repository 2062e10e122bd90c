//! `catalog`: what a registry lists, whole, with and without credentials.

use crate::harness::{Image, Oddity, Real, Registry, Response, Tokens, Tool};

fn filled() -> Registry {
    fill(Registry::builder().page_size(2).start())
}

fn fill(registry: Registry) -> Registry {
    let image = Image::new("linux/amd64");
    for repository in ["a", "b/c", "d"] {
        image.push_to(&registry, repository, "v1");
    }
    image.push_to(&registry, "d", "v2");
    registry
}

#[test]
fn all_pages_are_listed_on_one_line() {
    let registry = filled();
    let tool = Tool::new().args(["catalog", &registry.host()]);
    tool.run().success("[\"a\",\"b/c\",\"d\"]\n");
    let pages = ["GET /v2/_catalog", "GET /v2/_catalog?n=1000&last=b/c"];
    assert_eq!(registry.take(), pages);
    let tool = tool.again(["catalog", "-q", ".[]", &registry.host()]);
    tool.run().success("a\nb/c\nd\n");
}

#[test]
fn tags_stand_beside_their_repositories() {
    let registry = filled();
    let tool = Tool::new().args(["catalog", "-r", "--tags", &registry.host()]);
    tool.run()
        .success("{\"a\":[\"v1\"],\"b/c\":[\"v1\"],\"d\":[\"v1\",\"v2\"]}\n");
    assert_eq!(registry.take().len(), 5);
    // push has an option of that name which takes a value; it matters which command is named.
    let first = tool.again(["--tags", "-q", ".a[]", "catalog", &registry.host()]);
    first.run().success("v1\n");
}

#[test]
fn one_repository_that_fails_does_not_hide_the_others() {
    let registry = filled();
    registry.absent("/v2/a/tags/list*");
    let refused = Response::error(403, "DENIED", "not yours");
    registry.answer("GET", "/v2/b/c/tags/list*", refused);
    let tool = Tool::new().args(["catalog", "-r", "--tags", &registry.host()]);
    let output = tool.run().status(4);
    let host = registry.host();
    let message = format!("docker-registry: {host}/b/c: tags: access forbidden (not yours)\n");
    output
        .stdout("{\"a\":[],\"d\":[\"v1\",\"v2\"]}\n")
        .stderr(message);
}

#[test]
fn a_name_that_is_none_is_not_asked_for() {
    let registry = Registry::start();
    let names = serde_json::json!({"repositories": ["../../x?y", "a"]});
    registry.answer("GET", "/v2/_catalog*", Response::new(200).json(&names));
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let host = registry.host();
    let warning = format!(
        "docker-registry: warning: {host}: passed over, for no name may be so: '../../x?y'\n"
    );
    let tool = Tool::new().args(["catalog", "-r", "--tags", &host]);
    let output = tool.run().status(0).stdout("{\"a\":[\"v1\"]}\n");
    output.stderr(&warning);
    let output = tool.again(["catalog", &host]).run().status(0);
    output.stdout("[\"a\"]\n").stderr(&warning);
}

#[test]
fn a_registry_without_a_catalog_says_so() {
    let registry = Registry::start();
    registry.absent("/v2/_catalog*");
    let host = registry.host();
    let tool = Tool::new().args(["catalog", &host]);
    tool.run().fails(3, format!("docker-registry: {host}: catalog: not found (manifest unknown)\nhint: not every registry lists its repositories\n"));
}

#[test]
fn nothing_is_asked_for_offline() {
    let registry = Registry::start();
    let host = registry.host();
    let tool = Tool::new().args(["catalog", "--offline", &host]);
    tool.run().fails(
        5,
        format!(
            "docker-registry: {host}: only the registry knows it, and --offline allows no requests\n"
        ),
    );
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn a_token_for_the_catalog_is_asked_for() {
    let tokens = Tokens::new().user("user", "password");
    let registry = fill(Registry::builder().tokens(&tokens).start());
    let tool = Tool::new().args(["catalog", "--tags", "-r", "-u", "user:password"]);
    tool.arg(registry.host())
        .run()
        .success("{\"a\":[\"v1\"],\"b/c\":[\"v1\"],\"d\":[\"v1\",\"v2\"]}\n");
    let asked = registry.take();
    assert!(asked[1].contains("scope=registry:catalog:*&"), "{asked:?}");
}

#[test]
fn a_registry_that_refuses_large_pages_gives_its_own() {
    let builder = Registry::builder().page_size(2).odd(Oddity::MaxEntries(2));
    let registry = fill(builder.start());
    let tool = Tool::new().args(["catalog", &registry.host()]);
    tool.run().success("[\"a\",\"b/c\",\"d\"]\n");
    let pages = [
        "GET /v2/_catalog",
        "GET /v2/_catalog?n=1000&last=b/c",
        "GET /v2/_catalog?last=b/c&n=2",
    ];
    assert_eq!(registry.take(), pages);
}

#[test]
fn a_refusal_that_stays_is_said() {
    let registry = Registry::start();
    let refused = Response::error(400, "UNSUPPORTED", "no lists here");
    registry.answer("GET", "/v2/_catalog*", refused);
    let host = registry.host();
    let tool = Tool::new().args(["catalog", &host]);
    tool.run().fails(
        1,
        format!("docker-registry: {host}: catalog: the registry answers 400 (no lists here)\n"),
    );
}

/// What Debian's registry lists.
fn lists_the_same(real: &Real, options: &[&str]) {
    for repository in ["a", "b/c"] {
        Image::new("linux/amd64").push_to(real, repository, "v1");
    }
    let tool = Tool::new().args(options).arg("catalog").arg(real.host());
    tool.run().success("[\"a\",\"b/c\"]\n");
    let tool = tool.arg("--tags").arg("-r");
    tool.run().success("{\"a\":[\"v1\"],\"b/c\":[\"v1\"]}\n");
}

#[test]
fn a_plain_registry_is_listed() {
    let Some(real) = Real::plain() else { return };
    lists_the_same(&real, &[]);
}

#[test]
fn a_registry_with_basic_credentials_is_listed() {
    let Some(real) = Real::basic() else { return };
    let ca = real.ca().display().to_string();
    lists_the_same(&real, &["-u", "user:password", "--cacert", &ca]);
}

#[test]
fn a_registry_with_tokens_is_listed() {
    let Some(real) = Real::tokens() else { return };
    let ca = real.ca().display().to_string();
    lists_the_same(&real, &["-u", "user:password", "--cacert", &ca]);
}
