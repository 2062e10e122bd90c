//! Lists of tags, repositories and referrers, page after page (distribution-spec, "Listing Tags";
//! RFC 8288), from registries that have their own idea of pages.

use std::collections::HashSet;

use serde_json::Value;

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, Kind, Result, some_of};
use crate::json::{self, MOST};
use crate::memory;
use crate::names::Names;

use super::Registry;
use super::message::{Method, Request, Response, Want};
use super::trace::warn;
use super::transport;
use super::url::Url;

/// How many items to ask for at once: what those registries allow that have a limit.
const PAGE: usize = 1000;

/// The bytes of one page, and of all pages of a list together.
const LIMIT: u64 = 32 << 20;
const ALL: usize = 64 << 20;

/// No list has more pages.
const PAGES: usize = 10_000;

impl Registry {
    /// The request for the first page of a list.
    pub(super) fn list_request(&self, path: &str) -> Result<Request> {
        let request = self.request(Method::Get, path)?;
        Ok(Request { is_personal: true, want: Want::Whole(LIMIT), ..request })
    }

    /// All names below `key` of the list at `path`.
    pub(super) fn names(&self, path: &str, key: &str) -> Result<Names> {
        let whole = self.list_request(path)?;
        let request = whole.clone().query("n", &PAGE.to_string());
        let first = self.ask(request.clone())?;
        // distribution's `catalog.maxentries` may be smaller, and CUE's `MaxListPageSize`.
        if first.status == 400 {
            return self.linked_names(&whole, None, key);
        }
        let is_linked = first.header("link").is_some();
        let mut names = self.linked_names(&request, Some(first), key)?;
        if names.len() != PAGE || is_linked {
            return Ok(names);
        }
        // crane's registry does not say in `Link` that there is more. Its catalog has no order, so
        // there is nothing behind the last name of a page.
        if !names.iter().is_sorted() {
            let all = self.linked_names(&whole, None, key)?;
            return Ok(if all.len() > PAGE { all } else { names });
        }
        loop {
            let last = names.iter().next_back().unwrap_or_default().to_owned();
            let page = self.linked_names(&request.clone().query("last", &last), None, key)?;
            let before = names.len();
            // A registry that ignores `last` begins anew, as crane's does behind the very last name.
            names.extend(page.iter().filter(|name| **name > *last));
            if page.len() != PAGE || names.len() == before {
                return Ok(names);
            }
            if names.weight() > ALL {
                return Err(too_long());
            }
        }
    }

    /// The names of the pages that `Link` leads to, from a first page that may have come already.
    fn linked_names(&self, start: &Request, first: Option<Response>, key: &str) -> Result<Names> {
        let first = first.map_or_else(|| self.ask(start.clone()), Ok)?;
        let mut all = Names::default();
        self.pages(start.clone(), first, |page| read_names(page, key, &mut all))?;
        Ok(all)
    }

    /// The same of objects, from a first page on that has come.
    pub(super) fn items(&self, start: Request, first: Response, key: &str) -> Result<Vec<Value>> {
        let (mut all, mut left) = (Vec::new(), MOST);
        self.pages(start, first, |page| {
            let these = read_items(page, key, left)?;
            let is_any = !these.is_empty();
            let weight = these.iter().map(memory::weight).sum();
            left = left.saturating_sub(weight);
            memory::take(weight)?;
            all.extend(these);
            Ok(is_any)
        })?;
        Ok(all)
    }

    /// Hands the body of each page to `read`, which says whether there is anything in it. No two
    /// pages are in memory at once.
    fn pages(
        &self,
        mut request: Request,
        first: Response,
        mut read: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        let (mut page, mut left, mut before) = (first, ALL, None);
        let mut seen = HashSet::from([request.url.clone()]);
        loop {
            page = self.succeeded(page)?;
            left = left.checked_sub(page.bytes().len()).ok_or_else(too_long)?;
            let digest = Some(Digest::of(Algorithm::Sha256, page.bytes()));
            if read(page.bytes())? && digest == before {
                return Err(repeated());
            }
            before = digest;
            let Some(url) = next(&page, &request.url)? else {
                return Ok(());
            };
            if !seen.insert(url.clone()) || seen.len() > PAGES {
                return Err(repeated());
            }
            request.url = url;
            memory::give(transport::told(&page));
            drop(page);
            page = self.ask(request.clone())?;
        }
    }

    /// Without the names that the grammar does not allow, and with a warning about them: a name
    /// becomes part of a URL.
    pub(super) fn sound(&self, names: Names, is_sound: fn(&str) -> bool) -> Names {
        if names.iter().all(is_sound) {
            return names;
        }
        let short = |name: &str| format!("'{}'", name.chars().take(150).collect::<String>());
        let others = some_of(names.iter().filter(|name| !is_sound(name)).map(short));
        let repository = self.scope.repository.as_ref();
        let place = repository.map_or_else(|| self.host.to_string(), ToString::to_string);
        warn(&format!("{place}: passed over, for no name may be so: {others}"));
        names.iter().filter(|name| is_sound(name)).collect()
    }
}

fn repeated() -> Error {
    Error::new(Kind::Protocol, "the registry's list has no end: a page repeats")
}

fn too_long() -> Error {
    let message = format!("all pages together are longer than {} MiB", ALL >> 20);
    Error::new(Kind::Protocol, message)
}

/// The items of one page, which take no more than so many bytes of memory.
pub(super) fn read_items(page: &[u8], key: &str, most: usize) -> Result<Vec<Value>> {
    let mut json = json::parse_within(page, most).map_err(not_json)?;
    match json.get_mut(key).map(Value::take).unwrap_or_default() {
        Value::Array(items) => Ok(items),
        // Nexus says so of a repository without tags.
        Value::Null if json.is_object() => Ok(Vec::new()),
        _ => Err(Error::new(Kind::Protocol, format!("the answer has no list '{key}'"))),
    }
}

/// Adds the names of one page. Says whether there are any.
pub(super) fn read_names(page: &[u8], key: &str, into: &mut Names) -> Result<bool> {
    let (begin, before) = (into.len(), into.weight());
    let found = json::strings(page, Some(key), into).map_err(not_json)?;
    memory::take(into.weight().saturating_sub(before))?;
    let none = || Error::new(Kind::Protocol, format!("the answer has no list of names '{key}'"));
    found.ok_or_else(none)?;
    Ok(into.len() > begin)
}

fn not_json(error: Error) -> Error {
    Error::new(Kind::Protocol, format!("the answer is {error}"))
}

/// The page behind the one at `here`, and always on the same origin: wherever the answer came from,
/// what follows is asked for with the registry's token.
fn next(page: &Response, here: &Url) -> Result<Option<Url>> {
    let Some(target) = page.all("link").find_map(next_link) else {
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
        let (parameters, others) = tail.split_at(tail.find('<').unwrap_or(tail.len()));
        let is_next = |(name, value): (&str, &str)| {
            let mut relations = value.trim().trim_matches('"').split_whitespace();
            name.trim().eq_ignore_ascii_case("rel")
                && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        };
        if parameters.split([';', ',']).filter_map(|it| it.split_once('=')).any(is_next) {
            return Some(target);
        }
        rest = others;
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
        let listed =
            |body: &str| read_items(body.as_bytes(), "tags", 1 << 20).map(|items| items.len());
        let named = |body: &str| {
            let mut found = Names::default();
            read_names(body.as_bytes(), "tags", &mut found).map(|_| found.len())
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
