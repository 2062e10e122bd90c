//! A proxy leads any host name to a registry on loopback, and says who asked for what.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::panic_of;
use crate::harness::{Client, Proxy, Registry, Tls};

#[test]
fn connect_leads_to_the_routed_registry() {
    let tls = Tls::named(&["registry.example.com"]);
    let registry = Registry::builder().tls(tls).start();
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    let mut tunnel = TcpStream::connect(proxy.host()).unwrap();
    tunnel
        .write_all(b"CONNECT registry.example.com:443 HTTP/1.1\r\n\r\n")
        .unwrap();
    let mut answer = [0; 39];
    tunnel.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 Connection established\r\n\r\n");
    let client = Client::over(tunnel, "registry.example.com", Some(registry.tls()));
    assert_eq!(client.get("/v2/").body, b"{}");
    assert_eq!(proxy.take(), ["CONNECT registry.example.com:443"]);
    assert_eq!(registry.take(), ["GET /v2/"]);
}

#[test]
fn plain_requests_are_forwarded() {
    let registry = Registry::start();
    let proxy = Proxy::start()
        .route("registry.example.com:80", &registry.host())
        .user("user", "password");
    let client = Client::connect(&proxy.host(), None);
    let url = "http://registry.example.com/v2/";
    assert_eq!(client.get(url).status, 407);
    let credentials = [("Proxy-Authorization", "Basic dXNlcjpwYXNzd29yZA==")];
    let answer = client.send("GET", url, &credentials, b"");
    assert_eq!((answer.status, &*answer.body), (200, &b"{}"[..]));
    assert_eq!(registry.requests()[0].header("Proxy-Authorization"), None);
    let line = format!("GET {url}");
    assert_eq!(proxy.take(), [line.clone(), line]);
}

#[test]
fn socks_leads_to_the_routed_registry() {
    let registry = Registry::start();
    let proxy = Proxy::start().route("registry.example.com:80", &registry.host());
    let mut tunnel = TcpStream::connect(proxy.host()).unwrap();
    tunnel.write_all(&[5, 1, 0]).unwrap();
    let name = b"registry.example.com";
    let request = [&[5, 1, 0, 3, 20], &name[..], &[0, 80]].concat();
    tunnel.write_all(&request).unwrap();
    let mut answer = [0; 12];
    tunnel.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let client = Client::over(tunnel, "registry.example.com", None);
    assert_eq!(client.get("/v2/").body, b"{}");
    assert_eq!(proxy.take(), ["SOCKS5 registry.example.com:80"]);
}

#[test]
fn a_target_without_a_route_fails_the_test() {
    let message = panic_of(|| {
        let proxy = Proxy::start();
        let client = Client::connect(&proxy.host(), None);
        assert_eq!(client.get("http://registry.example.com/").status, 502);
    });
    assert_eq!(message, "proxy: no route to registry.example.com:80");
}
