//! A stranger's filter, in a process of its own that is killed when it takes too much.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::http;
use crate::context::Filter;
use crate::error::{During, Error, Kind, Result};
use crate::parallel::Queue;

/// How many filters run at a time, and how many wait for that.
const PLACES: usize = 2;
const WAITING: usize = 8;

/// How long one may work.
const TIME: Duration = Duration::from_secs(5);

/// How many bytes its results may have, and its messages.
const RESULTS: u64 = 8 << 20;
const MESSAGES: u64 = 16 << 10;

pub(super) struct Filters {
    /// This program, which runs them.
    program: PathBuf,
    queue: Queue,
}

impl Filters {
    pub(super) fn new() -> Result<Self> {
        let program = std::env::current_exe().during("the path of this program")?;
        Ok(Filters { program, queue: Queue::new(PLACES, WAITING) })
    }

    /// A line for each result that the filter has for the JSON of an answer. `Kind::Usage` if it is
    /// wrong, `Kind::Local` if it fails or takes too much, `Kind::Unavailable` if too many others wait.
    pub(super) fn run(
        &self,
        filter: &Filter,
        image: &str,
        platform: Option<&str>,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        let head = json!({
            "filter": filter.code,
            "arguments": filter.arguments,
            "image": image,
            "platform": platform,
            "raw": filter.is_raw,
        });
        let input = [head.to_string().as_bytes(), b"\n", input].concat();
        // The filter works in its own process.
        let results = http::aside(|| self.queue.hold(|| self.killed_in_time(&input)));
        let busy = || Err(Error::new(Kind::Unavailable, "too many filters wait"));
        results.unwrap_or_else(busy)
    }

    fn killed_in_time(&self, input: &[u8]) -> Result<Vec<u8>> {
        let mut command = Command::new(&self.program);
        // Nothing of the environment is a filter's business.
        command.arg("__filter").env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let spawned = command.spawn();
        let mut child = spawned
            .map_err(|error| Error::new(Kind::Unavailable, error.to_string()))
            .during("filter")?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (results, messages) = thread::scope(|scope| {
            let (ended, end) = channel();
            // A filter may end before it has read all.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            let messages = scope.spawn(move || read(stderr, MESSAGES));
            scope.spawn(move || ended.send(read(stdout, RESULTS)));
            let results = match end.recv_timeout(TIME) {
                Ok(results) if results.len() as u64 > RESULTS => {
                    Err(failed(format!("its results have more than {} MiB", RESULTS >> 20)))
                }
                Ok(results) => Ok(results),
                Err(_) => Err(failed(format!("works for more than {} seconds", TIME.as_secs()))),
            };
            if results.is_err() {
                // Who has ended meanwhile cannot be killed, which is as well.
                let _ = child.kill();
            }
            (results, messages.join().unwrap_or_default())
        });
        let status = child.wait().during("filter")?;
        match results? {
            results if status.success() => Ok(results),
            _ => Err(said(status.code(), &String::from_utf8_lossy(&messages))),
        }
    }
}

/// What comes, and a byte of what is too much.
fn read(from: Option<impl Read>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What a process that is killed has said does not count.
    let _ = from.map(|from| from.take(limit + 1).read_to_end(&mut bytes));
    bytes
}

fn failed(why: String) -> Error {
    Error::new(Kind::Local, format!("filter: {why}"))
}

/// The error that a process has reported.
fn said(code: Option<i32>, messages: &str) -> Error {
    let mut lines = messages.lines();
    let message = lines.next().and_then(|line| line.strip_prefix("docker-registry: "));
    let Some(message) = message else { return failed("ended without a result".to_owned()) };
    let kind = if code == Some(2) { Kind::Usage } else { Kind::Local };
    let (hints, excerpt): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("hint: "));
    let error = Error::new(kind, message).excerpt(excerpt.into_iter().map(str::to_owned));
    hints.iter().fold(error, |error, line| error.hint(&line["hint: ".len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_reports_is_an_error_again() {
        let error = said(Some(2), "docker-registry: filter: no\n  .a[\n    ^\nhint: do\n");
        let expected = Error::usage("filter: no");
        let lines = ["  .a[", "    ^"].map(str::to_owned);
        assert_eq!(error, expected.excerpt(lines).hint("do"));
        let killed = said(None, "");
        assert_eq!(killed, Error::new(Kind::Local, "filter: ended without a result"));
    }
}
