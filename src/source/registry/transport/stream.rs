//! Bytes both ways, at a pace.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::parallel::lock;

use super::pace::{Pace, SharedPace};

pub(super) trait Stream: Read + Write + Send + Sync {
    /// What reads and writes may take.
    fn pace(&self) -> &SharedPace;

    /// Whether the connection can be used again. Anything that came unasked speaks against it.
    fn is_open(&mut self) -> bool;
}

/// The end of every connection: below TLS, so that each byte of a record is counted.
pub(super) struct PacedStream {
    stream: TcpStream,
    pace: SharedPace,
    /// The timeout that the socket has.
    set: Option<Duration>,
}

impl PacedStream {
    pub(super) fn new(stream: TcpStream, pace: Pace) -> Self {
        // Requests are small and wait for their answer.
        let _ = stream.set_nodelay(true);
        PacedStream { stream, pace: Arc::new(Mutex::new(pace)), set: None }
    }

    fn at_pace(
        &mut self,
        transfer: impl FnOnce(&mut TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        use io::ErrorKind::{TimedOut, WouldBlock};
        // A duration of zero is an error.
        let wait = lock(&self.pace).wait(Instant::now())?.max(Duration::from_millis(1));
        if self.set != Some(wait) {
            self.stream.set_read_timeout(Some(wait))?;
            self.stream.set_write_timeout(Some(wait))?;
            self.set = Some(wait);
        }
        transfer(&mut self.stream).map_err(|error| match error.kind() {
            // Unix says that it would block where Windows says that time is out.
            TimedOut | WouldBlock => lock(&self.pace).error(Instant::now()).into(),
            _ => error,
        })
    }
}

impl Read for PacedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.at_pace(|stream| stream.read(buffer))
    }
}

impl Write for PacedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.at_pace(|stream| stream.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream for PacedStream {
    fn pace(&self) -> &SharedPace {
        &self.pace
    }

    fn is_open(&mut self) -> bool {
        let _ = self.stream.set_nonblocking(true);
        let peeked = self.stream.peek(&mut [0]);
        let restored = self.stream.set_nonblocking(false);
        restored.is_ok() && peeked.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    }
}
