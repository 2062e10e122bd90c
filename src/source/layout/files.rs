//! The files of a layout, in a directory or in a tar.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::content::LIMIT;
use crate::error::{During, Error, Kind, Result};
use crate::file;
use crate::source::Blob;

/// The files of a layout, by the names that image-layout.md gives them.
pub(in crate::source) trait Files: Send + Sync {
    /// The file from `from` on, or from its beginning. `None` if there is no such file.
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>>;
}

impl Files for PathBuf {
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>> {
        let opened = file::open(&self.join(name)).and_then(|file| {
            let size = file.metadata()?.len();
            part(file, 0, size, from)
        });
        match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            blob => blob.map(Some).during(name),
        }
    }
}

/// `size` bytes of the file, starting at `offset`, from their `from`th on if there is one.
pub(super) fn part(
    mut file: impl Read + Seek + Send + 'static,
    offset: u64,
    size: u64,
    from: u64,
) -> io::Result<Blob> {
    let from = if from <= size { from } else { 0 };
    file.seek(SeekFrom::Start(offset + from))?;
    Ok(Blob { reader: Box::new(file.take(size - from)), from, size: Some(size) })
}

/// All of a file that must be small. `Kind::Local` if it is larger than a document may be.
pub(super) fn small(blob: Blob) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    blob.reader.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        let message = format!("expected at most {} MiB", LIMIT >> 20);
        return Err(Error::new(Kind::Local, message));
    }
    Ok(bytes)
}
