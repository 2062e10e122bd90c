//! A client without any cleverness: to seed real registries and to test the suite's own.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::Mutex;

use super::http::{Response, Stream};
use super::tls::Tls;

/// One connection to one server. A refused or broken connection fails the test.
pub struct Client {
    host: String,
    authorization: Option<String>,
    stream: Mutex<BufReader<Box<dyn Stream>>>,
}

impl Client {
    /// Connects to `127.0.0.1:PORT`.
    pub fn connect(host: &str, tls: Option<&Tls>) -> Client {
        let socket = TcpStream::connect(host).expect("a server that listens");
        socket.set_nodelay(true).expect("a socket");
        Client::over(socket, host, tls)
    }

    /// Speaks over a connection that is made already, as through a proxy.
    pub fn over(socket: TcpStream, host: &str, tls: Option<&Tls>) -> Client {
        let stream: Box<dyn Stream> = match tls {
            Some(tls) => Box::new(tls.connect(socket)),
            None => Box::new(socket),
        };
        Client {
            host: host.to_owned(),
            authorization: None,
            stream: Mutex::new(BufReader::new(stream)),
        }
    }

    /// Sends this `Authorization` from now on.
    pub fn authorization(mut self, value: String) -> Client {
        self.authorization = Some(value);
        self
    }

    pub fn get(&self, target: &str) -> Response {
        self.send("GET", target, &[("Accept", "*/*")], b"")
    }

    pub fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let answer = self.try_send(method, target, headers, body);
        answer.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    pub fn try_send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Response> {
        let length = body.len();
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\n",
            self.host
        );
        let authorization = self.authorization.as_deref();
        let own = authorization.map(|value| ("Authorization", value));
        for (name, value) in headers.iter().copied().chain(own) {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = self.stream.lock().unwrap();
        let message = [head.as_bytes(), b"\r\n", body].concat();
        stream.get_mut().write_all(&message)?;
        stream.get_mut().flush()?;
        Response::read(&mut *stream, method)
    }
}
