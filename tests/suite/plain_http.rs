//! HTTP without TLS: on this machine, or for who asks for it.

use crate::credentials::{holding_tags, tags};
use crate::harness::{Registry, Server, Tls, Tool};

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
