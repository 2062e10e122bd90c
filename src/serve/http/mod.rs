//! HTTP/1.1 for many clients, of which some are slow and some are hostile.

use std::io::Read;
use std::sync::Arc;

/// A GET, or a HEAD, which is answered as if it were a GET.
pub(super) struct Request {
    pub(super) is_head: bool,
    /// Decoded: `/image`.
    pub(super) path: String,
    /// Decoded, in the order they came.
    pub(super) query: Vec<(String, String)>,
    /// Names in lower case. `host` is there, and once, but for HTTP/1.0.
    pub(super) headers: Vec<(String, String)>,
}

impl Request {
    /// The first header of this name, given in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first parameter of this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// `Date`, `Connection` and what frames the body are added when it is sent.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

pub(super) enum Body {
    Bytes(Arc<[u8]>),
    /// Read while it is sent. An error in the middle ends the connection, so that the client sees that
    /// the rest is missing.
    Stream(Box<dyn Read + Send>),
}

impl Response {
    /// A line of text.
    pub(super) fn text(status: u16, text: &str) -> Self {
        let headers = vec![
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        Response { status, headers, body: Body::Bytes(format!("{text}\n").into_bytes().into()) }
    }
}
