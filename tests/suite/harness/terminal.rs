//! A program on a terminal: a pseudo-terminal whose other end is ours.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::output::Output;
use super::running::Running;

/// Runs a command whose three streams are one terminal, its own.
pub(super) fn run(
    mut command: Command,
    line: String,
    typed: &[(&str, &str)],
    limit: Duration,
) -> Output {
    let (ours, theirs) = open();
    let stream = || Stdio::from(theirs.try_clone().expect("a descriptor"));
    command.stdin(stream()).stdout(stream()).stderr(stream());
    let own_terminal = || {
        // SAFETY: both are system calls that may be made between fork and exec.
        let done = unsafe { libc::setsid() >= 0 && libc::ioctl(0, libc::TIOCSCTTY as _, 0) == 0 };
        match done {
            true => Ok(()),
            false => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure allocates nothing and takes no lock.
    unsafe { command.pre_exec(own_terminal) };
    let running = Running::start(command, line.clone(), Vec::new(), limit);
    drop(theirs);
    let seen = watch(ours, typed, Instant::now() + limit);
    let seen = seen.unwrap_or_else(|seen| {
        let seen = String::from_utf8_lossy(&seen);
        panic!("$ {line}\nstill ran after {limit:?}; the terminal saw\n{seen:?}")
    });
    let mut output = running.wait();
    output.stdout = seen;
    output
}

/// All that the terminal shows until the program has closed it; what it showed so far as an error
/// when that takes too long.
fn watch(mut ours: File, typed: &[(&str, &str)], deadline: Instant) -> Result<Vec<u8>, Vec<u8>> {
    let shown = chunks(ours.try_clone().expect("a descriptor"));
    let mut typed = typed.iter();
    let mut next = typed.next();
    let (mut seen, mut answered) = (Vec::new(), 0);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match shown.recv_timeout(left) {
            Ok(chunk) => seen.extend(chunk),
            Err(RecvTimeoutError::Disconnected) => return Ok(seen),
            Err(RecvTimeoutError::Timeout) => return Err(seen),
        }
        while let Some((prompt, answer)) = next {
            let Some(position) = find(&seen[answered..], prompt.as_bytes()) else {
                break;
            };
            answered += position + prompt.len();
            if prompt.starts_with("Password") {
                wait_for_silence(&ours, deadline);
            }
            ours.write_all(answer.as_bytes()).expect("a terminal");
            next = typed.next();
        }
    }
}

/// Waits until the terminal echoes no more, which programs see to when they have asked already.
fn wait_for_silence(terminal: &File, deadline: Instant) {
    let echoes = || {
        // SAFETY: a termios is plain data which tcgetattr fills in.
        let mode = unsafe {
            let mut mode: libc::termios = std::mem::zeroed();
            libc::tcgetattr(terminal.as_raw_fd(), &mut mode);
            mode
        };
        mode.c_lflag & libc::ECHO != 0
    };
    while echoes() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn chunks(mut from: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        // Linux ends a terminal with an error, not with nothing.
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            sender.send(buffer[..read].to_vec()).ok();
        }
    });
    receiver
}

/// Both ends of a terminal of 80 columns that echoes, and does not turn `\n` into `\r\n`.
/// No other program that starts meanwhile gets them: it would keep the terminal open.
fn open() -> (File, OwnedFd) {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    let size = libc::winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: each descriptor is checked before it is owned; the name fits in its buffer; a termios is
    // plain data which tcgetattr fills in.
    unsafe {
        let ours = owned(libc::posix_openpt(flags));
        let mut name = [0; 64];
        let named = libc::grantpt(ours.as_raw_fd()) == 0
            && libc::unlockpt(ours.as_raw_fd()) == 0
            && libc::ptsname_r(ours.as_raw_fd(), name.as_mut_ptr(), name.len()) == 0;
        assert!(named, "no terminal: {}", std::io::Error::last_os_error());
        let theirs = owned(libc::open(name.as_ptr(), flags));
        let mut mode: libc::termios = std::mem::zeroed();
        libc::tcgetattr(theirs.as_raw_fd(), &mut mode);
        mode.c_oflag &= !libc::OPOST;
        libc::tcsetattr(theirs.as_raw_fd(), libc::TCSANOW, &mode);
        libc::ioctl(theirs.as_raw_fd(), libc::TIOCSWINSZ, &size);
        (File::from(ours), theirs)
    }
}

/// # Safety
/// The descriptor is nobody else's.
unsafe fn owned(descriptor: i32) -> OwnedFd {
    let error = std::io::Error::last_os_error();
    assert!(descriptor >= 0, "no terminal: {error}");
    // SAFETY: it is open, and the caller says that it is nobody else's.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
