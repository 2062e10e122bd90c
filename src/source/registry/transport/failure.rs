//! Why no answer came, and what that means for another try.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::io;

use crate::error::{During, Error, Kind};

#[derive(Debug)]
pub(in super::super) struct Failure {
    pub(in super::super) error: Error,
    pub(super) cause: Cause,
    /// Whether there was no connection: nothing was sent.
    pub(in super::super) unreached: bool,
    /// Whether nothing of TLS came from the other end.
    pub(super) not_tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Cause {
    /// The connection could not be made or broke: another try may succeed.
    Broken,
    /// An idle connection was closed by its other end before it was used again.
    Stale,
    /// Another try makes no difference, or no sense, as after a long silence.
    Final,
}

impl Failure {
    pub(in super::super) fn broken(error: Error) -> Self {
        Failure { cause: Cause::Broken, ..error.into() }
    }

    /// Of an operation on a connection.
    pub(super) fn of_io(error: io::Error) -> Self {
        use io::ErrorKind::{TimedOut, UnexpectedEof};
        match error.kind() {
            _ if is_exhausted(&error) => Error::from(error).into(),
            TimedOut => unavailable("no connection in time").into(),
            UnexpectedEof => Failure::broken(unavailable("the connection was closed")),
            _ => match Error::from(error) {
                // An error of ours that came through a reader keeps its kind.
                error if error.kind() != Kind::Local => error.into(),
                error => Failure::broken(unavailable(error.to_string())),
            },
        }
    }

    /// Whether another try may succeed.
    pub(in super::super) fn is_broken(&self) -> bool {
        self.cause == Cause::Broken
    }

    pub(in super::super) fn is_stale(&self) -> bool {
        self.cause == Cause::Stale
    }

    /// What a break means where a connection is used again.
    pub(super) fn stale(self) -> Self {
        let cause = if self.is_broken() { Cause::Stale } else { self.cause };
        Failure { cause, ..self }
    }

    pub(super) fn during(self, doing: impl Display) -> Self {
        let Err(error) = Err::<Infallible, _>(self.error).during(doing);
        Failure { error, ..self }
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
        Failure { error, cause: Cause::Final, unreached: false, not_tls: false }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {}
