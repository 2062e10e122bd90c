//! A request and its answer, as the client sees them.

use std::io::{Cursor, Read};
use std::sync::Arc;

use crate::content::LIMIT;
use crate::error::Result;
use crate::secret::Secret;

use super::retry::Tries;
use super::transport::BodyStream;
use super::url::Url;

/// Bodies of error responses are read up to here.
pub(super) const ERROR_RESPONSE_LIMIT: u64 = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        ["GET", "HEAD", "POST", "PUT", "DELETE"][self as usize]
    }
}

/// How an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    /// In memory, if it is no longer than this.
    Whole(u64),
    Stream,
}

/// What is sent: as many bytes as `size` from a reader that is opened for each try.
#[derive(Clone)]
pub(super) struct Payload {
    pub(super) media_type: String,
    pub(super) size: u64,
    pub(super) open: Arc<dyn Fn() -> Result<Box<dyn Read + Send>> + Send + Sync>,
}

impl Payload {
    pub(super) fn bytes(media_type: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Payload {
            media_type: media_type.to_owned(),
            size: bytes.len() as u64,
            open: Arc::new(move || Ok(Box::new(Cursor::new(Arc::clone(&bytes))))),
        }
    }
}

#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    /// The value of `Authorization`.
    pub(super) authorization: Option<Secret>,
    pub(super) body: Option<Payload>,
    pub(super) want: Want,
    /// Whether the answer depends on who asks, as a list does of what one may see.
    pub(super) is_personal: bool,
    /// `None` for what is sent once.
    pub(super) tries: Option<Tries>,
}

impl Request {
    /// Without a body; the answer is wanted in memory.
    pub(super) fn new(method: Method, url: Url) -> Self {
        Request {
            method,
            url,
            headers: Vec::new(),
            authorization: None,
            body: None,
            want: Want::Whole(LIMIT),
            is_personal: false,
            tries: Some(Tries::default()),
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn query(self, name: &str, value: &str) -> Self {
        Request { url: self.url.with(name, value), ..self }
    }
}

pub(super) enum Body {
    Whole(Vec<u8>),
    Stream(BodyStream),
}

pub(super) struct Response {
    /// Where the answer came from, behind all redirects.
    pub(super) url: Url,
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
}

impl Response {
    /// The first header of that name.
    pub(super) fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.headers.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        if let Body::Whole(bytes) = &self.body { bytes } else { &[] }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        if let Body::Whole(bytes) = self.body { bytes } else { Vec::new() }
    }
}
