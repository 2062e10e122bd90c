//! Which addresses names have. All clients share what is known, and believe it for a while, so that the
//! addresses that were judged are those connected to.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::error::{During, Error, Kind};
use crate::memory;
use crate::parallel::lock;

use super::address::is_internal;
use super::failure::{Failure, is_exhausted, unavailable};

/// How long a look-up is believed.
const FRESH: Duration = Duration::from_secs(60);

/// How long a name that led outside may not lead inside: somebody may have been told to go there.
const PINNED: Duration = Duration::from_secs(3600);

pub(in super::super) struct Resolver {
    /// How long a look-up may take.
    timeout: Duration,
    clock: fn() -> SystemTime,
    /// The addresses of names, for every port, and when they were looked up.
    known: Mutex<HashMap<String, (Vec<IpAddr>, SystemTime)>>,
}

impl Resolver {
    pub(in super::super) fn new(timeout: Duration, clock: fn() -> SystemTime) -> Self {
        Resolver { timeout, clock, known: Mutex::default() }
    }

    /// The addresses of a name.
    pub(super) fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if let Some((addresses, since)) = lock(&self.known).get(host)
            && self.is_within(FRESH, *since)
        {
            return Ok(addresses.clone());
        }
        self.learn(host, interleaved(look_up(host.to_owned(), self.timeout)?))
    }

    /// The addresses that are believed, where these were found: those of another look-up at the same
    /// time, if it was the first.
    pub(in super::super) fn learn(
        &self,
        host: &str,
        found: Vec<IpAddr>,
    ) -> Result<Vec<IpAddr>, Failure> {
        let is_inside = |addresses: &[IpAddr]| addresses.iter().copied().any(is_internal);
        let mut known = lock(&self.known);
        match known.get(host) {
            Some((addresses, since)) if self.is_within(FRESH, *since) => {
                return Ok(addresses.clone());
            }
            Some((addresses, since))
                if self.is_within(PINNED, *since) && !is_inside(addresses) && is_inside(&found) =>
            {
                let message = "the name leads to an internal address now, and did not before";
                return Err(Error::new(Kind::Protocol, message).into());
            }
            _ => {}
        }
        memory::entry(&mut known, host.to_owned()).insert_entry((found.clone(), (self.clock)()));
        Ok(found)
    }

    fn is_within(&self, limit: Duration, since: SystemTime) -> bool {
        (self.clock)().duration_since(since).is_ok_and(|age| age < limit)
    }

    /// Has the next connection begin with the address that answers.
    pub(super) fn prefer(&self, host: &str, winner: IpAddr) {
        if let Some((addresses, _)) = lock(&self.known).get_mut(host) {
            addresses.sort_by_key(|address| *address != winner);
        }
    }
}

/// The families in turn, so that one which leads nowhere costs one attempt (RFC 8305, 4).
fn interleaved(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let is_like_first = |address: &IpAddr| address.is_ipv4() == addresses[0].is_ipv4();
    let (first, second): (Vec<IpAddr>, Vec<IpAddr>) =
        addresses.iter().partition(|it| is_like_first(it));
    let mut second = second.into_iter();
    let mut all: Vec<IpAddr> =
        first.into_iter().flat_map(|it| [Some(it), second.next()]).flatten().collect();
    all.extend(second);
    all
}

/// The system's look-up cannot be interrupted, so it is left behind when it takes too long.
fn look_up(host: String, timeout: Duration) -> Result<Vec<IpAddr>, Failure> {
    let (sender, receiver) = mpsc::channel();
    let look = move || {
        let found = (host.as_str(), 0).to_socket_addrs();
        let _ = sender.send(found.map(|found| found.map(|it| it.ip()).collect::<Vec<_>>()));
    };
    thread::Builder::new().spawn(look).during("a thread to look up the name")?;
    let why = match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) if !addresses.is_empty() => return Ok(addresses),
        Ok(Ok(_)) => "the name has no address".to_owned(),
        Ok(Err(error)) if is_exhausted(&error) => return Err(Failure::of_io(error)),
        Ok(Err(error)) => {
            let why = Error::from(error).to_string();
            let why = why.trim_start_matches("failed to lookup address information: ");
            format!("the name is not known: {}", why.to_lowercase())
        }
        Err(_) => return Err(unavailable("no answer from the name server").into()),
    };
    Err(Failure::broken(unavailable(why)))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn what_led_outside_does_not_lead_inside_for_an_hour() {
        thread_local!(static NOW: Cell<u64> = const { Cell::new(0) });
        let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.get());
        let resolver = Resolver::new(Duration::ZERO, clock);
        let [inside, outside, other] =
            ["10.0.0.1", "192.0.2.1", "192.0.2.2"].map(|it| it.parse::<IpAddr>().unwrap());
        for (now, found, expected) in [
            (0, outside, Some(outside)),
            (59, inside, Some(outside)),
            (60, other, Some(other)),
            (120, inside, None),
            (3659, inside, None),
            (3660, inside, Some(inside)),
            (3719, outside, Some(inside)),
            (3720, outside, Some(outside)),
        ] {
            NOW.set(now);
            let learnt = resolver.learn("name", vec![found]).ok();
            assert_eq!(learnt, expected.map(|it| vec![it]), "{now}");
            if learnt.is_some() {
                assert_eq!(resolver.addresses("name").ok(), learnt, "{now}");
            }
        }
    }

    #[test]
    fn families_take_turns() {
        let addresses = |text: &str| -> Vec<IpAddr> {
            text.split(' ').map(|address| address.parse().unwrap()).collect()
        };
        for (found, expected) in [
            ("::1 ::2 ::3 1.1.1.1 1.1.1.2", "::1 1.1.1.1 ::2 1.1.1.2 ::3"),
            ("1.1.1.1 ::1 ::2", "1.1.1.1 ::1 ::2"),
            ("1.1.1.1 1.1.1.2", "1.1.1.1 1.1.1.2"),
        ] {
            assert_eq!(interleaved(addresses(found)), addresses(expected), "{found}");
        }
    }
}
