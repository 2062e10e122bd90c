//! Lock files, which name the process that holds them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{Status, open_owned};
use crate::error::{During, Error, Kind, Result};

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held until the file is closed. The file beside what it protects stays, and says
/// which process had it last. Waits at most for `timeout` while one process has it.
pub(crate) fn lock(path: &Path, timeout: Duration) -> Result<File> {
    let mut file = exclusive(path, timeout, |_| ()).during(path.display())?;
    // On a full disk it is a lock all the same.
    let _ = file.set_len(0);
    let _ = file.write_all(format!("{}\n", std::process::id()).as_bytes());
    Ok(file)
}

/// Opens the file for us alone. Waits for another process that has it as long as the file changes
/// its size within `timeout`; `waiting` learns which one, if that is known.
pub(crate) fn exclusive(
    path: &Path,
    timeout: Duration,
    waiting: impl Fn(Option<u32>),
) -> Result<File> {
    let (mut before, mut waited, mut since) = (None, Duration::ZERO, Duration::ZERO);
    loop {
        let file = open_lock(path)?;
        match file.try_lock() {
            // The process that held the lock may have renamed or removed the file: then the lock is
            // for another file.
            Ok(()) if !is_at(&file, path) => continue,
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
        }
        let process = holder(&file);
        if before.is_none() {
            waiting(process);
        }
        let size = Some(file.metadata()?.len());
        if size != before {
            (before, since) = (size, waited);
        }
        if waited - since >= timeout {
            let process =
                process.map_or("another process".to_owned(), |it| format!("process {it}"));
            let message = format!("{process} has had the lock for {} s", timeout.as_secs_f64());
            return Err(Error::new(Kind::Local, message));
        }
        thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

/// The lock's file, whether another process has the lock or not.
pub(crate) fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open_owned(&mut options, path)
}

/// Whether the path still leads to the file that is open.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    Status::of(&ours).identity == Status::of(&there).identity
}

/// The process that has the file: the one it names, else the one the system names: `proc_locks(5)`.
fn holder(file: &File) -> Option<u32> {
    let mut text = String::new();
    let named = file.take(20).read_to_string(&mut text);
    if let Some(process) = named.ok().and_then(|_| text.trim().parse().ok()) {
        return Some(process);
    }
    #[cfg(target_os = "linux")]
    {
        let (device, inode) = Status::of(&file.metadata().ok()?).identity;
        let (major, minor) = (libc::major(device), libc::minor(device));
        let identity = format!("{major:02x}:{minor:02x}:{inode}");
        let locks = fs::read_to_string("/proc/locks").ok()?;
        let is_held = |line: &&str| line.contains(" FLOCK ") && line.contains(&identity);
        // `1: FLOCK ADVISORY WRITE 708 08:01:9568 0 EOF`
        locks.lines().find(is_held)?.split_whitespace().nth(4)?.parse().ok()
    }
    #[cfg(not(target_os = "linux"))]
    None
}
