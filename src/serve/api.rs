//! `/api/v1/COMMAND`: parameters → arguments, answer → response.

use serde_json::{Map, Value, json};

use super::http::{Body, Request, Response};
use super::reply::Reply;
use super::site::Site;
use crate::answer::Verdict;
use crate::context::{self, PARAMETERS};
use crate::error::{Error, Kind};

/// How long to wait before asking again, in seconds, where a registry does not say it.
const RETRY_AFTER: u64 = 60;

pub(super) fn answer(site: &Site, command: &str, request: &Request) -> Response {
    let parameters = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let asked = site.command(command).and_then(|command| {
        let args = command.spec.arguments(PARAMETERS, parameters)?;
        match context::without_filter(args) {
            (args, None) => Ok(site.answer(command, args)),
            (_, Some(_)) => Err(Error::usage("filters are not run here yet")),
        }
    });
    match asked {
        Ok(reply) => response(&reply, request),
        Err(error) => failure(&error, None),
    }
}

/// A reply as the interface gives it.
pub(super) fn response(reply: &Reply, request: &Request) -> Response {
    let body = match (&reply.body, reply.error()) {
        (Ok(body), None) => body,
        (body, Some(error)) => {
            let partial = body.is_ok().then(|| reply.answer().unwrap_or_default());
            return failure(error, partial);
        }
        (Err(error), None) => return failure(error, None),
    };
    let mut headers = vec![("ETag", reply.etag.clone())];
    let status = match reply.verdict {
        Verdict::Corrupt => 502,
        _ if is_known(request, &reply.etag) => 304,
        _ => 200,
    };
    if reply.verdict != Verdict::Yes {
        let verdict = if reply.verdict == Verdict::No { "no" } else { "corrupt" };
        headers.push(("Docker-Registry-Verdict", verdict.to_owned()));
    }
    if status == 304 {
        return Response { status, headers, body: Body::Bytes([].into()) };
    }
    headers.push(("Content-Type", reply.media_type.clone()));
    Response { status, headers, body: Body::Bytes(body.clone()) }
}

/// The error, and what there is of an answer that is not whole.
pub(super) fn failure(error: &Error, partial: Option<Value>) -> Response {
    let (excerpt, hint) = error.details();
    let mut body = Map::from_iter([("error".to_owned(), error.to_string().into())]);
    if !excerpt.is_empty() {
        body.insert("excerpt".to_owned(), excerpt.into());
    }
    if let Some(hint) = hint {
        body.insert("hint".to_owned(), hint.into());
    }
    body.insert("code".to_owned(), json!(error.kind().exit_code()));
    if let Some(partial) = partial.filter(|it| !it.is_null()) {
        body.insert("answer".to_owned(), partial);
    }
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    let status = status(error.kind());
    if status == 429 {
        let after = error.retry_after().map_or(RETRY_AFTER, |after| after.as_secs().max(1));
        headers.push(("Retry-After", after.to_string()));
    }
    let body = Value::from(body).to_string() + "\n";
    Response { status, headers, body: Body::Bytes(body.into_bytes().into()) }
}

/// The status that stands for the exit code.
pub(super) fn status(kind: Kind) -> u16 {
    match kind {
        Kind::Usage => 400,
        Kind::Denied => 403,
        Kind::NotFound => 404,
        Kind::RateLimited => 429,
        Kind::Local | Kind::Protocol | Kind::Corrupt => 502,
        Kind::Unavailable => 504,
    }
}

/// Whether the client has the answer of this tag already (RFC 9110, 13.1.2: whether a tag is weak does
/// not matter here).
pub(super) fn is_known(request: &Request, etag: &str) -> bool {
    let opaque = etag.trim_start_matches("W/");
    let mut known = request.headers.iter().filter(|(name, _)| name == "if-none-match");
    known.any(|(_, value)| value.trim() == "*" || tags(value).any(|tag| tag == opaque))
}

/// The quoted parts of a list: a comma may stand in a tag.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let start = rest.find('"')?;
        let end = start + 1 + rest[start + 1..].find('"')? + 1;
        let tag = &rest[start..end];
        rest = &rest[end..];
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: &str) -> Request {
        Request {
            is_head: false,
            path: String::new(),
            query: Vec::new(),
            headers: vec![("if-none-match".to_owned(), value.to_owned())],
        }
    }

    #[test]
    fn what_a_client_knows_is_told_by_its_tag() {
        for (value, etag, expected) in [
            ("\"a\"", "\"a\"", true),
            ("W/\"a\"", "\"a\"", true),
            ("\"a\"", "W/\"a\"", true),
            ("\"b\", W/\"a\" , \"c\"", "W/\"a\"", true),
            ("\"b,\"a\"", "\"a\"", false),
            ("\"b,c\", \"a\"", "\"a\"", true),
            ("*", "\"a\"", true),
            (" * ", "\"a\"", true),
            ("\"A\"", "\"a\"", false),
            ("a", "\"a\"", false),
            ("\"a", "\"a\"", false),
            ("", "\"a\"", false),
        ] {
            assert_eq!(is_known(&asked(value), etag), expected, "{value} {etag}");
        }
    }
}
