//! Progress on standard error: a bar on a terminal, or a line for every 10 %.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::error::say;
use crate::parallel::lock;

/// What takes no longer is shown without a bar.
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
    /// Lines beside those of `--verbose`; else a bar on a terminal, else nothing.
    pub(crate) fn automatic(is_verbose: bool) -> Self {
        match io::stderr().is_terminal() {
            _ if is_verbose => ProgressStyle::Lines,
            true => ProgressStyle::Bar,
            false => ProgressStyle::Silent,
        }
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Bytes,
    Tags,
}

impl Unit {
    fn name(self) -> &'static str {
        if self == Unit::Bytes { "MB" } else { "tags" }
    }

    fn number(self, amount: f64) -> String {
        match self {
            Unit::Bytes => format!("{:.1}", amount / 1e6),
            Unit::Tags => format!("{amount:.0}"),
        }
    }
}

/// Shared by all downloads, or by all that is asked.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Mutex<State>>);

struct State {
    style: ProgressStyle,
    begun: Instant,
    amount: Amount,
    /// When the bar was drawn, if it was.
    drawn: Option<Instant>,
    /// How many lines have been shown.
    tenths: u64,
}

#[derive(Clone, Copy)]
struct Amount {
    unit: Unit,
    /// What is there, and the part of it that was there at the start.
    done: u64,
    before: u64,
    /// `None` as long as it is not known.
    total: Option<u64>,
}

impl Progress {
    /// Of downloads.
    pub(crate) fn new(style: ProgressStyle) -> Self {
        Self::of(style, Unit::Bytes, None)
    }

    /// Of so many tags.
    pub(crate) fn of_tags(style: ProgressStyle, total: usize) -> Self {
        Self::of(style, Unit::Tags, Some(total as u64))
    }

    fn of(style: ProgressStyle, unit: Unit, total: Option<u64>) -> Self {
        let amount = Amount { unit, done: 0, before: 0, total };
        let begun = Instant::now();
        Progress(Arc::new(Mutex::new(State { style, begun, amount, drawn: None, tenths: 0 })))
    }

    /// Sets the total, unless it is set already.
    pub(crate) fn expect(&self, bytes: Option<u64>) {
        self.change(|state| state.amount.total = state.amount.total.or(bytes));
    }

    /// Counts what is done.
    pub(crate) fn advance(&self, amount: u64) {
        self.change(|state| state.advance(amount));
    }

    /// Counts bytes that an earlier download left.
    pub(crate) fn skip(&self, bytes: u64) {
        self.change(|state| {
            state.amount.done += bytes;
            state.amount.before += bytes;
        });
    }

    /// Uncounts bytes that must be downloaded again.
    pub(crate) fn lose(&self, bytes: u64) {
        self.change(|state| {
            let amount = &mut state.amount;
            amount.done = amount.done.saturating_sub(bytes);
            amount.before = amount.before.min(amount.done);
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
        change(&mut lock(&self.0));
    }
}

impl State {
    fn advance(&mut self, amount: u64) {
        self.amount.done += amount;
        let Amount { done, total, .. } = self.amount;
        let elapsed = self.begun.elapsed();
        let is_due = elapsed >= SHORT && self.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME);
        let tenths = (done * 10).checked_div(total.unwrap_or(0)).unwrap_or(0).min(10);
        match self.style {
            ProgressStyle::Bar if is_due => {
                self.drawn = Some(Instant::now());
                draw(&self.amount.bar(elapsed));
            }
            ProgressStyle::Lines if tenths > self.tenths => {
                self.tenths = tenths;
                say(&format!("{:3} %  {}", tenths * 10, self.amount.share(total.unwrap_or(0))));
            }
            _ => {}
        }
    }
}

impl Amount {
    /// `94.5 of 210.0 MB`
    fn share(self, total: u64) -> String {
        let number = |amount| self.unit.number(amount as f64);
        format!("{} of {} {}", number(self.done), number(total), self.unit.name())
    }

    /// `45 % [#########           ]  94.5 of 210.0 MB  118.2 MB/s  1 s left`
    fn bar(self, elapsed: Duration) -> String {
        let Amount { unit, done, before, total } = self;
        let rate = (done - before) as f64 / elapsed.as_secs_f64();
        let speed = format!("{} {}/s", unit.number(rate), unit.name());
        let Some(total) = total.filter(|total| (1..).contains(total) && done <= *total) else {
            return format!("{} {}  {speed}", unit.number(done as f64), unit.name());
        };
        let (percent, cells) = (done * 100 / total, "#".repeat((done * 20 / total) as usize));
        let seconds = ((total - done) as f64 / rate).ceil();
        let left = match seconds as u64 {
            _ if !seconds.is_finite() => String::new(),
            seconds @ 0..=119 => format!("  {seconds} s left"),
            seconds @ 120..=7199 => format!("  {} min left", seconds / 60),
            seconds => format!("  {} h left", seconds / 3600),
        };
        format!("{percent:3} % [{cells:20}]  {}  {speed}{left}", self.share(total))
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
        self.progress.advance(read as u64);
        Ok(read)
    }
}

/// Replaces what was drawn before. Spaces, since not every terminal can clear a line.
fn draw(text: &str) {
    // A closed standard error is ignored.
    let _ = io::stderr().write_all(format!("\r{text:COLUMNS$}\r").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_tells_share_rate_and_time_left() {
        for (count, expected) in [
            (
                (Unit::Bytes, 94_500_000, 0, Some(210_000_000)),
                " 45 % [#########           ]  94.5 of 210.0 MB  94.5 MB/s  2 s left",
            ),
            (
                (Unit::Bytes, 94_500_000, 94_500_000, Some(210_000_000)),
                " 45 % [#########           ]  94.5 of 210.0 MB  0.0 MB/s",
            ),
            (
                (Unit::Bytes, 210_000_000, 0, Some(210_000_000)),
                "100 % [####################]  210.0 of 210.0 MB  210.0 MB/s  0 s left",
            ),
            ((Unit::Bytes, 94_500_000, 0, None), "94.5 MB  94.5 MB/s"),
            (
                (Unit::Tags, 50, 0, Some(2_000)),
                "  2 % [                    ]  50 of 2000 tags  50 tags/s  39 s left",
            ),
        ] {
            let (unit, done, before, total) = count;
            let bar = Amount { unit, done, before, total }.bar(Duration::from_secs(1));
            assert_eq!(bar, expected);
            assert!(bar.len() <= COLUMNS);
        }
    }
}
