//! What an answer may take: how long a silence, and how long in all. Nothing here waits.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::parallel::lock;

use super::failure::unavailable;

/// An answer that is kept in memory takes at most so many times the timeout.
const TIMES: u32 = 5;

/// A stream may fall behind by so much.
const WINDOW: Duration = Duration::from_secs(60);

/// What a byte of a stream is waited for: 1 kB/s.
const BYTE: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    /// To a connection that is being made, and what is done to it.
    Connection(&'static str),
    /// To the header of an answer, and to a body that is kept in memory.
    Answer,
    /// To the bytes of a stream, in either direction.
    Rate,
}

/// The time that is left for one thing.
pub(super) struct Pace {
    /// The longest silence.
    timeout: Duration,
    limit: Limit,
    left: Duration,
    /// Since when the time runs; `None` while nobody waits: the time of a stream runs between `begin`
    /// and `end` only, since the use of its bytes may be slow.
    since: Option<Instant>,
}

impl Pace {
    fn new(limit: Limit, timeout: Duration, since: Option<Instant>) -> Pace {
        let left = match limit {
            Limit::Connection(_) => timeout,
            Limit::Answer => timeout * TIMES,
            Limit::Rate => window(timeout),
        };
        Pace { timeout, limit, left, since }
    }

    fn begin(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    fn end(&mut self, now: Instant, bytes: usize) {
        if self.limit == Limit::Rate {
            let earned = BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
            self.left = (self.left(now) + earned).min(window(self.timeout));
            self.since = None;
        }
    }

    fn left(&self, now: Instant) -> Duration {
        let gone = self.since.map(|since| now.saturating_duration_since(since));
        self.left.saturating_sub(gone.unwrap_or_default())
    }

    /// How long the next byte may be waited for; zero if not at all.
    fn wait(&self, now: Instant) -> Duration {
        self.left(now).min(self.timeout)
    }

    /// Which limit it is that has been reached.
    fn error(&self, now: Instant) -> Error {
        let seconds = self.timeout.as_secs_f64();
        let silence = format!("no answer within {seconds} s");
        unavailable(match self.limit {
            Limit::Connection("") => silence,
            Limit::Connection(doing) => format!("{silence} ({doing})"),
            _ if !self.left(now).is_zero() => silence,
            Limit::Answer => {
                let seconds = (self.timeout * TIMES).as_secs_f64();
                format!("no whole answer within {seconds} s, {TIMES} times --timeout")
            }
            Limit::Rate => {
                let seconds = window(self.timeout).as_secs_f64();
                format!("less than 1 kB/s for {seconds} s")
            }
        })
    }
}

/// A pace that a connection obeys and that the reader of its answer changes.
#[derive(Clone)]
pub(super) struct SharedPace(Arc<Mutex<Pace>>);

impl SharedPace {
    /// For all that it takes until a request can be sent.
    pub(super) fn connection(timeout: Duration) -> Self {
        let pace = Pace::new(Limit::Connection(""), timeout, Some(Instant::now()));
        SharedPace(Arc::new(Mutex::new(pace)))
    }

    /// For a stream of bytes.
    pub(super) fn rate(timeout: Duration) -> Self {
        let pace = Pace::new(Limit::Rate, timeout, None);
        SharedPace(Arc::new(Mutex::new(pace)))
    }

    /// What is done to the connection now, for the error; empty if its message says enough.
    pub(super) fn doing(&self, doing: &'static str) {
        self.lock().limit = Limit::Connection(doing);
    }

    /// From now on an answer is waited for, unless it is already.
    pub(super) fn await_answer(&self) {
        let mut pace = self.lock();
        if pace.limit != Limit::Answer {
            *pace = Pace::new(Limit::Answer, pace.timeout, Some(Instant::now()));
        }
    }

    /// The rest of the answer is a stream.
    pub(super) fn await_stream(&self) {
        let mut pace = self.lock();
        *pace = Pace::new(Limit::Rate, pace.timeout, None);
    }

