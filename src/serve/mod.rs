//! What commands answer, over HTTP: pages for people, JSON for programs.

mod access;
mod api;
mod filter;
mod http;
mod kept;
mod lambda;
mod metrics;
mod mquery;
mod openapi;
mod pages;
mod reply;
mod site;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use crate::cli::{Args, Cli};
use crate::commands::serve::{ANY, LISTEN};
use crate::context;
use crate::error::{During, Error, Result, say};
use access::Access;
use http::{Request, Response, Server, Service};
use lambda::Runtime;
use metrics::Metrics;
use pages::Pages;
use site::Site;

/// Where it listens unless told otherwise.
const ADDRESS: &str = "127.0.0.1:5080";

/// Where the answers of commands are.
const COMMANDS: &str = "/api/v1/";

/// Addresses that are counted by themselves, beside those of commands and pages.
const ROUTES: [&str; 4] = ["/api/openapi.json", "/healthz", "/metrics", "/mquery"];

/// Answers until it is told to end.
pub(crate) fn run(table: Cli, args: &Args) -> Result<u8> {
    if let Some(address) = context::lambda_runtime() {
        let runtime = Runtime::new(address);
        let site = site(table, args, None).inspect_err(|error| runtime.refuse(error))?;
        return runtime.run(&service(site, args, None));
    }
    let address = args.text(&LISTEN).unwrap_or(ADDRESS);
    let listener = TcpListener::bind(address).during(format_args!("--listen {address}"))?;
    let address = listener.local_addr()?;
    let site = site(table, args, Some(address))?;
    say(&format!("docker-registry: listening on http://{address}/"));
    let grace = site.timeout();
    Server::new(service(site, args, Some(address))).run(listener, grace).map(|()| 0)
}

/// At the address; without one, behind a gateway.
fn site(table: Cli, args: &Args, address: Option<SocketAddr>) -> Result<Site> {
    let access = Access::new(args.operands(), args.has(&ANY))?;
    let is_open = args.operands().is_empty() && !args.has(&ANY);
    if is_open && !address.is_some_and(|it| it.ip().to_canonical().is_loopback()) {
        let place = address.map_or_else(|| "this function".to_owned(), |it| it.to_string());
        let why = format!("others reach {place}: say what may be asked for");
        let hint = "name registries and repositories, or allow any image with --any";
        return Err(Error::usage(why).hint(hint));
    }
    Site::new(args, table, access)
}

fn service(site: Site, args: &Args, address: Option<SocketAddr>) -> Service {
    let commands = site.table.specs().filter(|spec| spec.operand.is_only_read());
    let commands = commands.map(|spec| format!("{COMMANDS}{}", spec.name));
    let others = pages::paths().chain(ROUTES).map(str::to_owned);
    let counted = Arc::new(Metrics::new(commands.chain(others), context::is_verbose(args)));
    let metrics = Arc::clone(&counted);
    let pages = Pages::new(Arc::new(site));
    Service::new(
        move |request| answer(&pages, &metrics, address, request),
        move |exchange| counted.count(exchange),
    )
}

fn answer(
    pages: &Pages,
    metrics: &Metrics,
    address: Option<SocketAddr>,
    request: &Request,
) -> Response {
    let host = request.header("host");
    match address.is_none_or(|address| access::is_meant(address, host)) {
        true => routed(pages, metrics, request),
        false => Response::text(421, "this server answers to localhost, not to another name"),
    }
}

fn routed(pages: &Pages, metrics: &Metrics, request: &Request) -> Response {
    match request.path.as_str() {
        "/healthz" => Response::text(200, "ok"),
        "/metrics" => metrics.response(pages.site.counts()),
        "/api/openapi.json" => api::response(&pages.site.openapi, request),
        "/mquery" => mquery::answer(&pages.site, request),
        path => match path.strip_prefix(COMMANDS) {
            Some(command) => api::answer(&pages.site, command, request),
            None => pages.answer(request),
        },
    }
}
