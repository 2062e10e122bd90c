//! The heap, the limit of open files, how wide the terminal is, and whether the output is still read.

#[cfg(unix)]
use std::os::fd::AsFd;

/// Has all threads use one heap, as musl does. Of those that glibc makes for each thread none gives
/// back what another one could use, which doubles the memory of layers that are read side by side,
/// and they grow by a page at a time, which costs a filter over 50 MB a third of its time.
pub(crate) fn one_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call changes a number within the allocator, under its own lock.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// How many of the wanted files may be open at the same time, the limit being raised for them as far
/// as it goes.
#[cfg(unix)]
pub(crate) fn open_files(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let granted = |limit: Option<u64>| {
        let limit = limit.map_or(wanted, |limit| usize::try_from(limit).unwrap_or(wanted));
        limit.min(wanted)
    };
    let limit = getrlimit(Resource::Nofile);
    if granted(limit.current) < wanted {
        let current = Some(granted(limit.maximum) as u64);
        // If that is refused, the old limit remains.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
    }
    granted(getrlimit(Resource::Nofile).current)
}

#[cfg(not(unix))]
pub(crate) fn open_files(wanted: usize) -> usize {
    wanted
}

/// How many columns the terminal has; `None` if it does not say, or is none.
#[cfg(unix)]
pub(crate) fn columns(terminal: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(size.ws_col.into()).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
pub(crate) fn columns<T>(_: T) -> Option<usize> {
    None
}

/// Waits until the other end of a pipe is closed; of what is no pipe, for ever.
#[cfg(unix)]
pub(crate) fn await_close(pipe: impl AsFd) {
    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    let mut watched = [PollFd::new(&pipe, PollFlags::empty())];
    while poll(&mut watched, None) == Err(Errno::INTR) {}
    // macOS says of a pipe that it hung up.
    let closed = PollFlags::ERR | PollFlags::HUP;
    while !watched[0].revents().intersects(closed) {
        std::thread::park();
    }
}

#[cfg(not(unix))]
pub(crate) fn await_close<T>(_: T) {
    loop {
        std::thread::park();
    }
}
