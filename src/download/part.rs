//! The partial file of a download, in the directory of the final one.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::compression::Compression;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{During, Error, Kind, Result, say};
use crate::file;

/// How many bytes are read at once to hash an existing file.
const BLOCK: usize = 256 << 10;

/// A locked file, and the running digest of its content.
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    algorithm: Algorithm,
    size: u64,
}

impl PartFile {
    /// Opens the file of an earlier download, or creates it. Waits for another process that
    /// downloads to it, as long as that makes progress within `timeout`.
    pub(super) fn open(path: PathBuf, algorithm: Algorithm, timeout: Duration) -> Result<Self> {
        let file = own(&path, timeout).during(path.display())?;
        let mut part = PartFile { path, file, hasher: Hasher::new(algorithm), algorithm, size: 0 };
        part.hash().during(part.path.display())?;
        Ok(part)
    }

    /// Hashes the existing content.
    fn hash(&mut self) -> Result<()> {
        let mut block = vec![0; BLOCK];
        loop {
            let read = self.file.read(&mut block)?;
            if read == 0 {
                return Ok(());
            }
            self.hasher.update(&block[..read]);
            self.size += read as u64;
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).during(self.path.display())
    }

    pub(super) fn start_over(&mut self) -> Result<()> {
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        self.hasher = Hasher::new(self.algorithm);
        self.size = 0;
        emptied.during(self.path.display())
    }

    /// `Kind::Corrupt` unless the file is complete and has the digest.
    pub(super) fn verify(&self, digest: &Digest, size: Option<u64>) -> Result<()> {
        if let Some(size) = size.filter(|size| *size != self.size) {
            let message = match self.size > size {
                true => format!("the content is longer than the {size} bytes it should have"),
                false => format!("the content has {} bytes, not {size}", self.size),
            };
            return Err(Error::new(Kind::Corrupt, message));
        }
        digest.compare(&self.hasher.clone().digest())
    }

    /// Reads the file from its beginning.
    pub(super) fn reader(&self) -> Result<File> {
        let rewound = self.file.try_clone().and_then(|mut file| {
            file.rewind()?;
            Ok(file)
        });
        rewound.during(self.path.display())
    }

    pub(super) fn compression(&self) -> Result<Compression> {
        let mut start = Vec::new();
        let mut beginning = self.reader()?.take(Compression::START as u64);
        beginning.read_to_end(&mut start).during(self.path.display())?;
        Ok(Compression::of(&start))
    }

    /// Syncs the file to disk and gives it its final name.
    pub(super) fn keep(&self, path: &Path) -> Result<()> {
        let renamed = file::place(path).and_then(|to| file::rename(&self.file, &self.path, &to));
        renamed.during(path.display())
    }

    pub(super) fn remove(&self) {
        // A file that cannot be removed does no harm: the next download verifies its content.
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens and locks the file. Waits for a process that downloads to it as long as the file grows.
fn own(path: &Path, timeout: Duration) -> Result<File> {
    let (mut before, mut since) = (None, Duration::ZERO);
    file::exclusive(path, |file, waited| {
        if before.is_none() {
            let (name, other) = (path.display(), other(file));
            say(&format!("docker-registry: {name}: waiting for {other}"));
        }
        let size = Some(file.metadata()?.len());
        if size != before {
            (before, since) = (size, waited);
        }
        match waited - since < timeout {
            true => Ok(()),
            false => Err(file::held(file::holder(file), timeout)),
        }
    })
}

fn other(file: &File) -> String {
    match file::holder(file) {
        Some(process) => format!("another download, of process {process}"),
        None => "another download".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_download_that_gets_on_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part");
        let mut other = own(&path, Duration::ZERO).unwrap();
        let writing = thread::spawn(move || {
            for _ in 0..100 {
                other.write_all(b".").unwrap();
                thread::sleep(Duration::from_millis(10));
            }
        });
        // Less than it takes in all.
        let file = own(&path, Duration::from_millis(400)).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100);
        writing.join().unwrap();
    }
}
