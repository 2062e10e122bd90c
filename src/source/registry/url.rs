//! `http` and `https` URLs, as far as registries use them.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::str::FromStr;

use percent_encoding::percent_encode_byte;

use crate::error::{Error, Kind, Result, without_user};
use crate::reference::split_port;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(super) fn name(self) -> &'static str {
        if self == Scheme::Http { "http" } else { "https" }
    }

    fn port(self) -> u16 {
        if self == Scheme::Http { 80 } else { 443 }
    }
}

/// Where credentials may go: they never leave their origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    /// Lower case; an IPv6 address stands in brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Origin {
    /// Of `HOST[:PORT]`.
    pub(super) fn new(scheme: Scheme, authority: &str) -> Result<Self> {
        let (host, port) = split_port(authority);
        let (inner, others) = match host.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            Some(address) => (address, "-._:"),
            None => (host, "-._"),
        };
        let is_sound = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
        let host = host.to_ascii_lowercase();
        match port.filter(|port| !port.is_empty()).map_or(Ok(scheme.port()), str::parse) {
            Ok(port) if !inner.is_empty() && inner.chars().all(is_sound) => {
                Ok(Origin { scheme, host, port })
            }
            _ => {
                let message = format!("'{authority}' does not name a host and a port");
                Err(Error::new(Kind::Protocol, message))
            }
        }
    }

    /// The host as names are looked up and certificates name it: without brackets.
    pub(super) fn bare_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The address, if the host is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.bare_host().parse().ok()
    }

    /// Whether the host is this machine by its very name.
    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.address().is_some_and(|address| address.is_loopback())
    }

    /// `HOST[:PORT]`; the scheme's own port is left out.
    pub(super) fn authority(&self) -> String {
        match self.port == self.scheme.port() {
            true => self.host.clone(),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    pub(super) fn url(&self, path: impl Into<String>) -> Url {
        Url { origin: self.clone(), path: path.into() }
    }
}

impl Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Url {
    pub(super) origin: Origin,
    /// Starts with `/`, holds the query, has no fragment.
    path: String,
}

impl Url {
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What `text`, an absolute or relative reference, means when it stands at this URL (RFC 3986, 5.2).
    pub(super) fn join(&self, text: &str) -> Result<Url> {
        let is_scheme =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) {
            return text.parse();
        }
        if let Some(rest) = text.strip_prefix("//") {
            return format!("{}://{rest}", self.origin.scheme.name()).parse();
        }
        let own = self.path.split('?').next().unwrap_or("/");
        let path = match text.bytes().next() {
            Some(b'/') => text.to_owned(),
            Some(b'?') => format!("{own}{text}"),
            None | Some(b'#') => self.path.clone(),
            Some(_) => format!("{}/{text}", &own[..own.rfind('/').unwrap_or(0)]),
        };
        Ok(self.origin.url(without_dots(&clean(&path))))
    }

    /// The URL with `name=value` at the end of its query.
    pub(super) fn with(mut self, name: &str, value: &str) -> Url {
        let sign = if self.path.contains('?') { '&' } else { '?' };
        self.path += &format!("{sign}{name}={}", escape(value, "-._~:/,*"));
        self
    }

    /// For messages: a query may hold a signature.
    pub(super) fn without_query(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{}{path}", self.origin)
    }
}

impl Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl FromStr for Url {
    type Err = Error;

    /// `Kind::Protocol` unless the text is an `http` or `https` URL without user and password.
    fn from_str(text: &str) -> Result<Self> {
        let shown = without_user(text);
        let shown = shown.split(['?', '#']).next().unwrap_or_default();
        let wrong = |why: &str| Error::new(Kind::Protocol, format!("URL '{shown}': {why}"));
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("expected https://…"))?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(wrong("expected http or https")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            // The text is not shown: it holds a password.
            return Err(Error::new(Kind::Protocol, "a URL holds a user or password"));
        }
        let origin = Origin::new(scheme, authority).map_err(|_| wrong("expected a host"))?;
        let path = clean(path);
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(origin.url(format!("{slash}{path}")))
    }
}

/// `text` in a query or a form: everything but letters, digits and `kept` is escaped.
pub(super) fn escape(text: &str, kept: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || kept.contains(c) => out.push(c),
            _ => out.push_str(percent_encode_byte(byte)),
        }
        out
    })
}

/// Without the fragment, and with those characters escaped that a request line cannot hold.
fn clean(path: &str) -> String {
    escape(path.split('#').next().unwrap_or_default(), "!$%&'()*+,-./:;=?@[]_~")
}

/// The path with `.` and `..` carried out (RFC 3986, 5.2.4).
fn without_dots(path: &str) -> String {
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_shown() {
        for (text, shown) in [
            ("https://Example.com", "https://example.com/"),
            ("https://example.com:443/a?b#c", "https://example.com/a?b"),
            ("http://example.com:443?x", "http://example.com:443/?x"),
            ("HTTP://[::1]:5000/v2/", "http://[::1]:5000/v2/"),
            ("https://example.com/a b|ü", "https://example.com/a%20b%7C%C3%BC"),
        ] {
            assert_eq!(text.parse::<Url>().unwrap().to_string(), shown);
        }
        for wrong in [
            "",
            "/v2/",
            "ftp://example.com/",
            "https://",
            "https:///x",
            "https://user:password@example.com/",
            "https://example.com:99999/",
            "https://exa mple.com/",
            "https://example.com::443/",
            "https://::1/",
            "https://[::1/",
            "https://[]/",
            "https://exa[mple.com/",
        ] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_or_signature_is_not_shown() {
        let why = |text: &str| text.parse::<Url>().unwrap_err().to_string();
        assert!(!why("https://user:swordfish@example.com/").contains("swordfish"));
        assert!(!why("ftp://example.com/x?signature=abc").contains("abc"));
        for text in [
            "ftp://user:zebra@example.com",
            "https://user:zeb/zebra@example.com",
            "https://user:zeb fish@example.com",
            "https://user:zeb?zebra@example.com",
        ] {
            assert!(!why(text).contains("zeb"), "{}", why(text));
        }
        let url: Url = "https://example.com/x?signature=abc".parse().unwrap();
        assert_eq!(url.without_query(), "https://example.com/x");
    }

    #[test]
    fn references_are_resolved() {
        let base: Url = "https://example.com/v2/a/tags/list?n=2".parse().unwrap();
        for (text, joined) in [
            ("https://other.example.com/x", "https://other.example.com/x"),
            ("//other.example.com/x", "https://other.example.com/x"),
            ("/v2/b?c", "https://example.com/v2/b?c"),
            ("?last=b", "https://example.com/v2/a/tags/list?last=b"),
            ("../x/./y/?a=/../b", "https://example.com/v2/a/x/y/?a=/../b"),
            ("/../../x/..", "https://example.com/"),
            ("/x/y/..", "https://example.com/x/"),
            ("/x/y/.", "https://example.com/x/y/"),
            ("more?u=x://y", "https://example.com/v2/a/tags/more?u=x://y"),
            ("", "https://example.com/v2/a/tags/list?n=2"),
        ] {
            assert_eq!(base.join(text).unwrap().to_string(), joined, "{text}");
        }
    }

    #[test]
    fn loopback_is_told_by_name() {
        for (authority, is_loopback) in [
            ("localhost:5000", true),
            ("127.1.2.3", true),
            ("[::1]:5000", true),
            ("localhost.example.com", false),
            ("10.0.0.1", false),
        ] {
            let origin = Origin::new(Scheme::Https, authority).unwrap();
            assert_eq!(origin.is_loopback(), is_loopback, "{authority}");
        }
    }
}
