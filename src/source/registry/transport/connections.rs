//! Connections to origins: directly, or through a proxy; with or without TLS.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{During, Error, Kind};
use crate::memory;
use crate::parallel::lock;

use super::super::url::{Origin, Scheme};
use super::address::{is_internal, is_internal_name};
use super::connection::Connection;
use super::failure::{Failure, unavailable};
use super::pace::{Limit, Pace};
use super::proxy::{Protocol, Proxies, Proxy};
use super::resolver::Resolver;
use super::stream::{PacedStream, Stream};
use super::tls::{TlsStream, Trust};
use super::tunnel;

/// How long an address may be silent before the next one is tried as well (RFC 8305, 8).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

type Opened = Result<Connection, Failure>;

/// Waits for a connection that was asked for before it was needed.
type Opening = Box<dyn FnOnce() -> Option<Opened> + Send>;

/// Opens connections; knows the way to every origin.
pub(in super::super) struct Connections {
    proxies: Proxies,
    trust: Trust,
    resolver: Arc<Resolver>,
    timeout: Duration,
    /// Whether no internal address is connected to, unless it is a proxy's.
    is_outside: bool,
    /// The registries that the user names: `--insecure` and `--cert` are for them alone.
    named: Mutex<HashMap<Origin, ()>>,
    /// Connections that were asked for before their first request.
    ahead: Mutex<HashMap<Origin, Opening>>,
}

impl Connections {
    pub(in super::super) fn new(
        proxies: Proxies,
        trust: Trust,
        resolver: Arc<Resolver>,
        timeout: Duration,
        is_outside: bool,
    ) -> Self {
        let (named, ahead) = (Mutex::default(), Mutex::default());
        Connections { proxies, trust, resolver, timeout, is_outside, named, ahead }
    }

    /// Says that the user names the registry at this origin.
    pub(in super::super) fn name(&self, origin: &Origin) {
        memory::entry(&mut lock(&self.named), origin.clone()).or_default();
    }

    pub(in super::super) fn is_named(&self, origin: &Origin) -> bool {
        lock(&self.named).contains_key(origin)
    }

    /// Whether the origin gets to see a client certificate.
    pub(in super::super) fn identifies(&self, origin: &Origin) -> bool {
        let is_named = self.is_named(origin);
        origin.scheme == Scheme::Https && self.trust.identity(origin, is_named).is_some()
    }

    /// A connection to the origin: the one begun ahead, else a new one.
    pub(super) fn open(&self, origin: &Origin) -> Opened {
        let begun = lock(&self.ahead).remove(origin);
        begun.and_then(|opening| opening()).unwrap_or_else(|| self.open_new(origin))
    }

    /// Begins to open a connection, for [`Connections::open`] to take.
    pub(in super::super) fn open_ahead(self: &Arc<Self>, origin: &Origin) {
        let (connections, to) = (Arc::clone(self), origin.clone());
        if let Entry::Vacant(place) = memory::entry(&mut lock(&self.ahead), origin.clone())
            // One that told whether TLS is spoken there is as good, and none as good as no thread.
            && let Ok(thread) = thread::Builder::new().spawn(move || connections.open_new(&to))
        {
            place.insert(Box::new(|| thread.join().ok()));
        }
    }

    /// Whether a server on this machine speaks TLS; `None` if it cannot be reached. The first request
    /// gets the connection, or the failure, that tells.
    pub(in super::super) fn speaks_tls(&self, origin: &Origin) -> Option<bool> {
        let result = self.open_new(origin);
        let is_it = |what: fn(&Failure) -> bool| result.as_ref().is_err_and(what);
        if is_it(|failure| failure.not_tls) {
            return Some(false);
        }
        let is_reached = !is_it(Failure::is_broken);
        let result: Opening = Box::new(|| Some(result));
        memory::entry(&mut lock(&self.ahead), origin.clone()).insert_entry(result);
        is_reached.then_some(true)
    }

    /// Of every address of an origin, whether it is internal. Where a proxy looks the name up, in its
    /// own network, only the spelling tells.
    pub(in super::super) fn internal(&self, origin: &Origin) -> Result<Vec<bool>, Failure> {
        let host = origin.bare_host();
        Ok(match self.proxies.choose(origin) {
            Ok(None) => self.resolver.addresses(host)?.into_iter().map(is_internal).collect(),
            _ => is_internal_name(host).into_iter().collect(),
        })
    }

