//! What stderr shows of the requests, and the notices about them.

mod redacted;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::say;
use crate::parallel::lock;

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

/// Says something on stderr that is no error.
pub(crate) fn warn(text: &str) {
    line(&format!("docker-registry: warning: {text}"));
}

/// One line on stderr, with what could drive a terminal escaped.
pub(crate) fn line(text: &str) {
    say(text);
}

pub(super) struct Trace {
    verbosity: Verbosity,
    certificates: Certificates,
    connections: Arc<Connections>,
    /// What was said already that is to be said once.
    told: Mutex<HashSet<String>>,
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
            line(&self.command(request));
        }
    }

    fn command(&self, request: &Request) -> String {
        let is_named = self.connections.is_named(&request.url.origin);
        curl(request, &options(&self.certificates, is_named))
    }

    /// Says how `$TOKEN` is filled which the commands name: by the answer to this request, or, where a
    /// token was given, from the user's configuration.
    pub(super) fn token(&self, request: Option<&Request>) {
        if self.verbosity < Verbosity::Curl {
            return;
        }
        let how = match request {
            Some(request) => {
                let command = self.command(request);
                format!("TOKEN=$({command} | jq -r '.token // .access_token')")
            }
            None => "# TOKEN is the registrytoken of Docker's config.json".to_owned(),
        };
        let mut told = lock(&self.told);
        if told.insert(how.clone()) {
            line(&how);
        }
    }

    pub(super) fn ended(&self, request: &Request, outcome: &Outcome, took: Duration) {
        match outcome {
            Ok(response) => self.answered(request, response, took),
            // Nothing was wrong: it is sent again at once.
            Err(failure) if failure.is_stale() && request.tries.is_some() => {}
            Err(failure) => self.failed(request, failure),
        }
    }

    fn answered(&self, request: &Request, response: &Response, took: Duration) {
        if self.verbosity >= Verbosity::Requests {
            let (method, url) = (request.method.name(), redacted::url(&request.url));
            let (status, size) = (response.status, length(request, response));
            let took = took.as_millis();
            line(&format!("{method} {url} {status} {size}{took} ms"));
            rate_left(request, response);
        }
        if self.verbosity >= Verbosity::Curl {
            for (name, value) in &response.headers {
                line(&format!("< {name}: {}", redacted::header(name, value)));
            }
        }
    }

    fn failed(&self, request: &Request, failure: &Failure) {
        if self.verbosity >= Verbosity::Requests {
            let (method, url) = (request.method.name(), redacted::url(&request.url));
            line(&format!("{method} {url} {failure}"));
        }
    }
}

/// Tells what the registry still allows where that is little.
fn rate_left(request: &Request, response: &Response) {
    // When the count begins anew is not told here, so the time does not matter.
    let rate = Rate::read(response, SystemTime::UNIX_EPOCH);
    if let (Some(limit), Some(remaining), true) = (rate.limit, rate.remaining, rate.is_scarce()) {
        let host = request.url.origin.authority();
        line(&format!("{host}: {remaining} of {limit} requests left"));
    }
}

/// How curl is told whom the user trusts, and who the user is. It reads the variables of the
/// environment itself.
fn options(certificates: &Certificates, is_named: bool) -> String {
    let mut options = String::new();
    if certificates.insecure && is_named {
        options.push_str(" -k");
    }
    for (name, path, is_shown) in [
        ("--cacert", &certificates.cacert, true),
        ("--cert", &certificates.cert, is_named),
        ("--key", &certificates.key, is_named),
    ] {
        if let Some(path) = path.as_ref().filter(|_| is_shown) {
            let path = quoted(&path.display().to_string());
            let _ = write!(options, " {name} {path}");
        }
    }
    options
}

/// A command that does what the request does, with secrets as variables of the shell.
fn curl(request: &Request, options: &str) -> String {
    let mut command = "curl -sS --globoff".to_owned();
    if request.url.origin.scheme == Scheme::Https {
        command.push_str(options);
    }
    match request.method {
        Method::Get => {}
        Method::Head => command.push_str(" -I"),
        method => {
            let _ = write!(command, " -X {}", method.name());
        }
    }
    match &request.authorization {
        Some(value) if value.reveal().starts_with("Basic ") => {
            command.push_str(r#" -u "$CREDENTIALS""#);
        }
        Some(_) => command.push_str(r#" -H "Authorization: Bearer $TOKEN""#),
        None => {}
    }
    for (name, value) in &request.headers {
        let _ = write!(command, " -H {}", quoted(&format!("{name}: {value}")));
    }
    if let Some(body) = &request.body {
        let media_type = quoted(&format!("Content-Type: {}", body.media_type));
        let _ = write!(command, r#" -H {media_type} --data-binary "$BODY""#);
    }
    let _ = write!(command, " {}", quoted(&redacted::url(&request.url)));
    command
}

/// As a word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
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

/// A size in words, in powers of ten: `0 B`, `1.2 kB`, `34 MB`.
fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB"] {
        if value < 999.5 {
            let digits = usize::from(value < 9.95 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} GB")
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
    fn sizes_are_told_in_words() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1234, "1.2 kB"),
            (34_567_890, "35 MB"),
            (999_999, "1.0 MB"),
            (5_000_000_000, "5.0 GB"),
        ] {
            assert_eq!(size(bytes), words);
        }
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
