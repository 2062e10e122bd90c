//! Lists of tags, repositories and referrers, page after page (distribution-spec, "Listing Tags";
//! RFC 8288), from registries that have their own idea of pages.

use std::collections::HashSet;

use serde_json::Value;

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, Kind, Result, some_of, warn};
use crate::json::{self, MOST};
use crate::memory;
use crate::names::Names;

use super::Registry;
use super::message::{Method, Request, Response, Want};
use super::transport;
use super::url::Url;

/// How many items to ask for at once: what those registries allow that have a limit.
const PAGE: usize = 1000;

/// The bytes of one page, and of all pages of a list together.
const LIMIT: u64 = 32 << 20;
const ALL: usize = 64 << 20;

/// How many items come where no number is asked for, of registries that have a limit there.
const LIMITS: [usize; 6] = [50, 100, 200, 500, 1_000, 10_000];

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
        let (whole, mut all) = (self.list_request(path)?, Names::default());
        let larger = whole.clone().query("n", &PAGE.to_string());
        let mut pages = Pages::of(self, whole);
        let first = self.ask(pages.request.clone())?;
        let Some(link) = pages.take(first, |page| read_names(page, key, &mut all))? else {
            return self.unlinked(&larger, key, all);
        };
        if all.len() < PAGE {
            // A cursor may mean another place where another number is asked for.
            let last = all.last().filter(|last| leads_behind(&link, last));
            let goes_on = last.is_some();
            let request = match last {
                Some(last) => larger.query("last", last),
                None => larger,
            };
            let page = self.ask(request.clone())?;
            // distribution's `catalog.maxentries` may be smaller, and CUE's `MaxListPageSize`.
            if page.is_success() {
                if goes_on {
                    pages.seen.extend([link, request.url.clone()]);
                    pages.request = request;
                } else {
                    (pages, all) = (Pages::of(self, request), Names::default());
                }
                pages.follow(page, |page| read_names(page, key, &mut all))?;
                return Ok(all);
            }
        }
        pages.goes_to(link)?;
        let page = self.ask(pages.request.clone())?;
        pages.follow(page, |page| read_names(page, key, &mut all))?;
        Ok(all)
    }

    /// The names on the first page alone.
    pub(super) fn first_names(&self, path: &str, key: &str) -> Result<Names> {
        let (request, mut names) = (self.list_request(path)?, Names::default());
        let page = self.ask(request.clone())?;
        Pages::of(self, request).take(page, |page| read_names(page, key, &mut names))?;
        Ok(names)
    }

    /// The names and those behind them, from a registry that does not say in `Link` that there is
    /// more, as crane's and CUE's. What has no order, as crane's catalog, has nothing behind it.
    fn unlinked(&self, larger: &Request, key: &str, mut names: Names) -> Result<Names> {
        let mut is_full = LIMITS.contains(&names.len()) && names.iter().is_sorted();
        while is_full && let Some(last) = names.last().map(str::to_owned) {
            let request = larger.clone().query("last", &last);
            let page = self.ask(request.clone())?;
            if page.status == 400 {
                break;
            }
            let (mut behind, before) = (Names::default(), names.len());
            Pages::of(self, request).follow(page, |page| read_names(page, key, &mut behind))?;
            // A registry that ignores `last` begins anew, as crane's does behind the very last name.
            names.extend(behind.iter().filter(|name| **name > *last));
            is_full = behind.len() == PAGE && names.len() > before;
            if names.json().len() > ALL {
                return Err(too_long());
            }
        }
        Ok(names)
    }

    /// The items of all pages, from a first one on that has come.
    pub(super) fn items(&self, start: Request, first: Response, key: &str) -> Result<Vec<Value>> {
        let (mut all, mut left) = (Vec::new(), MOST);
        Pages::of(self, start).follow(first, |page| {
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
        warn(format_args!("{place}: passed over, for no name may be so: {others}"));
        names.iter().filter(|name| is_sound(name)).collect()
    }
}

/// The pages of one list, of which no two are in memory at once.
struct Pages<'a> {
    registry: &'a Registry,
    /// For the page that is read next.
    request: Request,
    seen: HashSet<Url>,
    /// What the page before it was.
    before: Option<Digest>,
    /// How many bytes may come.
    left: usize,
}

impl<'a> Pages<'a> {
    fn of(registry: &'a Registry, request: Request) -> Self {
        let seen = HashSet::from([request.url.clone()]);
        Pages { registry, request, seen, before: None, left: ALL }
    }

    /// Hands the body of each page to `read`, which says whether there is anything in it.
    fn follow(
        &mut self,
        mut page: Response,
        mut read: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<()> {
        while let Some(link) = self.take(page, &mut read)? {
            self.goes_to(link)?;
            page = self.registry.ask(self.request.clone())?;
        }
        Ok(())
    }

    /// The same of one page. Gives the URL of the next one.
    fn take(
        &mut self,
        page: Response,
        mut read: impl FnMut(&[u8]) -> Result<bool>,
    ) -> Result<Option<Url>> {
        let page = self.registry.succeeded(page)?;
        self.left = self.left.checked_sub(page.bytes().len()).ok_or_else(too_long)?;
        let digest = Some(Digest::of(Algorithm::Sha256, page.bytes()));
        if read(page.bytes())? && digest == self.before {
            return Err(repeated());
        }
        self.before = digest;
        memory::give(transport::told(&page));
        next(&page, &self.request.url)
    }

    fn goes_to(&mut self, url: Url) -> Result<()> {
        if !self.seen.insert(url.clone()) || self.seen.len() > PAGES {
            return Err(repeated());
        }
        self.request.url = url;
        Ok(())
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
    let (begin, before) = (into.len(), into.json().len());
    let found = json::strings(page, Some(key), into).map_err(not_json)?;
    memory::take(into.json().len().saturating_sub(before))?;
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

/// Whether the page at the link begins behind this name, as the specification has it, and nothing else
/// decides about it.
fn leads_behind(link: &Url, name: &str) -> bool {
    let query = link.path().split_once('?').map_or("", |(_, query)| query);
    let (others, last): (Vec<_>, Vec<_>) = query.split('&').partition(|it| it.starts_with("n="));
    others.len() <= 1 && last == [format!("last={name}")]
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
