//! The head of a request, read strictly (RFC 9112): what two servers could understand in two ways is
//! refused.

use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::{Request, Response};

/// Bytes of a head, from the request line to the empty line.
pub(super) const HEAD_LIMIT: usize = 16 << 10;

const TARGET_LIMIT: usize = 8 << 10;

const HEADERS: usize = 64;

/// What RFC 9110 and PATCH's RFC 5789 know and this server does not do.
const KNOWN_METHODS: [&str; 7] = ["CONNECT", "DELETE", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// A head that has arrived.
pub(super) struct Head {
    pub(super) request: Request,
    /// Its bytes; what follows is the next request.
    pub(super) length: usize,
    /// HTTP/1.0, which knows no chunks.
    pub(super) is_old: bool,
    /// Whether the client wants the connection for another request.
    pub(super) keeps: bool,
}

/// Why a request is not answered; what follows it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Refusal {
    pub(super) status: u16,
    pub(super) why: &'static str,
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        let mut response = Response::text(refusal.status, refusal.why);
        if refusal.status == 405 {
            response.headers.push(("Allow", "GET, HEAD".to_owned()));
        }
        response
    }
}

fn refuse<T>(status: u16, why: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, why })
}

/// The head that the bytes begin with; `None` if there has to be more of it.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Head>, Refusal> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(Status::Complete(length)) if length <= HEAD_LIMIT => length,
        Ok(Status::Partial) if bytes.len() < HEAD_LIMIT => return Ok(None),
        Ok(_) if parsed.path.is_none_or(|target| target.len() > TARGET_LIMIT) => {
            return refuse(414, "the address is too long");
        }
        Ok(_) => return refuse(431, "the head is too long"),
        Err(Error::TooManyHeaders) => return refuse(431, "there are too many headers"),
        Err(Error::Version) => return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken"),
        Err(_) => return refuse(400, "this is not HTTP"),
    };
    let (method, target) = (parsed.method.unwrap_or_default(), parsed.path.unwrap_or_default());
    let is_old = parsed.version == Some(0);
    let is_head = is_head(method)?;
    if target.len() > TARGET_LIMIT {
        return refuse(414, "the address is too long");
    }
    let (host, path, query) = split(target)?;
    let mut request = Request {
        is_head,
        path: self::path(path)?,
        query: parameters(query)?,
        headers: lower(parsed.headers),
    };
    bodiless(&request)?;
    one_host(&mut request, host, is_old)?;
    let keeps = match is_old {
        true => has_token(&request, "keep-alive"),
        false => !has_token(&request, "close"),
    };
    Ok(Some(Head { request, length, is_old, keeps }))
}

/// Of the methods that there are, the two that are answered.
pub(in super::super) fn is_head(method: &str) -> Result<bool, Refusal> {
    match method {
        "GET" => Ok(false),
        "HEAD" => Ok(true),
        known if KNOWN_METHODS.contains(&known) => refuse(405, "only GET and HEAD are answered"),
        _ => refuse(501, "only GET and HEAD are answered"),
    }
}

/// The host that the target names, its path and its query (RFC 9112, section 3.2).
fn split(target: &str) -> Result<(Option<&str>, &str, &str), Refusal> {
    let wrong = || refuse(400, "the address is not one of a server");
    let scheme = ["http://", "https://"].into_iter().find(|scheme| {
        target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let (host, rest) = match scheme {
        Some(scheme) => {
            let rest = &target[scheme.len()..];
            let (host, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
            (Some(host), rest)
        }
        None if target.starts_with('/') => (None, target),
        None => return wrong(),
    };
    if target.contains('#') {
        return wrong();
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Ok((host, if path.is_empty() { "/" } else { path }, query))
}

/// A path, decoded.
pub(in super::super) fn path(text: &str) -> Result<String, Refusal> {
    decoded(text, false).filter(|path| !path.contains(char::is_control)).ok_or(NOT_TEXT)
}

/// The parameters of a query as forms write it, decoded.
pub(in super::super) fn parameters(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(name, true)?, decoded(value, true)?))
    });
    checked(pairs.collect::<Option<Vec<_>>>().ok_or(NOT_TEXT)?)
}

/// Refuses characters that no parameter has. Filters may have several lines.
pub(in super::super) fn checked(
    pairs: impl IntoIterator<Item = (String, String)>,
) -> Result<Vec<(String, String)>, Refusal> {
    let is_text = |text: &str| !text.contains(|c: char| c.is_control() && !"\t\n\r".contains(c));
    let pairs = pairs.into_iter();
    pairs
        .map(|(name, value)| (is_text(&name) && is_text(&value)).then_some((name, value)))
        .collect::<Option<_>>()
        .ok_or(NOT_TEXT)
}

const NOT_TEXT: Refusal =
    Refusal { status: 400, why: "the address is not UTF-8, or has control characters" };

