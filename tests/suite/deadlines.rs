//! Nothing hangs: every silence has an end, and so has the program when it is told to.

use std::time::{Duration, Instant};

use crate::credentials::{holding_tags, tags};
use crate::harness::{Fault, Image, Registry, Server, Tls, Tool};

const TAGS: &str = "[\"v1\"]\n";
const LIST: &str = "/v2/a/tags/list";

/// Runs it with the patience of a second, and sees to it that no more is used.
#[track_caller]
fn fails_soon(tool: Tool, message: &str) {
    let start = Instant::now();
    tool.arg("--timeout=1").run().fails(5, message);
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_silence_before_the_answer_is_exit_5_at_once() {
    let registry = Registry::start();
    registry.fail(LIST, Fault::Stall);
    let host = registry.host();
    let message = format!("docker-registry: {host}/a: tags: {host}: no answer within 1 s\n");
    fails_soon(tags(&registry), &message);
    assert_eq!(registry.take().len(), 1);
}

#[test]
fn a_silence_in_the_middle_is_exit_5_at_once() {
    let registry = holding_tags(Registry::start());
    registry.fail(LIST, Fault::StallAfter(5));
    let host = registry.host();
    let message = format!(
        "docker-registry: {host}/a: tags: {host}: in the middle of the answer: no answer within 1 s\n"
    );
    fails_soon(tags(&registry), &message);
    assert_eq!(registry.take().len(), 1);
}

#[test]
fn an_answer_may_take_its_time_as_long_as_something_comes() {
    let registry = holding_tags(Registry::start());
    registry.fail(LIST, Fault::Slow(4, Duration::from_millis(300)));
    let start = Instant::now();
    tags(&registry).arg("--timeout=1").run().success(TAGS);
    assert!(start.elapsed() > Duration::from_secs(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_silent_server_is_exit_5() {
    let server = Server::silent();
    let image = format!("{}/a", server.host());
    let plain = Tool::new().args(["tags", "--plain-http", &image]);
    let host = server.host();
    let message =
        |host: &str, why: &str| format!("docker-registry: {host}/a: tags: {host}: {why}\n");
    fails_soon(plain, &message(&host, "no answer within 1 s"));
    // This machine is believed not to speak TLS, then.
    fails_soon(
        Tool::new().args(["tags", &image]),
        &message(&host, "no answer within 1 s"),
    );
    let port = server.address().port();
    let other = format!("0.0.0.0:{port}");
    let secure = Tool::new().args(["tags", &format!("{other}/a")]);
    fails_soon(
        secure,
        &message(&other, "no answer within 1 s (TLS handshake)"),
    );
}

#[test]
fn a_silent_proxy_is_exit_5() {
    let server = Server::silent();
    for scheme in ["http", "socks5"] {
        let proxy = format!("{scheme}://{}", server.host());
        let tool = Tool::new().args(["tags", "registry.invalid/a"]);
        let message = "docker-registry: registry.invalid/a: tags: registry.invalid: \
                       proxy 127.0.0.1: no answer within 1 s\n";
        fails_soon(tool.env("HTTPS_PROXY", proxy), message);
    }
}

const LIMIT: &str = "no whole answer within 5 s, 5 times --timeout";

/// Does it for all cases at the same time, as each takes seconds.
fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(case));
        }
    });
}

#[test]
fn an_answer_that_trickles_is_exit_5() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let body = format!("in the middle of the answer: {LIMIT}");
    let hints = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let cases: [(String, &[u8], &str); 7] = [
        (String::new(), hints, LIMIT),
        (ok.into(), b"x", LIMIT),
        (ok.into(), b"x: y\r\n", LIMIT),
        (format!("{ok}Content-Length: 10000\r\n\r\n"), b" ", &body),
        (format!("{ok}\r\n"), b" ", &body),
        (format!("{ok}{chunked}"), b"1\r\n \r\n", &body),
        (format!("{ok}{chunked}0\r\n"), b"x: y\r\n", &body),
    ];
    side_by_side(cases, |(start, again, why)| {
        let registry = Registry::start();
        registry.fail(LIST, Fault::Trickle(start.into(), again));
        let host = registry.host();
        let message = format!("docker-registry: {host}/a: tags: {host}: {why}\n");
        fails_soon(tags(&registry), &message);
        assert_eq!(registry.take().len(), 1);
    });
}

