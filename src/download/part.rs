//! The partial file of a download, in the directory of the final one.

use std::fs::{self, File};
use std::io::{BufRead, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{During, Error, Kind, Result, say};
use crate::file;
use crate::readahead::Readahead;

/// After so many bytes the disk begins with them.
const BEHIND: u64 = 8 << 20;

/// A locked file, and the running digest of its content.
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    algorithm: Algorithm,
    pub(super) size: u64,
}

impl PartFile {
    /// Opens the file of an earlier download, or creates it. Waits for another process that
    /// downloads to it, as long as that makes progress within `timeout`.
    pub(super) fn open(path: PathBuf, algorithm: Algorithm, timeout: Duration) -> Result<Self> {
        let waiting = |process: Option<u32>| {
            let process = process.map(|it| format!(", of process {it}")).unwrap_or_default();
            let path = path.display();
            say(&format!("docker-registry: {path}: waiting for another download{process}"));
        };
        let mut file = file::exclusive(&path, timeout, waiting).during(path.display())?;
        let mut hasher = Hasher::new(algorithm);
        let size = hasher.read(&mut file).during(path.display())?;
        Ok(PartFile { path, file, hasher, algorithm, size })
    }

    /// Appends everything that arrives; stops soon after the expected size is exceeded.
    pub(super) fn append(
        &mut self,
        content: impl Read + Send + 'static,
        size: Option<u64>,
    ) -> Result<()> {
        let mut content = Readahead::start(content)?;
        let mut begun = self.size;
        loop {
            let block = content.fill_buf()?;
            let length = block.len();
            if length == 0 || size.is_some_and(|size| self.size > size) {
                return Ok(());
            }
            self.hasher.update(block);
            self.size += length as u64;
            self.file.write_all(block).during(self.path.display())?;
            content.consume(length);
            if self.size - begun >= BEHIND {
                file::write_behind(&self.file, begun, self.size - begun);
                begun = self.size;
            }
        }
    }

    pub(super) fn start_over(&mut self) -> Result<()> {
        self.hasher = Hasher::new(self.algorithm);
        self.size = 0;
        self.file.rewind().and_then(|()| self.file.set_len(0)).during(self.path.display())
    }

    /// `Kind::Corrupt` unless the file is complete and has the digest.
    pub(super) fn verify(&self, digest: &Digest, size: Option<u64>) -> Result<()> {
        let message = match size {
            Some(size) if self.size > size => {
                format!("the content is longer than the {size} bytes it should have")
            }
            Some(size) if self.size < size => {
                format!("the content has {} bytes, not {size}", self.size)
            }
            _ => return digest.compare(&self.hasher.clone().digest()),
        };
        Err(Error::new(Kind::Corrupt, message))
    }

    /// Reads the file from its beginning.
    pub(super) fn reader(&self) -> Result<File> {
        let mut file = self.file.try_clone().during(self.path.display())?;
        file.rewind().during(self.path.display())?;
        Ok(file)
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_download_that_gets_on_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part");
        let open = |timeout| PartFile::open(path.clone(), Algorithm::Sha256, timeout).unwrap();
        let mut other = open(Duration::ZERO).file;
        let writing = thread::spawn(move || {
            for _ in 0..100 {
                other.write_all(b".").unwrap();
                thread::sleep(Duration::from_millis(10));
            }
        });
        // Less than it takes in all.
        assert_eq!(open(Duration::from_millis(400)).size, 100);
        writing.join().unwrap();
    }
}
