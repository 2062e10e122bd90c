//! Proxies, as the environment names them.

use crate::credentials::holding_tags;
use crate::harness::{NOBODY, Output, Proxy, Registry, Tls, Tool};

const TAGS: &str = "[\"v1\"]\n";
const CONNECT: &str = "CONNECT registry.example.com:443";
const FORWARD: &str = "GET http://registry.example.com/v2/a/tags/list";

/// A registry that only the proxy finds, as `registry.example.com`.
fn secure() -> (Registry, Proxy) {
    let tls = Tls::named(&["registry.example.com"]);
    let registry = holding_tags(Registry::builder().tls(tls).start());
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    (registry, proxy)
}

fn plain() -> (Registry, Proxy) {
    let registry = holding_tags(Registry::start());
    let proxy = Proxy::start().route("registry.example.com:80", &registry.host());
    (registry, proxy)
}

fn tags(registry: &Registry) -> Tool {
    let tool = Tool::new().args(["tags", "registry.example.com/a", "--cacert"]);
    tool.arg(registry.ca())
}

fn plain_tags() -> Tool {
    Tool::new().args(["tags", "registry.example.com/a", "--plain-http"])
}

#[test]
fn https_goes_through_a_tunnel() {
    let (registry, proxy) = secure();
    let url = proxy.url();
    for (name, value) in [
        ("HTTPS_PROXY", url.as_str()),
        ("https_proxy", &url),
        ("ALL_PROXY", &url),
        ("HTTPS_PROXY", &proxy.host()),
        ("HTTPS_PROXY", &format!("{url}/")),
    ] {
        tags(&registry).env(name, value).run().success(TAGS);
        assert_eq!(proxy.take(), [CONNECT], "{name}={value}");
    }
    let both = tags(&registry).env("HTTPS_PROXY", &url);
    both.env("ALL_PROXY", "socks5://127.0.0.1:1")
        .run()
        .success(TAGS);
}

#[test]
fn plain_http_is_forwarded() {
    let (registry, proxy) = plain();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        plain_tags().env(name, proxy.url()).run().success(TAGS);
        assert_eq!(proxy.take(), [FORWARD]);
        let request = registry.requests().pop().unwrap();
        assert_eq!(request.target, "/v2/a/tags/list");
        assert_eq!(request.header("Host"), Some("registry.example.com"));
    }
}

#[test]
fn socks_leads_both_and_looks_names_up() {
    let (registry, proxy) = secure();
    for scheme in ["socks5", "socks5h"] {
        let url = format!("{scheme}://{}", proxy.host());
        tags(&registry).env("ALL_PROXY", &url).run().success(TAGS);
        assert_eq!(proxy.take(), ["SOCKS5 registry.example.com:443"]);
    }
    let (_registry, proxy) = plain();
    let tool = plain_tags().env("ALL_PROXY", proxy.socks_url());
    tool.run().success(TAGS);
    assert_eq!(proxy.take(), ["SOCKS5 registry.example.com:80"]);
}

#[test]
fn a_proxy_may_want_a_password_and_nobody_else_learns_it() {
    let (registry, proxy) = secure();
    let proxy = proxy.user("user", "sword@fish");
    let url = format!("http://user:sword%40fish@{}", proxy.host());
    let hidden = |output: &Output| {
        for secret in ["sword", "dXNlcjpzd29yZEBmaXNo"] {
            assert!(!output.messages().contains(secret), "{}", output.messages());
        }
    };
    let output = tags(&registry).arg("-vv").env("HTTPS_PROXY", &url).run();
    hidden(&output.status(0).stdout(TAGS));
    assert_eq!(registry.requests()[0].header("Proxy-Authorization"), None);
    assert_eq!(proxy.take(), [CONNECT]);
    let (registry, proxy) = plain();
    let proxy = proxy.user("user", "sword@fish");
    let url = format!("http://user:sword%40fish@{}", proxy.host());
    let output = plain_tags().arg("-vv").env("HTTP_PROXY", &url).run();
    hidden(&output.status(0).stdout(TAGS));
    assert_eq!(registry.requests()[0].header("Proxy-Authorization"), None);
}

