//! What commands answer, over HTTP: pages for people, JSON for programs.

mod access;
mod api;
mod http;
mod kept;
mod lambda;
mod metrics;
mod reply;
mod site;

use std::net::{SocketAddr, TcpListener};

use crate::cli::{Args, Cli};
use crate::commands::serve::{ANY, LISTEN};
use crate::error::{During, Error, Kind, Result, say};
use access::Access;
use http::{Request, Response, Server, Service};
use site::Site;

/// Where it listens unless told otherwise.
const ADDRESS: &str = "127.0.0.1:5080";

/// No code or style but our own files, no frames, no other sites.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Answers until it is told to end.
pub(crate) fn run(table: Cli, args: &Args) -> Result<u8> {
    let access = Access::new(args.operands(), args.has(&ANY))?;
    let address = args.text(&LISTEN).unwrap_or(ADDRESS);
    let listener = TcpListener::bind(address).during(format_args!("--listen {address}"))?;
    let address = listener.local_addr()?;
    let is_open = args.operands().is_empty() && !args.has(&ANY);
    if is_open && !address.ip().to_canonical().is_loopback() {
        let why = format!("others reach {address}: say what may be asked for");
        let hint = "name registries and repositories, or allow any image with --any";
        return Err(Error::usage(why).hint(hint));
    }
    let site = Site::new(args, table, access)?;
    say(&format!("docker-registry: listening on http://{address}/"));
    let grace = site.timeout();
    let server = Server::new(Service::new(move |request| answer(&site, address, request), |_| {}));
    server.run(listener, grace).map(|()| 0)
}

/// The answer to a request, with the headers that all answers have.
fn answer(site: &Site, address: SocketAddr, request: &Request) -> Response {
    let mut response = match access::is_meant(address, request.header("host")) {
        true => routed(site, request),
        false => Response::text(421, "this server answers to localhost, not to another name"),
    };
    for (name, value) in [
        ("Content-Security-Policy", POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-cache"),
    ] {
        if response.headers.iter().all(|(known, _)| *known != name) {
            response.headers.push((name, value.to_owned()));
        }
    }
    response
}

fn routed(site: &Site, request: &Request) -> Response {
    match request.path.as_str() {
        "/healthz" => Response::text(200, "ok"),
        path => match path.strip_prefix("/api/v1/") {
            Some(command) => api::answer(site, command, request),
            None => {
                let error = Error::new(Kind::NotFound, "there is nothing at this address");
                api::failure(&error, None)
            }
        },
    }
}
