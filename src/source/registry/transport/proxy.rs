//! Which proxy leads to which origin: what the environment says, read as Go's tools read it.

use std::net::IpAddr;

use crate::encoding;
use crate::error::{Error, Result};
use crate::secret::Secret;

use super::super::url::{Origin, Scheme};

/// The values of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
#[derive(Clone, Default)]
pub(crate) struct Proxies {
    pub(crate) https: Option<Secret>,
    pub(crate) http: Option<Secret>,
    pub(crate) all: Option<Secret>,
    pub(crate) except: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http,
    /// HTTP inside TLS.
    Https,
    Socks5,
}

#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) protocol: Protocol,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: Option<(String, Secret)>,
}

impl Proxy {
    /// The line of a request's header that says who the user is; empty if that is not known.
    pub(super) fn header(&self) -> Secret {
        let header = self.user.as_ref().map(|(user, password)| {
            let pair = encoding::encode(format!("{user}:{}", password.reveal()).as_bytes());
            format!("Proxy-Authorization: Basic {pair}\r\n")
        });
        Secret::new(header.unwrap_or_default())
    }

    /// Whether it forwards requests to the origin instead of making a tunnel.
    pub(super) fn forwards(&self, origin: &Origin) -> bool {
        origin.scheme == Scheme::Http && self.protocol != Protocol::Socks5
    }
}

impl Proxies {
    /// The proxy to use; `None` to go directly. This machine itself is never asked through one.
    pub(super) fn choose(&self, origin: &Origin) -> Result<Option<Proxy>> {
        let text = match origin.scheme {
            Scheme::Https => &self.https,
            Scheme::Http => &self.http,
        };
        let text = text.as_ref().filter(|text| !text.is_empty());
        let Some(text) = text.or(self.all.as_ref()).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let except = self.except.as_deref().unwrap_or_default();
        if origin.is_loopback() || except.split([',', ' ']).any(|entry| covers(entry, origin)) {
            return Ok(None);
        }
        parse(text.reveal()).map(Some)
    }
}

/// `[SCHEME://][USER[:PASSWORD]@]HOST[:PORT]`.
fn parse(text: &str) -> Result<Proxy> {
    // The text is not shown: it may hold a password.
    let wrong = |why: &str| Error::usage(format!("the proxy of the environment: {why}"));
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let (protocol, port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (Protocol::Http, 80),
        "https" => (Protocol::Https, 443),
        "socks5" | "socks5h" => (Protocol::Socks5, 1080),
        _ => return Err(wrong("expected http, https, socks5 or socks5h")),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if path.contains('@') {
        return Err(wrong("a '/' in its password is written as %2F"));
    }
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(user), authority),
        None => (None, authority),
    };
    let bracket = authority.rfind(']').unwrap_or(0);
    let (host, port) = match authority[bracket..].find(':') {
        Some(colon) => {
            let (host, digits) = authority.split_at(bracket + colon);
            let port = digits[1..].parse();
            (host, port.map_err(|_| wrong("the port is a number up to 65535"))?)
        }
        None => (authority, port),
    };
    if host.is_empty() {
        return Err(wrong("expected [http://]HOST:PORT"));
    }
    Ok(Proxy {
        protocol,
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        user: user.map(|user| {
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            (unescape(user), Secret::new(unescape(password)))
        }),
    })
}

/// Whether an entry of `NO_PROXY` covers the origin: `*`, a name with all below it, `.name` for those
/// below it only, an address, a network `10.0.0.0/8`; each but the network perhaps with `:PORT`.
fn covers(entry: &str, origin: &Origin) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        let network = network.trim_matches(['[', ']']).parse().ok();
        return match (network, bits.parse().ok(), origin.address()) {
            (Some(network), Some(bits), Some(address)) => holds(network, bits, address),
            _ => false,
        };
    }
    let (name, port) = split_port(&entry);
    if name.is_empty() || port.is_some_and(|port| port != origin.port) {
        return false;
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return origin.address() == Some(address);
    }
    let host = origin.host.trim_end_matches('.');
    let suffix = name.strip_prefix('*').unwrap_or(name);
    match suffix.strip_prefix('.') {
        Some(_) => host.ends_with(suffix),
        None => {
            host.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
    }
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if entry.parse::<IpAddr>().is_ok() {
        return (entry, None);
    }
    let (name, port) = match entry.rsplit_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
        _ => (entry, None),
    };
    (name.trim_matches(['[', ']']), port)
}

