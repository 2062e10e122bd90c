//! Tokens: what registries ask for and token servers give, in every form that is known.

use crate::credentials::{holding_tags, tags};
use crate::harness::{Registry, Response, Tokens, Tool};

const TAGS: &str = "[\"v1\"]\n";
const LIST: &str = "GET /v2/a/tags/list";
const TOKEN: &str = "GET /token?service=suite&scope=repository:a:pull";

fn open() -> (Tokens, Registry) {
    let tokens = Tokens::new();
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    (tokens, registry)
}

fn challenging(values: &[&str]) -> Registry {
    let tokens = Tokens::new();
    holding_tags(
        Registry::builder()
            .tokens(&tokens)
            .challenges(values)
            .start(),
    )
}

#[test]
fn a_challenge_is_understood_however_it_is_written() {
    for challenges in [
        &[r#"Bearer realm="{realm}",service="suite",scope="{scope}""#][..],
        &[r#"bearer scope="{scope}" , SERVICE=suite , Realm = "{realm}""#],
        &[
            r#"Basic realm="a, \"b\" Bearer", Bearer scope="{scope}",realm="{realm}",service="su\ite""#,
        ],
        &[
            r#"Basic realm="suite""#,
            r#"Bearer realm="{realm}",service="suite",scope="{scope}""#,
        ],
        &[
            "Negotiate",
            r#"Bearer error="invalid, token",realm="{realm}",service="suite""#,
        ],
        &[r#"Bearer realm="/token",service="suite""#],
        &[r#"Bearer realm="../token",service="suite""#],
    ] {
        let registry = challenging(challenges);
        tags(&registry).run().success(TAGS);
        assert_eq!(registry.take(), [LIST, TOKEN, LIST], "{challenges:?}");
    }
}

#[test]
fn a_realm_keeps_its_query_and_a_service_may_be_missing() {
    let registry = challenging(&[r#"Bearer realm="{realm}?x=1,2""#]);
    tags(&registry).run().success(TAGS);
    let asked = "GET /token?x=1,2&scope=repository:a:pull";
    assert_eq!(registry.take(), [LIST, asked, LIST]);
}

#[test]
fn a_challenge_may_name_several_scopes() {
    let registry = challenging(&[r#"Bearer realm="{realm}",scope="{scope} repository:b:pull""#]);
    tags(&registry).run().success(TAGS);
    let asked = "GET /token?scope=repository:a:pull&scope=repository:b:pull";
    assert_eq!(registry.take(), [LIST, asked, LIST]);
}

#[test]
fn a_challenge_that_nobody_understands_is_exit_4() {
    for challenges in [
        &["Negotiate"][..],
        &["Bearer realm="],
        &["Bearer service=suite"],
    ] {
        let registry = challenging(challenges);
        let output = tags(&registry).run();
        assert_eq!(
            (output.code, registry.take().len()),
            (Some(4), 2),
            "{challenges:?}"
        );
    }
}

#[test]
fn a_token_comes_under_either_name() {
    for fields in [
        &["token"][..],
        &["access_token"],
        &["token", "access_token"],
    ] {
        let tokens = Tokens::new().fields(fields);
        let registry = holding_tags(Registry::builder().tokens(&tokens).start());
        tags(&registry).run().success(TAGS);
    }
}

#[test]
fn an_answer_without_a_token_is_exit_1() {
    let (_, registry) = open();
    let host = registry.host();
    for body in ["{}", "<html>", r#"{"token":""}"#, r#"{"token":"a\r\nb"}"#] {
        registry.fail("/token*", Response::new(200).body(body));
        tags(&registry).run().fails(
            1,
            format!(
                "docker-registry: {host}/a: tags: token from {host}: the answer holds no token\n"
            ),
        );
    }
}

#[test]
fn a_token_lasts_a_minute_where_little_or_nothing_is_said() {
    for seconds in [None, Some(0), Some(1), Some(300)] {
        let tokens = Tokens::new().expires_in(seconds);
        let registry = holding_tags(Registry::builder().tokens(&tokens).start());
        let tool = tags(&registry);
        tool.run().success(TAGS);
        tool.run().success(TAGS);
        assert_eq!(registry.take(), [LIST, TOKEN, LIST, LIST], "{seconds:?}");
    }
}

#[test]
fn a_token_that_is_no_longer_good_is_fetched_once_more() {
    let (tokens, registry) = open();
    let tool = tags(&registry);
    tool.run().success(TAGS);
    tokens.revoke_all();
    registry.take();
    tool.run().success(TAGS);
    assert_eq!(registry.take(), [LIST, TOKEN, LIST]);
}

#[test]
fn a_token_may_end_in_the_middle_of_a_list() {
    let tokens = Tokens::new();
    let registry = Registry::builder().tokens(&tokens).page_size(1).start();
    registry.tags("a", ["v1", "v2"].map(str::to_owned), "sha256:0");
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"suite\",error=\"invalid_token\"",
        registry.base()
    );
    let ended = Response::new(401).header("WWW-Authenticate", challenge);
    let second = "/v2/a/tags/list?n=1000&last=v1";
    registry.fail(second, ended);
    tags(&registry).run().success("[\"v1\",\"v2\"]\n");
    let second = format!("GET {second}");
    assert_eq!(
        registry.take(),
        [LIST, TOKEN, LIST, &second, TOKEN, &second]
    );
}

#[test]
fn a_registry_that_takes_no_token_is_exit_4_soon() {
    let (tokens, registry) = open();
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"suite\"",
        registry.base()
    );
    let refusal = Response::error(401, "UNAUTHORIZED", "no");
    registry
        .fail("/v2/a/*", refusal.header("WWW-Authenticate", challenge))
        .always();
    let host = registry.host();
    tags(&registry).run().fails(
        4,
        format!(
            "docker-registry: {host}/a: tags: access denied (no)\n\
             hint: it may not exist, or need credentials: docker login {host}, or -u USER:PASSWORD\n"
        ),
    );
    assert!(tokens.issued() <= 2, "{:?}", registry.take());
}

#[test]
fn a_scope_that_does_not_suffice_is_asked_for_as_named() {
    for status in [401, 403] {
        let (_, registry) = open();
        let challenge = format!(
            "Bearer realm=\"{}/token\",service=\"suite\",\
             scope=\"repository:a:pull repository:a/b:pull\",error=\"insufficient_scope\"",
            registry.base()
        );
        let more = Response::new(status).header("WWW-Authenticate", challenge);
        registry.fail("/v2/a/*", more);
        tags(&registry).run().success(TAGS);
        let both = format!("{TOKEN}&scope=repository:a/b:pull");
        assert_eq!(registry.take(), [LIST, TOKEN, LIST, &both, LIST]);
    }
}

#[test]
fn a_registry_that_forbids_is_exit_4_at_once() {
    // Only a scope that is named and does not suffice is a reason to ask for another token.
    for why in [
        "",
        ",scope=\"repository:a:*\"",
        ",error=\"insufficient_scope\"",
    ] {
        let (_, registry) = open();
        let challenge = format!("Bearer realm=\"{}/token\"{why}", registry.base());
        let refusal = Response::error(403, "DENIED", "not for you");
        registry.fail("/v2/a/*", refusal.header("WWW-Authenticate", challenge));
        let host = registry.host();
        let output = tags(&registry).run().status(4).stdout("");
        let message = format!("docker-registry: {host}/a: tags: access forbidden (not for you)\n");
        assert!(
            output.messages().starts_with(&message),
            "{}",
            output.messages()
        );
        assert_eq!(registry.take(), [LIST, TOKEN, LIST], "{why}");
    }
}

#[test]
fn without_a_challenge_the_api_itself_is_asked() {
    use crate::harness::Fault::WithoutHeader;
    let (_, registry) = open();
    registry
        .fail("/v2/a/*", WithoutHeader("WWW-Authenticate"))
        .before_auth()
        .always();
    tags(&registry).run().success(TAGS);
    assert_eq!(registry.take(), [LIST, "GET /v2/", TOKEN, LIST]);
}

#[test]
fn each_repository_has_a_token_of_its_own() {
    let (_, registry) = open();
    let images = ["a", "a/b", "a", "a/b"].map(|name| registry.image(name));
    let tool = Tool::new().args(["tags", "-q", ".[]", "-j1"]).args(&images);
    tool.run().success("v1\n".repeat(4));
    let asked = registry.requests();
    let asked = asked.iter().filter(|it| it.path() == "/token");
    let scopes: Vec<_> = asked.filter_map(|it| it.query("scope")).collect();
    assert_eq!(scopes, ["repository:a:pull", "repository:a/b:pull"]);
}

#[test]
fn a_known_challenge_saves_its_request() {
    let (_, registry) = open();
    let tool = tags(&registry);
    tool.run().success(TAGS);
    registry.take();
    // Of another repository the challenge is known, but no token.
    let other = tool.again(["tags", &registry.image("a/b")]);
    other.run().success(TAGS);
    let paths: Vec<_> = registry
        .requests()
        .iter()
        .map(|it| it.path().to_owned())
        .collect();
    assert_eq!(paths, ["/token", "/v2/a/b/tags/list"]);
}

#[test]
fn a_challenge_that_changed_is_forgotten() {
    let (first, second) = (Tokens::new(), Tokens::new());
    let old = Registry::builder().token_server(&first).start();
    let new = Registry::builder().token_server(&second).start();
    let registry = holding_tags(Registry::builder().tokens(&first).start());
    let tool = tags(&registry);
    tool.run().success(TAGS);
    first.revoke_all();
    registry.take();
    // The old token server is still there, but the registry wants the other's tokens.
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"suite\",scope=\"repository:a:pull\"",
        new.base()
    );
    let moved = Response::new(401).header("WWW-Authenticate", challenge);
    registry.fail("/v2/a/*", moved).before_auth();
    registry
        .answer(
            "GET",
            "/v2/a/tags/list",
            Response::new(200).body("{\"tags\":[\"v1\"]}"),
        )
        .before_auth();
    tool.run().success(TAGS);
    assert_eq!(registry.take(), [LIST, LIST]);
    assert_eq!((old.take().len(), new.take()), (1, vec![TOKEN.to_owned()]));
}
