//! A connection as ureq knows it: its reading and writing, at a pace, and what a failure means.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Instant;

use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error as HttpError, http};

use crate::parallel::lock;

use super::super::error_response::speaks_tls;
use super::super::url::{Origin, Scheme};
use super::connections::Connections;
use super::failure::Failure;
use super::pace::{Limit, SharedPace};
use super::proxy::Proxy;
use super::stream::Stream;

/// What is read at once: as much as a layer wants.
const INPUT: usize = 128 << 10;

/// What is written at once: a record of TLS.
const OUTPUT: usize = 16 << 10;

thread_local! {
    /// The pace of the connection that this thread's last request went through, which ureq does
    /// not tell.
    pub(super) static PACE: RefCell<Option<SharedPace>> = const { RefCell::new(None) };
}

/// Opens the connections that ureq asks for.
#[derive(Clone)]
pub(super) struct TransportConnector(pub(super) Arc<Connections>);

impl Connector for TransportConnector {
    type Out = Connection;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Connection>, HttpError> {
        let scheme = if details.needs_tls() { Scheme::Https } else { Scheme::Http };
        let authority = details.uri.authority().map_or("", |a| a.as_str());
        let open = || self.0.open(&Origin::new(scheme, authority)?);
        open().map(Some).map_err(|failure| Failure { unreached: true, ..failure }.into())
    }
}

/// Names are looked up where connections are opened, not once per request.
impl Resolver for TransportConnector {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, HttpError> {
        Ok(self.empty())
    }
}

pub(super) struct Connection {
    stream: Box<dyn Stream>,
    is_tls: bool,
    /// The proxy that forwards the requests to the origin, where that is how it is reached.
    forwarding: Option<(Origin, Proxy)>,
    buffers: LazyBuffers,
    /// Whether a request is on its way.
    is_asked: bool,
    /// Whether there was an answer before.
    is_used: bool,
}

impl Connection {
    pub(super) fn new(stream: Box<dyn Stream>, origin: &Origin, proxy: Option<Proxy>) -> Self {
        let proxy = proxy.filter(|proxy| proxy.forwards(origin));
        Connection {
            stream,
            is_tls: origin.scheme == Scheme::Https,
            forwarding: proxy.map(|proxy| (origin.clone(), proxy)),
            buffers: LazyBuffers::new(INPUT, OUTPUT),
            is_asked: false,
            is_used: false,
        }
    }

    fn write(&mut self, amount: usize) -> io::Result<()> {
        let mut output = Cow::Borrowed(&self.buffers.output()[..amount]);
        if !self.is_asked {
            self.is_asked = true;
            lock(self.stream.pace()).restart(Limit::Rate);
            PACE.set(Some(Arc::clone(self.stream.pace())));
            if let Some((origin, proxy)) = &self.forwarding {
                output = forwarded(&output, origin, proxy).into();
            }
        }
        lock(self.stream.pace()).begin(Instant::now());
        self.stream.write_all(&output)?;
        self.stream.flush()?;
        lock(self.stream.pace()).end(Instant::now(), amount);
        Ok(())
    }

    /// What it means that the connection broke or fell silent.
    fn broken(&self, error: io::Error) -> HttpError {
        let failure = Failure::of_io(error);
        let is_again = self.is_asked && self.is_used;
        if is_again { failure.stale().into() } else { failure.into() }
    }
}

/// A proxy that forwards plain requests wants the origin in the request line (RFC 9112, 3.2.2).
fn forwarded(request: &[u8], origin: &Origin, proxy: &Proxy) -> Vec<u8> {
    let end = request.iter().position(|b| *b == b'\n').map_or(0, |at| at + 1);
    let (line, rest) = request.split_at(end);
    let line = String::from_utf8_lossy(line).replacen(' ', &format!(" {origin}"), 1);
    [line.as_bytes(), proxy.header().reveal().as_bytes(), rest].concat()
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), HttpError> {
        self.write(amount).map_err(|error| self.broken(error))
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, HttpError> {
        if self.is_asked {
            lock(self.stream.pace()).restart(Limit::Answer);
        }
        let read = self.stream.read(self.buffers.input_append_buf());
        self.buffers.input_appended(*read.as_ref().unwrap_or(&0));
        match read {
            // ureq knows whether a body may end here.
            Ok(amount) if !self.is_asked => Ok(amount > 0),
            Err(error) if !self.is_asked && is_end(&error) => Err(error.into()),
            Ok(0) => Err(self.broken(ErrorKind::UnexpectedEof.into())),
            // An alert of TLS begins so (RFC 8446, 5.1), and nothing of HTTP.
            Ok(_) if !self.is_tls && self.buffers.input().first() == Some(&21) => {
                Err(Failure::from(speaks_tls()).into())
            }
            Ok(_) => {
                (self.is_asked, self.is_used) = (false, true);
                Ok(true)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.stream.is_open()
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}

/// Whether the other end has closed the connection, however rudely.
fn is_end(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | UnexpectedEof)
}

impl From<Failure> for HttpError {
    fn from(failure: Failure) -> Self {
        HttpError::Other(Box::new(failure))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Connection")
    }
}

impl fmt::Debug for TransportConnector {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("TransportConnector")
    }
}
