//! `serve` as clients meet it: HTTP/1.1 over sockets, said well, badly and slowly.

use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::harness::{Fault, Image, Registry, Response, Running, Served, Tool};

/// A connection; one that hangs fails the test.
fn connect(served: &Served) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(served.host()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    BufReader::new(stream)
}

/// All that comes until the server closes, but for dates.
fn all(served: &Served, said: impl AsRef<[u8]>) -> String {
    let mut stream = connect(served);
    stream.get_mut().write_all(said.as_ref()).unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).unwrap();
    let lines = heard.split_inclusive('\n');
    lines.filter(|line| !line.starts_with("Date: ")).collect()
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

fn last(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[test]
fn requests_are_answered_in_the_order_they_came() {
    let served = Tool::new().serve();
    let mut said = String::new();
    for _ in 0..50 {
        said += &get("/healthz");
        said += &get("/nowhere").replace("GET", "HEAD");
        said += &get("/nowhere");
    }
    let heard = all(&served, said + &last("/healthz"));
    let statuses = heard
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    let statuses: Vec<&str> = statuses.collect();
    assert_eq!(statuses.len(), 151);
    for three in statuses.chunks(3) {
        assert_eq!(
            three,
            &["200 OK", "404 Not Found", "404 Not Found"][..three.len()]
        );
    }
    assert_eq!(heard.matches("Connection: close").count(), 1);
    assert_eq!(
        heard.matches("there is nothing at this address").count(),
        50
    );
}

#[test]
fn a_connection_is_kept_for_more_requests() {
    let served = Tool::new().serve();
    let mut stream = connect(&served);
    for piece in [3, 1000] {
        for bytes in get("/healthz").as_bytes().chunks(piece) {
            stream.get_mut().write_all(bytes).unwrap();
        }
        let response = Response::read(&mut stream, "GET").unwrap();
        assert_eq!((response.status, &*response.body), (200, &b"ok\n"[..]));
        assert_eq!(response.get("Connection"), None);
        assert!(response.get("Date").unwrap().ends_with(" GMT"));
    }
    stream.get_mut().shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0);
    let old = "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let mut stream = connect(&served);
    for _ in 0..2 {
        stream.get_mut().write_all(old.as_bytes()).unwrap();
        let response = Response::read(&mut stream, "GET").unwrap();
        assert_eq!(response.get("Connection"), Some("keep-alive"));
    }
}

#[test]
fn head_says_what_get_would() {
    let served = Tool::new().serve();
    let head = last("/healthz").replace("GET", "HEAD");
    let (head, get) = (all(&served, head), all(&served, last("/healthz")));
    assert_eq!(get, format!("{head}ok\n"));
    assert!(head.contains("\r\nContent-Length: 3\r\n"), "{head}");
}

#[test]
fn what_is_no_good_request_has_its_status() {
    let served = Tool::new().serve();
    let long = |bytes| "a".repeat(bytes);
    for (said, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        (get("/%zz"), 400),
        (get("/?a=%ff"), 400),
        (get("/?a=%00"), 400),
        (get("/\0"), 400),
        (get("/").replace("localhost", "a\r\nHost: b"), 400),
        (get("/").replace("\r\n\r\n", "\r\n folded\r\n\r\n"), 400),
        (
            get("/").replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\na"),
            400,
        ),
        ("\u{16}\u{3}\u{1}\u{2}".to_owned(), 400),
        (get("/").replace("GET", "POST"), 405),
        (get("/").replace("GET", "BREW"), 501),
        (
            get("/").replace("\r\n\r\n", "\r\nTransfer-Encoding: gzip\r\n\r\n"),
            501,
        ),
        (get(&format!("/{}", long(8192))), 414),
        (
            get("/").replace("\r\n\r\n", &format!("\r\na: {}\r\n\r\n", long(16384))),
            431,
        ),
        (
            get("/").replace("\r\n\r\n", &("\r\na: b".repeat(64) + "\r\n\r\n")),
            431,
        ),
        (get("/").replace("1.1", "2.0"), 505),
    ] {
        let heard = all(&served, &said);
        let expected = format!("HTTP/1.1 {status} ");
        let said: String = said.chars().take(60).collect();
        assert!(heard.starts_with(&expected), "{said:?}: {heard}");
        assert!(heard.contains("\r\nConnection: close\r\n"), "{heard}");
        assert!(
            heard.contains("\r\nX-Content-Type-Options: nosniff\r\n"),
            "{heard}"
        );
        assert_eq!(
            heard.contains("\r\nAllow: GET, HEAD\r\n"),
            status == 405,
            "{heard}"
        );
        assert_eq!(heard.matches("Content-Length").count(), 1, "{heard}");
    }
}