    pub(super) fn begin(&self) {
        self.lock().begin(Instant::now());
    }

    pub(super) fn end(&self, bytes: usize) {
        self.lock().end(Instant::now(), bytes);
    }

    /// How long the next byte may be waited for; an error if not at all.
    pub(super) fn wait(&self) -> Result<Duration, Error> {
        let (pace, now) = (self.lock(), Instant::now());
        let wait = pace.wait(now);
        (!wait.is_zero()).then_some(wait).ok_or_else(|| pace.error(now))
    }

    /// The error that it is when nothing came.
    pub(super) fn error(&self) -> Error {
        self.lock().error(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        lock(&self.0)
    }
}

/// A silence that is allowed is not cut short.
fn window(timeout: Duration) -> Duration {
    WINDOW.max(timeout)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// For how many seconds a pace waits for bytes that come once in a second; at most a thousand.
    fn bears(mut pace: Pace, bytes_per_second: usize) -> u64 {
        let start = Instant::now();
        for second in 0..1000 {
            let now = start + SECOND * second;
            if pace.wait(now) < SECOND {
                return second.into();
            }
            pace.begin(now);
            pace.end(now + SECOND, bytes_per_second);
        }
        1000
    }

    #[test]
    fn a_stream_is_at_least_as_fast_as_a_kilobyte_in_a_second() {
        for (bytes_per_second, seconds) in [(1, 60), (500, 119), (999, 1000), (1000, 1000)] {
            let pace = Pace::new(Limit::Rate, 30 * SECOND, None);
            assert_eq!(bears(pace, bytes_per_second), seconds, "{bytes_per_second}");
        }
    }

    #[test]
    fn what_came_fast_does_not_make_up_for_what_comes_slowly() {
        let mut pace = Pace::new(Limit::Rate, 30 * SECOND, None);
        let now = Instant::now();
        pace.begin(now);
        pace.end(now + SECOND, usize::MAX);
        assert_eq!(bears(pace, 1), 60);
    }

    #[test]
    fn a_stream_that_nobody_reads_loses_no_time() {
        let mut pace = Pace::new(Limit::Rate, 30 * SECOND, None);
        let start = Instant::now();
        pace.begin(start);
        pace.end(start + 10 * SECOND, 5000);
        assert_eq!(pace.left(start + 1000 * SECOND), 55 * SECOND);
    }

    #[test]
    fn an_answer_has_five_times_the_timeout_whatever_comes() {
        let start = Instant::now();
        let mut pace = Pace::new(Limit::Answer, 2 * SECOND, Some(start));
        pace.end(start + SECOND, 1_000_000);
        assert_eq!(pace.wait(start + 5 * SECOND), 2 * SECOND);
        assert_eq!(pace.wait(start + 9 * SECOND), SECOND);
        assert_eq!(pace.wait(start + 10 * SECOND), Duration::ZERO);
    }

    #[test]
    fn an_error_names_the_limit() {
        let start = Instant::now();
        let late = start + 1000 * SECOND;
        let rate = |timeout: Duration| {
            let mut pace = Pace::new(Limit::Rate, timeout, None);
            pace.begin(start);
            pace
        };
        for (pace, now, message) in [
            (Pace::new(Limit::Answer, 2 * SECOND, Some(start)), start, "no answer within 2 s"),
            (
                Pace::new(Limit::Answer, 2 * SECOND, Some(start)),
                late,
                "no whole answer within 10 s, 5 times --timeout",
            ),
            (rate(2 * SECOND), late, "less than 1 kB/s for 60 s"),
            (rate(90 * SECOND), late, "less than 1 kB/s for 90 s"),
            (Pace::new(Limit::Connection(""), SECOND, Some(start)), late, "no answer within 1 s"),
        ] {
            assert_eq!(pace.error(now).to_string(), message);
        }
    }
}
