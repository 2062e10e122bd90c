//! Filters of strangers.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{registry, serving, text};
use crate::harness::{Response, Served};

/// The value of a parameter, as a URL has it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn filtered(served: &Served, name: &str, filter: &str, more: &str) -> Response {
    let jq = encoded(filter);
    served.get(&format!(
        "/api/v1/labels?image={name}&platform=linux/amd64&jq={jq}{more}"
    ))
}

#[test]
fn each_result_is_a_line() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    for (filter, more, expected) in [
        (".a", "", "\"b\"\n"),
        (".a", "&raw=1", "b\n"),
        (".", "", "{\"a\":\"b\"}\n"),
        ("1, {b: [2]}, \"x\\ny\"", "", "1\n{\"b\":[2]}\n\"x\\ny\"\n"),
        ("$image, $platform, $x, $y", "&arg.x=1&arg.y=%222", ""),
        ("$ENV, env", "", "{}\n{}\n"),
        ("empty", "", ""),
        ("debug, \"x\" | stderr", "", "{\"a\":\"b\"}\n\"x\"\n"),
    ] {
        let response = filtered(&served, &name, filter, more);
        assert_eq!(response.status, 200, "{filter}: {}", text(&response));
        let expected = match filter {
            "$image, $platform, $x, $y" => {
                format!("\"{name}\"\n\"linux/amd64\"\n\"1\"\n\"\\\"2\"\n")
            }
            _ => expected.to_owned(),
        };
        assert_eq!(text(&response), expected, "{filter}");
        let media_type = if more == "&raw=1" {
            "text/plain; charset=utf-8"
        } else {
            "application/jsonl"
        };
        assert_eq!(response.get("content-type"), Some(media_type), "{filter}");
    }
    // A document's JSON, and a report's.
    let target = format!(
        "image={name}&arch=amd64&jq={}",
        encoded(".schemaVersion?, .islist?")
    );
    let manifest = served.get(&format!("/api/v1/manifest?{target}"));
    assert_eq!(text(&manifest), "2\nnull\n");
    let platforms = served.get(&format!("/api/v1/platforms?{target}&raw=1"));
    assert_eq!(text(&platforms), "null\nfalse\n");
}

#[test]
fn a_filter_that_is_wrong_says_where() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    let wrong = filtered(&served, &name, ".a[", "");
    assert_eq!(wrong.status, 400);
    let body: serde_json::Value = serde_json::from_slice(&wrong.body).unwrap();
    assert_eq!(body["code"], 2);
    assert!(
        body["error"].as_str().unwrap().starts_with("filter: "),
        "{body}"
    );
    assert!(
        body["excerpt"][0].as_str().unwrap().contains(".a["),
        "{body}"
    );
    let bound = filtered(&served, &name, ".", "&arg.image=x");
    assert_eq!(bound.status, 400);
    let failing = filtered(&served, &name, ".a.b", "");
    assert_eq!(failing.status, 422);
    let body: serde_json::Value = serde_json::from_slice(&failing.body).unwrap();
    assert_eq!((&body["code"], body.get("answer")), (&json!(1), None));
}

/// Filters without end, or without measure, end by themselves; who asks beside them does not notice.
#[test]
fn a_filter_takes_no_more_than_its_share() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    let plain = format!("/api/v1/labels?image={name}&platform=linux/amd64");
    served.json(200, &plain);
    let begun = Instant::now();
    thread::scope(|scope| {
        let (served, name) = (&served, &name);
        for (filter, why) in [
            ("def f: f; f", "filter: works for more than 5 seconds"),
            (
                "[range(1e9)] | length",
                "filter: takes more than 256 MiB of memory",
            ),
            ("range(1e12)", "filter: its results have more than 8 MiB"),
            (
                "[limit(1e6; repeat(\"x\" * 1000))] | length",
                "filter: takes more than 256 MiB of memory",
            ),
        ] {
            scope.spawn(move || {
                let response = filtered(served, name, filter, "");
                let body = text(&response);
                assert_eq!(response.status, 422, "{filter}: {body}");
                assert!(
                    body.contains(why) || body.contains("5 seconds"),
                    "{filter}: {body}"
                );
            });
        }
        while begun.elapsed() < Duration::from_secs(3) {
            served.json(200, &plain);
            assert_eq!(served.get("/healthz").status, 200);
        }
    });
    let fine = filtered(&served, &name, ".a", "");
    assert_eq!(text(&fine), "\"b\"\n");
}

#[test]
fn too_many_filters_are_sent_away() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    let statuses: Vec<u16> = thread::scope(|scope| {
        let work = |i: usize| {
            let (served, name) = (&served, &name);
            // Each is another one.
            scope.spawn(move || {
                let response = filtered(served, name, &format!("def f: f; f, {i}"), "");
                let after = response.get("retry-after").is_some();
                assert_eq!(after, response.status == 503, "{}", text(&response));
                response.status
            })
        };
        let threads: Vec<_> = (0..14).map(work).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((count(422), count(503)), (10, 4), "{statuses:?}");
}

/// What slow clients wait for does not fill the memory.
#[test]
#[cfg(target_os = "linux")]
fn large_answers_are_counted_until_they_are_sent() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    let large = |i: usize| {
        let jq = encoded(&format!("\"x\" * 8000000, {i}"));
        format!("/api/v1/labels?image={name}&platform=linux/amd64&jq={jq}")
    };
    let mut slow = Vec::new();
    loop {
        let mut stream = TcpStream::connect(served.host()).unwrap();
        take_little(&stream);
        let target = large(slow.len());
        let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        if status.ends_with(b"503") {
            break;
        }
        slow.push(stream);
        // The system keeps some of them whole.
        assert!(slow.len() < 60);
    }
    assert!(slow.len() >= 8, "{}", slow.len());
    assert_eq!(filtered(&served, &name, ".a", "").status, 200);
    drop(slow);
    let begun = Instant::now();
    while served.get(&large(100)).status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20));
        thread::sleep(Duration::from_millis(100));
    }
}

/// Has the system keep little for whoever does not read.
#[cfg(target_os = "linux")]
fn take_little(stream: &TcpStream) {
    let size: i32 = 4096;
    let length = size_of_val(&size) as u32;
    // SAFETY: the option is a number of this size.
    let done = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            (&raw const size).cast(),
            length,
        )
    };
    assert_eq!(done, 0);
}
