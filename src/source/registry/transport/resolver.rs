//! Which addresses names have. All clients share what is known, so that the addresses that were judged
//! are those connected to.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::error::{During, Error};
use crate::parallel::lock;

use super::failure::{Failure, is_exhausted, unavailable};

pub(in super::super) struct Resolver {
    /// How long a look-up may take.
    timeout: Duration,
    /// The addresses of names, for the whole run and every port.
    known: Mutex<HashMap<String, Vec<IpAddr>>>,
}

impl Resolver {
    pub(in super::super) fn new(timeout: Duration) -> Self {
        Resolver { timeout, known: Mutex::default() }
    }

    /// The addresses of a name; looked up once.
    pub(super) fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if let Some(addresses) = lock(&self.known).get(host) {
            return Ok(addresses.clone());
        }
        let found = interleaved(look_up(host.to_owned(), self.timeout)?);
        Ok(self.learn(host, found))
    }

    /// The first look-up wins.
    pub(in super::super) fn learn(&self, host: &str, found: Vec<IpAddr>) -> Vec<IpAddr> {
        lock(&self.known).entry(host.to_owned()).or_insert(found).clone()
    }

    /// Has the next connection begin with the address that answers.
    pub(super) fn prefer(&self, host: &str, winner: IpAddr) {
        if let Some(addresses) = lock(&self.known).get_mut(host) {
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
    use super::*;

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