#[test]
fn a_refusal_that_trickles_is_cut_off() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64");
    image.push_to(&registry, "a", "v1");
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 10000\r\n\r\n";
    let blob = format!("/v2/a/blobs/{}", image.config_digest());
    for target in [LIST, &blob] {
        registry.fail(target, Fault::Trickle(refusal.into(), b" "));
    }
    let layer = registry.image(&format!("a@{}", image.config_digest()));
    let cases = [["tags", &registry.image("a")], ["downloadlayer", &layer]];
    side_by_side(cases, |args| {
        let tool = Tool::new().args(args).arg("--timeout=1");
        let start = Instant::now();
        let output = tool.run();
        assert_eq!(output.code, Some(4), "{}", output.messages());
        assert!(output.messages().contains("access forbidden"));
        assert!(start.elapsed() < Duration::from_secs(10));
    });
}

#[test]
fn a_record_of_tls_that_trickles_is_exit_5() {
    let registry = Registry::builder().tls(Tls::authority()).start();
    let start = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    // Type and version of a record, over and over, are a header that announces much more.
    registry.fail(LIST, Fault::TrickleBelowTls(start.into(), b"\x17\x03\x03"));
    let host = registry.host();
    let message =
        format!("docker-registry: {host}/a: tags: {host}: in the middle of the answer: {LIMIT}\n");
    fails_soon(tags(&registry).arg("-k"), &message);
}

#[test]
fn a_proxy_that_trickles_is_exit_5() {
    for (scheme, server) in [
        ("http", Server::trickling(&[b"HTTP/1.1 200 OK\r\n"], b"x")),
        (
            "socks5",
            Server::trickling(&[b"\x05\x00", b"\x05\x00\x00\x03\xff"], b"x"),
        ),
    ] {
        let proxy = format!("{scheme}://{}", server.host());
        let tool = Tool::new().args(["tags", "registry.invalid/a"]);
        let message = "docker-registry: registry.invalid/a: tags: registry.invalid: \
                       proxy 127.0.0.1: no answer within 1 s\n";
        fails_soon(tool.env("HTTPS_PROXY", proxy), message);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_handshake_that_trickles_is_exit_5() {
    let server = Server::trickling(&[b"\x16\x03\x03\x3f\xff\x02"], b"\0");
    let host = format!("0.0.0.0:{}", server.address().port());
    let tool = Tool::new().args(["tags", &format!("{host}/a")]);
    let message =
        format!("docker-registry: {host}/a: tags: {host}: no answer within 1 s (TLS handshake)\n");
    fails_soon(tool, &message);
}

#[test]
fn a_silent_token_server_is_exit_5() {
    let tokens = crate::harness::Tokens::new();
    let registry = Registry::builder().tokens(&tokens).start();
    registry.fail("/token", Fault::Stall);
    let host = registry.host();
    let message = format!("docker-registry: {host}/a: tags: token: {host}: no answer within 1 s\n");
    fails_soon(tags(&registry), &message);
}

#[test]
fn a_patience_of_nothing_is_a_usage_error() {
    for seconds in ["0", "0.0", "-1", "x", ""] {
        let output = Tool::new()
            .args(["tags", "a", &format!("--timeout={seconds}")])
            .run();
        assert_eq!(output.code, Some(2), "{seconds}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_at_once_and_leaves_no_debris() {
    for (tls, fault) in [(false, Fault::Stall), (true, Fault::StallAfter(9))] {
        let builder = Registry::builder();
        let registry = match tls {
            true => builder.tls(Tls::authority()).start(),
            false => builder.start(),
        };
        let image = Image::new("linux/amd64").label("a", "b");
        image.push_to(&registry, "a", "v1");
        let tool = Tool::new().args(["labels", "-k", &registry.image("a:v1")]);
        registry.fail("/v2/a/manifests/v1", fault);
        let mut running = tool.spawn();
        registry.wait_for_stall();
        let start = Instant::now();
        running.interrupt();
        let output = running.wait();
        assert_eq!((output.code, output.text()), (None, ""));
        assert_eq!(output.messages(), "");
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(tool.files(), [""; 0]);
        let cache = tool.home().join(".cache");
        let left = std::fs::read_dir(tool.home().join("tmp")).unwrap().count();
        assert_eq!((cache.exists(), left), (false, 0));
    }
}
