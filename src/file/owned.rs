//! Whose a file is, as the system tells.

#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(not(unix))]
pub(crate) use other::*;

#[cfg(unix)]
mod unix {
    use std::fs::{File, Metadata, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    use std::path::Path;

    use super::super::not_a_file;

    /// Opens a regular file with one name that is ours, not by a link.
    pub(crate) fn open_owned(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        let options = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let opened = options.open(path);
        let file = opened.map_err(|error| match error.raw_os_error() {
            Some(libc::ELOOP) => io::Error::other("a link, not a file"),
            // A FIFO that nobody reads, a socket.
            Some(libc::ENXIO) => not_a_file(),
            _ => error,
        })?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(not_a_file());
        }
        if !is_ours(&metadata) {
            return Err(io::Error::other("another user's file"));
        }
        if metadata.nlink() > 1 {
            return Err(io::Error::other("a file with several names"));
        }
        Ok(file)
    }

    /// An error unless it is a directory, no link to one, and ours.
    pub(crate) fn verify_directory(metadata: &Metadata) -> io::Result<()> {
        if metadata.is_symlink() {
            return Err(io::Error::other("a link, not a directory"));
        }
        if !metadata.is_dir() {
            return Err(io::Error::other("not a directory"));
        }
        match is_ours(metadata) {
            true => Ok(()),
            false => Err(io::Error::other("another user's directory")),
        }
    }

    fn is_ours(metadata: &Metadata) -> bool {
        // SAFETY: it takes nothing, and cannot fail.
        metadata.uid() == unsafe { libc::geteuid() }
    }

    /// Whether others than the owner may write to it.
    pub(crate) fn is_open_to_others(metadata: &Metadata) -> bool {
        metadata.mode() & 0o022 != 0
    }

    pub(crate) fn owner(metadata: &Metadata) -> u32 {
        metadata.uid()
    }

    pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
        options.custom_flags(libc::O_NONBLOCK)
    }

    pub(crate) fn inherit(file: &File, there: &Metadata) -> io::Result<()> {
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (there.uid(), there.gid()) {
            // Only root can give it to another user; who cannot, keeps it.
            let _ = fchown(file, Some(there.uid()), Some(there.gid()));
        }
        file.set_permissions(Permissions::from_mode(there.mode() & 0o777))
    }

    /// Makes writing beyond the limit of a file's size an error: without this the system ends the
    /// process.
    pub(crate) fn survive_size_limit() {
        // SAFETY: to ignore a signal runs no code of ours.
        unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    }
}

#[cfg(not(unix))]
mod other {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::path::Path;

    use super::super::not_a_file;

    pub(crate) fn open_owned(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
        let file = options.open(path)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(not_a_file()),
        }
    }

    pub(crate) fn verify_directory(metadata: &Metadata) -> io::Result<()> {
        match metadata.is_dir() {
            true => Ok(()),
            false => Err(io::Error::other("not a directory")),
        }
    }

    pub(crate) fn is_open_to_others(_: &Metadata) -> bool {
        false
    }

    pub(crate) fn owner(_: &Metadata) -> u32 {
        0
    }

    pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
        options
    }

    pub(crate) fn inherit(file: &File, there: &Metadata) -> io::Result<()> {
        file.set_permissions(there.permissions())
    }

    pub(crate) fn survive_size_limit() {}
}
