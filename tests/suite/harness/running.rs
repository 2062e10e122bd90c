//! A program while it runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::output::Output;

/// A started program, killed when it is dropped or takes too long.
pub struct Running {
    child: Child,
    line: String,
    limit: Duration,
    deadline: Instant,
    stdout: Mutex<Receiver<Vec<u8>>>,
    stderr: Mutex<Receiver<Vec<u8>>>,
    /// The first line of stderr, as soon as it is there.
    said: Mutex<Receiver<String>>,
}

impl Running {
    pub(super) fn start(
        mut command: Command,
        line: String,
        stdin: Vec<u8>,
        limit: Duration,
    ) -> Running {
        #[cfg(unix)]
        heed_interrupts(&mut command);
        let spawned = command.spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("$ {line}: {error}"));
        // The command holds the files it gives to the child.
        drop(command);
        if let Some(mut pipe) = child.stdin.take() {
            std::thread::spawn(move || pipe.write_all(&stdin));
        }
        let (stdout, _) = collect(child.stdout.take());
        let (stderr, said) = collect(child.stderr.take());
        Running {
            stdout: Mutex::new(stdout),
            stderr: Mutex::new(stderr),
            said: Mutex::new(said),
            child,
            line,
            limit,
            deadline: Instant::now() + limit,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the first line on stderr, without its end.
    pub fn said(&self) -> String {
        let line = self.said.lock().unwrap().recv_timeout(self.limit);
        let line = line.unwrap_or_else(|_| panic!("$ {}\nsaid nothing", self.line));
        line.trim_end().to_owned()
    }

    /// Kills it as the kernel would; then `wait` gives what it had written.
    pub fn kill(&mut self) {
        self.child.kill().ok();
    }

    /// Ctrl-C: a signal to it and its children.
    #[cfg(unix)]
    pub fn interrupt(&mut self) {
        signal_group(&self.child, libc::SIGINT);
    }

    /// What service managers and containers send.
    #[cfg(unix)]
    pub fn terminate(&mut self) {
        signal_group(&self.child, libc::SIGTERM);
    }

    /// Looks at the most memory that it ever had, in bytes, until it has ended. What the kernel tells
    /// whoever waits for it begins with the memory of the process that started it.
    #[cfg(target_os = "linux")]
    pub(super) fn peak(&self) -> std::thread::JoinHandle<usize> {
        let path = format!("/proc/{}/status", self.id());
        std::thread::spawn(move || {
            let mut peak = 0;
            // What has ended and not been waited for has no memory any more.
            while let Some(now) = most(&std::fs::read_to_string(&path).unwrap_or_default()) {
                peak = now.max(peak);
                std::thread::sleep(Duration::from_millis(1));
            }
            peak
        })
    }

    /// Waits for its end.
    #[must_use = "an output that nobody looks at proves nothing"]
    pub fn wait(mut self) -> Output {
        let stdout = self.rest(&self.stdout);
        let stderr = self.rest(&self.stderr);
        let status = loop {
            match self.child.try_wait().expect("a child") {
                Some(status) => break status,
                None if Instant::now() > self.deadline => self.too_long(),
                // Its outputs are closed already: this is the moment between that and its end.
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        Output::new(self.line.clone(), status, stdout, stderr)
    }

    fn rest(&self, from: &Mutex<Receiver<Vec<u8>>>) -> Vec<u8> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match from.lock().unwrap().recv_timeout(left) {
            Ok(bytes) => bytes,
            Err(RecvTimeoutError::Timeout) => self.too_long(),
            Err(RecvTimeoutError::Disconnected) => Vec::new(),
        }
    }

    fn too_long(&self) -> ! {
        panic!("$ {}\nstill ran after {:?}", self.line, self.limit)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        #[cfg(unix)]
        signal_group(&self.child, libc::SIGKILL);
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a process's status says of the most memory that it ever had.
#[cfg(target_os = "linux")]
fn most(status: &str) -> Option<usize> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

/// `nohup … &` ignores SIGINT, and a child inherits that: then Ctrl-C would not end it.
#[cfg(unix)]
fn heed_interrupts(command: &mut Command) {
    // SAFETY: a sigaction is plain data which the call fills in.
    let inherited = unsafe {
        let mut inherited: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGINT, std::ptr::null(), &mut inherited);
        inherited.sa_sigaction
    };
    if inherited != libc::SIG_IGN {
        return;
    }
    let heed = || {
        // SAFETY: a system call that may be made between fork and exec.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
        Ok(())
    };
    // SAFETY: the closure allocates nothing and takes no lock.
    unsafe { std::os::unix::process::CommandExt::pre_exec(command, heed) };
}

/// Signals a child that was not yet waited for, and its own children.
#[cfg(unix)]
fn signal_group(child: &Child, signal: i32) {
    let group: i32 = child.id().try_into().expect("an id of a process");
    // SAFETY: kill has no memory to violate; the child leads a group of its own.
    unsafe { libc::kill(-group, signal) };
}

/// Reads to the end in a thread, so that no pipe runs full; tells of the first line before.
fn collect(pipe: Option<impl Read + Send + 'static>) -> (Receiver<Vec<u8>>, Receiver<String>) {
    let (sender, receiver) = channel();
    let (first, line) = channel();
    if let Some(pipe) = pipe {
        std::thread::spawn(move || {
            let (mut pipe, mut bytes) = (BufReader::new(pipe), Vec::new());
            pipe.read_until(b'\n', &mut bytes).ok();
            first
                .send(String::from_utf8_lossy(&bytes).into_owned())
                .ok();
            pipe.read_to_end(&mut bytes).ok();
            sender.send(bytes).ok();
        });
    }
    (receiver, line)
}
