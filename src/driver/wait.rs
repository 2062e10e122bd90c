//! `--wait`: what is not found is asked for again until it is there or the time is over.

use std::thread;
use std::time::{Duration, Instant};

use super::printer::Answered;
use crate::error::{Error, Kind, Result, say};

/// Pauses double from the first to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15);

/// How long to ask again, for all images of a run together.
pub(super) struct Wait {
    begun: Instant,
    limit: Duration,
}

impl Wait {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Wait { begun: Instant::now(), limit: limit.unwrap_or_default() }
    }

    /// Waits before a question is asked again that was asked so many times; `false` if it is answered
    /// or the time is over.
    pub(super) fn pause(&self, asked: u32, answered: &Result<Answered>) -> bool {
        let left = self.limit.saturating_sub(self.begun.elapsed());
        let Some((error, after)) = missing(answered) else { return false };
        let Some(pause) = pause(asked, after, left) else { return false };
        if asked == 1 {
            say(&format!(
                "docker-registry: {error}: asking again for {} s",
                left.as_secs_f64().ceil()
            ));
        }
        thread::sleep(pause);
        true
    }
}

/// What may still come, of an answer or of a part of it, and when the registry wants to be asked.
fn missing(answered: &Result<Answered>) -> Option<(&Error, Option<Duration>)> {
    let errors = match answered {
        Ok(answered) => answered.answer.failures.as_slice(),
        Err(error) => std::slice::from_ref(error),
    };
    let missing = errors.iter().filter(|error| match error.kind() {
        Kind::NotFound => true,
        Kind::RateLimited | Kind::Unavailable => error.retry_after().is_some(),
        _ => false,
    });
    missing.map(|error| (error, error.retry_after())).max_by_key(|(_, after)| *after)
}

/// The last question is asked when the time is over, none before the registry wants it.
fn pause(asked: u32, after: Option<Duration>, left: Duration) -> Option<Duration> {
    let growing = FIRST.saturating_mul(1 << (asked - 1).min(4)).min(LONGEST);
    match after {
        _ if left.is_zero() => None,
        Some(after) if after > left => None,
        Some(after) => Some(after.max(FIRST).min(left)),
        None => Some(growing.min(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_the_time() {
        let seconds = Duration::from_secs;
        for (asked, after, left, expected) in [
            (1, None, 300, Some(1)),
            (2, None, 300, Some(2)),
            (4, None, 300, Some(8)),
            (5, None, 300, Some(15)),
            (1000, None, 300, Some(15)),
            (5, None, 7, Some(7)),
            (1, None, 0, None),
            (5, Some(3), 300, Some(3)),
            (1, Some(0), 300, Some(1)),
            (1, Some(120), 300, Some(120)),
            (1, Some(120), 119, None),
        ] {
            let pause = pause(asked, after.map(seconds), seconds(left));
            assert_eq!(pause, expected.map(seconds), "{asked} {after:?} {left}");
        }
    }
}
