//! Credentials that are no password: identity tokens, registry tokens; and Docker Hub's own key.

use serde_json::json;

use crate::credentials::{auths, holding_tags, tags};
use crate::harness::{Proxy, Registry, Tls, Tokens, Tool};

const TAGS: &str = "[\"v1\"]\n";

fn private() -> Tokens {
    Tokens::new()
        .private()
        .user("user", "identity")
        .refresh_token("user", "identity")
}

/// With an identity token of `user`, as `docker login` stores it.
fn identified(registry: &Registry) -> Tool {
    let entry = json!({"auth": "dXNlcjo=", "identitytoken": "identity"});
    tags(registry).file(".docker/config.json", auths(registry, entry))
}

#[test]
fn an_identity_token_is_exchanged_by_post() {
    let registry = holding_tags(Registry::builder().tokens(&private()).start());
    identified(&registry).run().success(TAGS);
    let requests = registry.requests();
    let exchange = &requests[1];
    let form = |name: &str| exchange.field(name).unwrap_or_default();
    assert_eq!((&*exchange.method, &*exchange.target), ("POST", "/token"));
    assert_eq!(form("grant_type"), "refresh_token");
    assert_eq!(form("service"), "suite");
    assert_eq!(form("scope"), "repository:a:pull");
    assert_eq!(form("refresh_token"), "identity");
    assert!(!form("client_id").is_empty());
    assert_eq!(exchange.header("Authorization"), None);
    assert_eq!(requests.len(), 3);
}

#[test]
fn a_token_server_without_post_is_asked_by_get() {
    for status in [400, 401, 404, 405] {
        let tokens = private().without_post(status);
        let registry = holding_tags(Registry::builder().tokens(&tokens).start());
        identified(&registry).run().success(TAGS);
        let asked = "/token?service=suite&scope=repository:a:pull&account=user";
        assert_eq!(
            registry.take(),
            [
                "GET /v2/a/tags/list",
                "POST /token",
                &format!("GET {asked}"),
                "GET /v2/a/tags/list",
            ]
        );
    }
}

#[test]
fn a_token_server_that_fails_at_post_is_not_asked_by_get() {
    let registry = Registry::builder()
        .tokens(&private().without_post(500))
        .start();
    let host = registry.host();
    identified(&registry).arg("--retries=0").run().fails(
        5,
        format!("docker-registry: {host}/a: tags: token from {host}: the registry answers 500\n"),
    );
    assert_eq!(registry.take().len(), 2);
}

#[test]
fn a_registry_token_is_shown_to_the_registry_itself() {
    let tokens = Tokens::new().private();
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    let entry = json!({"registrytoken": tokens.issue(&["repository:a:pull"])});
    let tool = tags(&registry).file(".docker/config.json", auths(&registry, entry));
    tool.run().success(TAGS);
    let again = ["GET /v2/a/tags/list"; 2];
    assert_eq!(registry.take(), again);
}

/// Docker Hub on loopback, with its token server: what leads there, and both.
fn hub(tokens: &Tokens) -> (Proxy, Registry, Registry, String) {
    let (own, other) = (
        Tls::named(&["registry-1.docker.io"]),
        Tls::named(&["auth.docker.io"]),
    );
    let trusted = [own.ca(), other.ca()].map(|path| std::fs::read_to_string(path).unwrap());
    let auth = Registry::builder().tls(other).token_server(tokens).start();
    let challenge = "Bearer realm=\"https://auth.docker.io/token\",\
                     service=\"registry.docker.io\",scope=\"{scope}\"";
    let hub = Registry::builder().tls(own).tokens(tokens);
    let hub = hub.challenges(&[challenge]).start();
    hub.tags("library/ubuntu", ["v1".to_owned()], "sha256:0");
    let proxy = Proxy::start()
        .route("registry-1.docker.io:443", &hub.host())
        .route("auth.docker.io:443", &auth.host());
    (proxy, hub, auth, trusted.concat())
}

#[test]
fn docker_hub_has_a_key_of_its_own() {
    let tokens = Tokens::new().private().user("user", "trout");
    let (proxy, hub, auth, trusted) = hub(&tokens);
    let tool = Tool::new()
        .file("ca.pem", trusted)
        .env("HTTPS_PROXY", proxy.url());
    let tool = tool.args(["tags", "ubuntu", "--cacert", "../ca.pem"]);
    let record = "printf %s \"$(cat)\" > \"$HOME/asked\"";
    let answer = r#"echo '{"Username":"user","Secret":"trout"}'"#;
    let tool = tool.script("docker-credential-suite", &format!("{record}\n{answer}"));
    let key = "https://index.docker.io/v1/";
    let entry = json!({"username": "user", "password": "trout"});
    for config in [
        json!({"auths": {key: entry}}),
        json!({"credHelpers": {key: "suite"}}),
        json!({"credHelpers": {"docker.io": "suite"}}),
        json!({"credsStore": "suite"}),
    ] {
        let tool = tool.clone().file(".docker/config.json", config.to_string());
        tool.run().success(TAGS);
        let login = auth
            .requests()
            .pop()
            .and_then(|it| it.header("Authorization").map(str::to_owned));
        assert_eq!(login.as_deref(), Some("Basic dXNlcjp0cm91dA=="), "{config}");
        hub.take();
        auth.take();
    }
    let asked = std::fs::read_to_string(tool.home().join("asked")).unwrap();
    assert_eq!(asked, key);
    // containers' files name it as users do.
    std::fs::remove_file(tool.home().join(".docker/config.json")).unwrap();
    let config = json!({"auths": {"docker.io/library": entry}}).to_string();
    let tool = tool.file(".config/containers/auth.json", config);
    tool.run().success(TAGS);
}
