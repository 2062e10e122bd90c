//! Clients come, are limited in number, and at the end are let go.

use std::collections::HashMap;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::Service;
use super::connection::Connection;
use super::places;
use crate::error::Result;
use crate::machine::{self, Arrivals};
use crate::parallel::{Semaphore, lock};

/// Connections at a time: each costs a thread that waits.
const CONNECTIONS: usize = 1024;

/// Files that are open beside them: what answers are made of.
const OTHERS: usize = 256;

/// What the connections of a server share.
pub(in super::super) struct Server {
    pub(super) service: Service,
    pub(super) places: Arc<Semaphore>,
    open: Mutex<HashMap<u64, Arc<TcpStream>>>,
    closed: Condvar,
    most: usize,
    is_ending: AtomicBool,
}

impl Server {
    pub(in super::super) fn new(service: Service) -> Self {
        let most = machine::open_files(CONNECTIONS + OTHERS).saturating_sub(OTHERS).max(16);
        Server {
            service,
            places: places::places(),
            open: Mutex::default(),
            closed: Condvar::new(),
            most,
            is_ending: AtomicBool::new(false),
        }
    }

    /// Answers until the process is told to end; then the requests that have arrived are answered,
    /// for so long at most.
    pub(in super::super) fn run(self, listener: TcpListener, grace: Duration) -> Result<()> {
        let server = Arc::new(self);
        let mut number = 0;
        let mut admit = |(stream, client)| {
            number += 1;
            server.admit(stream, client, number);
        };
        let arrivals = Arrivals::new(listener)?;
        arrivals.until_told().for_each(&mut admit);
        arrivals.left().take(server.most).for_each(&mut admit);
        drop(arrivals);
        server.end(grace);
        Ok(())
    }

    pub(super) fn admit(self: &Arc<Self>, stream: TcpStream, client: SocketAddr, number: u64) {
        let stream = Arc::new(stream);
        let mut open = lock(&self.open);
        if open.len() >= self.most {
            return turn_away(&stream);
        }
        open.insert(number, Arc::clone(&stream));
        drop(open);
        let (server, own) = (Arc::clone(self), Arc::clone(&stream));
        let work = move || {
            Connection::new(&server, &own, client.ip()).run();
            server.close(number);
        };
        if thread::Builder::new().spawn(work).is_err() {
            turn_away(&stream);
            self.close(number);
        }
    }

    fn close(&self, number: u64) {
        lock(&self.open).remove(&number);
        self.closed.notify_all();
    }

    fn end(&self, grace: Duration) {
        self.is_ending.store(true, Ordering::Release);
        let open = lock(&self.open);
        for stream in open.values() {
            // Who waits for another request waits no longer; responses can still be written.
            let _ = stream.shutdown(Shutdown::Read);
        }
        drop(self.closed.wait_timeout_while(open, grace, |open| !open.is_empty()));
    }

    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Acquire)
    }

    /// Whether clients that say nothing should go.
    pub(super) fn is_crowded(&self) -> bool {
        lock(&self.open).len() > self.most / 4 * 3
    }
}

/// Says that there is no room. What a client does not take at once is lost: nobody waits for it.
fn turn_away(mut stream: &TcpStream) {
    let _ = stream.set_nonblocking(true);
    let _ = stream.write_all(
        b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
}
