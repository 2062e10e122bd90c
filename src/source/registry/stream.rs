//! Bytes both ways, with a limit on silence.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::failure::{Failure, unavailable};

pub(super) trait Stream: Read + Write + Send + Sync {
    /// How long a read or write may take from now on.
    fn set_patience(&mut self, patience: Duration) -> io::Result<()>;

    /// Whether the connection can be used again. Anything that came unasked speaks against it.
    fn is_open(&mut self) -> bool;
}

impl Stream for TcpStream {
    fn set_patience(&mut self, patience: Duration) -> io::Result<()> {
        // A duration of zero is an error.
        let patience = Some(patience.max(Duration::from_millis(1)));
        self.set_read_timeout(patience)?;
        self.set_write_timeout(patience)
    }

    fn is_open(&mut self) -> bool {
        let _ = self.set_nonblocking(true);
        let peeked = self.peek(&mut [0]);
        let restored = self.set_nonblocking(false);
        restored.is_ok() && peeked.is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock)
    }
}

/// What is left of the time; a failure if nothing is.
pub(super) fn left(deadline: Instant) -> Result<Duration, Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(Failure::Final(unavailable("no connection in time")));
    }
    Ok(left)
}
