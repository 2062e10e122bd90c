//! One request and its answer: limits, deadlines, connections. The only user of ureq.

mod address;
mod connection;
mod connections;
mod failure;
mod pace;
mod proxy;
mod resolver;
mod stream;
mod tls;
mod tunnel;

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Instant;

use ureq::{Agent, BodyReader, Error as HttpError, SendBody, http};

use crate::error::{Error, Kind};
use crate::memory;
use crate::parallel::lock;

use super::message::{Body, ERROR_RESPONSE_LIMIT, Method, Request, Response, Want};
use super::trace::Trace;
use connection::{PACE, TransportConnector};
use pace::{Limit, SharedPace};

#[cfg(test)]
pub(super) use address::is_internal;
pub(super) use connections::Connections;
pub(super) use failure::Failure;
pub(crate) use proxy::Proxies;
pub(super) use resolver::Resolver;
pub(crate) use tls::Certificates;
pub(super) use tls::{SystemRoots, Trust};

/// An answer, or why there is none.
pub(super) type Outcome = Result<Response, Failure>;

/// Sends requests. Connections are kept and used again.
pub(super) struct HttpClient {
    agent: Agent,
    pub(super) connections: Arc<Connections>,
    pub(super) trace: Trace,
}

impl HttpClient {
    /// `jobs` is how many requests there are at a time.
    pub(super) fn new(
        connections: Arc<Connections>,
        jobs: usize,
        user_agent: &str,
        trace: Trace,
    ) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_idle_connections(jobs.saturating_mul(2))
            .max_idle_connections_per_host(jobs)
            .user_agent(user_agent)
            // Bytes are compared with digests: nobody may encode them.
            .accept_encoding("identity")
            .build();
        let connector = TransportConnector(Arc::clone(&connections));
        let agent = Agent::with_parts(config, connector.clone(), connector);
        HttpClient { agent, connections, trace }
    }

    /// The answer to one request, whatever its status. Redirects are answers.
    pub(super) fn exchange(&self, request: &Request) -> Outcome {
        let body = match &request.body {
            Some(payload) => SendBody::from_owned_reader((payload.open)()?),
            None if request.method == Method::Post => SendBody::from_owned_reader(io::empty()),
            None => SendBody::none(),
        };
        let answer = self.agent.run(build(request, body)?);
        let (parts, body) = answer.map_err(failure)?.into_parts();
        let owned = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let headers = parts.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), owned(value.as_bytes())));
        let (status, headers) = (parts.status.as_u16(), headers.collect());
        let reader = body.into_reader();
        let body = match request.want {
            Want::Stream if parts.status.is_success() => {
                let pace = PACE.take().expect("the connection of the request has set it");
                lock(&pace).restart(Limit::Rate);
                Body::Stream(BodyStream { reader, pace })
            }
            Want::Whole(limit) if parts.status.is_success() => Body::Whole(whole(reader, limit)?),
            _ => Body::Whole(beginning(reader)),
        };
        Ok(Response { url: request.url.clone(), status, headers, body })
    }
}

fn build<B>(request: &Request, body: B) -> Result<http::Request<B>, Failure> {
    let mut builder =
        http::Request::builder().method(request.method.name()).uri(request.url.to_string());
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    if let Some(authorization) = &request.authorization {
        builder = builder.header("authorization", authorization.reveal());
    }
    if let Some(payload) = &request.body {
        builder = builder.header("content-type", &payload.media_type);
    }
    let size = request.body.as_ref().map(|payload| payload.size);
    if let Some(size) = size.or((request.method == Method::Post).then_some(0)) {
        builder = builder.header("content-length", size);
    }
    // The library's error is not shown: it may quote the value of a header.
    builder.body(body).map_err(|_| {
        let message = "the request cannot be written as HTTP";
        Error::new(Kind::Local, message).into()
    })
}

/// How much of a body is read before it is told that it is in memory.
const PIECE: u64 = 64 << 10;

/// All of a body. To its very end, or else the connection cannot be used again.
fn whole(reader: BodyReader<'static>, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut reader = reader.take(limit + 1);
    loop {
        let read = reader.by_ref().take(PIECE).read_to_end(&mut bytes);
        let read =
            read.map_err(|error| failure(error.into()).during("in the middle of the answer"))?;
        if read == 0 {
            break;
        }
        // What is small is let pass: tokens too come this way.
        if bytes.len() as u64 > PIECE {
            memory::take(read)?;
        }
    }
    if bytes.len() as u64 > limit {
        let message = format!("the answer is longer than {limit} bytes");
        return Err(Error::new(Kind::Protocol, message).into());
    }
    Ok(bytes)
}

/// How much of an answer that is in memory has been told.
pub(super) fn told(response: &Response) -> usize {
    response.bytes().len().saturating_sub(PIECE as usize)
}

/// What there is of a refusal. That it ends early is no reason to lose the rest.
fn beginning(reader: BodyReader<'static>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = reader.take(ERROR_RESPONSE_LIMIT).read_to_end(&mut bytes);
    bytes
}

/// A body as it arrives.
pub(super) struct BodyStream {
    reader: BodyReader<'static>,
    pace: SharedPace,
}

impl BodyStream {
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        // Only what is content makes up for the time: chunks' extensions and trailers do not.
        lock(&self.pace).begin(Instant::now());
        let read = self.reader.read(buffer);
        lock(&self.pace).end(Instant::now(), *read.as_ref().unwrap_or(&0));
        read.map_err(|error| failure(error.into()))
    }
}

fn failure(error: HttpError) -> Failure {
    let why = match error {
        HttpError::Io(error) => return Failure::of_io(error),
        HttpError::Other(error) => match error.downcast::<Failure>() {
            Ok(failure) => return *failure,
            Err(error) => error.to_string(),
        },
        HttpError::Protocol(error) => format!("not HTTP: {error}"),
        HttpError::LargeResponseHeader(..) => "not HTTP: its header is too long".to_owned(),
        error => format!("not HTTP: {error}"),
    };
    Error::new(Kind::Protocol, format!("the answer is {why}")).into()
}
