//! Connections that were opened our way, as ureq wants them.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use ureq::Error as HttpError;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::super::connection::{Connections, Line};
use super::super::failure::Failure;
use super::super::url::{Origin, Scheme};

const BUFFER: usize = 128 << 10;

/// Opens the connections that ureq asks for.
pub(super) struct Opener {
    connections: Arc<Connections>,
    patience: Duration,
}

impl Opener {
    pub(super) fn new(connections: Arc<Connections>, patience: Duration) -> Self {
        Opener {
            connections,
            patience,
        }
    }
}

impl Connector for Opener {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Socket>, HttpError> {
        let scheme = match details.needs_tls() {
            true => Scheme::Https,
            false => Scheme::Http,
        };
        let authority = details.uri.authority().map_or("", |a| a.as_str());
        let open = || self.connections.open(&Origin::new(scheme, authority)?);
        let line = open().map_err(|failure| HttpError::Other(Box::new(failure)))?;
        Ok(Some(Socket {
            line,
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            phase: Phase::New,
            patience: self.patience,
            set: None,
            is_tls: scheme == Scheme::Https,
        }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    /// A request is on its way; `used` if it is not the connection's first.
    Asked {
        used: bool,
    },
    Answered,
}

pub(super) struct Socket {
    line: Line,
    buffers: LazyBuffers,
    phase: Phase,
    patience: Duration,
    /// The patience that the connection has. To set it costs more than to read a record of TLS.
    set: Option<Duration>,
    is_tls: bool,
}

impl Socket {
    fn set_patience(&mut self, timeout: NextTimeout) -> io::Result<()> {
        let patience = (*timeout.after).min(self.patience);
        if self.set != Some(patience) {
            self.line.stream.set_patience(patience)?;
            self.set = Some(patience);
        }
        Ok(())
    }

    fn write(&mut self, amount: usize, timeout: NextTimeout) -> io::Result<()> {
        let begins = !matches!(self.phase, Phase::Asked { .. });
        if begins {
            let used = self.phase == Phase::Answered;
            self.phase = Phase::Asked { used };
        }
        self.set_patience(timeout)?;
        let stream = &mut self.line.stream;
        let mut output = &self.buffers.output()[..amount];
        if let Some(forwarded) = self.line.forwarded.as_ref().filter(|_| begins) {
            let target = output
                .iter()
                .position(|b| *b == b' ')
                .map_or(0, |at| at + 1);
            let line_end = output
                .iter()
                .position(|b| *b == b'\n')
                .map_or(0, |at| at + 1);
            stream.write_all(&output[..target])?;
            stream.write_all(forwarded.origin.to_string().as_bytes())?;
            stream.write_all(&output[target..line_end])?;
            if let Some(authorization) = &forwarded.authorization {
                let value = authorization.reveal();
                stream.write_all(format!("Proxy-Authorization: {value}\r\n").as_bytes())?;
            }
            output = &output[line_end..];
        }
        stream.write_all(output)?;
        stream.flush()
    }

    fn read(&mut self, timeout: NextTimeout) -> io::Result<usize> {
        self.set_patience(timeout)?;
        let stream = &mut self.line.stream;
        let amount = stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount)
    }

    /// What it means that the connection broke or fell silent.
    fn broken(&self, error: io::Error) -> HttpError {
        let seconds = self.patience.as_secs_f64();
        let failure = match Failure::of_io(error, format_args!("no answer within {seconds} s")) {
            Failure::Broken(error) if self.phase == (Phase::Asked { used: true }) => {
                Failure::Stale(error)
            }
            failure => failure,
        };
        HttpError::Other(Box::new(failure))
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), HttpError> {
        let written = self.write(amount, timeout);
        written.map_err(|error| self.broken(error))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, HttpError> {
        match self.read(timeout) {
            // ureq knows whether a body may end here.
            Ok(amount) if self.phase == Phase::Answered => Ok(amount > 0),
            Err(error) if self.phase == Phase::Answered && is_end(&error) => Err(error.into()),
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {
                self.phase = Phase::Answered;
                Ok(true)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.line.stream.is_open()
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}

/// Whether the other end has closed the connection, however rudely.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

impl std::fmt::Debug for Socket {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}
