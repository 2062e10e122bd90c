//! Lock files, which name the process that holds them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{is_at, open_owned};
use crate::error::{During, Error, Kind, Result};

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(20);

/// Held until it is released or dropped. The file beside what it protects stays, and says which process had it
/// last.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Whether it could be taken, if not now.
    pub(crate) fn verify(path: &Path) -> io::Result<()> {
        open(path).map(drop)
    }

    /// Waits at most for `timeout`.
    pub(crate) fn take(path: &Path, timeout: Duration) -> Result<Self> {
        let wait = |file: &File, waited: Duration| match waited < timeout {
            true => Ok(()),
            false => Err(held(named(file), timeout)),
        };
        let mut file = exclusive(path, wait).during(path.display())?;
        // On a full disk it is a lock all the same.
        let _ = file.set_len(0);
        let _ = file.write_all(format!("{}\n", std::process::id()).as_bytes());
        Ok(Lock(file))
    }

    pub(crate) fn release(self) -> io::Result<()> {
        self.0.unlock()
    }
}

/// Opens the file for us alone. As long as another process has it, `wait` says whether to go on
/// waiting, knowing for how long we have.
pub(crate) fn exclusive(
    path: &Path,
    mut wait: impl FnMut(&File, Duration) -> Result<()>,
) -> Result<File> {
    let mut waited = Duration::ZERO;
    loop {
        let file = open(path)?;
        match file.try_lock() {
            // The process that held the lock may have renamed or removed the file: then the lock is
            // for another file.
            Ok(()) if !is_at(&file, path) => {}
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                wait(&file, waited)?;
                thread::sleep(PAUSE);
                waited += PAUSE;
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    open_owned(&mut options, path)
}

/// Why a wait has ended.
pub(crate) fn held(process: Option<u32>, timeout: Duration) -> Error {
    let seconds = timeout.as_secs_f64();
    let message = match process {
        Some(process) => format!("process {process} has had the lock for {seconds} s"),
        None => format!("another process has had the lock for {seconds} s"),
    };
    Error::new(Kind::Local, message)
}

/// The process that is named in a lock's file.
fn named(file: &File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The process that has a file which cannot name it: `proc_locks(5)`.
#[cfg(target_os = "linux")]
pub(crate) fn holder(file: &File) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata().ok()?;
    let (major, minor) = (libc::major(metadata.dev()), libc::minor(metadata.dev()));
    let identity = format!("{major:02x}:{minor:02x}:{}", metadata.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let held = locks.lines().find(|line| line.contains(" FLOCK ") && line.contains(&identity))?;
    // `1: FLOCK ADVISORY WRITE 708 08:01:9568 0 EOF`
    held.split_whitespace().nth(4)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn holder(_: &File) -> Option<u32> {
    None
}
