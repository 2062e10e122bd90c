//! HTTP without TLS: on this machine, or for who asks for it.

use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::credentials::{holding_tags, tags};
use crate::harness::{Image, Registry, Server, Tls, Tokens, Tool, relay};

const TAGS: &str = "[\"v1\"]\n";

fn speaks_tls(doing: &str) -> String {
    format!(
        "docker-registry: {doing}: the server speaks TLS, not plain HTTP\n\
         hint: without --plain-http it is asked over HTTPS\n"
    )
}

#[test]
fn plain_http_is_for_this_machine_or_who_asks_for_it() {
    let registry = holding_tags(Registry::start());
    tags(&registry).run().success(TAGS);
    let port = registry
        .host()
        .rsplit_once(':')
        .map(|(_, port)| port.to_owned())
        .unwrap();
    let other = format!("0.0.0.0:{port}");
    let tool = Tool::new().args(["tags", &format!("{other}/a")]);
    registry.take();
    tool.run().fails(
        5,
        format!(
            "docker-registry: {other}/a: tags: {other}: the server does not speak TLS\n\
             hint: if that is meant to be, use --plain-http\n"
        ),
    );
    assert_eq!(registry.take(), [""; 0]);
    tool.arg("--plain-http").run().success(TAGS);
}

#[test]
fn this_machine_is_asked_by_https_first() {
    let registry = holding_tags(Registry::builder().tls(Tls::authority()).start());
    let trusted = |tool: Tool| tool.arg("--cacert").arg(registry.ca());
    trusted(tags(&registry)).run().success(TAGS);
    assert_eq!(registry.accepted(), 1);
    // Who chooses plain HTTP gets it.
    let plain = trusted(tags(&registry)).arg("--plain-http");
    plain
        .run()
        .fails(5, speaks_tls(&format!("{}: tags", registry.image("a"))));
    assert_eq!(registry.take().len(), 1);
    // A certificate that is not trusted is no reason to go without one.
    assert_eq!(tags(&registry).run().code, Some(5));
    assert_eq!(registry.take(), [""; 0]);
}

#[test]
fn a_server_that_speaks_tls_is_no_server_for_plain_http() {
    const ALERT: &[u8] = b"\x15\x03\x01\x00\x02\x02\x0a";
    for answer in [
        ALERT,
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n\
          <center>The plain HTTP request was sent to HTTPS port</center>",
    ] {
        let server = Server::saying(answer);
        let host = server.host();
        let image = format!("{host}/a");
        let doing = match answer {
            ALERT => format!("{image}: tags: {host}"),
            _ => format!("{image}: tags"),
        };
        let tool = Tool::new().args(["tags", &image, "--plain-http"]);
        tool.run().fails(5, speaks_tls(&doing));
    }
}

/// Leads to the host that stands in it, each time a little later.
fn relay_to(host: &Arc<Mutex<String>>, pause: Duration) -> Server {
    let host = host.clone();
    Server::start(Server::listener(Ipv4Addr::LOCALHOST), move |client, _| {
        let host = host.lock().unwrap().clone();
        std::thread::sleep(pause);
        let server = TcpStream::connect(host).expect("a registry");
        relay(&client, &server).ok();
    })
}

#[test]
fn a_server_of_this_machine_may_take_its_time_for_tls() {
    let registry = holding_tags(Registry::builder().tls(Tls::authority()).start());
    let host = Arc::new(Mutex::new(registry.host()));
    let relay = relay_to(&host, Duration::from_millis(1200));
    let tool = Tool::new().args(["tags", &format!("{}/a", relay.host()), "--cacert"]);
    tool.arg(registry.ca()).run().success(TAGS);
    assert_eq!(relay.accepted(), 1);
}

#[test]
fn that_a_server_of_this_machine_has_no_tls_is_remembered() {
    let plain = holding_tags(Registry::start());
    let secure = holding_tags(Registry::builder().tls(Tls::authority()).start());
    let host = Arc::new(Mutex::new(plain.host()));
    let relay = relay_to(&host, Duration::ZERO);
    let tool = Tool::new().args(["tags", &format!("{}/a", relay.host()), "--cacert"]);
    let tool = tool.arg(secure.ca());
    let connections = |expected: usize| {
        let before = relay.accepted();
        tool.run().success(TAGS);
        assert_eq!(relay.accepted() - before, expected);
    };
    connections(2);
    connections(1);
    // It may learn it, and forget it.
    *host.lock().unwrap() = secure.host();
    connections(2);
    connections(1);
    *host.lock().unwrap() = plain.host();
    connections(2);
    connections(1);
    let without = tool.clone().arg("--no-cache");
    let before = relay.accepted();
    without.run().success(TAGS);
    assert_eq!(relay.accepted() - before, 2);
}

#[test]
fn that_a_server_of_this_machine_has_tls_is_remembered() {
    let (tls, tokens) = (Arc::new(Tls::authority()), Tokens::new());
    let secure = || Registry::builder().tls(tls.clone());
    let server = Arc::new(secure().token_server(&tokens).start());
    let registry = holding_tags(secure().tokens(&tokens).start());
    Image::new("linux/amd64").push_to(&registry, "b", "v1");
    let plain = holding_tags(Registry::start());
    let host = Arc::new(Mutex::new(registry.host()));
    let asked = Arc::new(AtomicUsize::new(0));
    // Nothing comes from the registry before the token server was asked so often.
    let gate = {
        let (host, asked, server) = (host.clone(), asked.clone(), server.clone());
        Server::start(Server::listener(Ipv4Addr::LOCALHOST), move |client, _| {
            let begun = Instant::now();
            let is_asked = || server.accepted() >= asked.load(SeqCst);
            while !is_asked() && begun.elapsed() < Duration::from_secs(20) {
                std::thread::yield_now();
            }
            let host = host.lock().unwrap().clone();
            relay(&client, &TcpStream::connect(host).expect("a registry")).ok();
        })
    };
    let tool = Tool::new();
    let tags = |repository: &str| {
        let before = gate.accepted();
        let image = format!("{}/{repository}", gate.host());
        let tags = tool.again(["tags", "--timeout=10", "--cacert"]);
        tags.arg(tls.ca()).arg(image).run().success(TAGS);
        gate.accepted() - before
    };
    assert_eq!(tags("a"), 1);
    asked.store(server.accepted() + 1, SeqCst);
    assert_eq!(tags("b"), 1);
    // It may lose it.
    *host.lock().unwrap() = plain.host();
    tags("a");
    assert_eq!(plain.take(), ["GET /v2/a/tags/list"]);
    assert_eq!(tags("a"), 1);
}
