//! The heap, the limit of open files, how wide the terminal is, whether the output is still read, and
//! who comes until the process is told to end.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;
use std::{iter, thread};

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

/// Lets all other processes have the processor first.
pub(crate) fn step_back() {
    #[cfg(unix)]
    // If that is refused, it works like the others.
    let _ = rustix::process::nice(10);
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

/// Connections, until SIGINT or SIGTERM. The second of these ends the process at once.
pub(crate) struct Arrivals {
    listener: TcpListener,
    #[cfg(unix)]
    signals: UnixStream,
}

impl Arrivals {
    #[cfg(unix)]
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        use std::sync::Arc;
        use std::sync::atomic::AtomicBool;
        let (signals, sender) = UnixStream::pair()?;
        let is_told = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            let told = Arc::clone(&is_told);
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, told)?;
            signal_hook::flag::register(signal, Arc::clone(&is_told))?;
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        // Rust's 128 are too few for a crowd that comes at once.
        rustix::net::listen(&listener, 1024)?;
        listener.set_nonblocking(true)?;
        Ok(Arrivals { listener, signals })
    }

    #[cfg(not(unix))]
    pub(crate) fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Arrivals { listener })
    }

    pub(crate) fn until_told(&self) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
        iter::from_fn(|| {
            while self.wait() {
                match self.accept() {
                    Ok(arrival) => return Some(arrival),
                    Err(error) => match error.kind() {
                        // The client has gone again.
                        ErrorKind::WouldBlock
                        | ErrorKind::Interrupted
                        | ErrorKind::ConnectionAborted => {}
                        // Too many files are open: some will be closed.
                        _ => thread::sleep(Duration::from_millis(10)),
                    },
                }
            }
            None
        })
    }

    /// Those that came before the process was told.
    #[cfg(unix)]
    pub(crate) fn left(&self) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
        iter::from_fn(|| self.accept().ok())
    }

    #[cfg(not(unix))]
    pub(crate) fn left(&self) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
        iter::empty()
    }

    /// Whether there is a connection before there is a signal.
    #[cfg(unix)]
    fn wait(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, poll};
        let mut watched =
            [PollFd::new(&self.listener, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        while poll(&mut watched, None).is_err() {}
        watched[1].revents().is_empty()
    }

    #[cfg(not(unix))]
    fn wait(&self) -> bool {
        true
    }

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, client) = self.listener.accept()?;
        // Some systems have it inherit this from the listener.
        stream.set_nonblocking(false)?;
        Ok((stream, client))
    }
}
