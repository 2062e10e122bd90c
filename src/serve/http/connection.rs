//! One connection: its requests are read, answered and told of, one after another.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::delivery::{Delivery, PATIENCE};
use super::head::{self, HEAD_LIMIT, Head, Refusal};
use super::server::Server;
use super::{Exchange, Response, places};

/// How long a head may take, all of it.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may wait for its next request; and where there are many.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_IN_A_CROWD: Duration = Duration::from_secs(1);

/// How long, and how far, to read what a client still sends after the last response.
const FAREWELL: Duration = Duration::from_secs(1);
const FAREWELL_LIMIT: usize = 256 << 10;

pub(super) struct Connection<'a> {
    server: &'a Server,
    stream: &'a TcpStream,
    client: IpAddr,
    /// What has arrived and is not answered yet: the first so many of the bytes.
    bytes: Vec<u8>,
    filled: usize,
    /// How long a read waits.
    patience: Duration,
}

impl<'a> Connection<'a> {
    pub(super) fn new(server: &'a Server, stream: &'a TcpStream, client: IpAddr) -> Self {
        let (bytes, filled, patience) = (vec![0; 2 << 10], 0, Duration::ZERO);
        Connection { server, stream, client, bytes, filled, patience }
    }

    /// Answers requests until one of both has enough.
    pub(super) fn run(mut self) {
        let usual = self.stream.set_nodelay(true);
        if usual.and_then(|()| self.stream.set_write_timeout(Some(PATIENCE))).is_err() {
            return;
        }
        let mut is_first = true;
        loop {
            let keeps = match self.head(is_first) {
                Ok(Some(head)) => self.answer(head),
                Ok(None) => return,
                Err(refusal) => {
                    let response = self.server.service.answer(Err(refusal));
                    self.send(None, response, Instant::now())
                }
            };
            if !keeps {
                return self.farewell();
            }
            is_first = false;
        }
    }

    /// The next head; `None` where there is none. A client that has just come has something to say at
    /// once; a connection that is kept may wait for its next request.
    fn head(&mut self, is_first: bool) -> Result<Option<Head>, Refusal> {
        let mut begun = (is_first || self.filled > 0).then(Instant::now);
        loop {
            if self.filled > 0
                && let Some(head) = head::read(&self.bytes[..self.filled])?
            {
                self.bytes.copy_within(head.length..self.filled, 0);
                self.filled -= head.length;
                return Ok(Some(head));
            }
            let patience = match begun {
                Some(begun) => HEAD_PATIENCE.saturating_sub(begun.elapsed()),
                None if self.server.is_crowded() => IDLE_IN_A_CROWD,
                None => IDLE,
            };
            match self.read(patience) {
                Some(0) => return Ok(None),
                Some(_) => begun = begun.or_else(|| Some(Instant::now())),
                None if self.filled == 0 => return Ok(None),
                None => return Err(Refusal { status: 408, why: "the request took too long" }),
            }
        }
    }

    /// How many bytes came, 0 if there will be none; `None` if they took too long.
    fn read(&mut self, patience: Duration) -> Option<usize> {
        if self.filled == self.bytes.len() {
            self.bytes.resize((2 * self.filled).min(HEAD_LIMIT), 0);
        }
        loop {
            if patience.is_zero() {
                return None;
            }
            if patience != self.patience {
                self.patience = patience;
                self.stream.set_read_timeout(Some(patience)).ok()?;
            }
            let mut stream = self.stream;
            match stream.read(&mut self.bytes[self.filled..]) {
                Ok(read) => {
                    self.filled += read;
                    return Some(read);
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return None,
                    ErrorKind::Interrupted => {}
                    _ => return Some(0),
                },
            }
        }
    }

    /// Whether the connection is kept.
    fn answer(&self, head: Head) -> bool {
        let begun = Instant::now();
        let server = self.server;
        let response = places::hold(&server.places, || server.service.answer(Ok(&head.request)));
        self.send(Some(&head), response, begun)
    }

    fn send(&self, head: Option<&Head>, response: Response, begun: Instant) -> bool {
        let status = response.status;
        let mut delivery = Delivery::new(self.stream, head);
        // What a fault leaves behind ends with its thread.
        delivery.keeps &= !self.server.is_ending() && status != 500;
        let sent = delivery.send(response);
        let request = head.map(|head| &head.request);
        self.server.service.told(&Exchange {
            client: Some(self.client),
            request,
            status,
            sent: sent.as_ref().ok().copied(),
            took: begun.elapsed(),
        });
        sent.is_ok() && delivery.keeps
    }

    /// Reads what the client still sends: what is not read makes the system take back the response
    /// that the client has not read (RFC 9112, section 9.6).
    fn farewell(&mut self) {
        let end = Instant::now() + FAREWELL;
        let mut read = 0;
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        while read < FAREWELL_LIMIT {
            self.filled = 0;
            match self.read(end.saturating_duration_since(Instant::now())) {
                Some(0) | None => return,
                Some(more) => read += more,
            }
        }
    }
}
