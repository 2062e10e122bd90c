//! Lists of names, tags or repositories, from registries that have their own idea of pages.

use crate::error::{Result, some_of};
use crate::names::Names;

use super::message::Request;
use super::trace::warn;
use super::{Registry, pages};

/// How many items to ask for at once: what those registries allow that have a limit.
const PAGE: usize = 1000;

impl Registry {
    /// All names below `key` of the list at `path`.
    pub(super) fn names(&self, path: &str, key: &str) -> Result<Names> {
        let url = self.url(path)?;
        let whole = || self.page_names(pages::request(url.clone()), key);
        let request = pages::request(url.clone().with("n", &PAGE.to_string()));
        let first = self.ask(request.clone())?;
        // distribution's `catalog.maxentries` may be smaller, and CUE's `MaxListPageSize`.
        if first.status == 400 {
            return whole();
        }
        let first = self.succeeded(first)?;
        let is_linked = first.header("link").is_some();
        let mut names = Names::default();
        self.pages_from(request.clone(), first, adding(&mut names, key))?;
        if names.len() != PAGE || is_linked {
            return Ok(names);
        }
        // crane's registry does not say in `Link` that there is more. Its catalog has no order, so
        // there is nothing behind the last name of a page.
        if !names.iter().is_sorted() {
            let all = whole()?;
            return Ok(if all.len() > PAGE { all } else { names });
        }
        self.names_behind(&request, key, names)
    }

    /// Adds the names behind a full page (distribution-spec, "Listing Tags": `last`).
    fn names_behind(&self, request: &Request, key: &str, mut names: Names) -> Result<Names> {
        loop {
            let last = names.iter().next_back().unwrap_or_default().to_owned();
            let mut next = request.clone();
            next.url = next.url.with("last", &last);
            let page = self.page_names(next, key)?;
            let before = names.len();
            // A registry that ignores `last` begins anew, as crane's does behind the very last name.
            names.extend(page.iter().filter(|name| **name > *last));
            if page.len() != PAGE || names.len() == before {
                return Ok(names);
            }
            if names.weight() > pages::ALL {
                return Err(pages::too_long());
            }
        }
    }

    fn page_names(&self, start: Request, key: &str) -> Result<Names> {
        let mut names = Names::default();
        self.pages(start, adding(&mut names, key))?;
        Ok(names)
    }

    /// Without the names that the grammar does not allow, and with a warning about them: a name
    /// becomes part of a URL.
    pub(super) fn sound(&self, names: Names, is_sound: fn(&str) -> bool) -> Names {
        if names.iter().all(is_sound) {
            return names;
        }
        let others = names.iter().filter(|name| !is_sound(name));
        let short = |name: &str| format!("'{}'", name.chars().take(150).collect::<String>());
        let others = some_of(others.map(short));
        let place = match &self.scope.repository {
            Some(repository) => repository.to_string(),
            None => self.state.host.to_string(),
        };
        warn(&format!("{place}: passed over, for no name may be so: {others}"));
        names.iter().filter(|name| is_sound(name)).collect()
    }
}

/// Adds the names of each page.
fn adding<'a>(names: &'a mut Names, key: &'a str) -> impl FnMut(&[u8]) -> Result<bool> {
    let mut last = names.len();
    move |page| {
        let begin = names.len();
        let is_new = pages::names(page, key, last, names);
        last = begin;
        is_new
    }
}
