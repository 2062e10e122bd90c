//! Which proxy leads to which origin: what the environment says, read as Go's tools read it.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use crate::encoding;
use crate::error::{Error, Result};
use crate::reference::split_port;
use crate::secret::Secret;

use super::super::url::{Origin, Scheme};
use super::address::is_within;

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
        let of_scheme = if origin.scheme == Scheme::Https { &self.https } else { &self.http };
        let mut texts = [of_scheme, &self.all].into_iter().flatten();
        let Some(text) = texts.find(|text| !text.is_empty()) else {
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
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if path.contains('@') {
        return Err(wrong("a '/' in its password is written as %2F"));
    }
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(user), authority),
        None => (None, authority),
    };
    let (host, digits) = split_port(authority);
    let port = digits.map_or(Ok(port), str::parse);
    let port = port.map_err(|_| wrong("the port is a number up to 65535"))?;
    if host.is_empty() {
        return Err(wrong("expected [http://]HOST:PORT"));
    }
    let host = host.trim_matches(['[', ']']).to_owned();
    let unescape = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = user.map(|user| {
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        (unescape(user), Secret::new(unescape(password)))
    });
    Ok(Proxy { protocol, host, port, user })
}

/// Whether an entry of `NO_PROXY` covers the origin: `*`, a name with all below it, `.name` for those
/// below it only, an address, a network `10.0.0.0/8`; each but the network perhaps with `:PORT`.
fn covers(entry: &str, origin: &Origin) -> bool {
    let entry = entry.trim().to_ascii_lowercase();
    if entry == "*" {
        return true;
    }
    if entry.contains('/') {
        return origin.address().is_some_and(|address| is_within(address, &entry));
    }
    let (name, port) = match entry.parse::<IpAddr>() {
        Ok(_) => (entry.as_str(), None),
        Err(_) => split_port(&entry),
    };
    let name = name.trim_matches(['[', ']']);
    if name.is_empty() || port.is_some_and(|port| port.parse() != Ok(origin.port)) {
        return false;
    }
    if let Ok(address) = name.parse::<IpAddr>() {
        return origin.address() == Some(address);
    }
    let host = origin.host.trim_end_matches('.');
    let suffix = name.strip_prefix('*').unwrap_or(name);
    let above = host.strip_suffix(suffix);
    above.is_some_and(|rest| suffix.starts_with('.') || rest.is_empty() || rest.ends_with('.'))
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
