//! What an answer that is no success means (distribution-spec, "Error Codes").

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::error::{Error, Kind};
use crate::json;

use super::message::Response;
use super::retry;
use super::url::Scheme;

/// A registry's own words are not quoted beyond this many characters.
const QUOTE: usize = 200;

/// The body of the answer: code and message of its first error.
struct ErrorBody {
    code: String,
    message: String,
}

impl ErrorBody {
    fn read(response: &Response) -> ErrorBody {
        let json = json::parse(response.bytes()).unwrap_or_default();
        let first = match &json["errors"] {
            Value::Array(errors) => errors.first().cloned().unwrap_or_default(),
            _ => Value::Null,
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().trim().to_owned();
        // Token servers say it in other members: `details`, `error_description`, `message`.
        let message = [
            &first["message"],
            &json["details"],
            &json["error_description"],
            &json["message"],
            &json["error"],
        ];
        ErrorBody {
            code: text(&first["code"]),
            message: message
                .map(text)
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or_default(),
        }
    }

    fn is_not_found(&self) -> bool {
        const CODES: [&str; 5] = [
            "MANIFEST_UNKNOWN",
            "NAME_UNKNOWN",
            "BLOB_UNKNOWN",
            "MANIFEST_BLOB_UNKNOWN",
            "NOT_FOUND",
        ];
        // Harbor and registry.redhat.io call what they do not find UNKNOWN.
        let is_unknown =
            self.code == "UNKNOWN" && self.message.to_lowercase().contains("not found");
        is_unknown || CODES.contains(&self.code.as_str())
    }

    /// In brackets behind our own words; empty if the registry says nothing.
    fn quoted(&self) -> String {
        let text = match (self.message.as_str(), self.code.as_str()) {
            ("", "") => return String::new(),
            ("", code) => code,
            (message, _) => message,
        };
        let mut quote: String = text.chars().take(QUOTE).collect();
        if quote.len() < text.len() {
            quote.push('…');
        }
        format!(" ({quote})")
    }
}

/// The error that a refusal is. `now` is our clock, for registries that do not tell the time.
pub(super) fn error(response: &Response, now: SystemTime) -> Error {
    if wants_tls(response) {
        return speaks_tls();
    }
    let body = ErrorBody::read(response);
    let (status, quoted) = (response.status, body.quoted());
    let is_refusal = (400..500).contains(&status) && !matches!(status, 401 | 403 | 408 | 429);
    if status == 404 || (body.is_not_found() && (is_refusal || status >= 500)) {
        let error = Error::new(Kind::NotFound, format!("not found{quoted}"));
        return match body.code.as_str() {
            "NAME_UNKNOWN" => {
                error.hint("check the name; a private repository may need credentials")
            }
            _ => error,
        };
    }
    match status {
        401 => Error::new(Kind::Denied, format!("access denied{quoted}")),
        403 => Error::new(Kind::Denied, format!("access forbidden{quoted}")),
        405 => Error::new(Kind::Protocol, format!("the registry does not allow this{quoted}")),
        429 => {
            let when = wait(response, now).map_or_else(
                || "later; the registry does not say when".to_owned(),
                |wait| format!("in {}", retry::words(wait)),
            );
            let message = format!("too many requests{quoted}: come back {when}");
            Error::new(Kind::RateLimited, message)
        }
        408 | 500.. => {
            let when = wait(response, now)
                .map(|wait| format!(": come back in {}", retry::words(wait)))
                .unwrap_or_default();
            let message = format!("the registry answers {status}{quoted}{when}");
            Error::new(Kind::Unavailable, message)
        }
        _ => Error::new(Kind::Protocol, format!("the registry answers {status}{quoted}")),
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

/// How long the registry wants to be left alone.
pub(super) fn wait(response: &Response, now: SystemTime) -> Option<Duration> {
    let now = response.header("date").and_then(retry::date).unwrap_or(now);
    retry::after(response.header("retry-after")?, now)
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
