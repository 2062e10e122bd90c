//! Lists of names, tags or repositories, from registries that have their own idea of pages.

use serde_json::Value;

use crate::error::{Error, Kind, Result, some_of};

use super::message::Request;
use super::trace::warn;
use super::{Registry, pages};

/// How many items to ask for at once: what those registries allow that have a limit.
const PAGE: usize = 1000;

impl Registry {
    /// All names below `key` of the list at `path`.
    pub(super) fn names(&self, path: &str, key: &str) -> Result<Vec<String>> {
        let url = self.url(path)?;
        let whole = || self.pages(pages::request(url.clone()), key, name);
        let request = pages::request(url.clone().with("n", &PAGE.to_string()));
        let first = self.ask(request.clone())?;
        // distribution's `catalog.maxentries` may be smaller, and CUE's `MaxListPageSize`.
        if first.status == 400 {
            return whole();
        }
        let first = self.succeeded(first)?;
        let names = self.pages_from(request.clone(), &first, key, name)?;
        if names.len() != PAGE || first.header("link").is_some() {
            return Ok(names);
        }
        // crane's registry does not say in `Link` that there is more. Its catalog has no order, so
        // there is nothing behind the last name of a page.
        if !names.is_sorted() {
            let all = whole()?;
            return Ok(if all.len() > PAGE { all } else { names });
        }
        self.names_behind(&request, key, names)
    }

    /// Adds the names behind a full page (distribution-spec, "Listing Tags": `last`).
    fn names_behind(
        &self,
        request: &Request,
        key: &str,
        mut names: Vec<String>,
    ) -> Result<Vec<String>> {
        while let Some(last) = names.last() {
            let mut next = request.clone();
            next.url = next.url.with("last", last);
            let mut page = self.pages(next, key, name)?;
            let is_full = page.len() == PAGE;
            // Who ignores `last` begins anew, and so does crane's registry behind the very last name.
            page.retain(|name| name > last);
            let is_new = !page.is_empty();
            names.extend(page);
            if !is_full || !is_new {
                break;
            }
        }
        Ok(names)
    }

    /// Without the names that the grammar does not allow, and with a warning about them: a name
    /// becomes part of a URL.
    pub(super) fn sound(&self, names: Vec<String>, is_sound: fn(&str) -> bool) -> Vec<String> {
        let (sound, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_sound(name));
        if !others.is_empty() {
            let short = |name: &String| format!("'{}'", name.chars().take(150).collect::<String>());
            let others: Vec<String> = others.iter().map(short).collect();
            let place = match &self.scope.repository {
                Some(repository) => repository.to_string(),
                None => self.state.host.to_string(),
            };
            warn(&format!(
                "{place}: passed over, for no name may be so: {}",
                some_of(&others)
            ));
        }
        sound
    }
}

fn name(item: Value) -> Result<String> {
    match item {
        Value::String(name) => Ok(name),
        _ => Err(Error::new(Kind::Protocol, "the list holds what is no name")),
    }
}
