//! Whose a file is, as the system tells.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::not_a_file;

/// What a system without owners says the same of every file.
#[derive(Default)]
pub(crate) struct Status {
    pub(super) owner: u32,
    /// Device and inode.
    pub(crate) identity: (u64, u64),
    names: u64,
    mode: u32,
}

impl Status {
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Status {
            owner: metadata.uid(),
            identity: (metadata.dev(), metadata.ino()),
            names: metadata.nlink(),
            mode: metadata.mode(),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Self {
        Status::default()
    }

    fn is_ours(&self) -> bool {
        // SAFETY: it takes nothing, and cannot fail.
        #[cfg(unix)]
        let us = unsafe { libc::geteuid() };
        #[cfg(not(unix))]
        let us = 0;
        self.owner == us
    }

    /// Whether others than the owner may write to it.
    pub(crate) fn is_open_to_others(&self) -> bool {
        self.mode & 0o022 != 0
    }
}

/// Opens a regular file with one name that is ours, not by a link.
pub(crate) fn open_owned(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = open(options, false, path).map_err(|error| match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => io::Error::other("a link, not a file"),
        // A FIFO that nobody reads, a socket.
        Ok(there) if !there.is_file() => not_a_file(),
        _ => error,
    })?;
    let status = Status::of(&file.metadata()?);
    if !status.is_ours() {
        return Err(io::Error::other("another user's file"));
    }
    if status.names > 1 {
        return Err(io::Error::other("a file with several names"));
    }
    Ok(file)
}

/// Opens a regular file. Never waits, as for the other end of a FIFO.
pub(super) fn open(options: &mut OpenOptions, by_link: bool, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        options,
        libc::O_NONBLOCK | if by_link { 0 } else { libc::O_NOFOLLOW },
    );
    #[cfg(not(unix))]
    let _ = by_link;
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(not_a_file()),
    }
}

/// An error unless it is a directory, no link to one, and ours.
pub(crate) fn verify_directory(metadata: &Metadata) -> io::Result<()> {
    Err(io::Error::other(match metadata {
        it if it.is_symlink() => "a link, not a directory",
        it if !it.is_dir() => "not a directory",
        it if !Status::of(it).is_ours() => "another user's directory",
        _ => return Ok(()),
    }))
}

/// Takes over owner and permissions of the file that is there, without the setuid and setgid bits.
pub(super) fn inherit(file: &File, path: &Path) -> io::Result<()> {
    let Some(there) = fs::symlink_metadata(path).ok().filter(Metadata::is_file) else {
        return Ok(());
    };
    let permissions = there.permissions();
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (there.uid(), there.gid()) {
            // Only root can give it to another user; who cannot, keeps it.
            let _ = fchown(file, Some(there.uid()), Some(there.gid()));
        }
        std::fs::Permissions::from_mode(permissions.mode() & 0o777)
    };
    file.set_permissions(permissions)
}

/// Has the system begin to write these bytes to the disk, so that little is left when the file is
/// synced. Only Linux can be told.
pub(crate) fn write_behind(file: &File, from: u64, length: u64) {
    #[cfg(target_os = "linux")]
    if let (Ok(from), Ok(length)) = (from.try_into(), length.try_into()) {
        use std::os::fd::AsRawFd;
        // SAFETY: no memory is handed over. It is a wish: that it is not granted changes nothing.
        unsafe {
            libc::sync_file_range(file.as_raw_fd(), from, length, libc::SYNC_FILE_RANGE_WRITE)
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, from, length);
}

/// Makes writing beyond the limit of a file's size an error: without this the system ends the
/// process.
pub(crate) fn survive_size_limit() {
    // SAFETY: to ignore a signal runs no code of ours.
    #[cfg(unix)]
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN)
    };
}
