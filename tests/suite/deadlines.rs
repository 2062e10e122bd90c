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
        &message(&other, "no answer in time (TLS handshake)"),
    );
}

#[test]
fn a_silent_proxy_is_exit_5() {
    let server = Server::silent();
    for scheme in ["http", "socks5"] {
        let proxy = format!("{scheme}://{}", server.host());
        let tool = Tool::new().args(["tags", "registry.invalid/a"]);
        let message = "docker-registry: registry.invalid/a: tags: registry.invalid: \
                       proxy 127.0.0.1: no answer in time\n";
        fails_soon(tool.env("HTTPS_PROXY", proxy), message);
    }
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
