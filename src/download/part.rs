//! The beginning of a file, beside where the whole will be.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::compression::Compression;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{During, Error, Kind, Result, say};
use crate::file;

/// How much is read at once to hash what is there.
const BLOCK: usize = 256 << 10;

/// A file of which nobody else writes, and the running digest of what is in it.
pub(super) struct PartFile {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    algorithm: Algorithm,
    size: u64,
}

impl PartFile {
    /// Opens what an earlier download left, or begins. Waits for one that is under way, if it is
    /// not silent for longer than `timeout`.
    pub(super) fn open(path: PathBuf, algorithm: Algorithm, timeout: Duration) -> Result<Self> {
        let file = own(&path, timeout).during(path.display())?;
        let mut part = PartFile {
            path,
            file,
            hasher: Hasher::new(algorithm),
            algorithm,
            size: 0,
        };
        part.hash().during(part.path.display())?;
        Ok(part)
    }

    /// What is there is not trusted because it is there.
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

    /// `Kind::Corrupt` unless the part is the whole of it.
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

    /// From the beginning.
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
        beginning
            .read_to_end(&mut start)
            .during(self.path.display())?;
        Ok(Compression::of(&start))
    }

    /// Puts it on the disk under the name of the whole.
    pub(super) fn keep(&self, path: &Path) -> Result<()> {
        let renamed = file::place(path).and_then(|to| file::rename(&self.file, &self.path, &to));
        renamed.during(path.display())
    }

    pub(super) fn remove(&self) {
        // That it is left over does no harm: the next download looks at what is in it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens the file for us alone. A download that is under way is waited for as long as it gets on.
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
