//! Where tokens may be asked for: a registry must not send us, with credentials, where only we can go.

use std::sync::Arc;

use crate::credentials::{holding_tags, tags};
use crate::harness::{Fault, Proxy, Registry, Tls, Tokens, Tool};

const TAGS: &str = "[\"v1\"]\n";

fn split(registry: &Registry) -> (String, String) {
    let host = registry.host();
    let (host, port) = host.rsplit_once(':').unwrap();
    (host.to_owned(), port.to_owned())
}

/// A registry that the proxy knows under a public name, and sends for a token to `realm`.
fn public(realm: &str) -> (Registry, Proxy, Tool) {
    let tokens = Tokens::new();
    let challenge = format!("Bearer realm=\"{realm}\",service=\"suite\"");
    let registry = Registry::builder()
        .tls(Tls::named(&["registry.example.com"]))
        .tokens(&tokens)
        .challenges(&[&challenge])
        .start();
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    let tool = Tool::new().args(["tags", "registry.example.com/a", "-u", "user:swordfish"]);
    let tool = tool
        .arg("--cacert")
        .arg(registry.ca())
        .env("HTTPS_PROXY", proxy.url());
    (registry, proxy, tool)
}

#[test]
fn a_public_registry_sends_nobody_inside_for_a_token() {
    let inside = Registry::builder().tls(Tls::authority()).start();
    let (_, port) = split(&inside);
    for origin in [
        inside.base(),
        format!("https://localhost:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://0.0.0.0:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        format!("https://[::7f00:1]:{port}"),
        format!("https://[64:ff9b::7f00:1]:{port}"),
        format!("https://localhost.:{port}"),
        format!("https://127.0.0.1.:{port}"),
        format!("https://2130706433:{port}"),
        format!("https://0x7f000001:{port}"),
        format!("https://0177.0.0.1:{port}"),
        format!("https://127.1:{port}"),
        "https://[fec0::1]".to_owned(),
        "https://[fc00::1]".to_owned(),
        "https://[64:ff9b:1::1]".to_owned(),
        "https://0.1.2.3".to_owned(),
        "https://100.64.0.1".to_owned(),
        "https://192.0.0.1".to_owned(),
        "https://169.254.169.254".to_owned(),
        "https://10.0.0.1".to_owned(),
        "https://intranet".to_owned(),
        "https://metadata.google.internal".to_owned(),
    ] {
        let (registry, proxy, tool) = public(&format!("{origin}/token"));
        tool.run().fails(
            4,
            format!(
                "docker-registry: registry.example.com/a: tags: the registry sends us for a token \
                 to {origin}, which is an internal address\n"
            ),
        );
        assert_eq!(proxy.take(), ["CONNECT registry.example.com:443"]);
        assert_eq!(registry.take().len(), 1);
    }
    assert_eq!(inside.accepted(), 0);
}

/// Without a proxy in between, what the system makes of a name is what is judged.
#[cfg(target_os = "linux")]
#[test]
fn a_realm_is_judged_by_the_address_that_would_be_connected_to() {
    let inside = Registry::builder().tls(Tls::authority()).start();
    let (_, port) = split(&inside);
    for host in ["127.1", "2130706433", "0x7f000001", "0177.0.0.1"] {
        let origin = format!("https://{host}:{port}");
        let (_registry, _proxy, tool) = public(&format!("{origin}/token"));
        let output = tool.env("NO_PROXY", host).run().status(4).stdout("");
        let message = output.messages();
        let why = format!("to {origin}, which is an internal address");
        assert!(message.contains(&why), "{message}");
    }
    assert_eq!(inside.accepted(), 0);
}

#[test]
fn a_token_server_sends_nobody_inside() {
    let inside = Registry::builder().tls(Tls::authority()).start();
    let tls = Arc::new(Tls::named(&["registry.example.com", "auth.example.com"]));
    let tokens = Tokens::new();
    let server = Registry::builder().tls(tls.clone()).token_server(&tokens);
    let server = server.start();
    let challenge = "Bearer realm=\"https://auth.example.com/token\"";
    let registry = Registry::builder().tls(tls).tokens(&tokens);
    let registry = holding_tags(registry.challenges(&[challenge]).start());
    let proxy = Proxy::start()
        .route("registry.example.com:443", &registry.host())
        .route("auth.example.com:443", &server.host());
    let tool = Tool::new().args(["tags", "registry.example.com/a", "--cacert"]);
    let tool = tool.arg(registry.ca()).env("HTTPS_PROXY", proxy.url());
    tool.run().success(TAGS);
    server.fail(
        "/token",
        Fault::Redirect(format!("{}/token", inside.base())),
    );
    tool.arg("--no-cache").run().fails(
        1,
        format!(
            "docker-registry: registry.example.com/a: tags: token: https://auth.example.com leads to {}, \
             which is an internal address\n",
            inside.base()
        ),
    );
    assert_eq!(inside.accepted(), 0);
}

#[test]
fn a_registry_with_tls_sends_nobody_to_a_realm_without() {
    let plain = Registry::start();
    for origin in [plain.base(), "http://registry.example.com".to_owned()] {
        let (registry, _proxy, tool) = public(&format!("{origin}/token"));
        tool.run().fails(
            4,
            format!(
                "docker-registry: registry.example.com/a: tags: the registry sends us for a token \
                 to {origin}, which is not HTTPS\n"
            ),
        );
        assert_eq!(registry.take().len(), 1);
    }
    assert_eq!(plain.accepted(), 0);
}

#[test]
fn a_registry_of_this_machine_may_have_its_token_server_here() {
    let tokens = Tokens::new();
    let server = Registry::builder().token_server(&tokens).start();
    let registry = holding_tags(Registry::builder().tokens(&tokens).start());
    tags(&registry).run().success(TAGS);
    assert_eq!(
        server.take(),
        ["GET /token?service=suite&scope=repository:a:pull"]
    );
}

#[test]
fn a_token_server_that_redirects_gets_its_credentials_at_home_only() {
    let tokens = Tokens::new().private().user("user", "swordfish");
    let server = Registry::builder().token_server(&tokens).start();
    let other = Registry::builder().token_server(&Tokens::new()).start();
    let registry = Registry::builder().tokens(&tokens);
    let realm = format!(
        "Bearer realm=\"{}/token\",scope=\"{{scope}}\"",
        server.base()
    );
    let registry = registry.challenges(&[&realm]).start();
    server.fail("/token", Fault::Redirect(format!("{}/token", other.base())));
    let output = tags(&registry).args(["-u", "user:swordfish"]).run();
    assert_eq!(output.code, Some(4));
    let asked = other.requests();
    assert_eq!((asked.len(), asked[0].header("Authorization")), (1, None));
}