    fn open_new(&self, origin: &Origin) -> Opened {
        if self.is_outside && self.internal(origin)?.contains(&true) {
            let message = "the name leads to an internal address";
            return Err(Error::new(Kind::Protocol, message).into());
        }
        let proxy = self.proxies.choose(origin)?;
        let mut stream = match &proxy {
            None => self.reach(origin.bare_host(), origin.port)?,
            Some(proxy) => self
                .reach_through(proxy, origin)
                .map_err(|failure| failure.during(format!("proxy {}", proxy.host)))?,
        };
        if origin.scheme == Scheme::Https {
            let config = self.trust.config(origin, self.is_named(origin))?;
            stream = Box::new(TlsStream::open(stream, origin, config)?);
        }
        Ok(Connection::new(stream, origin, proxy))
    }

    /// A stream that ends at the origin, or at a proxy that forwards its requests.
    fn reach_through(&self, proxy: &Proxy, origin: &Origin) -> Result<Box<dyn Stream>, Failure> {
        let mut stream = self.reach(&proxy.host, proxy.port)?;
        if proxy.protocol == Protocol::Https {
            let itself = Origin::new(Scheme::Https, &format!("{}:{}", proxy.host, proxy.port))?;
            let config = self.trust.config(&itself, false)?;
            stream = Box::new(TlsStream::open(stream, &itself, config)?);
        }
        match proxy.protocol {
            Protocol::Socks5 => tunnel::socks5(&mut *stream, proxy, origin)?,
            _ if proxy.forwards(origin) => {}
            _ => tunnel::connect(&mut *stream, proxy, origin)?,
        }
        Ok(stream)
    }

    fn reach(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, Failure> {
        let pace = Pace::new(Limit::Connection(""), self.timeout);
        let addresses = self.resolver.addresses(host)?;
        let wait = pace.wait(Instant::now())?;
        let stream = match addresses[..] {
            [address] => connect(SocketAddr::new(address, port), wait)?,
            _ => {
                let all = addresses.iter().map(|address| SocketAddr::new(*address, port));
                let (stream, winner) = race(all.collect(), &pace)?;
                self.resolver.prefer(host, winner.ip());
                stream
            }
        };
        Ok(Box::new(PacedStream::new(stream, pace)))
    }
}

fn connect(address: SocketAddr, timeout: Duration) -> Result<TcpStream, Failure> {
    TcpStream::connect_timeout(&address, timeout).map_err(Failure::of_io)
}

/// Tries the next address when the last one has failed or is silent, until one answers: a connection
/// to the first that does (RFC 8305, 5). Those that come later are closed unused.
fn race(addresses: Vec<SocketAddr>, pace: &Pace) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut failure = Failure::broken(unavailable("the name has no address"));
    let mut waiting = addresses.into_iter();
    let (sender, receiver) = mpsc::channel();
    let mut tried = 0;
    loop {
        let late = |_| Failure::of_io(ErrorKind::TimedOut.into());
        let left = pace.wait(Instant::now()).map_err(late)?;
        if let Some(address) = waiting.next() {
            let sender = sender.clone();
            let attempt = move || {
                let _ = sender.send((connect(address, left), address));
            };
            thread::Builder::new().spawn(attempt).during("a thread to connect")?;
            tried += 1;
        }
        if tried == 0 {
            return Err(failure);
        }
        let wait = if waiting.len() == 0 { left } else { left.min(ATTEMPT_DELAY) };
        match receiver.recv_timeout(wait) {
            Ok((Ok(stream), address)) => return Ok((stream, address)),
            Ok((Err(error), _)) => (failure, tried) = (error, tried - 1),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::iter;
    use std::net::TcpListener;

    fn pace() -> Pace {
        Pace::new(Limit::Connection(""), Duration::from_secs(60))
    }

    /// A listener that takes no connection any more, and what fills its queue.
    fn silent() -> (SocketAddr, TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let queue = iter::from_fn(connect).collect();
        (address, listener, queue)
    }

    #[test]
    fn a_silent_address_does_not_keep_the_next_one_waiting() {
        let (silent, _listener, _queue) = silent();
        let alive = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = alive.local_addr().unwrap();
        let begun = Instant::now();
        let (_, winner) = race(vec![silent, address], &pace()).unwrap();
        assert_eq!(winner, address);
        assert!((ATTEMPT_DELAY..Duration::from_secs(30)).contains(&begun.elapsed()));
    }

    #[test]
    fn a_refusal_is_not_waited_for() {
        let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let alive = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = alive.local_addr().unwrap();
        let (_, winner) = race(vec![refused, refused, address], &pace()).unwrap();
        assert_eq!(winner, address);
        let failure = race(vec![refused, refused], &pace()).unwrap_err();
        assert_eq!(failure.to_string(), "connection refused");
    }

    #[test]
    fn silence_everywhere_ends_in_time() {
        let (silent, _listener, _queue) = silent();
        let pace = Pace::new(Limit::Connection(""), Duration::from_millis(300));
        let failure = race(vec![silent, silent], &pace).unwrap_err();
        assert_eq!(failure.to_string(), "no connection in time");
    }
}
