//! What an answer may take: how long a silence, and how long in all. Nothing here waits.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::error::Error;

use super::failure::unavailable;

/// An answer that is kept in memory takes at most so many times the timeout.
const TIMES: u32 = 5;

/// A stream may fall behind by so much.
const WINDOW: Duration = Duration::from_secs(60);

/// What a byte of a stream is waited for: 1 kB/s.
const BYTE: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// To a connection that is being made, and what is done to it now, for the error; empty if its
    /// message says enough.
    Connection(&'static str),
    /// To the header of an answer, and to a body that is kept in memory.
    Answer,
    /// To the bytes of a stream, in either direction.
    Rate,
}

impl Limit {
    fn time(self, timeout: Duration) -> Duration {
        match self {
            Limit::Connection(_) => timeout,
            Limit::Answer => timeout * TIMES,
            // A silence that is allowed is not cut short.
            Limit::Rate => WINDOW.max(timeout),
        }
    }
}

/// The time that is left for one thing.
pub(super) struct Pace {
    /// The longest silence.
    timeout: Duration,
    pub(super) limit: Limit,
    left: Duration,
    /// Since when the time runs; `None` while nobody waits: the time of a stream runs between `begin`
    /// and `end` only, since the use of its bytes may be slow.
    since: Option<Instant>,
}

/// A pace that a connection obeys and that the reader of its answer changes.
pub(super) type SharedPace = Arc<Mutex<Pace>>;

impl Pace {
    pub(super) fn new(limit: Limit, timeout: Duration) -> Pace {
        let since = (limit != Limit::Rate).then(Instant::now);
        Pace { timeout, limit, left: limit.time(timeout), since }
    }

    /// From now on the time is for something else.
    pub(super) fn restart(&mut self, limit: Limit) {
        *self = Pace::new(limit, self.timeout);
    }

    /// Only what is there already is waited for.
    pub(super) fn hurry(&mut self) {
        self.restart(Limit::Connection(""));
        self.left = BYTE;
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    pub(super) fn end(&mut self, now: Instant, bytes: usize) {
        if self.limit == Limit::Rate {
            let earned = BYTE.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
            self.left = (self.left(now) + earned).min(self.limit.time(self.timeout));
            self.since = None;
        }
    }

    fn left(&self, now: Instant) -> Duration {
        let gone = self.since.map(|since| now.saturating_duration_since(since));
        self.left.saturating_sub(gone.unwrap_or_default())
    }

    /// How long the next byte may be waited for; an error if not at all.
    pub(super) fn wait(&self, now: Instant) -> Result<Duration, Error> {
        let wait = self.left(now).min(self.timeout);
        (!wait.is_zero()).then_some(wait).ok_or_else(|| self.error(now))
    }

    /// Which limit it is that has been reached when nothing came.
    pub(super) fn error(&self, now: Instant) -> Error {
        let silence = format!("no answer within {} s", self.timeout.as_secs_f64());
        let whole = self.limit.time(self.timeout).as_secs_f64();
        unavailable(match self.limit {
            Limit::Connection("") => silence,
            Limit::Connection(doing) => format!("{silence} ({doing})"),
            _ if !self.left(now).is_zero() => silence,
            Limit::Answer => format!("no whole answer within {whole} s, {TIMES} times --timeout"),
            Limit::Rate => format!("less than 1 kB/s for {whole} s"),
        })
    }
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
            if pace.wait(now).unwrap_or_default() < SECOND {
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
            let pace = Pace::new(Limit::Rate, 30 * SECOND);
            assert_eq!(bears(pace, bytes_per_second), seconds, "{bytes_per_second}");
        }
    }

    #[test]
    fn what_came_fast_does_not_make_up_for_what_comes_slowly() {
        let mut pace = Pace::new(Limit::Rate, 30 * SECOND);
        let now = Instant::now();
        pace.begin(now);
        pace.end(now + SECOND, usize::MAX);
        assert_eq!(bears(pace, 1), 60);
    }

    #[test]
    fn a_stream_that_nobody_reads_loses_no_time() {
        let mut pace = Pace::new(Limit::Rate, 30 * SECOND);
        let start = Instant::now();
        pace.begin(start);
        pace.end(start + 10 * SECOND, 5000);
        assert_eq!(pace.left(start + 1000 * SECOND), 55 * SECOND);
    }

    #[test]
    fn an_answer_has_five_times_the_timeout_whatever_comes() {
        let start = Instant::now();
        let mut pace = Pace { since: Some(start), ..Pace::new(Limit::Answer, 2 * SECOND) };
        pace.end(start + SECOND, 1_000_000);
        assert_eq!(pace.wait(start + 5 * SECOND), Ok(2 * SECOND));
        assert_eq!(pace.wait(start + 9 * SECOND), Ok(SECOND));
        assert!(pace.wait(start + 10 * SECOND).is_err());
    }

    #[test]
    fn an_error_names_the_limit() {
        let start = Instant::now();
        let late = start + 1000 * SECOND;
        let rate = |timeout: Duration| {
            let mut pace = Pace::new(Limit::Rate, timeout);
            pace.begin(start);
            pace
        };
        for (pace, now, message) in [
            (Pace::new(Limit::Answer, 2 * SECOND), start, "no answer within 2 s"),
            (
                Pace::new(Limit::Answer, 2 * SECOND),
                late,
                "no whole answer within 10 s, 5 times --timeout",
            ),
            (rate(2 * SECOND), late, "less than 1 kB/s for 60 s"),
            (rate(90 * SECOND), late, "less than 1 kB/s for 90 s"),
            (Pace::new(Limit::Connection(""), SECOND), late, "no answer within 1 s"),
        ] {
            assert_eq!(pace.error(now).to_string(), message);
        }
    }
}
