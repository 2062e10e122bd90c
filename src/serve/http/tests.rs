//! A server of this process, with answers that the program itself does not give.

use std::io::{self, BufRead, BufReader, Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Barrier};
use std::thread;

use super::{Body, HEADERS, Request, Response, Server, Service, aside};

/// Serves on a port of its own for as long as the process lives.
fn started(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::new(Server::new(Service::new(answer, |_| {})));
    thread::spawn(move || {
        for number in 0.. {
            let (stream, client) = listener.accept().unwrap();
            server.admit(stream, client, number);
        }
    });
    Client(address)
}

struct Client(std::net::SocketAddr);

impl Client {
    fn send(&self, requests: &str) -> BufReader<TcpStream> {
        let mut stream = TcpStream::connect(self.0).unwrap();
        stream.write_all(requests.as_bytes()).unwrap();
        BufReader::new(stream)
    }

    /// All that comes until the connection ends, without what changes.
    fn all(&self, requests: &str) -> String {
        let mut text = String::new();
        self.send(requests).read_to_string(&mut text).unwrap();
        // What all responses have is left out.
        let names = HEADERS.iter().map(|(name, _)| *name).chain(["Date"]);
        let names: Vec<&str> = names.collect();
        let is_own = |line: &&str| !names.iter().any(|name| line.starts_with(&format!("{name}: ")));
        text.split_inclusive("\r\n").filter(is_own).collect()
    }
}

fn status(stream: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn last(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

#[test]
fn a_fault_in_one_answer_is_nobody_elses_end() {
    let server = started(|request| match request.path.as_str() {
        "/fault" => panic!("a fault that a test wants"),
        "/aside" => aside(|| panic!("a fault that a test wants")),
        path => Response::text(200, path),
    });
    for path in ["/fault", "/aside"].repeat(20) {
        let answer = server.all(&get(path));
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    }
    assert!(server.all(&last("/a")).ends_with("\r\n\r\n/a\n"));
}

/// Fails when it has given three bytes.
struct Broken(Cursor<&'static [u8]>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("broken")),
            read => Ok(read),
        }
    }
}

#[test]
fn streams_are_chunked_and_a_broken_one_is_seen() {
    let server = started(|request| {
        let reader: Box<dyn Read + Send> = match request.path.as_str() {
            "/broken" => Box::new(Broken(Cursor::new(b"abc"))),
            _ => Box::new(Cursor::new(b"abcdefghijkl").chain(Cursor::new(b"m"))),
        };
        Response { status: 200, headers: Vec::new(), body: Body::Stream(reader) }
    });
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n";
    let end = "Connection: close\r\n\r\n";
    let body = "c\r\nabcdefghijkl\r\n1\r\nm\r\n0\r\n\r\n";
    let head = last("/").replace("GET", "HEAD");
    assert_eq!(server.all(&(get("/") + &head)), format!("{chunked}\r\n{body}{chunked}{end}"));
    let old = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    assert_eq!(server.all(old), format!("HTTP/1.1 200 OK\r\n{end}abcdefghijklm"));
    assert_eq!(server.all(&get("/broken")), format!("{chunked}\r\n3\r\nabc\r\n"));
}

#[test]
fn no_value_begins_a_header() {
    let server = started(|_| Response {
        status: 304,
        headers: vec![("ETag", "a\r\nb: c".to_owned())],
        body: Body::Bytes(b"none".as_slice().into()),
    });
    let expected = "HTTP/1.1 304 Not Modified\r\nETag: a  b: c\r\nConnection: close\r\n\r\n";
    assert_eq!(server.all(&last("/")), expected);
}

#[test]
fn a_long_body_comes_whole() {
    let body: Arc<[u8]> = (0..3_000_000u32).map(|n| n as u8).collect();
    let sent = Arc::clone(&body);
    let server = started(move |_| Response {
        status: 200,
        headers: Vec::new(),
        body: Body::Bytes(Arc::clone(&sent)),
    });
    let mut bytes = Vec::new();
    server.send(&last("/")).read_to_end(&mut bytes).unwrap();
    assert!(bytes.ends_with(&body));
}

#[test]
fn those_that_wait_for_others_leave_their_places() {
    let all = 100;
    let together = Barrier::new(all);
    let server = started(move |_| {
        aside(|| together.wait());
        Response::text(200, "")
    });
    let mut clients: Vec<_> = (0..all).map(|_| server.send(&get("/"))).collect();
    assert!(clients.iter_mut().all(|client| status(client) == 200));
}
