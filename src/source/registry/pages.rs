//! Lists that come in pages (distribution-spec, "Listing Tags"; RFC 8288).

use std::collections::HashSet;

use serde_json::Value;

use crate::error::{Error, Kind, Result};
use crate::json;
use crate::memory;
use crate::names::Names;

use super::Registry;
use super::message::{Request, Response};
use super::transport;
use super::url::Url;

const LIMIT: u64 = 32 << 20;

/// No list has more pages.
const PAGES: usize = 10_000;

/// The bytes that all pages of a list may have together.
pub(super) const ALL: usize = 64 << 20;

impl Registry {
    /// Hands the body of each page to `take`, which says whether it tells other things than the one
    /// before.
    pub(super) fn pages(
        &self,
        start: Request,
        take: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        let first = self.succeeded(self.ask(start.clone())?)?;
        self.pages_from(start, first, take)
    }

    /// The same when the first page has come already. No two pages are in memory at once.
    pub(super) fn pages_from(
        &self,
        mut request: Request,
        first: Response,
        mut take: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        let mut left = ALL;
        let mut seen = HashSet::from([request.url.clone()]);
        let mut response = first;
        loop {
            let rest = left.checked_sub(response.bytes().len());
            left = rest.ok_or_else(too_long)?;
            if !take(response.bytes())? {
                return Err(repeated());
            }
            let Some(url) = next(&response, &request.url)? else {
                return Ok(());
            };
            if !seen.insert(url.clone()) || seen.len() > PAGES {
                return Err(repeated());
            }
            request.url = url;
            memory::give(transport::told(&response));
            drop(response);
            response = self.succeeded(self.ask(request.clone())?)?;
        }
    }
}

pub(super) fn request(url: Url) -> Request {
    Request { is_personal: true, ..Request::get(url, LIMIT) }
}

fn repeated() -> Error {
    Error::new(Kind::Protocol, "the registry's list has no end: a page repeats")
}

pub(super) fn too_long() -> Error {
    let message = format!("all pages together are longer than {} MiB", ALL >> 20);
    Error::new(Kind::Protocol, message)
}

/// The items of one page, which take no more than so many bytes of memory.
pub(super) fn items(page: &[u8], key: &str, most: usize) -> Result<Vec<Value>> {
    let mut json = json::parse_within(page, most).map_err(not_json)?;
    match json.get_mut(key).map(Value::take).unwrap_or_default() {
        Value::Array(items) => Ok(items),
        // Nexus says so of a repository without tags.
        Value::Null if json.is_object() => Ok(Vec::new()),
        _ => Err(without(&format!("list '{key}'"))),
    }
}

/// Adds the names of one page. Says whether they are others than those from `last` on.
pub(super) fn names(page: &[u8], key: &str, last: usize, into: &mut Names) -> Result<bool> {
    let begin = into.len();
    let before = into.weight();
    let found = json::strings(page, Some(key), into).map_err(not_json)?;
    memory::take(into.weight().saturating_sub(before))?;
    found.ok_or_else(|| without(&format!("list of names '{key}'")))?;
    let (earlier, these) = (into.part(last, begin), into.part(begin, into.len()));
    Ok(into.len() == begin || !these.eq(earlier))
}

fn not_json(error: Error) -> Error {
    Error::new(Kind::Protocol, format!("the answer is {error}"))
}

fn without(what: &str) -> Error {
    Error::new(Kind::Protocol, format!("the answer has no {what}"))
}

/// The page behind the one at `here`, and always on the same origin: wherever the answer came from,
/// what follows is asked for with the registry's token.
fn next(response: &Response, here: &Url) -> Result<Option<Url>> {
    let Some(target) = response.all("link").find_map(next_link) else {
        return Ok(None);
    };
    // The cursor is sent back as it came: ECR Public answers 405 to one that was put together anew.
    let url = here.join(target)?;
    if url.origin.host != here.origin.host {
        let message = format!("the next page would be at {}", url.origin);
        return Err(Error::new(Kind::Protocol, message));
    }
    // Nexus behind a proxy names http and its own port.
    Ok(Some(here.origin.url(url.path())))
}

/// The target of `rel="next"` in a `Link` header.
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (target, tail) = rest.split_once('<')?.1.split_once('>')?;
        // Parameters end where the next target begins.
        let end = tail.find('<').unwrap_or(tail.len());
        let is_next = tail[..end].split([';', ',']).any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else {
                return false;
            };
            let mut relations = value.trim().trim_matches('"').split_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target);
        }
        rest = &tail[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Body;
    use super::*;

    fn page(link: &str, body: &str) -> Response {
        Response {
            url: "https://example.com:8443/v2/a/tags/list".parse().unwrap(),
            status: 200,
            headers: vec![("link".into(), link.into())],
            body: Body::Whole(body.into()),
        }
    }

    #[test]
    fn links_are_read_however_they_are_written() {
        for (header, target) in [
            ("</v2/a?last=b>; rel=\"next\"", Some("/v2/a?last=b")),
            ("</v2/a?last=b,c;d>; rel=next", Some("/v2/a?last=b,c;d")),
            ("<x>; title=\"a\"; REL=\"last Next\"", Some("x")),
            ("<x>; rel=\"prev\", <y>;rel=\"next\"", Some("y")),
            ("<x>; rel=\"prev\"", None),
            ("<x>", None),
            ("<x; rel=\"next\"", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), target, "{header}");
        }
    }

    #[test]
    fn pages_stay_on_their_origin() {
        let here = "https://example.com:8443";
        for (link, expected) in [
            ("</v2/a/tags/list?last=b>; rel=next", Some("/v2/a/tags/list?last=b")),
            ("<?last=b>; rel=next", Some("/v2/a/tags/list?last=b")),
            (
                "<http://example.com/v2/a/tags/list?last=b>; rel=next",
                Some("/v2/a/tags/list?last=b"),
            ),
            ("<https://evil.example/v2/>; rel=next", None),
            ("<//evil.example/v2/>; rel=next", None),
        ] {
            let page = page(link, "{}");
            let next = next(&page, &page.url).ok().flatten();
            let expected = expected.map(|path| format!("{here}{path}"));
            assert_eq!(next.map(|url| url.to_string()), expected, "{link}");
        }
    }

    #[test]
    fn no_list_is_an_empty_one() {
        let listed = |body: &str| items(body.as_bytes(), "tags", 1 << 20).map(|items| items.len());
        let named = |body: &str| {
            let mut found = Names::default();
            names(body.as_bytes(), "tags", 0, &mut found).map(|_| found.len())
        };
        for (body, count) in [
            (r#"{"tags":["a","b"]}"#, 2),
            (r#"{"a":{"tags":["c"]},"tags":["c"],"b":[1,{"c":[]}],"tags":["a","b"]}"#, 2),
            (r#"{"tags":null}"#, 0),
            ("{}", 0),
        ] {
            assert_eq!((listed(body), named(body)), (Ok(count), Ok(count)), "{body}");
        }
        let kinds = |body: &str| [listed(body), named(body)].map(|it| it.map_err(|e| e.kind()));
        for outside in ["", "<html>", "[]", r#"{"tags":"a"}"#, r#"{"tags":[],}"#] {
            assert_eq!(kinds(outside), [Err(Kind::Protocol); 2], "{outside}");
        }
        assert!(named(r#"{"tags":["a",1]}"#).is_err());
    }
}
