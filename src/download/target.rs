//! The file that a layer is saved in, and whether it exists already.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Download;
use crate::compression::Compression;
use crate::digest::{Digest, Hasher};
use crate::error::{During, Error, Kind, Result};
use crate::file;

pub(crate) enum Target {
    File(PathBuf),
    /// In this directory, named after the digest.
    Directory(PathBuf),
}

pub(crate) struct SavedLayer {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Whether it was downloaded now.
    pub(crate) is_new: bool,
}

impl Target {
    /// The file, or the one that a link of the same owner leads to.
    pub(crate) fn file(path: &Path) -> Result<Self> {
        file::place(path).map(Target::File).during(path.display())
    }

    pub(super) fn path(&self, digest: &Digest, compression: Compression) -> PathBuf {
        match (self, compression) {
            (Target::File(path), _) => path.clone(),
            (_, Compression::Gzip) => self.named(digest, ".tgz"),
            (_, Compression::Zstd) => self.named(digest, ".tar.zst"),
            (_, Compression::None) => self.named(digest, ".tar"),
        }
    }

    /// A file beside it that is named after the digest, as partial files are: a download never
    /// continues with the bytes of another layer.
    pub(super) fn named(&self, digest: &Digest, ending: &str) -> PathBuf {
        let directory = match self {
            Target::File(path) => path.parent().unwrap_or(Path::new("")),
            Target::Directory(directory) => directory,
        };
        // A colon, as with the bash script; Windows does not allow it in names.
        let name = digest.to_string().replace(':', if cfg!(windows) { "-" } else { ":" });
        directory.join(name + ending)
    }
}

impl Download<'_> {
    /// The file that has the layer already. `Kind::Local` if its name is taken by other content.
    pub(super) fn find(&self, target: &Target) -> Result<Option<SavedLayer>> {
        use Compression::{Gzip, None as Tar, Zstd};
        let digest = &self.layer.digest;
        let compressions = match (target, self.unpack) {
            (Target::Directory(_), false) => &[Gzip, Zstd, Tar][..],
            _ => &[Tar],
        };
        for compression in compressions {
            match self.compare(&target.path(digest, *compression)) {
                Ok(None) => {}
                // A `.tar` may be the unpacked layer, which is not the name that the compressed
                // layer needs.
                Err(_) if compressions.len() > 1 && *compression == Tar => {}
                found => return found,
            }
        }
        Ok(None)
    }

    /// The file at the path if it has the layer; an error if it has other content and may not be
    /// overwritten.
    pub(super) fn compare(&self, path: &Path) -> Result<Option<SavedLayer>> {
        let mut file = match file::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.during(path.display())?,
        };
        let mut size = file.metadata().during(path.display())?.len();
        let expected = match self.unpack {
            true => self.layer.diff_id.as_ref(),
            false => Some(&self.layer.digest),
        };
        if let Some(expected) = expected {
            let mut hasher = Hasher::new(expected.algorithm());
            size = hasher.read(&mut file).during(path.display())?;
            if hasher.digest() == *expected {
                return Ok(Some(SavedLayer { path: path.to_owned(), size, is_new: false }));
            }
        }
        // An empty file is what a crash leaves, and may be replaced.
        if self.force || size == 0 {
            return Ok(None);
        }
        let message = match expected {
            Some(_) => "the file exists and has other content",
            None => "the file exists, and its content cannot be checked",
        };
        let error = Error::new(Kind::Local, message).hint("--force overwrites it");
        Err(error).during(path.display())
    }
}
