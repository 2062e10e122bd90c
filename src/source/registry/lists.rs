//! What a registry lists: repositories, tags, referrers.

use std::fmt::Display;

use serde_json::Value;

use crate::content::{Descriptor, OCI_INDEX};
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result, some_of};
use crate::reference::{Host, TagOrDigest, is_repository, is_tag};

use super::message::Request;
use super::state::Scope;
use super::trace::warn;
use super::url::Url;
use super::{Client, Registry, pages};

/// How many items to ask for at once: what those registries allow that have a limit.
const PAGE: usize = 1000;

impl Client {
    /// The names of all repositories that the registry shows.
    pub(crate) fn catalog(&self, host: &Host) -> Result<Vec<String>> {
        let origin = self.origin(&self.state(host))?;
        let url = origin.url("/v2/_catalog");
        let names = self.names(host, &Scope::catalog(), url, "repositories");
        Ok(sound(names.during("catalog")?, is_repository, host))
    }

    /// All names of a list, of registries too that have their own idea of pages.
    fn names(&self, host: &Host, scope: &Scope, url: Url, key: &str) -> Result<Vec<String>> {
        let whole = || self.pages(host, scope, pages::request(url.clone()), key, name);
        let request = pages::request(url.clone().with("n", &PAGE.to_string()));
        let first = self.ask(host, scope, request.clone())?;
        // distribution's `catalog.maxentries` may be smaller, and CUE's `MaxListPageSize`.
        if first.status == 400 {
            return whole();
        }
        let first = self.expect_success(host, first)?;
        let names = self.pages_from(host, scope, request.clone(), &first, key, name)?;
        if names.len() != PAGE || first.header("link").is_some() {
            return Ok(names);
        }
        // crane's registry does not say in `Link` that there is more. Its catalog has no order, so
        // there is nothing behind the last name of a page.
        if !names.is_sorted() {
            let all = whole()?;
            return Ok(if all.len() > PAGE { all } else { names });
        }
        self.names_behind(host, scope, &request, key, names)
    }

    /// Adds the names behind a full page (distribution-spec, "Listing Tags": `last`).
    fn names_behind(
        &self,
        host: &Host,
        scope: &Scope,
        request: &Request,
        key: &str,
        mut names: Vec<String>,
    ) -> Result<Vec<String>> {
        while let Some(last) = names.last().cloned() {
            let mut next = request.clone();
            next.url = next.url.with("last", &last);
            let mut page = self.pages(host, scope, next, key, name)?;
            let is_full = page.len() == PAGE;
            // Who ignores `last` begins anew, and so does crane's registry behind the very last name.
            page.retain(|name| *name > last);
            let is_new = !page.is_empty();
            names.extend(page);
            if !is_full || !is_new {
                break;
            }
        }
        Ok(names)
    }
}

impl Registry {
    pub(super) fn fetch_tags(&self) -> Result<Vec<String>> {
        let (host, scope) = (&self.repository.host, &self.scope);
        let url = self.url("tags/list")?;
        let mut tags = self.client.names(host, scope, url, "tags")?;
        // Artifactory lists digests among them.
        tags.retain(|tag| !tag.starts_with("sha256:"));
        Ok(sound(tags, is_tag, &self.repository))
    }

    pub(super) fn fetch_referrers(
        &self,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>> {
        let listed = self.list_referrers(digest, artifact_type)?;
        // A registry that filters says so in OCI-Filters-Applied; to filter again does no harm.
        let is_wanted =
            |json: &&Value| artifact_type.is_none_or(|wanted| json["artifactType"] == wanted);
        let read = listed.iter().filter(is_wanted).map(Descriptor::read);
        read.collect()
    }

    fn list_referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Value>> {
        let mut url = self.url(&format!("referrers/{digest}"))?;
        if let Some(artifact_type) = artifact_type {
            url = url.with("artifactType", artifact_type);
        }
        let (host, scope) = (&self.repository.host, &self.scope);
        let request = pages::request(url).header("Accept", OCI_INDEX);
        let first = self.ask(request.clone())?;
        // Registries without the API do not know the path, or answer with a page for browsers.
        let is_unknown = matches!(first.status, 400 | 404 | 405 | 501);
        if is_unknown || (first.is_success() && pages::read(&first, "manifests").is_err()) {
            return self.fallback_referrers(digest);
        }
        if !first.is_success() {
            return Err(self.client.error_response(&first));
        }
        self.client
            .pages_from(host, scope, request, &first, "manifests", Ok)
    }

    /// What the fallback tag lists, where a registry has no referrers API.
    fn fallback_referrers(&self, digest: &Digest) -> Result<Vec<Value>> {
        let document = match self.fetch_manifest(&TagOrDigest::Tag(digest.fallback_tag())) {
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            result => result?,
        };
        let listed = document.json()["manifests"].as_array();
        Ok(listed.cloned().unwrap_or_default())
    }
}

/// Without the names that the grammar does not allow, and with a warning about them: a name becomes
/// part of a URL.
fn sound(names: Vec<String>, is_sound: fn(&str) -> bool, place: &dyn Display) -> Vec<String> {
    let (sound, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_sound(name));
    if !others.is_empty() {
        let short = |name: &String| format!("'{}'", name.chars().take(150).collect::<String>());
        let others: Vec<String> = others.iter().map(short).collect();
        warn(&format!(
            "{place}: passed over, for no name may be so: {}",
            some_of(&others)
        ));
    }
    sound
}

fn name(item: Value) -> Result<String> {
    match item {
        Value::String(name) => Ok(name),
        _ => Err(Error::new(Kind::Protocol, "the list holds what is no name")),
    }
}
