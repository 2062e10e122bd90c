//! Where a layer goes, and what is there already.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::Download;
use crate::compression::Compression;
use crate::digest::{Digest, Verified};
use crate::error::{During, Error, Kind, Result};
use crate::file;

/// The place that a layer is saved at.
pub(crate) enum Target {
    File(PathBuf),
    /// Below it, under the name of the digest.
    Directory(PathBuf),
}

/// Where a layer is.
pub(crate) struct SavedLayer {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Whether it was not there before.
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

    /// Where the layer is while it is not whole: named after the digest, whatever the whole will be
    /// called, so that no other layer is continued by mistake.
    pub(super) fn part(&self, digest: &Digest, kind: &str) -> PathBuf {
        let directory = match self {
            Target::File(path) => path.parent().unwrap_or(Path::new("")),
            Target::Directory(directory) => directory,
        };
        directory.join(format!("{}{kind}.part", name(digest)))
    }
}

impl Download<'_> {
    /// The file that has the layer already. `Kind::Local` if another is in the way.
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
                // A tar may be what was unpacked from the layer, and is in the way of no other.
                Err(_) if compressions.len() > 1 && *compression == Tar => {}
                found => return found,
            }
        }
        Ok(None)
    }

    /// The file at the path if it has the layer; an error if it has not and may not be overwritten.
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
        // What a crash has left empty is nobody's content.
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

/// A colon is the script's way, but no character of a file's name on Windows.
fn name(digest: &Digest) -> String {
    let name = digest.to_string();
    if cfg!(windows) {
        name.replace(':', "-")
    } else {
        name
    }
}
