//! What came of a question, as bytes.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::http;
use crate::answer::{Body, Verdict};
use crate::cli::Spec;
use crate::context::Filter;
use crate::digest::{Algorithm, Digest};
use crate::driver::Answered;
use crate::error::{Error, Kind, Result};
use crate::file::{self, Settled, SharedFile};
use crate::json;
use crate::output::compacted;

/// What has no more bytes is not counted: as many of it as there are connections can be sent.
const SMALL: usize = 64 << 10;

/// How many bytes all others may have together, kept or on their way.
const LARGE: usize = 96 << 20;

/// How many they have.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

const JSON: &str = "application/json";
const LINES: &str = "application/jsonl";
const TEXT: &str = "text/plain; charset=utf-8";

pub(super) struct Reply {
    /// Of HTTP.
    pub(super) status: u16,
    /// The answer's JSON on one line, or its exact bytes where those were asked for.
    pub(super) body: Result<Arc<[u8]>>,
    /// What is too large for that, and is not kept for later.
    pub(super) file: Option<SharedFile>,
    pub(super) media_type: String,
    pub(super) verdict: Verdict,
    /// What is missing from the answer, and why.
    pub(super) failures: Vec<Error>,
    /// Of the document, or of the manifest that decides the answer.
    pub(super) digest: Option<Digest>,
    /// The image as it was named, and the platform that was chosen: for filters.
    pub(super) image: String,
    pub(super) platform: Option<String>,
    /// As HTTP has it (RFC 9110, 8.8.3): weak where the digest is not that of the very bytes.
    pub(super) etag: String,
    /// What it counts for as long as somebody has it.
    taken: usize,
}

impl Drop for Reply {
    fn drop(&mut self) {
        TAKEN.fetch_sub(self.taken, Ordering::AcqRel);
    }
}

impl Reply {
    fn new(status: u16, media_type: &str, body: Result<Vec<u8>>) -> Self {
        let size = body.as_ref().map_or(0, Vec::len);
        let taken = if size > SMALL { size } else { 0 };
        if TAKEN.fetch_add(taken, Ordering::AcqRel) + taken > LARGE && taken > 0 {
            TAKEN.fetch_sub(taken, Ordering::AcqRel);
            let error = Error::new(Kind::Unavailable, "too many large answers are on their way");
            return Reply::refused(503, error);
        }
        let hash = |bytes: &Vec<u8>| format!("\"{}\"", Digest::of(Algorithm::Sha256, bytes));
        Reply {
            status,
            etag: body.as_ref().map_or_else(|_| String::new(), hash),
            body: body.map(Arc::from),
            file: None,
            media_type: media_type.to_owned(),
            verdict: Verdict::Yes,
            failures: Vec::new(),
            digest: None,
            image: String::new(),
            platform: None,
            taken,
        }
    }

    /// The body of a response, which has this reply as long as it is sent if that matters.
    pub(super) fn to_send(self: &Arc<Self>) -> http::Body {
        match (&self.file, &self.body) {
            (Some(file), _) => http::Body::Stream(Box::new(file.clone())),
            (None, Ok(bytes)) if self.taken == 0 => http::Body::Bytes(Arc::clone(bytes)),
            (None, _) => http::Body::Stream(Box::new(Sending { reply: Arc::clone(self), at: 0 })),
        }
    }

    pub(super) fn json(json: &Value) -> Self {
        Reply::new(200, JSON, Ok(line(json.to_string().into_bytes())))
    }

    pub(super) fn failed(error: Error) -> Self {
        Reply::refused(status(error.kind()), error)
    }

    /// An error that has a status of its own.
    pub(super) fn refused(status: u16, error: Error) -> Self {
        Reply::new(status, JSON, Err(error))
    }

    pub(super) fn of(answered: Answered, spec: &Spec, is_raw: bool) -> Self {
        let Answered { image, platform, digest, answer } = answered;
        let (mut is_exact, mut file) = (false, None);
        let mut digest = digest.filter(|_| spec.is_immutable);
        let (media_type, bytes) = match answer.body {
            Body::Content(content) => {
                (digest, is_exact) = (Some(content.digest().clone()), is_raw);
                match is_raw {
                    true => (content.media_type().to_owned(), content.bytes().to_vec()),
                    false => (JSON.to_owned(), line(compacted(content.bytes()))),
                }
            }
            Body::Text { text, .. } if is_raw => {
                let parts = text.parts().map(|(part, _)| part);
                (TEXT.to_owned(), line(parts.collect::<String>().into_bytes()))
            }
            Body::Value(json) | Body::Text { json, .. } => {
                (JSON.to_owned(), line(json.to_string().into_bytes()))
            }
            Body::Json(json) | Body::List(json) => (JSON.to_owned(), line(json.into_bytes())),
            Body::File(content) => {
                let bytes = match file::settled(content) {
                    Settled::Memory(bytes) => bytes,
                    Settled::File(content) => {
                        file = Some(content);
                        Vec::new()
                    }
                };
                ("application/octet-stream".to_owned(), bytes)
            }
            Body::Nothing => (JSON.to_owned(), b"null\n".to_vec()),
        };
        let status = match answer.failures.first() {
            Some(failure) => status(failure.kind()),
            None if answer.verdict == Verdict::Corrupt => status(Kind::Corrupt),
            None => 200,
        };
        let mut reply = Reply::new(status, &media_type, Ok(bytes));
        if reply.body.is_err() {
            return reply;
        }
        match &digest {
            Some(digest) if is_exact => reply.etag = format!("\"{digest}\""),
            Some(digest) => reply.etag = format!("W/\"{digest}\""),
            None => {}
        }
        (reply.verdict, reply.failures) = (answer.verdict, answer.failures);
        (reply.image, reply.platform, reply.digest, reply.file) = (image, platform, digest, file);
        reply
    }

    /// What a filter makes of the answer: a line for each result.
    pub(super) fn filtered(&self, filter: &Filter, lines: Vec<u8>) -> Self {
        let media_type = if filter.is_raw { TEXT } else { LINES };
        let mut reply = Reply::new(200, media_type, Ok(lines));
        reply.verdict = self.verdict;
        reply
    }

    /// The answer as a JSON value.
    pub(super) fn answer(&self) -> Result<Value> {
        json::parse(self.body.as_ref().map_err(Clone::clone)?)
    }

    /// Why there is no answer, or not all of it.
    pub(super) fn error(&self) -> Option<&Error> {
        self.body.as_ref().err().or(self.failures.first())
    }

    /// How many bytes it has, about.
    pub(super) fn weight(&self) -> usize {
        const EACH: usize = 300;
        let failures = self.failures.len() + 1;
        self.body.as_ref().map_or(0, |bytes| bytes.len()) + failures * EACH
    }
}

/// What is sent of a reply.
struct Sending {
    reply: Arc<Reply>,
    at: usize,
}

impl Read for Sending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.reply.body.as_deref().unwrap_or_default();
        let read = (&bytes[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// The status that stands for the exit code.
pub(super) fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Usage => 400,
        Kind::Denied => 403,
        Kind::NotFound => 404,
        Kind::RateLimited => 429,
        Kind::Local | Kind::Protocol | Kind::Corrupt => 502,
        Kind::Unavailable => 504,
    }
}

fn line(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(b'\n');
    bytes
}