#[test]
fn a_password_that_a_proxy_refuses_is_not_shown() {
    let (registry, proxy) = secure();
    let proxy = proxy.user("user", "swordfish");
    for user in ["user:trout@", ""] {
        let url = format!("http://{user}{}", proxy.host());
        tags(&registry).env("HTTPS_PROXY", url).run().fails(
            5,
            "docker-registry: registry.example.com/a: tags: registry.example.com: \
             proxy 127.0.0.1: the proxy wants a user and password\n",
        );
        assert_eq!(proxy.take(), [CONNECT]);
    }
    for url in [
        "ftp://user:trout@example.com",
        "http://user:trout@",
        "http://user:trout@a:b",
    ] {
        let output = tags(&registry).env("HTTPS_PROXY", url).run().status(2);
        let message = output.messages();
        assert!(
            message.contains("the proxy of the environment"),
            "{message}"
        );
        assert!(!message.contains("trout"), "{message}");
    }
}

#[test]
fn a_proxy_that_is_not_there_is_exit_5() {
    let (registry, _proxy) = secure();
    let tool = tags(&registry).arg("--retries=0");
    tool.env("HTTPS_PROXY", format!("http://{NOBODY}"))
        .run()
        .fails(
            5,
            "docker-registry: registry.example.com/a: tags: registry.example.com: \
         proxy 127.0.0.1: connection refused\n",
        );
}

#[test]
fn this_machine_is_never_asked_through_a_proxy() {
    let registry = holding_tags(Registry::start());
    let tool = Tool::new().args(["tags", &registry.image("a")]);
    let tool = tool.env("HTTPS_PROXY", format!("http://{NOBODY}"));
    tool.env("HTTP_PROXY", format!("http://{NOBODY}"))
        .run()
        .success(TAGS);
}

/// 0.0.0.0 leads here, and is not called this machine.
#[cfg(target_os = "linux")]
#[test]
fn addresses_can_be_spared_from_the_proxy() {
    let registry = Registry::builder().tls(Tls::named(&["0.0.0.0"])).start();
    let registry = holding_tags(registry);
    let port = registry
        .host()
        .rsplit_once(':')
        .map(|(_, port)| port.to_owned())
        .unwrap();
    let host = format!("0.0.0.0:{port}");
    let proxy = Proxy::start().route(&host, &registry.host());
    let tool = Tool::new().args(["tags", &format!("{host}/a"), "--cacert"]);
    let tool = tool.arg(registry.ca()).env("HTTPS_PROXY", proxy.url());
    for (except, proxied) in [
        ("", true),
        ("0.0.0.0", false),
        (&host, false),
        ("0.0.0.0:1", true),
        ("0.0.0.0/8", false),
        ("0.0.0.0/32", false),
        ("10.0.0.0/8", true),
        ("example.com, 0.0.0.0", false),
        ("example.com,*", false),
    ] {
        tool.clone().env("NO_PROXY", except).run().success(TAGS);
        assert_eq!(proxy.take().len(), usize::from(proxied), "{except}");
    }
    tool.env("no_proxy", "*").run().success(TAGS);
    assert_eq!(proxy.take(), [""; 0]);
}

#[test]
fn names_can_be_spared_from_the_proxy() {
    let proxy = Proxy::start().route("registry.invalid:443", NOBODY);
    let tool = Tool::new().args(["tags", "registry.invalid/a", "--retries=0", "--timeout=1"]);
    let tool = tool.env("HTTPS_PROXY", proxy.url());
    for (except, proxied) in [
        ("registry.invalid", false),
        ("invalid", false),
        (".invalid", false),
        ("*.invalid", false),
        ("registry.invalid:443", false),
        ("registry.invalid:444", true),
        (".registry.invalid", true),
        ("y.invalid", true),
    ] {
        let output = tool.clone().env("NO_PROXY", except).run();
        // The name is known to nobody, and behind the proxy's name nobody listens.
        assert_eq!(output.code, Some(5), "{except}");
        assert_eq!(proxy.take().len(), usize::from(proxied), "{except}");
    }
}
