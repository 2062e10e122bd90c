//! What ureq knows of a connection: its reading and writing, at a pace, and what a failure means.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use ureq::Error as HttpError;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::super::error_response::speaks_tls;
use super::super::url::{Origin, Scheme};
use super::connection::{Connection, Connections};
use super::failure::Failure;
use super::pace::SharedPace;

const BUFFER: usize = 128 << 10;

thread_local! {
    /// The pace of the request that this thread sends: ureq hands nothing of a request on to its
    /// connection. Without a request there is no time.
    static PACE: RefCell<SharedPace> = RefCell::new(SharedPace::rate(Duration::ZERO));
}

/// The connection of this thread's next request obeys this pace.
pub(super) fn set_pace(pace: &SharedPace) {
    PACE.set(pace.clone());
}

/// Opens the connections that ureq asks for.
pub(super) struct TransportConnector {
    connections: Arc<Connections>,
}

impl TransportConnector {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        TransportConnector { connections }
    }
}

impl Connector for TransportConnector {
    type Out = HttpConnection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<HttpConnection>, HttpError> {
        let scheme = match details.needs_tls() {
            true => Scheme::Https,
            false => Scheme::Http,
        };
        let authority = details.uri.authority().map_or("", |a| a.as_str());
        let open = || self.connections.open(&Origin::new(scheme, authority)?);
        let unreached = |failure| HttpError::Other(Box::new(Failure::Unreached(Box::new(failure))));
        let connection = open().map_err(unreached)?;
        Ok(Some(HttpConnection {
            connection,
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            phase: Phase::New,
            pace: PACE.with_borrow(Clone::clone),
            is_tls: scheme == Scheme::Https,
        }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    /// A request is on its way; `used` if it is not the connection's first.
    Sent {
        used: bool,
    },
    Answered,
}

pub(super) struct HttpConnection {
    connection: Connection,
    buffers: LazyBuffers,
    phase: Phase,
    /// Of the request that is on its way or was the last.
    pace: SharedPace,
    is_tls: bool,
}

impl HttpConnection {
    fn write(&mut self, amount: usize) -> io::Result<()> {
        let begins = !matches!(self.phase, Phase::Sent { .. });
        if begins {
            let used = self.phase == Phase::Answered;
            self.phase = Phase::Sent { used };
            self.pace = PACE.with_borrow(Clone::clone);
            self.connection.stream.set_pace(self.pace.clone());
        }
        self.pace.begin();
        let stream = &mut self.connection.stream;
        let mut output = &self.buffers.output()[..amount];
        if let Some(forwarded) = self.connection.forwarded.as_ref().filter(|_| begins) {
            let target = output.iter().position(|b| *b == b' ').map_or(0, |at| at + 1);
            let line_end = output.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
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
        stream.flush()?;
        self.pace.end(amount);
        Ok(())
    }

    fn read(&mut self) -> io::Result<usize> {
        if self.phase != Phase::Answered {
            self.pace.await_answer();
        }
        let stream = &mut self.connection.stream;
        let amount = stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount)
    }

    /// What it means that the connection broke or fell silent.
    fn broken(&self, error: io::Error) -> HttpError {
        let failure = match Failure::of_io(error) {
            Failure::Broken(error) if self.phase == (Phase::Sent { used: true }) => {
                Failure::Stale(error)
            }
            failure => failure,
        };
        HttpError::Other(Box::new(failure))
    }
}

impl Transport for HttpConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), HttpError> {
        self.write(amount).map_err(|error| self.broken(error))
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, HttpError> {
        match self.read() {
            // ureq knows whether a body may end here.
            Ok(amount) if self.phase == Phase::Answered => Ok(amount > 0),
            Err(error) if self.phase == Phase::Answered && is_end(&error) => Err(error.into()),
            Ok(0) => Err(self.broken(io::ErrorKind::UnexpectedEof.into())),
            // An alert of TLS begins so (RFC 8446, 5.1), and nothing of HTTP.
            Ok(_) if !self.is_tls && self.buffers.input().first() == Some(&21) => {
                let failure = Failure::Final(speaks_tls());
                Err(HttpError::Other(Box::new(failure)))
            }
            Ok(_) => {
                self.phase = Phase::Answered;
                Ok(true)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.connection.stream.is_open()
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}

/// Whether the other end has closed the connection, however rudely.
fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | UnexpectedEof)
}

impl std::fmt::Debug for HttpConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("HttpConnection").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TransportConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("TransportConnector").finish_non_exhaustive()
    }
}
