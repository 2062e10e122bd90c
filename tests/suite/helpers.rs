//! Credential helpers: programs that know a registry's credentials, and what comes when they do not.

use serde_json::{Value, json};

use crate::credentials::{holding_tags, private, tags};
use crate::harness::{Registry, Tokens, Tool};

const TAGS: &str = "[\"v1\"]\n";

/// What a helper prints that knows the right password.
const RIGHT: &str = r#"echo '{"ServerURL":"x","Username":"user","Secret":"sword:fish"}'"#;

const WRONG: &str = r#"echo '{"ServerURL":"x","Username":"user","Secret":"trout"}'"#;

fn configured(registry: &Registry, config: Value) -> Tool {
    tags(registry).file(".docker/config.json", config.to_string())
}

/// With a helper for the registry, and the right password behind it.
fn helped(registry: &Registry, script: &str) -> Tool {
    let config = json!({
        "credHelpers": {registry.host(): "suite"},
        "auths": {registry.host(): {"username": "user", "password": "sword:fish"}},
    });
    configured(registry, config).script("docker-credential-suite", script)
}

#[test]
fn a_helper_is_asked_by_get_for_the_host() {
    let registry = private();
    let record = r#"printf '%s\n' "$#" "$1" "$(cat)" > "$HOME/asked""#;
    let tool = helped(&registry, &format!("{record}\n{RIGHT}"));
    tool.run().success(TAGS);
    let asked = std::fs::read_to_string(tool.home().join("asked")).unwrap();
    assert_eq!(asked, format!("1\nget\n{}\n", registry.host()));
}

#[test]
fn the_hosts_own_helper_goes_before_the_store_before_auths() {
    let registry = private();
    let host = registry.host();
    let wrong = json!({"username": "user", "password": "trout"});
    let own = json!({
        "credHelpers": {host.as_str(): "right"}, "credsStore": "wrong", "auths": {host.as_str(): wrong},
    });
    let store = json!({
        "credHelpers": {"example.com": "wrong"}, "credsStore": "right", "auths": {host: wrong},
    });
    for config in [own, store] {
        let tool = configured(&registry, config)
            .script("docker-credential-right", RIGHT)
            .script("docker-credential-wrong", WRONG);
        tool.run().success(TAGS);
    }
}

#[test]
fn a_helper_may_be_for_all_hosts_of_a_pattern() {
    let registry = private();
    for (pattern, code) in [
        ("127.*.0.*", 0),
        ("*.0.*.*", 0),
        ("128.*.0.*", 4),
        ("127.*", 4),
        ("*", 4),
    ] {
        let config = json!({"credHelpers": {pattern: "suite"}});
        let tool = configured(&registry, config).script("docker-credential-suite", RIGHT);
        assert_eq!(tool.run().code, Some(code), "{pattern}");
    }
}

#[test]
fn containers_name_helpers_too() {
    let registry = private();
    let host = registry.host();
    for config in [
        json!({"credHelpers": {host.as_str(): "suite"}}),
        json!({"credHelpers": {format!("{host}/a"): "suite"}}),
        json!({"credsStore": "suite"}),
    ] {
        let tool = tags(&registry).file(".config/containers/auth.json", config.to_string());
        let tool = tool.script("docker-credential-suite", RIGHT);
        tool.run().success(TAGS);
    }
}

#[test]
fn the_user_token_means_an_identity_token() {
    let tokens = Tokens::new().private().refresh_token("user", "identity");
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    let tool = helped(
        &registry,
        r#"echo '{"Username":"<token>","Secret":"identity"}'"#,
    );
    tool.run().success(TAGS);
    let exchange = &registry.requests()[1];
    assert_eq!((&*exchange.method, exchange.path()), ("POST", "/token"));
    assert_eq!(exchange.field("refresh_token").as_deref(), Some("identity"));
}

#[test]
fn a_helper_that_knows_nothing_is_passed_over_in_silence() {
    let registry = private();
    for script in [
        "echo 'credentials not found in native keychain'; exit 1",
        r#"echo '{"Username":"","Secret":""}'"#,
    ] {
        helped(&registry, script).run().success(TAGS);
    }
}

#[test]
fn a_helper_that_fails_is_warned_of_and_the_next_source_counts() {
    let registry = private();
    let nonsense = "its answer is not {\"Username\": …, \"Secret\": …}";
    for (script, why) in [
        ("exit 1", "it failed"),
        ("echo locked; echo more; exit 1", "locked"),
        (&format!("{RIGHT}; exit 1"), "it failed"),
        ("kill -9 $$", "it failed"),
        ("", nonsense),
        ("echo sword:fish", nonsense),
        (r#"echo '{"Username":"user"}'"#, nonsense),
        (r#"echo '{"Username":1,"Secret":"sword:fish"}'"#, nonsense),
        ("cat /dev/zero", "its answer has no end"),
    ] {
        let output = helped(&registry, script).run().status(0).stdout(TAGS);
        let warning = format!("docker-registry: warning: docker-credential-suite: {why}\n");
        output.stderr(warning);
    }
}

#[test]
fn a_helper_that_is_missing_is_warned_of() {
    let registry = private();
    let host = registry.host();
    let auths = json!({host.as_str(): {"username": "user", "password": "sword:fish"}});
    for (name, why) in [
        ("suite", "there is no such program"),
        ("../suite", "not the name of a program"),
    ] {
        let config = json!({"credsStore": name, "auths": auths});
        let output = configured(&registry, config).run().status(0).stdout(TAGS);
        output.stderr(format!(
            "docker-registry: warning: docker-credential-{name}: {why}\n"
        ));
    }
}

#[test]
fn a_helper_that_hangs_is_left_behind() {
    let registry = private();
    let warning = "docker-registry: warning: docker-credential-suite: no answer within 1 s\n";
    let closed = format!("{RIGHT}; exec sleep 100 >&-");
    let scripts = ["exec sleep 100", "sleep 100", "sleep 100 & exit", &closed];
    for script in scripts {
        let tool = helped(&registry, script).args(["--timeout", "1"]);
        let output = tool.run().status(0).stdout(TAGS);
        output.stderr(warning);
    }
}

#[test]
fn without_any_other_source_it_goes_on_anonymously() {
    let registry = holding_tags(Registry::builder().tokens(&Tokens::new()).start());
    let config = json!({"credsStore": "suite"});
    let output = configured(&registry, config).run().status(0).stdout(TAGS);
    output.stderr("docker-registry: warning: docker-credential-suite: there is no such program\n");
}

#[test]
fn a_helper_is_asked_once_for_a_host() {
    let registry = private();
    let tool = helped(&registry, &format!("echo >> \"$HOME/asked\"\n{RIGHT}"));
    let images = ["a", "a/b", "a/b/c"].map(|name| registry.image(name));
    let output = tool.again(["tags"]).args(&images).run();
    assert_eq!((output.code, output.messages().as_str()), (Some(0), ""));
    assert_eq!(std::fs::read(tool.home().join("asked")).unwrap(), b"\n");
}

#[test]
fn a_registry_that_wants_nothing_asks_no_helper() {
    let registry = holding_tags(Registry::start());
    helped(&registry, "echo > \"$HOME/asked\"; exit 1")
        .run()
        .success(TAGS);
}
