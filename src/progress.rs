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
    count: Count,
    drawn: Option<Instant>,
    tenths: u64,
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// `done` counts what is there, `before` the part of it that was there at the start.
    done: u64,
    before: u64,
    /// `None` as long as it is not known.
    total: Option<u64>,
}

impl Progress {
    pub(crate) fn new(style: ProgressStyle) -> Self {
        Progress(Arc::new(Mutex::new(State {
            style,
            begun: Instant::now(),
            count: Count::default(),
            drawn: None,
            tenths: 0,
        })))
    }

    /// Sets the total, unless it is set already.
    pub(crate) fn expect(&self, bytes: Option<u64>) {
        self.change(|state| state.count.total = state.count.total.or(bytes));
    }

    /// Counts bytes that an earlier download left.
    pub(crate) fn skip(&self, bytes: u64) {
        self.change(|state| {
            state.count.done += bytes;
            state.count.before += bytes;
        });
    }

    /// Uncounts bytes that must be downloaded again.
    pub(crate) fn lose(&self, bytes: u64) {
        self.change(|state| {
            state.count.done = state.count.done.saturating_sub(bytes);
            state.count.before = state.count.before.min(state.count.done);
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
        self.count.done += bytes;
        match self.style {
            ProgressStyle::Silent => {}
            ProgressStyle::Bar => self.bar(),
            ProgressStyle::Lines => self.line(),
        }
    }

    fn bar(&mut self) {
        let elapsed = self.begun.elapsed();
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME);
        if elapsed >= SHORT && is_due {
            self.drawn = Some(Instant::now());
            draw(&self.count.bar(elapsed));
        }
    }

    fn line(&mut self) {
        let Count { done, total, .. } = self.count;
        let total = total.unwrap_or(0);
        let tenths = (done * 10).checked_div(total).unwrap_or(0).min(10);
        if tenths > self.tenths {
            self.tenths = tenths;
            let (done, total) = (megabytes(done), megabytes(total));
            say(&format!("{:3} %  {done} of {total} MB", tenths * 10));
        }
    }
}

impl Count {
    /// `45 % [#########           ]  94.5 of 210.0 MB  118.2 MB/s  1 s left`
    fn bar(self, elapsed: Duration) -> String {
        const CELLS: u64 = 20;
        let Count { done, before, total } = self;
        let rate = (done - before) as f64 / elapsed.as_secs_f64();
        let speed = format!("{:.1} MB/s", rate / 1e6);
        let Some(total) = total.filter(|total| (1..).contains(total) && done <= *total) else {
            return format!("{} MB  {speed}", megabytes(done));
        };
        let share = |whole: u64| usize::try_from(done * whole / total).unwrap_or(0);
        let (percent, cells) = (share(100), "#".repeat(share(CELLS)));
        let (done, all) = (megabytes(done), megabytes(total));
        let left = (total - self.done) as f64 / rate;
        let left = match left.is_finite() {
            true => format!("  {} left", words(left.ceil() as u64)),
            false => String::new(),
        };
        format!("{percent:3} % [{cells:20}]  {done} of {all} MB  {speed}{left}")
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

fn words(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
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
            let count = Count { done, before, total };
            let bar = count.bar(Duration::from_secs(1));
            assert_eq!(bar, expected);
            assert!(bar.len() <= COLUMNS);
        }
    }
}
