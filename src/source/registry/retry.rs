//! How a request is sent: redirects are followed, and what may succeed a little later is tried again.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::error::{During, Error, Kind, Result, say};
use crate::memory;
use crate::parallel::lock;

use super::client::{Client, OUT_OF_REACH, Role};
use super::count::count;
use super::message::{Method, Request, Response};
use super::realm;
use super::transport::Outcome;
use super::url::{Scheme, Url};

const REDIRECTS: usize = 10;

/// How long all the waits that a registry asks for may be, taken together.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A wait that is longer is announced.
const NOTICEABLE: Duration = Duration::from_secs(2);

impl Client {
    /// Follows redirects. `Authorization` stays with its origin.
    pub(super) fn follow(&self, request: &Request) -> Result<Response> {
        let mut request = request.clone();
        for _ in 0..=REDIRECTS {
            let response = self.send(&request)?;
            let Some(target) = redirection(&request, &response)? else {
                return Ok(response);
            };
            if target.origin != request.url.origin {
                realm::admit(&request.url.origin, &target.origin, &self.transport.connections)?;
                request.authorization = None;
            }
            request.url = target;
        }
        let message = format!("more than {REDIRECTS} redirects");
        Err(Error::new(Kind::Protocol, message)).during(request.url.origin.authority())
    }

    /// The answer of one server. An origin to which there was no connection after all tries is not
    /// asked any more for a while.
    fn send(&self, request: &Request) -> Result<Response> {
        let origin = &request.url.origin;
        let host = origin.authority();
        if let Some((error, since)) = lock(&self.unreachable).get(origin)
            && (self.clock)().duration_since(*since).is_ok_and(|age| age < OUT_OF_REACH)
        {
            return Err(error.clone());
        }
        let exchange = || {
            let begun = Instant::now();
            self.transport.trace.asking(request);
            let outcome = self.transport.exchange(request);
            self.transport.trace.ended(request, &outcome, begun.elapsed());
            count(&outcome);
            outcome
        };
        let outcome = match &request.tries {
            Some(tries) => self.retry(tries, &host, exchange),
            None => exchange(),
        };
        let is_unreached = outcome.as_ref().is_err_and(|failure| failure.unreached);
        outcome.during(&host).inspect_err(|error| {
            if is_unreached && error.kind() == Kind::Unavailable {
                let now = (self.clock)();
                memory::entry(&mut lock(&self.unreachable), origin.clone())
                    .insert_entry((error.clone(), now));
            }
        })
    }

    /// The policy for all that is tried again, a request or a whole upload: at once where a kept
    /// connection was closed meanwhile, after a wait where the connection broke or the status is a
    /// temporary one, as often as `tries` allow.
    pub(super) fn retry(
        &self,
        tries: &Tries,
        host: &str,
        mut attempt: impl FnMut() -> Outcome,
    ) -> Outcome {
        loop {
            let outcome = attempt();
            let after = match &outcome {
                Err(failure) if failure.is_stale() => continue,
                Err(failure) if failure.is_broken() => None,
                Ok(response) if is_temporary(response.status) => {
                    retry_after(response, (self.clock)())
                }
                _ => return outcome,
            };
            if self.role == Role::Mirror || !self.wait(tries, after, host) {
                return outcome;
            }
        }
    }

    /// Waits before another try of a request to the host; `false` if there is to be none.
    pub(super) fn wait(&self, tries: &Tries, after: Option<Duration>, host: &str) -> bool {
        // A number that another process does not have.
        let chance = chance(RandomState::new().hash_one(()));
        let Some(wait) = tries.next(self.retries, after, chance) else {
            return false;
        };
        if wait > NOTICEABLE {
            let words = words(wait);
            say(&format!("docker-registry: waiting {words} before asking {host} again"));
        }
        thread::sleep(wait);
        true
    }
}

/// Where to ask instead; `None` if the answer is no redirect that can be followed.
fn redirection(request: &Request, response: &Response) -> Result<Option<Url>> {
    let is_reading = matches!(request.method, Method::Get | Method::Head);
    let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    let location = response.header("location");
    let Some(location) = location.filter(|_| is_reading && is_redirect) else {
        return Ok(None);
    };
    let from = &request.url.origin;
    let target = request.url.join(location).during("redirect")?;
    if from.scheme == Scheme::Https && target.origin.scheme == Scheme::Http {
        let message = format!("{from} redirects from HTTPS to {}", target.without_query());
        return Err(Error::new(Kind::Protocol, message));
    }
    Ok(Some(target))
}

/// Whether an answer with this status may be another one a little later.
fn is_temporary(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How many tries have failed, and how long registries had us wait, of one request whatever it
/// passes through, redirects, tokens, uploads begun anew: clones are counted together.
#[derive(Clone, Default)]
pub(super) struct Tries(Arc<Mutex<(u32, Duration)>>);

impl Tries {
    /// How long to wait before the next try; `None` if there is to be none. `after` is what the
    /// registry asks for, `chance` lies in 0..1 and keeps many clients from coming back together.
    fn next(&self, retries: u32, after: Option<Duration>, chance: f64) -> Option<Duration> {
        let (failed, waited) = &mut *lock(&self.0);
        let sum = waited.saturating_add(after.unwrap_or_default());
        if *failed >= retries || sum > LONGEST_WAIT {
            return None;
        }
        let wait = after.unwrap_or_else(|| backoff(*failed, chance));
        (*failed, *waited) = (*failed + 1, sum);
        Some(wait)
    }
}

/// A number of 64 bits as one in 0..1.
fn chance(random: u64) -> f64 {
    f64::from((random >> 32) as u32) / f64::from(u32::MAX)
}

/// A tenth of a second, doubled each time up to 6.4 s, less up to half of it by chance.
fn backoff(failed: u32, chance: f64) -> Duration {
    Duration::from_millis(100 << failed.min(6)).mul_f64(1.0 - chance / 2.0)
}

/// How long the registry wants to be left alone. `now` is our clock, for one that does not tell the
/// time; where it does, both dates come from the same clock.
pub(super) fn retry_after(response: &Response, now: SystemTime) -> Option<Duration> {
    let now = response.header("date").and_then(date).unwrap_or(now);
    after(response.header("retry-after")?, now)
}

/// What `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3).
pub(super) fn after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Some(date(header)?.duration_since(now).unwrap_or_default())
}

fn date(header: &str) -> Option<SystemTime> {
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
    fn chance_lies_between_nothing_and_all() {
        assert_eq!(chance(0), 0.0);
        assert_eq!(chance(u64::MAX), 1.0);
        assert!((chance(1 << 63) - 0.5).abs() < 0.001);
    }

    #[test]
    fn a_registry_is_obeyed_up_to_the_patience() {
        let tries = Tries::default();
        assert_eq!(tries.next(9, Some(seconds(40)), 0.5), Some(seconds(40)));
        assert_eq!(tries.next(9, Some(seconds(21)), 0.5), None);
        assert_eq!(tries.next(9, Some(seconds(u64::MAX)), 0.5), None);
        assert_eq!(tries.next(9, Some(seconds(20)), 0.5), Some(seconds(20)));
        assert_eq!(Tries::default().next(0, Some(seconds(1)), 0.5), None);
    }

    #[test]
    fn what_a_request_passes_through_is_counted_together() {
        let tries = Tries::default();
        let others = [tries.clone(), tries.clone(), tries.clone()];
        assert!(others.iter().all(|tries| tries.next(3, None, 0.5).is_some()));
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
        for (wait, expected) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "60 min"), (21600, "6 h")]
        {
            assert_eq!(words(seconds(wait)), expected);
        }
    }
}
