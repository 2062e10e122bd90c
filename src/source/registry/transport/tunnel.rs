//! What a proxy is told before it hands bytes through: CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928).

use std::net::IpAddr;

use super::super::url::Origin;
use super::failure::{Failure, unavailable};
use super::proxy::Proxy;
use super::stream::Stream;

/// A proxy's answer to CONNECT is no longer than this.
const HEADER_LIMIT: usize = 16 << 10;

/// Asks for a tunnel to the origin.
pub(super) fn connect(
    stream: &mut dyn Stream,
    proxy: &Proxy,
    origin: &Origin,
) -> Result<(), Failure> {
    let target = format!("{}:{}", origin.host, origin.port);
    let header = proxy.header();
    let header = header.reveal();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{header}\r\n");
    send(stream, request.as_bytes())?;
    // Byte by byte: what follows the empty line belongs to the origin.
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        header.extend(receive::<1>(stream)?);
        if header.len() > HEADER_LIMIT {
            return refuse("its answer has no end");
        }
    }
    match String::from_utf8_lossy(&header).split(' ').nth(1).unwrap_or_default() {
        "200" => Ok(()),
        "407" => refuse("the proxy wants a user and password"),
        status => refuse(&format!("CONNECT was answered with '{status}'")),
    }
}

/// Asks for a tunnel to the origin, whose name the proxy looks up, as Go's tools ask for both
/// `socks5` and `socks5h`.
pub(super) fn socks5(
    stream: &mut dyn Stream,
    proxy: &Proxy,
    origin: &Origin,
) -> Result<(), Failure> {
    const NONE: u8 = 0;
    const PASSWORD: u8 = 2;
    send(stream, if proxy.user.is_some() { &[5, 2, NONE, PASSWORD] } else { &[5, 1, NONE] })?;
    match (receive(stream)?, &proxy.user) {
        ([5, NONE], _) => {}
        ([5, PASSWORD], Some((user, password))) => {
            let message = [vec![1], sized(user)?, sized(password.reveal())?];
            send(stream, &message.concat())?;
            if receive::<2>(stream)?[1] != 0 {
                return refuse("the user or password was refused");
            }
        }
        ([5, _], _) => return refuse("the proxy wants a user and password"),
        _ => return refuse("the answer is not SOCKS5"),
    }
    let (form, address) = match origin.address() {
        Some(IpAddr::V4(address)) => (1, address.octets().to_vec()),
        Some(IpAddr::V6(address)) => (4, address.octets().to_vec()),
        None => (3, sized(&origin.host)?),
    };
    send(stream, &[&[5, 1, 0, form], &*address, &origin.port.to_be_bytes()].concat())?;
    // The address that the proxy uses itself is of no interest.
    let length = match receive(stream)? {
        [_, 0, _, 1] => 4,
        [_, 0, _, 4] => 16,
        [_, 0, _, 3] => usize::from(receive::<1>(stream)?[0]),
        [_, 0, ..] => return refuse("the answer is not SOCKS5"),
        [_, 2, ..] => return refuse("not allowed by its rules"),
        [_, 3, ..] => return refuse("network unreachable"),
        [_, 4, ..] => return refuse("host unreachable"),
        [_, 5, ..] => return refuse("connection refused"),
        [_, 6, ..] => return refuse("no connection in time"),
        _ => return refuse("the connection could not be made"),
    };
    for _ in 0..length + 2 {
        receive::<1>(stream)?;
    }
    Ok(())
}

/// A length in one byte, then the bytes.
fn sized(text: &str) -> Result<Vec<u8>, Failure> {
    match u8::try_from(text.len()) {
        Ok(length) => Ok([&[length], text.as_bytes()].concat()),
        Err(_) => refuse("a name is too long for SOCKS5"),
    }
}

fn send(stream: &mut dyn Stream, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).and_then(|()| stream.flush()).map_err(Failure::of_io)
}

fn receive<const N: usize>(stream: &mut dyn Stream) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map(|()| bytes).map_err(Failure::of_io)
}

fn refuse<T>(why: &str) -> Result<T, Failure> {
    Err(unavailable(why).into())
}
