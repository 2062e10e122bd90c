//! What an answer that is no success means (distribution-spec, "Error Codes").

use std::time::SystemTime;

use serde_json::Value;

use crate::error::{Error, Kind};
use crate::json;

use super::message::Response;
use super::retry::{retry_after, words};
use super::url::Scheme;

/// A registry's own words are not quoted beyond this many characters.
const QUOTE: usize = 200;

/// The codes of what is not found, whatever the status. Some are older than the specification.
const NOT_FOUND: [&str; 5] =
    ["MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "NOT_FOUND"];

/// The error that an answer is. `now` is our clock, for registries that do not tell the time.
pub(super) fn error(response: &Response, now: SystemTime) -> Error {
    if wants_tls(response) {
        return speaks_tls();
    }
    let (code, message) = code_and_message(response);
    // Harbor and registry.redhat.io call what they do not find UNKNOWN.
    let is_not_found = NOT_FOUND.contains(&code.as_str())
        || (code == "UNKNOWN" && message.to_lowercase().contains("not found"));
    let (kind, what) = match response.status {
        401 => (Kind::Denied, "access denied".to_owned()),
        403 => (Kind::Denied, "access forbidden".to_owned()),
        429 => (Kind::RateLimited, "too many requests".to_owned()),
        404 => (Kind::NotFound, "not found".to_owned()),
        400..=407 | 409.. if is_not_found => (Kind::NotFound, "not found".to_owned()),
        405 => (Kind::Protocol, "the registry does not allow this".to_owned()),
        status @ (408 | 500..) => (Kind::Unavailable, format!("the registry answers {status}")),
        status => (Kind::Protocol, format!("the registry answers {status}")),
    };
    let quoted = quoted(if message.is_empty() { &code } else { &message });
    let after = retry_after(response, now);
    let when = match (kind, after) {
        (Kind::RateLimited | Kind::Unavailable, Some(wait)) => {
            format!(": come back in {}", words(wait))
        }
        (Kind::RateLimited, None) => ": come back later; the registry does not say when".to_owned(),
        _ => String::new(),
    };
    let error = Error::new(kind, format!("{what}{quoted}{when}")).come_back(after);
    if kind != Kind::NotFound || code != "NAME_UNKNOWN" {
        return error;
    }
    error.hint("check the name; a private repository may need credentials")
}

/// Code and message of the first error in the body; empty where there is none.
fn code_and_message(response: &Response) -> (String, String) {
    let json = json::parse(response.bytes()).unwrap_or_default();
    let first = json["errors"].get(0).unwrap_or(&Value::Null);
    let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
    // Token servers say it in members of the body itself.
    let others = ["details", "error_description", "message", "error"].map(|name| &json[name]);
    let mut messages = [&first["message"]].into_iter().chain(others).map(text);
    (text(&first["code"]), messages.find(|text| !text.is_empty()).unwrap_or_default())
}

/// The registry's words in brackets, behind our own; nothing if it says none.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTE) {
        _ if text.is_empty() => String::new(),
        Some((end, _)) => format!(" ({}…)", &text[..end]),
        None => format!(" ({text})"),
    }
}

/// What it means that a server does not understand plain HTTP.
pub(super) fn speaks_tls() -> Error {
    Error::new(Kind::Unavailable, "the server speaks TLS, not plain HTTP")
        .hint("without --plain-http it is asked over HTTPS")
}

/// Whether a server with TLS says so in plain HTTP, as those of Go, nginx and Apache do.
fn wants_tls(response: &Response) -> bool {
    const WORDS: [&str; 3] = ["to an HTTPS server", "to HTTPS port", "SSL-enabled server"];
    let body = String::from_utf8_lossy(response.bytes());
    response.status == 400
        && response.url.origin.scheme == Scheme::Http
        && WORDS.iter().any(|words| body.contains(words))
}

#[cfg(test)]
mod tests {
    use super::super::message::Body;
    use super::*;

    fn error_response(status: u16, body: &str) -> Error {
        let headers = vec![("retry-after".to_owned(), "300".to_owned())];
        let body = Body::Whole(body.into());
        let url = "https://example.com/v2/".parse().unwrap();
        let response = Response { url, status, headers, body };
        error(&response, SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn refusals_are_told_apart() {
        let coded = |code: &str, message: &str| {
            format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#)
        };
        for (status, body, kind, message) in [
            (404, "", Kind::NotFound, "not found"),
            (404, "<html>", Kind::NotFound, "not found"),
            (
                404,
                &coded("MANIFEST_UNKNOWN", "manifest unknown"),
                Kind::NotFound,
                "not found (manifest unknown)",
            ),
            (
                400,
                &coded("UNKNOWN", "artifact a/b:v1 Not Found"),
                Kind::NotFound,
                "not found (artifact a/b:v1 Not Found)",
            ),
            (
                500,
                &coded("UNKNOWN", "oops"),
                Kind::Unavailable,
                "the registry answers 500 (oops): come back in 5 min",
            ),
            (401, &coded("UNAUTHORIZED", ""), Kind::Denied, "access denied (UNAUTHORIZED)"),
            (
                401,
                r#"{"details":"wrong password"}"#,
                Kind::Denied,
                "access denied (wrong password)",
            ),
            (403, "", Kind::Denied, "access forbidden"),
            (429, "", Kind::RateLimited, "too many requests: come back in 5 min"),
            (503, "", Kind::Unavailable, "the registry answers 503: come back in 5 min"),
            (400, "", Kind::Protocol, "the registry answers 400"),
            (302, "", Kind::Protocol, "the registry answers 302"),
        ] {
            let error = error_response(status, body);
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, message));
        }
    }

    #[test]
    fn a_registry_cannot_talk_without_end() {
        let body = format!(r#"{{"message":"{}"}}"#, "ä".repeat(1000));
        let message = error_response(403, &body).to_string();
        assert_eq!(message, format!("access forbidden ({}…)", "ä".repeat(QUOTE)));
    }
}
