//! A connection to an origin: directly, or through a proxy; with or without TLS.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::parallel::lock;
use crate::secret::Secret;

use super::super::url::{Origin, Scheme};
use super::failure::{Failure, unavailable};
use super::names::Names;
use super::pace::SharedPace;
use super::proxy::{Protocol, Proxies, Proxy};
use super::stream::{PacedStream, Stream};
use super::tls::{TlsStream, Trust};
use super::tunnel;

/// A connection, and what its requests need because of the way it goes.
pub(super) struct Connection {
    pub(super) stream: Box<dyn Stream>,
    /// Set where a proxy forwards plain HTTP.
    pub(super) forwarded: Option<Forwarded>,
}

/// A proxy that forwards plain requests wants the origin in the request line (RFC 9112, 3.2.2).
pub(super) struct Forwarded {
    pub(super) origin: Origin,
    pub(super) authorization: Option<Secret>,
}

/// A connection that was asked for before it was needed.
enum Opening {
    Begun(JoinHandle<Result<Connection, Failure>>),
    Done(Box<Result<Connection, Failure>>),
}

/// Opens connections; knows the way to every origin.
pub(in super::super) struct Connections {
    proxies: Proxies,
    trust: Trust,
    timeout: Duration,
    /// The registries that the user names: `--insecure` and `--cert` are for them alone.
    named: Mutex<HashSet<Origin>>,
    names: Names,
    /// Connections that were asked for before their first request.
    ahead: Mutex<HashMap<Origin, Opening>>,
}

impl Connections {
    pub(in super::super) fn new(proxies: Proxies, trust: Trust, timeout: Duration) -> Self {
        Connections {
            proxies,
            trust,
            timeout,
            named: Mutex::default(),
            names: Names::new(timeout),
            ahead: Mutex::default(),
        }
    }

    /// Says that the user names the registry at this origin.
    pub(in super::super) fn name(&self, origin: &Origin) {
        lock(&self.named).insert(origin.clone());
    }

    pub(in super::super) fn is_named(&self, origin: &Origin) -> bool {
        lock(&self.named).contains(origin)
    }

    /// Whether the origin gets to see a client certificate.
    pub(in super::super) fn identifies(&self, origin: &Origin) -> bool {
        let is_named = self.is_named(origin);
        origin.scheme == Scheme::Https && self.trust.identity(origin, is_named).is_some()
    }

    /// A connection to the origin: the one begun ahead, else a new one.
    pub(super) fn open(&self, origin: &Origin) -> Result<Connection, Failure> {
        let begun = lock(&self.ahead).remove(origin);
        let result = begun.and_then(|opening| match opening {
            Opening::Begun(thread) => thread.join().ok(),
            Opening::Done(result) => Some(*result),
        });
        result.unwrap_or_else(|| self.open_new(origin))
    }

    /// Begins to open a connection, for [`Connections::open`] to take.
    pub(in super::super) fn open_ahead(self: &Arc<Self>, origin: &Origin) {
        let (connections, to) = (Arc::clone(self), origin.clone());
        let opening = move || connections.open_new(&to);
        if let Entry::Vacant(place) = lock(&self.ahead).entry(origin.clone())
            // One that told whether TLS is spoken there is as good, and none as good as no thread.
            && let Ok(thread) = thread::Builder::new().spawn(opening)
        {
            place.insert(Opening::Begun(thread));
        }
    }

    /// Whether a server on this machine speaks TLS; `None` if it cannot be reached. The first request
    /// gets the connection, or the failure, that tells.
    pub(in super::super) fn speaks_tls(&self, origin: &Origin) -> Option<bool> {
        let result = match self.attempt(origin) {
            Err(Failure::NotTls(_)) => return Some(false),
            result => result,
        };
        let is_reached = !matches!(result, Err(Failure::Broken(_)));
        let opening = Opening::Done(Box::new(result));
        lock(&self.ahead).insert(origin.clone(), opening);
        is_reached.then_some(true)
    }

    /// The addresses of a name.
    pub(in super::super) fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        self.names.addresses(host)
    }

    /// Whether the origin is asked through a proxy, which then is who looks up the name.
    pub(in super::super) fn is_proxied(&self, origin: &Origin) -> bool {
        !matches!(self.proxies.choose(origin), Ok(None))
    }

    fn open_new(&self, origin: &Origin) -> Result<Connection, Failure> {
        match self.attempt(origin) {
            Err(Failure::NotTls(meaning)) => Err(*meaning),
            result => result,
        }
    }

    fn attempt(&self, origin: &Origin) -> Result<Connection, Failure> {
        let pace = SharedPace::connection(self.timeout);
        let proxy = self.proxies.choose(origin)?;
        let stream = match &proxy {
            None => self.reach(origin.bare_host(), origin.port, &pace)?,
            Some(proxy) => self
                .reach_through(proxy, origin, &pace)
                .map_err(|failure| failure.during(format!("proxy {}", proxy.host)))?,
        };
        let stream: Box<dyn Stream> = match origin.scheme {
            Scheme::Http => stream,
            Scheme::Https => {
                let configuration = self.trust.configuration(origin, self.is_named(origin))?;
                Box::new(TlsStream::open(stream, origin, configuration, &pace)?)
            }
        };
        let forwarded = proxy.filter(|proxy| forwards(proxy, origin));
        Ok(Connection {
            stream,
            forwarded: forwarded.map(|proxy| Forwarded {
                origin: origin.clone(),
                authorization: proxy.authorization(),
            }),
        })
    }

    /// A stream that ends at the origin, or at a proxy that forwards its requests.
    fn reach_through(
        &self,
        proxy: &Proxy,
        origin: &Origin,
        pace: &SharedPace,
    ) -> Result<Box<dyn Stream>, Failure> {
        let mut stream = self.reach(&proxy.host, proxy.port, pace)?;
        if proxy.protocol == Protocol::Https {
            let itself = Origin::new(Scheme::Https, &format!("{}:{}", proxy.host, proxy.port))?;
            let configuration = self.trust.configuration(&itself, false)?;
            stream = Box::new(TlsStream::open(stream, &itself, configuration, pace)?);
        }
        match proxy.protocol {
            Protocol::Socks5 => tunnel::socks5(&mut stream, proxy, origin)?,
            _ if forwards(proxy, origin) => {}
            _ => tunnel::connect(&mut stream, proxy, origin)?,
        }
        Ok(stream)
    }

    /// The addresses are tried in turn, each with its share of the time that is left.
    fn reach(&self, host: &str, port: u16, pace: &SharedPace) -> Result<Box<dyn Stream>, Failure> {
        let addresses = self.names.addresses(host)?;
        let mut failure = Failure::Broken(unavailable("the name has no address"));
        for (at, address) in addresses.iter().enumerate() {
            let share = pace.wait()? / u32::try_from(addresses.len() - at).unwrap_or(1);
            match TcpStream::connect_timeout(&SocketAddr::new(*address, port), share) {
                Ok(stream) => {
                    // Requests are small and wait for their answer.
                    let _ = stream.set_nodelay(true);
                    return Ok(Box::new(PacedStream::new(stream, pace.clone())));
                }
                Err(error) => failure = Failure::of_io(error),
            }
        }
        Err(failure)
    }
}

fn forwards(proxy: &Proxy, origin: &Origin) -> bool {
    origin.scheme == Scheme::Http && proxy.protocol != Protocol::Socks5
}
