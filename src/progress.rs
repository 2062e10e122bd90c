//! Progress of downloads on standard error: a bar on a terminal, or a line for every 10 %.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::say;

/// A download that takes no longer is shown without a bar.
const SHORT: Duration = Duration::from_millis(500);

/// How often the bar is drawn anew.
const FRAME: Duration = Duration::from_millis(100);

/// Fits on every terminal that has the usual 80 columns.
const COLUMNS: usize = 79;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProgressStyle {
    Silent,
    Bar,
    /// One line for each 10 %.
    Lines,
}

impl ProgressStyle {
    /// A bar on a terminal, else nothing.
    pub(crate) fn automatic() -> Self {
        match io::stderr().is_terminal() {
            true => ProgressStyle::Bar,
            false => ProgressStyle::Silent,
        }
    }
}

/// Shared by all downloads.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    style: ProgressStyle,
    begun: Instant,
    bytes: Bytes,
    /// When the bar was drawn, if it was.
    drawn: Option<Instant>,
    /// How many lines have been shown.
    tenths: u64,
}

#[derive(Clone, Copy, Default)]
struct Bytes {
    /// What is there, and the part of it that was there at the start.
    done: u64,
    before: u64,
    /// `None` as long as it is not known.
    total: Option<u64>,
}

impl Progress {
    pub(crate) fn new(style: ProgressStyle) -> Self {
        let (begun, bytes) = (Instant::now(), Bytes::default());
        Progress(Arc::new(Mutex::new(State { style, begun, bytes, drawn: None, tenths: 0 })))
    }

    /// Sets the total, unless it is set already.
    pub(crate) fn expect(&self, bytes: Option<u64>) {
        self.change(|state| state.bytes.total = state.bytes.total.or(bytes));
    }

    /// Counts bytes that an earlier download left.
    pub(crate) fn skip(&self, bytes: u64) {
        self.change(|state| {
            state.bytes.done += bytes;
            state.bytes.before += bytes;
        });
    }

    /// Uncounts bytes that must be downloaded again.
    pub(crate) fn lose(&self, bytes: u64) {
        self.change(|state| {
            state.bytes.done = state.bytes.done.saturating_sub(bytes);
            state.bytes.before = state.bytes.before.min(state.bytes.done);
        });
    }

    /// Counts what is read.
    pub(crate) fn watch<R: Read>(&self, reader: R) -> CountedRead<R> {
        CountedRead { reader, progress: self.clone() }
    }

    /// Clears the bar; nothing is shown any more.
    pub(crate) fn finish(&self) {
        self.change(|state| {
            if state.drawn.is_some() {
                draw("");
            }
            state.style = ProgressStyle::Silent;
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl State {
    fn advance(&mut self, bytes: u64) {
        self.bytes.done += bytes;
        let Bytes { done, total, .. } = self.bytes;
        let elapsed = self.begun.elapsed();
        let is_due = elapsed >= SHORT && self.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME);
        let tenths = (done * 10).checked_div(total.unwrap_or(0)).unwrap_or(0).min(10);
        match self.style {
            ProgressStyle::Bar if is_due => {
                self.drawn = Some(Instant::now());
                draw(&self.bytes.bar(elapsed));
            }
            ProgressStyle::Lines if tenths > self.tenths => {
                self.tenths = tenths;
                let (done, total) = (megabytes(done), megabytes(total.unwrap_or(0)));
                say(&format!("{:3} %  {done} of {total} MB", tenths * 10));
            }
            _ => {}
        }
    }
}

impl Bytes {
    /// `45 % [#########           ]  94.5 of 210.0 MB  118.2 MB/s  1 s left`
    fn bar(self, elapsed: Duration) -> String {
        let Bytes { done, before, total } = self;
        let rate = (done - before) as f64 / elapsed.as_secs_f64();
        let speed = format!("{:.1} MB/s", rate / 1e6);
        let Some(total) = total.filter(|total| (1..).contains(total) && done <= *total) else {
            return format!("{} MB  {speed}", megabytes(done));
        };
        let (percent, cells) = (done * 100 / total, "#".repeat((done * 20 / total) as usize));
        let seconds = ((total - done) as f64 / rate).ceil();
        let left = match seconds as u64 {
            _ if !seconds.is_finite() => String::new(),
            seconds @ 0..=119 => format!("  {seconds} s left"),
            seconds @ 120..=7199 => format!("  {} min left", seconds / 60),
            seconds => format!("  {} h left", seconds / 3600),
        };
        let (done, total) = (megabytes(done), megabytes(total));
        format!("{percent:3} % [{cells:20}]  {done} of {total} MB  {speed}{left}")
    }
}

/// A reader whose bytes are counted.
pub(crate) struct CountedRead<R> {
    reader: R,
    progress: Progress,
}

impl<R: Read> Read for CountedRead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.progress.change(|state| state.advance(read as u64));
        Ok(read)
    }
}

/// Replaces what was drawn before. Spaces, since not every terminal can clear a line.
fn draw(text: &str) {
    // A closed standard error is ignored.
    let _ = io::stderr().write_all(format!("\r{text:COLUMNS$}\r").as_bytes());
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_tells_share_rate_and_time_left() {
        for (count, expected) in [
            (
                (94_500_000, 0, Some(210_000_000)),
                " 45 % [#########           ]  94.5 of 210.0 MB  94.5 MB/s  2 s left",
            ),
            (
                (94_500_000, 94_500_000, Some(210_000_000)),
                " 45 % [#########           ]  94.5 of 210.0 MB  0.0 MB/s",
            ),
            (
                (210_000_000, 0, Some(210_000_000)),
                "100 % [####################]  210.0 of 210.0 MB  210.0 MB/s  0 s left",
            ),
            ((94_500_000, 0, None), "94.5 MB  94.5 MB/s"),
        ] {
            let (done, before, total) = count;
            let bar = Bytes { done, before, total }.bar(Duration::from_secs(1));
            assert_eq!(bar, expected);
            assert!(bar.len() <= COLUMNS);
        }
    }
}