/// Whether the network of the first `bits` bits holds the address.
fn holds(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let Some(rest) = u32::checked_sub(width, bits) else {
        return false;
    };
    // A shift by the whole width of the type is none.
    (network ^ address).checked_shr(rest).unwrap_or(0) == 0
}

fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(code.unwrap_or(first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        let (scheme, authority) = text.split_once("://").unwrap_or(("https", text));
        let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
        Origin::new(scheme, authority).unwrap()
    }

    #[test]
    fn exceptions_are_suffixes_addresses_networks_and_ports() {
        for (except, host, expected) in [
            ("*", "example.com", true),
            ("example.com", "example.com", true),
            ("example.com", "a.example.com", true),
            ("EXAMPLE.com", "a.example.com", true),
            ("example.com", "badexample.com", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "badexample.com", false),
            ("a, example.com", "example.com", true),
            ("a example.com", "example.com", true),
            ("example.com:5000", "example.com:5000", true),
            ("example.com:5000", "example.com", false),
            ("10.0.0.0/8", "10.1.2.3:5000", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.0/33", "10.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("::/0", "[2001:db8::1]", true),
            ("2001:db8::/32", "[2001:db8::1]:5000", true),
            ("2001:db8::/32", "[2001:db9::1]", false),
            ("2001:db8::1", "[2001:db8::1]", true),
            ("[2001:db8::1]:443", "[2001:db8::1]", true),
            ("10.1.2.3", "10.1.2.3:5000", true),
            ("10.1.2.3:80", "10.1.2.3:5000", false),
            ("10.1.2", "10.1.2.3", false),
            ("", "example.com", false),
            (",,", "example.com", false),
        ] {
            let proxies = Proxies {
                all: Some(Secret::new("proxy.example.com:3128")),
                except: Some(except.into()),
                ..Proxies::default()
            };
            let direct = proxies.choose(&origin(host)).unwrap().is_none();
            assert_eq!(direct, expected, "{except} {host}");
        }
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let proxies = Proxies {
            https: Some(Secret::new("https://user:p%40ss@secure.example.com")),
            http: Some(Secret::new("")),
            all: Some(Secret::new("socks5h://[::1]:1081/")),
            except: None,
        };
        let chosen = |text: &str| proxies.choose(&origin(text)).unwrap().unwrap();
        let secure = chosen("https://example.com");
        assert_eq!(
            (secure.protocol, secure.host.as_str(), secure.port),
            (Protocol::Https, "secure.example.com", 443)
        );
        let (user, password) = secure.user.unwrap();
        assert_eq!((user.as_str(), password.reveal()), ("user", "p@ss"));
        let plain = chosen("http://example.com");
        assert_eq!(
            (plain.protocol, plain.host.as_str(), plain.port),
            (Protocol::Socks5, "::1", 1081)
        );
    }

    #[test]
    fn this_machine_is_asked_directly() {
        let proxies = Proxies { all: Some(Secret::new("proxy.example.com")), ..Proxies::default() };
        for host in ["localhost:5000", "127.0.0.1", "[::1]:5000"] {
            assert!(proxies.choose(&origin(host)).unwrap().is_none(), "{host}");
        }
    }

    #[test]
    fn a_wrong_proxy_is_named_without_its_password() {
        for text in ["ftp://u:secret@h", "http://u:secret@", "http://u:secret@h:99999"] {
            let proxies = Proxies { all: Some(Secret::new(text)), ..Proxies::default() };
            let Err(error) = proxies.choose(&origin("example.com")) else { panic!("{text}") };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
