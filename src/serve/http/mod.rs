//! HTTP/1.1 for many clients, of which some are slow and some are hostile.

mod connection;
mod delivery;
mod head;
mod places;
mod server;

#[cfg(test)]
mod tests;

use std::io::Read;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use head::Head;

pub(super) use head::{Refusal, checked, is_head, parameters, path};
pub(super) use places::aside;
pub(super) use server::Server;

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
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
        Response { status, headers, body: Body::Bytes(format!("{text}\n").into_bytes().into()) }
    }
}

/// No code or style but our own files, no frames, no other sites.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What all responses have, unless they say it otherwise.
const HEADERS: [(&str, &str); 5] = [
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-cache"),
];

/// Who answers, and who counts what was answered.
pub(super) struct Service {
    answer: Box<dyn Fn(&Request) -> Response + Send + Sync>,
    told: Box<dyn Fn(&Exchange) + Send + Sync>,
}

impl Service {
    pub(super) fn new(
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
        told: impl Fn(&Exchange) + Send + Sync + 'static,
    ) -> Self {
        Service { answer: Box::new(answer), told: Box::new(told) }
    }

    /// To what could be read.
    pub(super) fn answer(&self, request: Result<&Request, Refusal>) -> Response {
        // A fault in one answer is nobody else's end.
        let answer = |request| catch_unwind(AssertUnwindSafe(|| (self.answer)(request)));
        let mut response = match request.map(answer) {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => Response::text(500, "the server has a fault"),
            Err(refusal) => refusal.into(),
        };
        for (name, value) in HEADERS {
            if response.headers.iter().all(|(known, _)| *known != name) {
                response.headers.push((name, value.to_owned()));
            }
        }
        response
    }

    pub(super) fn told(&self, exchange: &Exchange) {
        (self.told)(exchange);
    }
}

/// A response that was sent.
pub(super) struct Exchange<'a> {
    pub(super) client: Option<IpAddr>,
    /// `None` if it could not be read.
    pub(super) request: Option<&'a Request>,
    pub(super) status: u16,
    /// Bytes of the body; `None` if the client did not take all of it.
    pub(super) sent: Option<u64>,
    /// From the request's last byte on.
    pub(super) took: Duration,
}
