//! What stderr shows of the requests, and the notices about them.

mod redacted;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::{say, warn};
use crate::memory;
use crate::parallel::lock;
use crate::text::{quoted, size};

use super::message::{Body, Method, Request, Response};
use super::rate::Rate;
use super::transport::{Certificates, Connections, Failure, Outcome};
use super::url::Scheme;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    #[default]
    Quiet,
    /// A line for each request.
    Requests,
    /// Each request as a `curl` command, and the header of its answer.
    Curl,
}

pub(super) struct Trace {
    verbosity: Verbosity,
    certificates: Certificates,
    connections: Arc<Connections>,
    /// What was said already that is to be said once.
    told: Mutex<HashMap<String, ()>>,
}

impl Trace {
    pub(super) fn new(
        verbosity: Verbosity,
        certificates: Certificates,
        connections: Arc<Connections>,
    ) -> Self {
        Trace { verbosity, certificates, connections, told: Mutex::default() }
    }

    pub(super) fn asking(&self, request: &Request) {
        if self.verbosity >= Verbosity::Curl {
            say(&self.command(request));
        }
    }

    fn command(&self, request: &Request) -> String {
        let is_named = self.connections.is_named(&request.url.origin);
        curl(request, &options(&self.certificates, is_named))
    }

    /// Says how `$TOKEN` is filled which the commands name: by the answer to this request, or, where a
    /// token was given, from the user's configuration.
    pub(super) fn token(&self, request: impl FnOnce() -> Option<Request>) {
        if self.verbosity < Verbosity::Curl {
            return;
        }
        let how = request().map(|request| {
            format!("TOKEN=$({} | jq -r '.token // .access_token')", self.command(&request))
        });
        let how = how.as_deref().unwrap_or("# TOKEN is the registrytoken of Docker's config.json");
        if self.is_new(how) {
            say(how);
        }
    }

    /// Whether it was not said before.
    fn is_new(&self, text: &str) -> bool {
        match memory::entry(&mut lock(&self.told), text.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(());
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    pub(super) fn ended(&self, request: &Request, outcome: &Outcome, took: Duration) {
        if let Some(text) = outcome.as_ref().ok().and_then(|it| warning(it.header("warning")?)) {
            let text = format!("{}: {text}", request.url.origin.authority());
            if self.is_new(&text) {
                warn(text);
            }
        }
        // Nothing was wrong where a kept connection was closed: it is sent again at once.
        let is_stale = outcome.as_ref().is_err_and(Failure::is_stale);
        if self.verbosity < Verbosity::Requests || (is_stale && request.tries.is_some()) {
            return;
        }
        let what = format!("{} {}", request.method.name(), redacted::url(&request.url));
        let response = match outcome {
            Ok(response) => response,
            Err(failure) => return say(&format!("{what} {failure}")),
        };
        let (status, size, took) = (response.status, length(request, response), took.as_millis());
        say(&format!("{what} {status} {size}{took} ms"));
        // When the count begins anew is not told here, so the time does not matter.
        let rate = Rate::read(response, SystemTime::UNIX_EPOCH);
        if let (Some(limit), Some(remaining), true) = (rate.limit, rate.remaining, rate.is_scarce())
        {
            let host = request.url.origin.authority();
            say(&format!("{host}: {remaining} of {limit} requests left"));
        }
        if self.verbosity >= Verbosity::Curl {
            for (name, value) in &response.headers {
                say(&format!("< {name}: {}", redacted::header(name, value)));
            }
        }
    }
}

/// What a registry has to say to its users (distribution-spec, "Warnings").
fn warning(header: &str) -> Option<&str> {
    header.strip_prefix("299 - \"")?.strip_suffix('"')
}

/// How curl is told whom the user trusts, and who the user is. It reads the variables of the
/// environment itself.
fn options(given: &Certificates, is_named: bool) -> String {
    let mut options = if given.insecure && is_named { " -k" } else { "" }.to_owned();
    let authorities = given.cacert.iter().map(|path| ("--cacert", path));
    let cert = given.cert.iter().map(|path| ("--cert", path));
    let key = given.key.iter().map(|path| ("--key", path));
    for (name, path) in authorities.chain(cert.chain(key).filter(|_| is_named)) {
        options += &format!(" {name} {}", quoted(&path.display().to_string()));
    }
    options
}

/// A command that does what the request does, with secrets as variables of the shell.
fn curl(request: &Request, options: &str) -> String {
    let mut command = "curl -sS --globoff".to_owned();
    if request.url.origin.scheme == Scheme::Https {
        command += options;
    }
    match request.method {
        Method::Get => {}
        Method::Head => command += " -I",
        method => command += &format!(" -X {}", method.name()),
    }
    command += match request.authorization.as_ref().map(|it| it.reveal().starts_with("Basic ")) {
        Some(true) => r#" -u "$CREDENTIALS""#,
        Some(false) => r#" -H "Authorization: Bearer $TOKEN""#,
        None => "",
    };
    for (name, value) in &request.headers {
        command += &format!(" -H {}", quoted(&format!("{name}: {value}")));
    }
    if let Some(body) = &request.body {
        let media_type = quoted(&format!("Content-Type: {}", body.media_type));
        command += &format!(r#" -H {media_type} --data-binary "$BODY""#);
    }
    format!("{command} {}", quoted(&redacted::url(&request.url)))
}

/// `1.2 kB ` of the body, or nothing where it is not known.
fn length(request: &Request, response: &Response) -> String {
    let length = match &response.body {
        _ if request.method == Method::Head => None,
        Body::Whole(bytes) => Some(bytes.len() as u64),
        Body::Stream(_) => response.header("content-length").and_then(|n| n.parse().ok()),
    };
    length.map_or_else(String::new, |length| size(length) + " ")
}

#[cfg(test)]
mod tests {
    use super::super::message::Payload;
    use super::*;
    use crate::secret::Secret;

    fn request() -> Request {
        let url = "https://example.com/v2/a/manifests/v1".parse().unwrap();
        Request::new(Method::Get, url).header("Accept", "a'b")
    }

    #[test]
    fn a_curl_command_holds_no_secret() {
        let mut request = request();
        request.authorization = Some(Secret::new("Bearer secret"));
        assert_eq!(
            curl(&request, ""),
            r#"curl -sS --globoff -H "Authorization: Bearer $TOKEN" -H 'Accept: a'\''b' 'https://example.com/v2/a/manifests/v1'"#
        );
        request.authorization = Some(Secret::new("Basic secret"));
        request.method = Method::Post;
        request.body = Some(Payload::bytes("text/plain", *b"secret"));
        let command = curl(&request, "");
        assert!(!command.contains("secret"), "{command}");
    }
}
