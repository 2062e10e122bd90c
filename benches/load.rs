//! How `serve` bears many clients, slow ones beside them and a crowd that comes at once;
//! `benches/README.md` says how.

#[path = "../tests/suite/harness/mod.rs"]
mod harness;

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Image, Registry, Response, Served, Tool};

/// What is measured of `wrk -c 64`.
struct Load {
    rate: f64,
    /// The slowest of a hundred, in milliseconds.
    slowest: f64,
    lost: u64,
}

fn main() {
    let seconds = match std::env::args().any(|word| word == "--quick") {
        true => 3,
        false => 30,
    };
    let registry = Registry::start();
    let image = labelled();
    image.push_to(&registry, "sphinxdoc/sphinx", "latest");
    let name = registry.image("sphinxdoc/sphinx:latest");
    let mut failed = false;
    let mut goal = |what: &str, is_met: bool| {
        println!("- {what}: {}", if is_met { "met" } else { "**missed**" });
        failed |= !is_met;
    };
    println!("# `serve` under load\n");
    println!(
        "`wrk -t 2 -c 64 -d {seconds}s` on the same machine of {} cores.\n",
        cores()
    );
    println!("| | requests a second | p99 | lost | memory |\n| --- | ---: | ---: | ---: | ---: |");
    let mut goals = Vec::new();
    for (what, path) in [("labels", "/api/v1/labels"), ("page", "/image")] {
        let served = Tool::new().arg(registry.host()).serve();
        let target = format!("{path}?image={name}&platform=linux/amd64");
        // Once to find out, once more for whatever a page leaves to others.
        for _ in 0..2 {
            assert_eq!(served.get(&target).status, 200, "{target}");
        }
        let alone = load(&served, &target, seconds);
        row(what, &alone, &served);
        let beside = beside_slow(&served, || load(&served, &target, seconds));
        row(
            &format!("{what}, beside 200 slow clients"),
            &beside,
            &served,
        );
        goals.push((
            format!("{what}: 3,000 requests a second"),
            alone.rate >= 3000.0,
        ));
        goals.push((format!("{what}: below 40 MB"), memory(&served) < 40.0));
        goals.push((
            format!("{what}: none is lost"),
            alone.lost + beside.lost == 0,
        ));
        let is_steady = beside.slowest < 2.0 * alone.slowest;
        goals.push((
            format!("{what}: slow clients change p99 by less than twice"),
            is_steady,
        ));
    }
    let (asked, answered, took) = crowd(&registry, &name);
    println!(
        "\n500 at once for one cold image: {answered} answers in {took:.0?}, {asked} requests at the registry.\n"
    );
    let alone = {
        registry.take();
        Tool::new().arg(registry.host()).serve().get(&cold(&name));
        registry.take().len()
    };
    goals.push((
        "500 at once ask the registry as one does".to_owned(),
        asked == alone,
    ));
    goals.push(("500 at once are all answered".to_owned(), answered == 500));
    for (what, is_met) in goals {
        goal(&what, is_met);
    }
    std::process::exit(failed.into());
}

/// An image as people make them.
fn labelled() -> Image {
    let mut image = Image::new("linux/amd64");
    for n in 0..12 {
        let text = format!("https://example.com/{n}/sphinx");
        image = image.label(&format!("org.opencontainers.image.n{n}"), &text);
        image = image.layer(&format!("usr/lib/{n}"), text.as_bytes());
    }
    image
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn row(what: &str, load: &Load, served: &Served) {
    let Load {
        rate,
        slowest,
        lost,
    } = load;
    let memory = memory(served);
    println!("| {what} | {rate:.0} | {slowest:.2} ms | {lost} | {memory:.1} MB |");
}

/// The most that the server ever had, in MB.
fn memory(served: &Served) -> f64 {
    let path = format!("/proc/{}/status", served.running.id());
    let status = fs::read_to_string(path).expect("a process of ours");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line
        .and_then(|it| it.trim().strip_suffix(" kB")?.parse().ok())
        .expect("a size");
    kib * 1024.0 / 1e6
}

fn load(served: &Served, target: &str, seconds: u64) -> Load {
    let url = format!("http://{}{target}", served.host());
    let wrk = Command::new("wrk")
        .args([
            "-t",
            "2",
            "-c",
            "64",
            "--latency",
            "-d",
            &format!("{seconds}s"),
            &url,
        ])
        .output()
        .expect("wrk");
    let text = String::from_utf8_lossy(&wrk.stdout).into_owned();
    let after = |what: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(what));
        line.map(str::trim)
    };
    let errors = after("Socket errors:").unwrap_or_default();
    let errors = errors
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse::<u64>().ok());
    let refused = after("Non-2xx or 3xx responses:")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    Load {
        rate: after("Requests/sec:")
            .and_then(|n| n.parse().ok())
            .expect("a rate"),
        slowest: after("99%").map(millis).expect("a latency"),
        lost: errors.sum::<u64>() + refused,
    }
}

/// `1.23ms` and the like.
fn millis(text: &str) -> f64 {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let value: f64 = text[..text.len() - unit.len()].parse().expect("a number");
    value
        * match unit {
            "us" => 1e-3,
            "ms" => 1.0,
            _ => 1e3,
        }
}

/// While 200 clients send a byte a second, and come again when they are cut off.
fn beside_slow<T>(served: &Served, work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    let host = served.host();
    thread::scope(|scope| {
        scope.spawn(|| {
            let connect = || TcpStream::connect(host).expect("a connection");
            let mut clients: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
            let head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n";
            for byte in head.iter().cycle() {
                for client in &mut clients {
                    if client.write_all(&[*byte]).is_err() {
                        *client = connect();
                    }
                }
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                thread::sleep(Duration::from_secs(1));
            }
        });
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        done
    })
}

fn cold(name: &str) -> String {
    format!("/api/v1/labels?image={name}&platform=linux/amd64")
}

/// How many requests the registry sees, how many of 500 clients that come at once are answered, and when
/// the last one is.
fn crowd(registry: &Registry, name: &str) -> (usize, usize, Duration) {
    let served = Tool::new().arg(registry.host()).serve();
    let said = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\n\r\n",
        cold(name),
        served.host()
    );
    let (said, host) = (Arc::new(said), served.host().to_owned());
    let gate = Arc::new(Barrier::new(501));
    registry.take();
    let clients: Vec<_> = (0..500)
        .map(|_| {
            let (gate, said, host) = (gate.clone(), said.clone(), host.clone());
            thread::spawn(move || {
                gate.wait();
                let mut stream = BufReader::new(TcpStream::connect(&host).ok()?);
                stream.get_mut().write_all(said.as_bytes()).ok()?;
                let response = Response::read(&mut stream, "GET").ok()?;
                (response.status == 200).then_some(())
            })
        })
        .collect();
    gate.wait();
    let begun = Instant::now();
    let answered = clients
        .into_iter()
        .filter_map(|it| it.join().expect("a client"))
        .count();
    let took = begun.elapsed();
    // Nobody of them is left who could still ask.
    let mut last = TcpStream::connect(&host).expect("a connection");
    last.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        .expect("a request");
    last.read_to_end(&mut Vec::new()).expect("an answer");
    (registry.take().len(), answered, took)
}