/// Percent-decoded; `None` if a `%` has no two digits behind it, or the bytes are not UTF-8.
fn decoded(text: &str, is_form: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next()?).to_digit(16);
        bytes.push(match byte {
            b'%' => (digit()? * 16 + digit()?) as u8,
            b'+' if is_form => b' ',
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn lower(headers: &[Header]) -> Vec<(String, String)> {
    let value = |header: &Header| String::from_utf8_lossy(header.value).into_owned();
    headers.iter().map(|header| (header.name.to_ascii_lowercase(), value(header))).collect()
}

/// A request for what lies here has no content (RFC 9110, section 9.3.1). What is announced but not
/// read would be taken for the next request.
fn bodiless(request: &Request) -> Result<(), Refusal> {
    for (name, value) in &request.headers {
        match name.as_str() {
            "transfer-encoding" if !value.eq_ignore_ascii_case("chunked") => {
                return refuse(501, "this transfer coding is not known");
            }
            "transfer-encoding" => return refuse(400, "a request with a body is not answered"),
            "content-length" if value.is_empty() || value.contains(|c| c != '0') => {
                return refuse(400, "a request with a body is not answered");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whom the request is for. What the target says wins (RFC 9112, section 3.2.2).
fn one_host(request: &mut Request, target: Option<&str>, is_old: bool) -> Result<(), Refusal> {
    let is_wrong = |host: &str| {
        host.contains(|c: char| !c.is_ascii_alphanumeric() && !"-._~%!$&'()*+,;=:[]".contains(c))
    };
    let hosts = request.headers.iter().filter(|(name, _)| name == "host");
    let hosts: Vec<&str> = hosts.map(|(_, host)| host.as_str()).collect();
    if hosts.len() > 1 {
        return refuse(400, "there are two headers 'Host'");
    }
    if hosts.is_empty() && !is_old {
        return refuse(400, "the header 'Host' is missing");
    }
    if hosts.into_iter().chain(target).any(is_wrong) || target == Some("") {
        return refuse(400, "this is no host");
    }
    if let Some(target) = target {
        request.headers.retain(|(name, _)| name != "host");
        request.headers.push(("host".to_owned(), target.to_owned()));
    }
    Ok(())
}

fn has_token(request: &Request, token: &str) -> bool {
    let values = request.headers.iter().filter(|(name, _)| name == "connection");
    values.flat_map(|(_, value)| value.split(',')).any(|it| it.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Result<Option<Head>, Refusal> {
        read(format!("GET {target} HTTP/1.1\r\nHost: a:1\r\n\r\n").as_bytes())
    }

    fn status(head: impl AsRef<[u8]>) -> u16 {
        match read(head.as_ref()) {
            Ok(Some(_)) => 200,
            Ok(None) => 0,
            Err(refusal) => refusal.status,
        }
    }

    #[test]
    fn targets_are_decoded() {
        let none: &[(&str, &str)] = &[];
        for (target, path, query) in [
            ("/", "/", none),
            ("/a%2Fb+c?", "/a/b+c", none),
            ("/%C3%A9?a=%C3%A9", "/é", &[("a", "é")]),
            (
                "/?image=a%3av1&b=1+2%2B3&&c&d=e=f",
                "/",
                &[("image", "a:v1"), ("b", "1 2+3"), ("c", ""), ("d", "e=f")],
            ),
            ("/?jq=.a%0D%0A%09.b", "/", &[("jq", ".a\r\n\t.b")]),
            ("http://b:2?x=/", "/", &[("x", "/")]),
        ] {
            let request = get(target).unwrap().unwrap().request;
            assert_eq!(request.path, path, "{target}");
            let pairs = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(pairs.collect::<Vec<_>>(), query, "{target}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for target in [
            "*",
            "a",
            "a:1",
            "/%",
            "/%4",
            "/%zz",
            "/%-1",
            "/%ff",
            "/%00",
            "/%0a",
            "/%7f",
            "/?a=%00",
            "/?a=%1b",
            "/?%ff",
            "/#a",
            "/\u{7f}",
            "http:///",
            "http://u@b/",
            "ftp://a/",
            "/%C2%85",
        ] {
            assert_eq!(get(target).err().map(|it| it.status), Some(400), "{target:?}");
        }
    }

    #[test]
    fn every_fault_has_its_status() {
        let long = |n| "a".repeat(n);
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r".to_owned(), 0),
            ("\r\nGET / HTTP/1.1\nHost: a\n\n".to_owned(), 200),
            ("HEAD / HTTP/1.0\r\n\r\n".to_owned(), 200),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n".to_owned(), 400),
            ("GET http://a/ HTTP/1.1\r\nHost: a/b\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nb: c\r\n d\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nb: \0\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".to_owned(), 200),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nb".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br\r\n\r\n".to_owned(), 501),
            ("POST / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 405),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 405),
            ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 405),
            ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 501),
            ("get / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 501),
            ("PRI * HTTP/2.0\r\n\r\n".to_owned(), 505),
            ("GET /\r\n".to_owned(), 400),
            ("\u{16}\u{3}\u{1}".to_owned(), 400),
            (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(TARGET_LIMIT - 1)), 200),
            (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(TARGET_LIMIT)), 414),
            (format!("GET /{}", long(HEAD_LIMIT)), 414),
            (format!("GET / HTTP/1.1\r\nHost: a\r\nb: {}", long(HEAD_LIMIT)), 431),
            (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "b: c\r\n".repeat(63)), 200),
            (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "b: c\r\n".repeat(64)), 431),
        ] {
            assert_eq!(status(&head), expected, "{:?}", &head[..head.len().min(80)]);
        }
        assert_eq!(status(b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
        assert_eq!(status(b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n"), 400);
    }

    #[test]
    fn a_connection_is_kept_if_both_can() {
        for (head, keeps) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ] {
            assert_eq!(read(head.as_bytes()).unwrap().unwrap().keeps, keeps, "{head:?}");
        }
    }

    #[test]
    fn the_target_says_whom_the_request_is_for() {
        let request = get("HTTP://b:2/c").unwrap().unwrap().request;
        assert_eq!((request.header("host"), request.path.as_str()), (Some("b:2"), "/c"));
        assert_eq!(get("/").unwrap().unwrap().request.header("host"), Some("a:1"));
    }
}
