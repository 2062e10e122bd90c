//! One run of a program: how long it takes and how much memory it needs.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The first argument with which this program measures another instead.
pub const MEASURE: &str = "--measure";

#[derive(Clone, Copy)]
pub struct Sample {
    pub time: Duration,
    /// In KiB.
    pub memory: u64,
}

impl Sample {
    /// Of a run that must succeed.
    pub fn of(command: &Command) -> Sample {
        // The kernel counts what a process was forked from. So a small process of its own forks it.
        let mut helper = Command::new(std::env::current_exe().expect("this program"));
        helper
            .arg(MEASURE)
            .arg(command.get_program())
            .args(command.get_args());
        helper.env_clear();
        for (name, value) in command.get_envs() {
            helper.env(name, value.expect("a variable is set or not there"));
        }
        let output = helper.stdin(Stdio::null()).output().expect("this program");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut numbers = said.split_whitespace().filter_map(|word| word.parse().ok());
        match (numbers.next(), numbers.next()) {
            (Some(nanos), Some(memory)) => Sample {
                time: Duration::from_nanos(nanos),
                memory,
            },
            _ => panic!(
                "{command:?}\n{said}{}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }
}

#[expect(
    clippy::zombie_processes,
    reason = "wait4 waits and tells the memory too"
)]
/// What the small process does: runs a program and says nanoseconds and KiB.
pub fn measure(mut words: impl Iterator<Item = std::ffi::OsString>) {
    let mut command = Command::new(words.next().expect("a program"));
    command.args(words).stdout(Stdio::null());
    let begun = Instant::now();
    let child = command.spawn().expect("a program that can be run");
    let id = i32::try_from(child.id()).expect("an id of a process");
    let mut status = 0;
    // SAFETY: an rusage is plain data, which wait4 fills in.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert_eq!(libc::wait4(id, &mut status, 0, &mut usage), id);
        usage
    };
    let time = begun.elapsed().as_nanos();
    match status {
        0 => println!("{time} {}", usage.ru_maxrss),
        _ => println!("failed with status {status}"),
    }
}
