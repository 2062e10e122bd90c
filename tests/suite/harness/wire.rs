//! A registry's side of one connection: reading requests, and sending answers as well or badly as scripted.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use super::faults::Delivery;
use super::http::{Request, Response, Stream};
use super::reply::Inner;
use super::tls;

/// Answers requests until the client or the registry closes the connection.
pub(super) fn serve(
    registry: &Inner,
    config: Option<&Arc<rustls::ServerConfig>>,
    socket: TcpStream,
    connection: usize,
) {
    let Ok(raw) = socket.try_clone() else { return };
    let mut first = [0];
    let Ok(1) = socket.peek(&mut first) else {
        return;
    };
    let is_tls = first[0] == 0x16;
    let stream: Box<dyn Stream> = match config {
        Some(config) if is_tls => Box::new(tls::accept(config, socket)),
        None if !is_tls => Box::new(socket),
        _ => return refuse(socket),
    };
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = Request::read(&mut stream, connection) {
        let (response, delivery) = registry.answer(&request);
        let sent = deliver(
            registry,
            &request,
            &response,
            delivery,
            stream.get_mut(),
            &raw,
        );
        registry.finished();
        let last = request.header("Connection") == Some("close")
            || response.get("Connection") == Some("close");
        if last || !matches!(sent, Ok(true)) {
            return;
        }
    }
}

/// What Go's server says over plain HTTP to who speaks TLS where it does not, or the other way round.
fn refuse(mut socket: TcpStream) {
    let answer =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    socket.write_all(answer).ok();
    socket.shutdown(std::net::Shutdown::Write).ok();
    socket.read_to_end(&mut Vec::new()).ok();
}

/// Whether the connection can go on.
fn deliver(
    registry: &Inner,
    request: &Request,
    response: &Response,
    delivery: Delivery,
    stream: &mut Box<dyn Stream>,
    raw: &TcpStream,
) -> io::Result<bool> {
    let chunked = response.get("Transfer-Encoding") == Some("chunked");
    let body = match request.method.as_str() {
        "HEAD" => Vec::new(),
        _ if chunked => chunk(&response.body),
        _ => response.body.clone(),
    };
    let body = body.as_slice();
    let first = |bytes: usize| &body[..bytes.min(body.len())];
    match delivery {
        Delivery::Hangup => return Ok(false),
        Delivery::Whole => send(stream, &[&response.head(), body])?,
        Delivery::Truncate(bytes) => {
            send(stream, &[&response.head(), first(bytes)])?;
            return Ok(false);
        }
        Delivery::Stall => {
            stall(registry, raw);
            return Ok(false);
        }
        Delivery::StallAfter(bytes) => {
            send(stream, &[&response.head(), first(bytes)])?;
            stall(registry, raw);
            return Ok(false);
        }
        Delivery::Endless => endless(response, stream)?,
        Delivery::Slow(piece, pause) => {
            send(stream, &[&response.head()])?;
            for piece in body.chunks(piece) {
                std::thread::sleep(pause);
                send(stream, &[piece])?;
            }
        }
        Delivery::Trickle(start, again) => {
            send(stream, &[&start])?;
            trickle(stream, again)?;
        }
        Delivery::TrickleBelowTls(start, again) => {
            send(stream, &[&start])?;
            trickle(&mut { raw }, again)?;
        }
        Delivery::Together(requests) => {
            wait_for(registry, requests);
            send(stream, &[&response.head(), body])?;
        }
    }
    Ok(true)
}

/// A body as the only chunk of a chunked one.
fn chunk(body: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", body.len());
    [size.as_bytes(), body, b"\r\n0\r\n\r\n"].concat()
}

fn send(stream: &mut Box<dyn Stream>, parts: &[&[u8]]) -> io::Result<()> {
    stream.write_all(&parts.concat())?;
    stream.flush()
}

/// Says so to the test, then waits for the end of the connection.
fn stall(registry: &Inner, mut raw: &TcpStream) {
    registry.state.lock().unwrap().stalled += 1;
    registry.changed.notify_all();
    let mut buffer = [0; 1024];
    while let Ok(1..) = raw.read(&mut buffer) {}
}

fn endless(response: &Response, stream: &mut Box<dyn Stream>) -> io::Result<()> {
    let head = response.clone().header("Transfer-Encoding", "chunked");
    send(stream, &[&head.head()])?;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    loop {
        send(stream, &[chunk.as_bytes()])?;
    }
}

/// The same bytes again and again, until the client gives up.
pub(super) fn trickle(to: &mut impl Write, again: &[u8]) -> io::Result<()> {
    loop {
        std::thread::sleep(Duration::from_millis(50));
        to.write_all(again)?;
        to.flush()?;
    }
}

/// Waits until so many requests wait; a quarter of a minute without them is given up.
fn wait_for(registry: &Inner, requests: usize) {
    let mut state = registry.state.lock().unwrap();
    state.waiting += 1;
    let round = (state.waiting - 1) / requests + 1;
    registry.changed.notify_all();
    let patience = Duration::from_secs(15);
    let together = registry
        .changed
        .wait_timeout_while(state, patience, |state| state.waiting < round * requests);
    drop(together);
}
