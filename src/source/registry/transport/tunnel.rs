//! What a proxy is told before it hands bytes through: CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928).

use std::io::{Read, Write};
use std::net::IpAddr;

use crate::error::{Error, Kind};

use super::super::url::Origin;
use super::failure::{Failure, unavailable};
use super::proxy::Proxy;
use super::stream::Stream;

/// A proxy's answer to CONNECT is no longer than this.
const HEADER_LIMIT: usize = 16 << 10;

/// Asks for a tunnel to the origin.
pub(super) fn connect(
    stream: &mut Box<dyn Stream>,
    proxy: &Proxy,
    origin: &Origin,
) -> Result<(), Failure> {
    let target = format!("{}:{}", origin.host, origin.port);
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some(authorization) = proxy.authorization() {
        request.push_str(&format!("Proxy-Authorization: {}\r\n", authorization.reveal()));
    }
    request.push_str("\r\n");
    send(stream, request.as_bytes())?;
    // Byte by byte: what follows the empty line belongs to the origin.
    let mut header = Vec::new();
    while !header.ends_with(b"\r\n\r\n") {
        header.extend(receive::<1>(stream)?);
        if header.len() > HEADER_LIMIT {
            return Err(refused("its answer has no end"));
        }
    }
    let header = String::from_utf8_lossy(&header);
    let status = header.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Ok(()),
        "407" => Err(Failure::Final(Error::new(
            Kind::Unavailable,
            "the proxy wants a user and password",
        ))),
        _ => Err(refused(&format!("CONNECT was answered with '{status}'"))),
    }
}

/// Asks for a tunnel to the origin, whose name the proxy looks up, as Go's tools ask for both
/// `socks5` and `socks5h`.
pub(super) fn socks5(
    stream: &mut Box<dyn Stream>,
    proxy: &Proxy,
    origin: &Origin,
) -> Result<(), Failure> {
    const NONE: u8 = 0;
    const PASSWORD: u8 = 2;
    let offered: &[u8] = match proxy.user {
        Some(_) => &[5, 2, NONE, PASSWORD],
        None => &[5, 1, NONE],
    };
    send(stream, offered)?;
    match (receive::<2>(stream)?, &proxy.user) {
        ([5, NONE], _) => {}
        ([5, PASSWORD], Some((user, password))) => {
            let mut message = vec![1];
            push(&mut message, user.as_bytes())?;
            push(&mut message, password.reveal().as_bytes())?;
            send(stream, &message)?;
            if receive::<2>(stream)?[1] != 0 {
                return Err(refused("the user or password was refused"));
            }
        }
        ([5, _], _) => return Err(refused("the proxy wants a user and password")),
        _ => return Err(refused("the answer is not SOCKS5")),
    }
    let mut request = vec![5, 1, 0];
    match origin.address() {
        Some(IpAddr::V4(address)) => {
            request.push(1);
            request.extend(address.octets());
        }
        Some(IpAddr::V6(address)) => {
            request.push(4);
            request.extend(address.octets());
        }
        None => {
            request.push(3);
            push(&mut request, origin.host.as_bytes())?;
        }
    }
    request.extend(origin.port.to_be_bytes());
    send(stream, &request)?;
    let [_, reply, _, form] = receive::<4>(stream)?;
    if reply != 0 {
        return Err(refused(reason(reply)));
    }
    // The address that the proxy uses itself is of no interest.
    let length = match form {
        1 => 4,
        4 => 16,
        3 => usize::from(receive::<1>(stream)?[0]),
        _ => return Err(refused("the answer is not SOCKS5")),
    };
    for _ in 0..length + 2 {
        receive::<1>(stream)?;
    }
    Ok(())
}

fn reason(reply: u8) -> &'static str {
    match reply {
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "no connection in time",
        _ => "the connection could not be made",
    }
}

/// A length in one byte, then the bytes.
fn push(message: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Failure> {
    let length = u8::try_from(bytes.len()).map_err(|_| refused("a name is too long for SOCKS5"))?;
    message.push(length);
    message.extend(bytes);
    Ok(())
}

fn send(stream: &mut Box<dyn Stream>, bytes: &[u8]) -> Result<(), Failure> {
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    sent.map_err(Failure::of_io)
}

fn receive<const N: usize>(stream: &mut Box<dyn Stream>) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).map_err(Failure::of_io)?;
    Ok(bytes)
}

fn refused(why: &str) -> Failure {
    Failure::Final(unavailable(why))
}