#[test]
fn the_answer_to_a_body_is_read_though_the_body_is_not() {
    let served = Tool::new().serve();
    let mut stream = connect(&served);
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n";
    stream.get_mut().write_all(head.as_bytes()).unwrap();
    stream.get_mut().write_all(&[b'a'; 200_000]).unwrap();
    assert_eq!(Response::read(&mut stream, "POST").unwrap().status, 405);
}

#[test]
fn slow_heads_are_cut_off_and_disturb_nobody() {
    let served = Tool::new().serve();
    let begun = Instant::now();
    let mut silent = connect(&served);
    let mut slow: Vec<_> = (0..200).map(|_| connect(&served)).collect();
    // A byte now and then does not help: the time is for the whole head.
    for byte in get("/healthz").as_bytes().iter().take(12) {
        for stream in &mut slow {
            // Those that are cut off already have closed.
            let _ = stream.get_mut().write_all(&[*byte]);
        }
        assert_eq!(served.get("/healthz").status, 200);
        std::thread::sleep(Duration::from_millis(900));
    }
    for mut stream in slow {
        let response = Response::read(&mut stream, "GET").unwrap();
        assert_eq!(response.status, 408);
    }
    assert_eq!(silent.read_to_end(&mut Vec::new()).unwrap(), 0);
    assert!(begun.elapsed() > Duration::from_secs(9));
}

