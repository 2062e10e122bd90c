//! Files on this machine: replaced as a whole, and opened only where they are ours.

mod lock;
mod owned;
mod shared;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, SpooledData};

pub(crate) use lock::{exclusive, lock, open_lock};
pub(crate) use owned::{Status, open_owned, survive_size_limit, verify_directory, write_behind};
pub(crate) use shared::SharedFile;

/// What waits to be used: small in memory, larger in a file without a name.
pub(crate) type Spool = tempfile::SpooledTempFile;

pub(crate) fn spool() -> Spool {
    tempfile::spooled_tempfile(1 << 20)
}

/// What came to an end: in memory, or as a file that several may read.
pub(crate) enum Settled {
    Memory(Vec<u8>),
    File(SharedFile),
}

pub(crate) fn settled(spool: Spool) -> Settled {
    match spool.into_inner() {
        SpooledData::InMemory(bytes) => Settled::Memory(bytes.into_inner()),
        SpooledData::OnDisk(file) => Settled::File(file.into()),
    }
}

/// All that a reader gives, in a file without a name.
pub(crate) fn unnamed(mut content: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut content, &mut file)?;
    Ok(file)
}

/// How many links may lead to one another.
const LINKS: usize = 40;

/// Puts a file with this content in the place of what is there, and on the disk. Whoever reads
/// meanwhile sees the old one or the new one. Who may read it stays as it was; what is new is its
/// owner's.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    replace_from(path, content)
}

/// The same with what a reader gives.
pub(crate) fn replace_from(path: &Path, mut content: impl Read) -> io::Result<()> {
    let path = place(path)?;
    let mut file = NamedTempFile::new_in(directory(&path))?;
    io::copy(&mut content, &mut file)?;
    owned::inherit(file.as_file(), &path)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    synchronize(directory(&path))
}

/// The same, of parts, for what may be lost and is nobody else's to read. What stands under the name is not
/// looked at, nor followed.
pub(crate) fn replace_private(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(directory(path))?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    if let Err(error) = file.persist(path) {
        // A file does not take the place of a directory.
        fs::remove_dir_all(path).map_err(|_| error.error)?;
        error.file.persist(path)?;
    }
    Ok(())
}

/// Gives a file that is whole, and then on the disk, this name. It takes over who may read what was
/// there.
pub(crate) fn rename(file: &File, from: &Path, to: &Path) -> io::Result<()> {
    owned::inherit(file, to)?;
    file.sync_all()?;
    fs::rename(from, to)?;
    synchronize(directory(to))
}

/// Where a file of this name is or would be: at the end of links, if whoever made them has the file
/// too. Only files are replaced.
pub(crate) fn place(path: &Path) -> io::Result<PathBuf> {
    let (mut path, mut makers) = (path.to_owned(), Vec::new());
    while makers.len() < LINKS {
        let there = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Err(_) if makers.is_empty() => return Ok(path),
            Err(_) => return Err(io::Error::other("a link that leads to nothing")),
            Ok(there) => there,
        };
        let owner = Status::of(&there).owner;
        if there.is_symlink() {
            makers.push(owner);
            path = path.parent().unwrap_or(Path::new("")).join(fs::read_link(&path)?);
        } else if !there.is_file() {
            return Err(not_a_file());
        } else if makers.iter().any(|maker| *maker != owner) {
            return Err(io::Error::other("a link to a file of another user"));
        } else {
            return Ok(path);
        }
    }
    Err(io::Error::other("too many links"))
}

/// Opens a regular file to be read; links are followed.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    owned::open(OpenOptions::new().read(true), true, path)
}

/// Whether it is a temporary file, as a killed process leaves it.
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(b".tmp")
}

fn not_a_file() -> io::Error {
    io::Error::other("not a file")
}

fn directory(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Syncs the directory, so that the new name survives a crash.
fn synchronize(directory: &Path) -> io::Result<()> {
    use ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    if cfg!(not(unix)) {
        return Ok(());
    }
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.or_else(|error| match error.kind() {
        // Not every file system can, and not every directory may be read that may be written.
        InvalidInput | PermissionDenied | Unsupported => Ok(()),
        _ => Err(error),
    })
}
