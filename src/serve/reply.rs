//! What came of a question, as bytes.

use std::io::Read;
use std::sync::Arc;

use serde_json::Value;

use crate::answer::{Body, Verdict};
use crate::cli::Spec;
use crate::digest::{Algorithm, Digest};
use crate::driver::Answered;
use crate::error::{Error, Kind, Result};
use crate::json;
use crate::output::compacted;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// How large a file of an image may be.
const FILE: u64 = 8 << 20;

pub(super) struct Reply {
    /// The answer's JSON on one line, or its exact bytes where those were asked for.
    pub(super) body: Result<Arc<[u8]>, Error>,
    pub(super) media_type: String,
    /// `None` where nothing can be told.
    pub(super) verdict: Verdict,
    /// What is missing from the answer, and why.
    pub(super) failures: Vec<Error>,
    /// Of the document, or of the manifest that decides the answer.
    pub(super) digest: Option<Digest>,
    /// The platform that was chosen, for filters.
    pub(super) platform: Option<String>,
    /// As HTTP has it (RFC 9110, 8.8.3): weak where the digest is not that of the very bytes.
    pub(super) etag: String,
}

impl Reply {
    pub(super) fn of(answered: Answered, spec: &Spec, is_raw: bool) -> Result<Self> {
        let Answered { answer, platform, digest, .. } = answered;
        let mut digest = digest.filter(|_| spec.is_immutable);
        let mut is_exact = false;
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
                let mut bytes = Vec::new();
                content.take(FILE + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > FILE {
                    let message = format!("the file has more than {} MiB", FILE >> 20);
                    return Err(Error::new(Kind::Protocol, message));
                }
                ("application/octet-stream".to_owned(), bytes)
            }
            Body::Nothing => (JSON.to_owned(), b"null\n".to_vec()),
        };
        let etag = match &digest {
            Some(digest) if is_exact => format!("\"{digest}\""),
            Some(digest) => format!("W/\"{digest}\""),
            None => format!("\"{}\"", Digest::of(Algorithm::Sha256, &bytes)),
        };
        Ok(Reply {
            body: Ok(bytes.into()),
            media_type,
            verdict: answer.verdict,
            failures: answer.failures,
            digest,
            platform,
            etag,
        })
    }

    pub(super) fn failed(error: Error) -> Self {
        Reply {
            body: Err(error),
            media_type: JSON.to_owned(),
            verdict: Verdict::Yes,
            failures: Vec::new(),
            digest: None,
            platform: None,
            etag: String::new(),
        }
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

fn line(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(b'\n');
    bytes
}
