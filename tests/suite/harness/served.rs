//! The program while it serves.

use std::net::TcpStream;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use super::client::Client;
use super::http::Response;
use super::running::Running;

/// Killed when it is dropped.
pub struct Served {
    pub running: Running,
    host: String,
    /// Is there for as long.
    _home: Arc<TempDir>,
}

impl Served {
    /// Waits until it says where it listens.
    pub(super) fn new(running: Running, home: Arc<TempDir>) -> Served {
        let said = running.said();
        let url = said.strip_prefix("docker-registry: listening on http://");
        let host = url.and_then(|it| it.strip_suffix('/'));
        let host = host.unwrap_or_else(|| panic!("{said}")).to_owned();
        Served {
            running,
            host,
            _home: home,
        }
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A GET that means another host.
    pub fn with_host(&self, host: &str, target: &str) -> Response {
        let socket = TcpStream::connect(&self.host).expect("a server that listens");
        Client::over(socket, host, None).get(target)
    }

    pub fn get(&self, target: &str) -> Response {
        self.ask(target, &[])
    }

    /// A GET with headers of its own, on a connection of its own.
    pub fn ask(&self, target: &str, headers: &[(&str, &str)]) -> Response {
        Client::connect(&self.host, None).send("GET", target, headers, b"")
    }

    /// The JSON of an answer that has this status.
    #[track_caller]
    pub fn json(&self, status: u16, target: &str) -> Value {
        let response = self.get(target);
        let body = String::from_utf8_lossy(&response.body);
        assert_eq!(response.status, status, "{target}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{target}: {error}: {body}"))
    }
}
