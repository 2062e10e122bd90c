//! The files of a layout, in a directory or another container.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::content::LIMIT;
use crate::error::{During, Error, Kind, Result};
use crate::source::Blob;

/// The files of a layout, by the names that image-layout.md gives them.
pub(in crate::source) trait Files: Send + Sync {
    /// The file from `from` on, or from its beginning. `None` if there is no such file.
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>>;
}

/// A directory on disk.
pub(super) struct Directory(PathBuf);

impl Directory {
    /// `Kind::NotFound` if there is none, `Kind::Local` if it is something else.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let there = path.display();
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Ok(Directory(path.to_owned())),
            Ok(_) => Err(Error::new(Kind::Local, format!("{there}: not a directory"))
                .hint(format!("a layout in a tar is oci-archive:{there}"))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let message = format!("{there}: no such directory");
                Err(Error::new(Kind::NotFound, message))
            }
            Err(error) => Err(error).during(there),
        }
    }
}

impl Files for Directory {
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>> {
        let path = self.0.join(name);
        // Opening a FIFO would wait for its writer.
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(Error::new(Kind::Local, format!("{name}: not a file"))),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).during(name),
        }
        let file = File::open(&path).during(name)?;
        let size = file.metadata().during(name)?.len();
        part(file, 0, size, from).map(Some).during(name)
    }
}

/// `size` bytes of the file, starting at `offset`, from their `from`th on if there is one.
pub(in crate::source) fn part(mut file: File, offset: u64, size: u64, from: u64) -> Result<Blob> {
    let from = if from <= size { from } else { 0 };
    file.seek(SeekFrom::Start(offset + from))?;
    Ok(Blob { reader: Box::new(file.take(size - from)), from, size: Some(size) })
}

/// All of a file that must be small. `Kind::Local` if it is larger than a document may be.
pub(in crate::source) fn small(blob: Blob) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    blob.reader.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        let message = format!("expected at most {} MiB", LIMIT >> 20);
        return Err(Error::new(Kind::Local, message));
    }
    Ok(bytes)
}
