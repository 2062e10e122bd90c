//! What names of hosts mean, for the whole run and every port: the addresses that were judged are
//! those connected to.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use crate::error::{During, Error};
use crate::parallel::lock;

use super::failure::{Failure, is_exhausted, unavailable};

pub(super) struct Names {
    timeout: Duration,
    known: Mutex<HashMap<String, Vec<IpAddr>>>,
}

impl Names {
    pub(super) fn new(timeout: Duration) -> Self {
        Names { timeout, known: Mutex::default() }
    }

    /// The addresses of a name; looked up once.
    pub(super) fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        if let Some(addresses) = lock(&self.known).get(host) {
            return Ok(addresses.clone());
        }
        let found = look_up(host.to_owned(), self.timeout)?;
        // The first look-up wins, so that the addresses that were judged are those connected to.
        let mut known = lock(&self.known);
        Ok(known.entry(host.to_owned()).or_insert(found).clone())
    }
}

/// The system's look-up cannot be interrupted, so it is left behind when it takes too long.
fn look_up(host: String, timeout: Duration) -> Result<Vec<IpAddr>, Failure> {
    let (sender, receiver) = mpsc::channel();
    let look = move || {
        let found = (host.as_str(), 0).to_socket_addrs();
        let addresses = found.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>());
        let _ = sender.send(addresses);
    };
    let started = thread::Builder::new().spawn(look);
    started.during("a thread to look up the name")?;
    match receiver.recv_timeout(timeout) {
        Ok(Ok(addresses)) if addresses.is_empty() => {
            Err(Failure::Broken(unavailable("the name has no address")))
        }
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) if is_exhausted(&error) => Err(Failure::of_io(error)),
        Ok(Err(error)) => {
            let why = Error::from(error).to_string();
            let why = why.trim_start_matches("failed to lookup address information: ");
            let why = format!("the name is not known: {}", why.to_lowercase());
            Err(Failure::Broken(unavailable(why)))
        }
        Err(_) => Err(Failure::Final(unavailable("no answer from the name server"))),
    }
}
