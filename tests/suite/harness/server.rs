//! A listener on loopback with a thread per connection, all of which end when it is dropped.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::wire::trickle;

/// Where nothing listens.
pub const NOBODY: &str = "127.0.0.1:1";

pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<Vec<Connection>>>,
    accepted: Arc<Mutex<usize>>,
}

struct Connection {
    socket: TcpStream,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves each connection with `handle`, which also gets its number, from 0.
    pub fn start(
        listener: TcpListener,
        handle: impl Fn(TcpStream, usize) + Send + Sync + 'static,
    ) -> Server {
        let address = listener.local_addr().expect("a bound listener");
        let stopping = Arc::new(AtomicBool::new(false));
        let accepted = Arc::new(Mutex::new(0));
        let acceptor = std::thread::spawn({
            let (stopping, accepted) = (stopping.clone(), accepted.clone());
            move || accept(&listener, &stopping, &accepted, Arc::new(handle))
        });
        Server {
            address,
            stopping,
            acceptor: Some(acceptor),
            accepted,
        }
    }

    /// Takes every connection and says nothing.
    pub fn silent() -> Server {
        Server::start(Server::listener(Ipv4Addr::LOCALHOST), |mut socket, _| {
            io::copy(&mut socket, &mut io::sink()).ok();
        })
    }

    /// Says this to everyone, whatever they say.
    pub fn saying(bytes: &'static [u8]) -> Server {
        Server::start(
            Server::listener(Ipv4Addr::LOCALHOST),
            move |mut socket, _| {
                socket.write_all(bytes).ok();
                socket.shutdown(Shutdown::Write).ok();
                io::copy(&mut socket, &mut io::sink()).ok();
            },
        )
    }

    /// Gives these answers in turn, then the same bytes again and again.
    pub fn trickling(answers: &'static [&'static [u8]], again: &'static [u8]) -> Server {
        Server::start(
            Server::listener(Ipv4Addr::LOCALHOST),
            move |mut socket, _| {
                for answer in answers {
                    if !matches!(socket.read(&mut [0; 4096]), Ok(1..)) {
                        return;
                    }
                    socket.write_all(answer).ok();
                }
                trickle(&mut socket, again).ok();
            },
        )
    }

    /// A free port of an address on loopback.
    pub fn listener(address: impl Into<IpAddr>) -> TcpListener {
        TcpListener::bind((address.into(), 0)).expect("a free port on loopback")
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were made, whether or not anything was asked on them.
    pub fn accepted(&self) -> usize {
        *self.accepted.lock().unwrap()
    }

    /// Closes every connection and waits for their threads.
    pub fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor from its wait for the next connection.
        TcpStream::connect(self.address).ok();
        for connection in acceptor.join().unwrap_or_default() {
            connection.socket.shutdown(Shutdown::Both).ok();
            connection.thread.join().ok();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn accept<F: Fn(TcpStream, usize) + Send + Sync + 'static>(
    listener: &TcpListener,
    stopping: &AtomicBool,
    accepted: &Mutex<usize>,
    handle: Arc<F>,
) -> Vec<Connection> {
    let mut connections = Vec::new();
    for socket in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(socket) = socket else { continue };
        let Ok(stream) = socket.try_clone() else {
            continue;
        };
        socket.set_nodelay(true).ok();
        let number = connections.len();
        *accepted.lock().unwrap() += 1;
        let handle = handle.clone();
        let thread = std::thread::spawn(move || {
            let closer = stream.try_clone();
            handle(stream, number);
            // The other handle of the socket would keep the connection open.
            closer
                .and_then(|socket| socket.shutdown(Shutdown::Both))
                .ok();
        });
        connections.push(Connection { socket, thread });
    }
    connections
}
