//! A response on its way to the client.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime};

use super::{Body, Head, Response};
use crate::context;

/// How long a client may take for a piece, which is slower than any line that still works.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

const PIECE: usize = 128 << 10;

/// How a response goes to whoever asked.
pub(super) struct Delivery<'a> {
    pub(super) stream: &'a TcpStream,
    pub(super) is_head: bool,
    /// The client speaks HTTP/1.0.
    pub(super) is_old: bool,
    /// Whether the connection is kept for another request.
    pub(super) keeps: bool,
}

impl<'a> Delivery<'a> {
    /// Of the response to a head that could be read, or to one that could not.
    pub(super) fn new(stream: &'a TcpStream, head: Option<&Head>) -> Self {
        Delivery {
            stream,
            is_head: head.is_some_and(|head| head.request.is_head),
            is_old: head.is_some_and(|head| head.is_old),
            keeps: head.is_some_and(|head| head.keeps),
        }
    }

    /// Sends it, and gives the size of its body.
    pub(super) fn send(&mut self, response: Response) -> io::Result<u64> {
        let is_bodiless = self.is_head || matches!(response.status, 204 | 304);
        // Only its end tells an old client where a stream ends.
        self.keeps &= !self.is_old || matches!(response.body, Body::Bytes(_));
        let head = self.head(&response);
        match response.body {
            _ if is_bodiless => self.write(&head, &[], b"").map(|()| 0),
            Body::Bytes(bytes) => {
                let (first, rest) = bytes.split_at(bytes.len().min(PIECE));
                self.write(&head, first, b"")?;
                rest.chunks(PIECE).try_for_each(|piece| self.write(piece, &[], b""))?;
                Ok(bytes.len() as u64)
            }
            Body::Stream(reader) => self.stream(head, reader),
        }
    }

    fn head(&self, response: &Response) -> Vec<u8> {
        let status = response.status;
        let mut head = Vec::with_capacity(512);
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(context::now());
        let mut line = |name: &str, value: &str| {
            head.extend([name, value, "\r\n"].into_iter().flat_map(str::bytes));
        };
        line("HTTP/1.1 ", &format!("{status} {}", reason(status)));
        line("Date: ", &httpdate::fmt_http_date(date));
        for (name, value) in &response.headers {
            // No value begins a header of its own, whoever has written it.
            line(&format!("{name}: "), &value.replace(char::is_control, " "));
        }
        match &response.body {
            _ if matches!(status, 204 | 304) => {}
            Body::Bytes(bytes) => line("Content-Length: ", &bytes.len().to_string()),
            Body::Stream(_) if self.is_old => {}
            Body::Stream(_) => line("Transfer-Encoding: ", "chunked"),
        }
        match (self.keeps, self.is_old) {
            (false, _) => line("Connection: ", "close"),
            (true, true) => line("Connection: ", "keep-alive"),
            (true, false) => {}
        }
        line("", "");
        head
    }

    fn stream(&self, mut head: Vec<u8>, mut reader: impl Read) -> io::Result<u64> {
        let mut piece = vec![0; PIECE];
        let mut sent = 0;
        loop {
            let read = match reader.read(&mut piece) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            sent += read as u64;
            match (read, self.is_old) {
                (0, true) => return self.write(&head, &[], b"").map(|()| sent),
                (0, false) => return self.write(&head, b"0\r\n\r\n", b"").map(|()| sent),
                (_, true) => self.write(&head, &piece[..read], b"")?,
                (_, false) => {
                    head.extend(format!("{read:x}\r\n").bytes());
                    self.write(&head, &piece[..read], b"\r\n")?;
                }
            }
            head.clear();
        }
    }

    /// Writes all three at once. A client that does not take them in time is given up.
    fn write(&self, start: &[u8], middle: &[u8], end: &[u8]) -> io::Result<()> {
        let begun = Instant::now();
        let mut parts = [start, middle, end].map(IoSlice::new);
        let mut parts = &mut parts[..];
        IoSlice::advance_slices(&mut parts, 0);
        let mut stream = self.stream;
        while !parts.is_empty() {
            match stream.write_vectored(parts) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut parts, written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if !parts.is_empty() && begun.elapsed() >= PATIENCE {
                return Err(ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

/// RFC 9110's words for the statuses that are used here; clients do not read them.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
