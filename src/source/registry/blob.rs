//! A blob as it arrives: where its connection breaks, the rest is asked for.

use std::io::{self, Read};

use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};

use super::super::Blob;
use super::Registry;
use super::message::{Body, Want};
use super::retry::Tries;
use super::transport::BodyStream;

/// After so many bytes the failures before them are not counted any more, so that a large blob
/// comes through a bad connection.
const PROGRESS: u64 = 1 << 20;

/// From this byte on, to the one before the second number.
type Range = (u64, Option<u64>);

/// The body of one answer, all of a blob or the rest of it.
struct PartialContent {
    body: BodyStream,
    /// Where in the blob the next byte of the body is.
    at: u64,
    /// Of the whole blob, where the answer says it.
    size: Option<u64>,
    /// What tells one content at the URL from another (RFC 9110, 8.8.3).
    etag: Option<String>,
}

impl PartialContent {
    /// What is served of the blob when it is asked for from this byte on, to this one at most.
    fn get(registry: &Registry, digest: &Digest, range: Range, tries: &Tries) -> Result<Self> {
        let (from, _) = range;
        let response = registry.get_blob(digest, range, Want::Stream, tries)?;
        // There is nothing from there on: what the caller has cannot be the beginning of it. Or the
        // registry cannot do that: crane's answers 404.
        if matches!(response.status, 404 | 416) && from > 0 {
            return Self::get(registry, digest, (0, None), tries);
        }
        let response = registry.succeeded(response)?;
        let range = response.header("content-range").and_then(content_range);
        let (at, size) = match (response.status, range) {
            (206, Some((start, size))) if start == from => (from, size),
            (206, _) => {
                let message = "the registry sends another part than was asked for";
                return Err(Error::new(Kind::Protocol, message));
            }
            _ => (0, response.header("content-length").and_then(|length| length.parse().ok())),
        };
        let etag = response.header("etag").map(str::to_owned);
        let Body::Stream(body) = response.body else {
            unreachable!("a success that is wanted as a stream is one");
        };
        Ok(PartialContent { body, at, size, etag })
    }
}

pub(super) struct ResumedBlob {
    registry: Registry,
    digest: Digest,
    part: PartialContent,
    /// Where in the blob the caller is; the part may be behind.
    at: u64,
    end: Option<u64>,
    tries: Tries,
    /// Where in the blob failures were last counted from zero.
    progress_since: u64,
}

impl ResumedBlob {
    /// A blob from this byte on, where the registry can do that, else from its beginning.
    pub(super) fn open(registry: &Registry, digest: &Digest, range: Range) -> Result<Blob> {
        let tries = Tries::default();
        let part = PartialContent::get(registry, digest, range, &tries)?;
        let (at, size) = (part.at, part.size);
        let (registry, digest, end) = (registry.clone(), digest.clone(), range.1);
        let stream = ResumedBlob { registry, digest, part, at, end, tries, progress_since: at };
        Ok(Blob { reader: Box::new(stream), from: at, size })
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.part.body.read(buffer) {
                Ok(0) => return Ok(0),
                Ok(read) => {
                    let known = usize::try_from(self.at - self.part.at).unwrap_or(read).min(read);
                    self.part.at += read as u64;
                    if known < read {
                        buffer.copy_within(known..read, 0);
                        self.at = self.part.at;
                        return Ok(read - known);
                    }
                }
                Err(failure) if failure.is_broken() => self.resume(failure.error)?,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// Asks for the rest, unless that was done often enough.
    fn resume(&mut self, why: Error) -> Result<()> {
        if self.at >= self.progress_since + PROGRESS {
            (self.tries, self.progress_since) = (Tries::default(), self.at);
        }
        let registry = &self.registry;
        if !registry.client.wait(&self.tries, None, registry.host.api()) {
            return Err(why);
        }
        let part = PartialContent::get(registry, &self.digest, (self.at, self.end), &self.tries)?;
        let before = self.part.etag.as_ref();
        if before.zip(part.etag.as_ref()).is_some_and(|(before, now)| before != now) {
            let message = "the registry serves another content than before";
            return Err(Error::new(Kind::Corrupt, message));
        }
        self.part = part;
        Ok(())
    }
}

impl Read for ResumedBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer);
        let after = format_args!("blob {}: after {} bytes", self.digest, self.at);
        Ok(read.during(after)?)
    }
}

/// Where a part starts, and how long the whole is: `bytes 5-9/10`.
fn content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_where_it_starts() {
        for (header, expected) in [
            ("bytes 5-9/10", Some((5, Some(10)))),
            ("bytes 0-9/*", Some((0, None))),
            ("bytes */10", None),
            ("5-9/10", None),
            ("", None),
        ] {
            assert_eq!(content_range(header), expected, "{header}");
        }
    }
}
