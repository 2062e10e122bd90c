//! A proxy that knows every host name: CONNECT, plain HTTP and SOCKS5, with a log of what was asked for.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use super::http::{Request, Response};
use super::server::Server;
use super::tokens::basic;

/// Leads `registry.example.com:443` to a registry on loopback. Strict: a target without a route fails the test.
pub struct Proxy {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    routes: BTreeMap<String, String>,
    user: Option<(String, String)>,
    log: Vec<String>,
    complaints: Vec<String>,
}

impl Proxy {
    pub fn start() -> Proxy {
        let state = Arc::new(Mutex::new(State::default()));
        let server = Server::start(Server::listener(Ipv4Addr::LOCALHOST), {
            let state = state.clone();
            // An error is the end of a connection, which the client sees.
            move |socket, _| drop(serve(&state, socket))
        });
        Proxy { server, state }
    }

    /// Leads `HOST:PORT` to `127.0.0.1:PORT`.
    pub fn route(self, target: &str, host: &str) -> Proxy {
        let mut state = self.state.lock().unwrap();
        state.routes.insert(target.to_owned(), host.to_owned());
        drop(state);
        self
    }

    /// Wants these credentials, for CONNECT and plain HTTP.
    pub fn user(self, name: &str, password: &str) -> Proxy {
        self.state.lock().unwrap().user = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// `socks5://127.0.0.1:PORT`.
    pub fn socks_url(&self) -> String {
        format!("socks5://{}", self.host())
    }

    /// What was asked for since the start or the last `take`: `CONNECT registry.example.com:443`,
    /// `SOCKS5 registry.example.com:443`, `GET http://registry.example.com/v2/`.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.stop();
        let complaints = &self.state.lock().unwrap().complaints;
        if !complaints.is_empty() && !std::thread::panicking() {
            panic!("proxy: no route to {}", complaints.join(", "));
        }
    }
}

fn serve(state: &Mutex<State>, socket: TcpStream) -> io::Result<()> {
    let mut first = [0];
    socket.peek(&mut first)?;
    if first[0] == 5 {
        return socks(state, socket);
    }
    let mut client = BufReader::new(socket);
    while let Some(request) = Request::read(&mut client, 0)? {
        let line = format!("{} {}", request.method, request.target);
        state.lock().unwrap().log.push(line);
        if !admits(state, &request) {
            let realm = "Basic realm=\"proxy\"";
            let refused = Response::new(407).header("Proxy-Authenticate", realm);
            client.get_mut().write_all(&refused.head())?;
            continue;
        }
        if request.method == "CONNECT" {
            let Some(server) = dial(state, &request.target) else {
                return client.get_mut().write_all(&Response::new(502).head());
            };
            let answer = b"HTTP/1.1 200 Connection established\r\n\r\n";
            client.get_mut().write_all(answer)?;
            return relay(client.get_ref(), &server);
        }
        let response = forward(state, &request)?;
        client.get_mut().write_all(&response.head())?;
        client.get_mut().write_all(&response.body)?;
    }
    Ok(())
}

fn admits(state: &Mutex<State>, request: &Request) -> bool {
    let given = request.header("Proxy-Authorization").and_then(basic);
    let user = &state.lock().unwrap().user;
    user.is_none() || *user == given
}

/// Asks the server for what the client asked with a whole URL.
fn forward(state: &Mutex<State>, request: &Request) -> io::Result<Response> {
    let Some(rest) = request.target.strip_prefix("http://") else {
        return Ok(Response::new(400));
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let target = match authority.contains(':') {
        true => authority.to_owned(),
        false => format!("{authority}:80"),
    };
    let Some(mut server) = dial(state, &target) else {
        return Ok(Response::new(502));
    };
    let mut head = format!("{} /{path} HTTP/1.1\r\n", request.method);
    for (name, value) in &request.headers {
        if !name.to_lowercase().starts_with("proxy-") {
            head += &format!("{name}: {value}\r\n");
        }
    }
    server.write_all(&[head.as_bytes(), b"\r\n", &request.body].concat())?;
    Response::read(&mut BufReader::new(server), &request.method)
}

/// SOCKS5 without credentials: <https://www.rfc-editor.org/rfc/rfc1928>.
fn socks(state: &Mutex<State>, mut client: TcpStream) -> io::Result<()> {
    let [_, methods] = read(&mut client)?;
    io::copy(&mut (&client).take(methods.into()), &mut io::sink())?;
    client.write_all(&[5, 0])?;
    let [_, _, _, kind] = read(&mut client)?;
    let host = match kind {
        1 => IpAddr::from(read::<4>(&mut client)?).to_string(),
        4 => format!("[{}]", IpAddr::from(read::<16>(&mut client)?)),
        _ => {
            let [length] = read(&mut client)?;
            let mut name = vec![0; length.into()];
            client.read_exact(&mut name)?;
            String::from_utf8_lossy(&name).into_owned()
        }
    };
    let target = format!("{host}:{}", u16::from_be_bytes(read(&mut client)?));
    state.lock().unwrap().log.push(format!("SOCKS5 {target}"));
    let server = dial(state, &target);
    let unreachable = u8::from(server.is_none()) * 4;
    client.write_all(&[5, unreachable, 0, 1, 0, 0, 0, 0, 0, 0])?;
    match server {
        Some(server) => relay(&client, &server),
        None => Ok(()),
    }
}

fn read<const N: usize>(from: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Connects to where the target is routed to, or to itself when it is on loopback.
fn dial(state: &Mutex<State>, target: &str) -> Option<TcpStream> {
    let mut state = state.lock().unwrap();
    let own = target.parse().ok();
    let own = own.filter(|address: &SocketAddr| address.ip() == Ipv4Addr::LOCALHOST);
    let address = match (state.routes.get(target), own) {
        (Some(host), _) => host.clone(),
        (None, Some(address)) => address.to_string(),
        (None, None) => {
            state.complaints.push(target.to_owned());
            return None;
        }
    };
    TcpStream::connect(address).ok()
}

/// Carries bytes both ways until either side ends.
pub fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let carry = |mut from: &TcpStream, mut to: &TcpStream| {
        io::copy(&mut from, &mut to).ok();
        from.shutdown(Shutdown::Both).ok();
        to.shutdown(Shutdown::Both).ok();
    };
    std::thread::scope(|scope| {
        scope.spawn(|| carry(server, client));
        carry(client, server);
    });
    Ok(())
}
