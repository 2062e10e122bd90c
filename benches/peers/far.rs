//! A registry far away: a proxy that lets each connection and request wait, and counts them.

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::harness::{Client, Request, Response, Server, Tls, accept};

const CONNECTION: Duration = Duration::from_millis(100);
pub const REQUEST: Duration = Duration::from_millis(50);

/// What stands before one server.
pub struct Far {
    server: Server,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicUsize,
    requests: AtomicUsize,
}

impl Far {
    /// Before `host`; in its headers the first of `instead` is replaced by the second.
    pub fn before(host: &str, tls: &Arc<Tls>, instead: (String, String)) -> Far {
        let (host, own) = (host.to_owned(), tls.clone());
        Far::start(tls, move || {
            let client = Client::connect(&host, Some(&own));
            let instead = instead.clone();
            move |request: &Request| forward(&client, request, &instead)
        })
    }

    /// A server of its own, which has every answer at hand.
    pub fn holding(answers: HashMap<String, Response>, tls: &Arc<Tls>) -> Far {
        let answers = Arc::new(answers);
        Far::start(tls, move || {
            let answers = answers.clone();
            move |request: &Request| {
                let missing = || Response::error(404, "MANIFEST_UNKNOWN", "not here");
                let response = answers
                    .get(&request.target)
                    .cloned()
                    .unwrap_or_else(missing);
                [response.head(), response.body].concat()
            }
        })
    }

    fn start<A: FnMut(&Request) -> Vec<u8>>(
        tls: &Arc<Tls>,
        open: impl Fn() -> A + Send + Sync + 'static,
    ) -> Far {
        let counts = Arc::new(Counts::default());
        let serve = {
            let counts = counts.clone();
            let config = tls.server_config();
            move |socket, _| {
                counts.connections.fetch_add(1, Ordering::SeqCst);
                sleep(CONNECTION);
                let mut stream = BufReader::new(accept(&config, socket));
                let mut answer = open();
                while let Ok(Some(request)) = Request::read(&mut stream, 0) {
                    counts.requests.fetch_add(1, Ordering::SeqCst);
                    sleep(REQUEST);
                    let sent = stream.get_mut().write_all(&answer(&request));
                    if sent.and_then(|()| stream.get_mut().flush()).is_err() {
                        return;
                    }
                }
            }
        };
        let server = Server::start(Server::listener(Ipv4Addr::LOCALHOST), serve);
        Far { server, counts }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Requests and connections since the last time.
    pub fn take(&self) -> (usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (take(&self.counts.requests), take(&self.counts.connections))
    }
}

fn forward(client: &Client, request: &Request, (from, to): &(String, String)) -> Vec<u8> {
    let own = ["host", "content-length", "connection"];
    let headers = request.headers.iter();
    let headers = headers.filter(|(name, _)| !own.contains(&name.to_lowercase().as_str()));
    let headers: Vec<(&str, &str)> = headers.map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut response = client.send(&request.method, &request.target, &headers, &request.body);
    for (_, value) in &mut response.headers {
        *value = value.replace(from, to);
    }
    let mut answer = response.head();
    if request.method != "HEAD" {
        answer.extend(response.body);
    }
    answer
}