#[test]
fn whatever_bytes_come_the_next_client_is_answered() {
    let served = Tool::new().serve();
    let good = last("/api/v1/labels?image=a").into_bytes();
    // A generator that gives the same numbers each time.
    let mut state = 1u32;
    let mut random = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for _ in 0..500 {
        let mut said = good.clone();
        for _ in 0..=random(4) {
            let at = random(said.len());
            match random(3) {
                0 => said[at] = random(256) as u8,
                1 => said.truncate(at + 1),
                _ => said.insert(at, b"\0\r\n %?&:/\xff"[random(10)]),
            }
        }
        let mut stream = connect(&served);
        let _ = stream.get_mut().write_all(&said);
        stream.get_mut().shutdown(Shutdown::Write).ok();
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert_eq!(served.get("/healthz").status, 200);
}

#[test]
#[cfg(unix)]
fn requests_are_finished_when_the_server_ends() {
    for end in [Running::interrupt, Running::terminate] {
        let registry = Registry::start();
        Image::new("linux/amd64")
            .label("a", "b")
            .push_to(&registry, "a", "v1");
        // The answer waits for a second request, which the test makes when it has told the server to end.
        registry
            .fail("/v2/a/manifests/v1", Fault::Together(2))
            .times(2);
        let mut served = Tool::new().arg(registry.host()).serve();
        let mut idle = connect(&served);
        idle.get_mut()
            .write_all(get("/healthz").as_bytes())
            .unwrap();
        assert_eq!(Response::read(&mut idle, "GET").unwrap().status, 200);
        let mut asking = connect(&served);
        let target = format!("/api/v1/labels?image={}&arch=amd64", registry.image("a:v1"));
        asking.get_mut().write_all(get(&target).as_bytes()).unwrap();
        end(&mut served.running);
        assert_eq!(idle.read_to_end(&mut Vec::new()).unwrap(), 0);
        let other = crate::harness::Client::connect(&registry.host(), None);
        other.get("/v2/a/manifests/v1");
        let response = Response::read(&mut asking, "GET").unwrap();
        assert_eq!(
            (response.status, &*response.body),
            (200, &b"{\"a\":\"b\"}\n"[..])
        );
        assert_eq!(response.get("Connection"), Some("close"));
        served.running.wait().status(0);
    }
}

#[test]
#[cfg(unix)]
fn the_second_signal_ends_the_server_at_once() {
    let registry = Registry::start();
    registry.fail("/v2/a/manifests/v1", Fault::Stall);
    let mut served = Tool::new().arg(registry.host()).serve();
    let mut asking = connect(&served);
    let target = format!("/api/v1/labels?image={}", registry.image("a:v1"));
    asking.get_mut().write_all(get(&target).as_bytes()).unwrap();
    registry.wait_for_stall();
    let mut idle = connect(&served);
    served.running.terminate();
    // It has heard the first signal when idle connections end.
    assert_eq!(idle.read_to_end(&mut Vec::new()).unwrap(), 0);
    served.running.terminate();
    served.running.wait().status(143);
}

#[test]
fn requests_are_counted_and_told_without_credentials() {
    let registry = Registry::start();
    Image::new("linux/amd64")
        .label("a", "b")
        .push_to(&registry, "a", "v1");
    let mut served = Tool::new().args([&registry.host(), "-v"]).serve();
    let labels = format!("/api/v1/labels?image={}&arch=amd64", registry.image("a:v1"));
    for (target, status) in [
        (labels.as_str(), 200),
        (labels.as_str(), 200),
        (
            "/api/v1/labels?image=https%3A%2F%2Fuser%3Asecret%40a%2Fb%1b",
            400,
        ),
        (
            "/api/v1/labels?image=https%3A%2F%2Fuser%3Asecret%40a%2Fb%0Ac",
            400,
        ),
        ("/made/up?token", 404),
    ] {
        let authorization = "\r\nAuthorization: Basic c2VjcmV0\r\n\r\n";
        // The end of the connection comes when the request has been counted.
        let heard = all(&served, last(target).replace("\r\n\r\n", authorization));
        assert!(heard.starts_with(&format!("HTTP/1.1 {status} ")), "{heard}");
    }
    let metrics = served.get("/metrics");
    assert_eq!(
        metrics.get("Content-Type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let metrics = String::from_utf8(metrics.body).unwrap();
    for line in [
        r#"docker_registry_requests_total{route="/api/v1/labels",status="200"} 2"#,
        r#"docker_registry_requests_total{route="/api/v1/labels",status="400"} 1"#,
        r#"docker_registry_requests_total{route="other",status="400"} 1"#,
        r#"docker_registry_requests_total{route="other",status="404"} 1"#,
        r#"docker_registry_registry_requests_total{status="2xx"} 2"#,
        r#"docker_registry_request_duration_seconds_count 5"#,
    ] {
        assert!(
            metrics.lines().any(|it| it == line),
            "{line} is not in\n{metrics}"
        );
    }
    assert!(!metrics.contains("made"), "{metrics}");
    served.running.terminate();
    let told = served.running.wait().messages();
    for line in [
        " 127.0.0.1 GET /api/v1/labels?image=https://…@a/b+c 400 ",
        " 127.0.0.1 GET /made/up?token= 404 ",
        " 127.0.0.1 - - 400 ",
    ] {
        assert!(told.contains(line), "{line} is not in\n{told}");
    }
    assert!(
        !told.contains("secret") && !told.contains("c2VjcmV0"),
        "{told}"
    );
}

#[test]
fn when_too_many_questions_wait_the_others_are_sent_away() {
    let (at_work, waiting, too_many) = (16, 128, 20);
    let registry = Registry::start();
    registry.fail("/v2/a/manifests/*", Fault::Stall).always();
    let served = Tool::new().arg(registry.host()).serve();
    let (sender, told) = channel();
    for n in 0..at_work + waiting + too_many {
        let (mut stream, sender) = (connect(&served), sender.clone());
        let target = format!("/api/v1/labels?image={}", registry.image(&format!("a:{n}")));
        stream.get_mut().write_all(get(&target).as_bytes()).unwrap();
        std::thread::spawn(move || {
            let response = Response::read(&mut stream, "GET").ok()?;
            sender
                .send((response.status, response.get("Retry-After").is_some()))
                .ok()
        });
    }
    for _ in 0..too_many {
        assert_eq!(told.recv().unwrap(), (503, true));
    }
    // Whoever asks nothing of registries is answered as ever.
    assert_eq!(served.get("/healthz").status, 200);
    assert!(told.try_recv().is_err());
}
