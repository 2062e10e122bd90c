//! Whether and how long to wait before a request is sent again. Nothing here sleeps.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How long all the waits that a registry asks for may be, taken together.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether an answer with this status may be another one a little later.
pub(super) fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// The tries of one request whatever it passes through, redirects, tokens, uploads begun anew:
/// clones are counted together.
#[derive(Clone, Default)]
pub(super) struct Tries(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    failed: u32,
    waited: Duration,
}

impl Tries {
    /// For what is tried once, since whoever asks begins further back.
    pub(super) fn once() -> Self {
        let failed = u32::MAX;
        let waited = Duration::ZERO;
        Tries(Arc::new(Mutex::new(Counted { failed, waited })))
    }

    /// How long to wait before the next try; `None` if there is to be none. `after` is what the
    /// registry asks for, `chance` lies in 0..1 and keeps many clients from coming back together.
    pub(super) fn next(
        &self,
        retries: u32,
        after: Option<Duration>,
        chance: f64,
    ) -> Option<Duration> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.failed >= retries {
            return None;
        }
        let wait = match after {
            Some(after) if counted.waited.saturating_add(after) > PATIENCE => return None,
            Some(after) => {
                counted.waited += after;
                after
            }
            None => backoff(counted.failed, chance),
        };
        counted.failed += 1;
        Some(wait)
    }
}

/// A tenth of a second, doubled each time up to 6.4 s, less up to half of it by chance.
fn backoff(failed: u32, chance: f64) -> Duration {
    let full = Duration::from_millis(100 << failed.min(6));
    full.mul_f64(1.0 - chance / 2.0)
}

/// What `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3). `now` is the
/// registry's clock where it tells the time, since both dates then come from the same one.
pub(super) fn after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(date(header)?.duration_since(now).unwrap_or_default())
}

/// A date as HTTP writes it.
pub(super) fn date(header: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(header).ok()
}

/// A wait in words: `90 s`, `5 min`, `6 h`.
pub(super) fn words(wait: Duration) -> String {
    match wait.as_millis().div_ceil(1000) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn waits_double_and_end() {
        let tries = Tries::default();
        let waits: Vec<_> = (0..5).map(|_| tries.next(4, None, 0.0)).collect();
        let expected = [100, 200, 400, 800].map(|ms| Some(Duration::from_millis(ms)));
        assert_eq!(waits[..4], expected);
        assert_eq!(waits[4], None);
        assert_eq!(backoff(0, 1.0), Duration::from_millis(50));
        assert_eq!(backoff(u32::MAX, 0.0), Duration::from_millis(6400));
    }

    #[test]
    fn a_registry_is_obeyed_up_to_the_patience() {
        let tries = Tries::default();
        assert_eq!(tries.next(9, Some(seconds(40)), 0.5), Some(seconds(40)));
        assert_eq!(tries.next(9, Some(seconds(21)), 0.5), None);
        assert_eq!(tries.next(9, Some(seconds(u64::MAX)), 0.5), None);
        assert_eq!(tries.next(9, Some(seconds(20)), 0.5), Some(seconds(20)));
        assert_eq!(Tries::default().next(0, Some(seconds(1)), 0.5), None);
        assert_eq!(Tries::once().next(9, None, 0.5), None);
        assert_eq!(Tries::once().next(u32::MAX, None, 0.5), None);
    }

    #[test]
    fn what_a_request_passes_through_is_counted_together() {
        let tries = Tries::default();
        let others = [tries.clone(), tries.clone(), tries.clone()];
        assert!(
            others
                .iter()
                .all(|tries| tries.next(3, None, 0.5).is_some())
        );
        assert_eq!(tries.next(3, None, 0.5), None);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (header, expected) in [
            ("120", Some(seconds(120))),
            (" 0 ", Some(seconds(0))),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(seconds(60))),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(seconds(0))),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(after(header, now), expected, "{header}");
        }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(is_temporary(status));
        }
        for status in [200, 307, 400, 401, 403, 404, 405, 416, 501] {
            assert!(!is_temporary(status));
        }
    }

    #[test]
    fn waits_are_told_in_words() {
        for (wait, expected) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (3599, "60 min"),
            (21600, "6 h"),
        ] {
            assert_eq!(words(seconds(wait)), expected);
        }
    }
}
