//! `/api/v1/COMMAND`: parameters → arguments, answer → response.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::http::{Body, Request, Response};
use super::reply::Reply;
use super::site::Site;
use crate::answer::Verdict;
use crate::context::{self, PARAMETERS};
use crate::error::Error;

/// How long to wait before asking again, in seconds: where a registry does not say it, and where too
/// many ask.
const RETRY_AFTER: u64 = 60;
const SOON: u64 = 5;

pub(super) fn answer(site: &Site, command: &str, request: &Request) -> Response {
    let parameters = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let asked = site.command(command).and_then(|command| {
        let args = command.spec.arguments(PARAMETERS, parameters)?;
        Ok(match context::without_filter(args) {
            (args, None) => site.answer(command, args),
            (args, Some(filter)) => site.filtered(command, args, &filter),
        })
    });
    response(&asked.unwrap_or_else(|error| Reply::failed(error).into()), request)
}

/// A reply as the interface gives it.
pub(super) fn response(reply: &Arc<Reply>, request: &Request) -> Response {
    if let Some(error) = reply.error() {
        return failure(reply, error);
    }
    let mut headers = vec![("ETag", reply.etag.clone())];
    match reply.verdict {
        Verdict::Yes => {}
        Verdict::No => headers.push(("Docker-Registry-Verdict", "no".to_owned())),
        Verdict::Corrupt => headers.push(("Docker-Registry-Verdict", "corrupt".to_owned())),
    }
    if reply.status == 200 && is_known(request, &reply.etag) {
        return Response { status: 304, headers, body: Body::Bytes([].into()) };
    }
    headers.push(("Content-Type", reply.media_type.clone()));
    Response { status: reply.status, headers, body: reply.to_send() }
}

/// The error, and what there is of an answer that is not whole.
fn failure(reply: &Reply, error: &Error) -> Response {
    let (excerpt, hint) = error.details();
    let mut body = Map::from_iter([("error".to_owned(), error.to_string().into())]);
    let mut add = |name: &str, value: Value| body.insert(name.to_owned(), value);
    if !excerpt.is_empty() {
        add("excerpt", excerpt.into());
    }
    if let Some(hint) = hint {
        add("hint", hint.into());
    }
    add("code", error.kind().exit_code().into());
    if let Some(others) = reply.failures.get(1..).filter(|others| !others.is_empty()) {
        add("others", others.iter().map(Error::to_string).collect());
    }
    if let Ok(partial) = reply.answer()
        && !partial.is_null()
    {
        add("answer", partial);
    }
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    let after = match (reply.status, error.retry_after()) {
        (429, Some(after)) => Some(after.as_secs().max(1)),
        (429, None) => Some(RETRY_AFTER),
        (503, _) => Some(SOON),
        _ => None,
    };
    headers.extend(after.map(|after| ("Retry-After", after.to_string())));
    let body = Value::from(body).to_string() + "\n";
    Response { status: reply.status, headers, body: Body::Bytes(body.into_bytes().into()) }
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
