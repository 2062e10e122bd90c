//! Tars that others made: how many bytes their headers may have, and what is said of damaged ones.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};

use crate::error::{Error, Kind};

/// How many bytes the headers between two files may have: the tar crate reads names and extended
/// headers of any length into memory.
const HEADERS: u64 = 1 << 20;

/// How many bytes of a tar can be read until the limit is raised.
#[derive(Default)]
pub(crate) struct HeaderLimit(Cell<u64>);

impl HeaderLimit {
    /// The tar, to be read within the limit.
    pub(crate) fn of<R>(&self, tar: R) -> Limited<'_, R> {
        Limited { tar, left: &self.0 }
    }

    /// Reads headers. The content that is read afterwards has no limit.
    pub(crate) fn headers<T>(&self, read: impl FnOnce() -> T) -> T {
        self.0.set(HEADERS);
        let headers = read();
        self.0.set(u64::MAX);
        headers
    }
}

pub(crate) struct Limited<'a, R> {
    tar: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.tar.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64).ok_or_else(|| {
            let message = format!("the tar has a name or header of more than {HEADERS} bytes");
            Error::new(Kind::Corrupt, message)
        })?;
        self.left.set(left);
        Ok(read)
    }
}

impl<R: Seek> Seek for Limited<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.tar.seek(to)
    }
}

/// The tar crate's errors have no kind of their own.
pub(crate) fn damage(error: io::Error) -> Error {
    let is_ours = error.get_ref().is_some_and(|inner| inner.is::<Error>());
    if is_ours || error.raw_os_error().is_some() {
        return error.into();
    }
    Error::new(Kind::Corrupt, format!("not a tar, or a damaged one: {error}"))
}
