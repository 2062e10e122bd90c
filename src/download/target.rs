//! The file that a layer is saved in, and whether it exists already.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Download;
use crate::compression::Compression;
use crate::digest::{Digest, Verified};
use crate::error::{During, Error, Kind, Result};
use crate::file;

/// Where a layer is saved.
pub(crate) enum Target {
    File(PathBuf),
    /// In this directory, named after the digest.
    Directory(PathBuf),
}

/// A layer that has been saved.
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
        let extension = match compression {
            Compression::Gzip => "tgz",
            Compression::Zstd => "tar.zst",
            Compression::None => "tar",
        };
        match self {
            Target::File(path) => path.clone(),
            Target::Directory(directory) => directory.join(format!("{}.{extension}", name(digest))),
        }
    }

    /// The partial file: always named after the digest, so that a download never continues with the
    /// bytes of another layer.
    pub(super) fn part(&self, digest: &Digest, kind: &str) -> PathBuf {
        let directory = match self {
            Target::File(path) => path.parent().unwrap_or(Path::new("")),
            Target::Directory(directory) => directory,
        };
        directory.join(format!("{}{kind}.part", name(digest)))
    }
}

impl Download<'_> {
    /// The file that has the layer already. `Kind::Local` if its name is taken by other content.
    pub(super) fn find(&self, target: &Target) -> Result<Option<SavedLayer>> {
        use Compression::{Gzip, None as Tar, Zstd};
        let digest = &self.layer.digest;
        let compressions = match (target, self.unpack) {
            (Target::File(_), _) | (_, true) => &[Tar][..],
            (Target::Directory(_), false) => &[Gzip, Zstd, Tar],
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
        let size = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            Ok(_) => return Err(Error::new(Kind::Local, "not a file")).during(path.display()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).during(path.display()),
        };
        let expected = match self.unpack {
            true => self.layer.diff_id.as_ref(),
            false => Some(&self.layer.digest),
        };
        if let Some(expected) = expected
            && has(path, expected).during(path.display())?
        {
            let path = path.to_owned();
            let is_new = false;
            return Ok(Some(SavedLayer { path, size, is_new }));
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

fn has(path: &Path, digest: &Digest) -> Result<bool> {
    let mut content = Verified::new(File::open(path)?, digest.clone(), None);
    match io::copy(&mut content, &mut io::sink()).map_err(Error::from) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == Kind::Corrupt => Ok(false),
        Err(error) => Err(error),
    }
}

/// The name contains a colon, as with the bash script; Windows does not allow it in names.
fn name(digest: &Digest) -> String {
    let name = digest.to_string();
    if cfg!(windows) { name.replace(':', "-") } else { name }
}
