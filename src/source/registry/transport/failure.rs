//! Why no answer came, and what that means for another try.

use std::fmt::{self, Display};
use std::io;

use crate::error::{During, Error, Kind};

#[derive(Debug)]
pub(in super::super) enum Failure {
    /// The connection could not be made or broke: another try may succeed.
    Broken(Error),
    /// An idle connection was closed by its other end before it was used again.
    Stale(Error),
    /// Nothing of TLS came from the other end. Inside: what that is where TLS is a must.
    NotTls(Box<Failure>),
    /// There was no connection: nothing was sent.
    Unreached(Box<Failure>),
    /// Another try makes no difference, or no sense, as after a long silence.
    Final(Error),
}

impl Failure {
    /// Of an operation on a connection.
    pub(super) fn of_io(error: io::Error) -> Self {
        use io::ErrorKind::{TimedOut, UnexpectedEof};
        match error.kind() {
            _ if is_exhausted(&error) => Failure::Final(error.into()),
            TimedOut => Failure::Final(unavailable("no connection in time")),
            UnexpectedEof => Failure::Broken(unavailable("the connection was closed")),
            _ => match Error::from(error) {
                // An error of ours that came through a reader keeps its kind.
                error if error.kind() != Kind::Local => Failure::Final(error),
                error => Failure::Broken(unavailable(error.to_string())),
            },
        }
    }

    /// Whether another try may succeed.
    pub(in super::super) fn is_broken(&self) -> bool {
        match self {
            Failure::Broken(_) => true,
            Failure::Unreached(failure) => failure.is_broken(),
            Failure::Stale(_) | Failure::NotTls(_) | Failure::Final(_) => false,
        }
    }

    pub(super) fn during(self, doing: impl Display) -> Self {
        self.map(|error| match Err::<(), _>(error).during(doing) {
            Err(error) => error,
            Ok(()) => unreachable!("an error stays one"),
        })
    }

    pub(super) fn map(self, change: impl FnOnce(Error) -> Error) -> Self {
        match self {
            Failure::Broken(error) => Failure::Broken(change(error)),
            Failure::Stale(error) => Failure::Stale(change(error)),
            Failure::NotTls(failure) => Failure::NotTls(Box::new(failure.map(change))),
            Failure::Unreached(failure) => Failure::Unreached(Box::new(failure.map(change))),
            Failure::Final(error) => Failure::Final(change(error)),
        }
    }
}

/// Whether it is this machine that has no file left to open, the process or all of them (ENFILE,
/// EMFILE).
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

pub(super) fn unavailable(why: impl Into<String>) -> Error {
    Error::new(Kind::Unavailable, why)
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(error) | Failure::Stale(error) | Failure::Final(error) => error,
            Failure::NotTls(failure) | Failure::Unreached(failure) => Error::from(*failure),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Failure::Broken(error) | Failure::Stale(error) | Failure::Final(error) => error.fmt(f),
            Failure::NotTls(failure) | Failure::Unreached(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}
