//! What a registry lists: repositories, tags, referrers.

use serde_json::Value;

use crate::digest::Digest;
use crate::document::{Descriptor, OCI_INDEX};
use crate::error::{During, Error, Kind, Result};
use crate::reference::{At, Host};

use super::peer::Scope;
use super::{Client, Registry, pages};

/// How many items to ask for at once: what those registries allow that have a limit.
const PAGE: &str = "1000";

impl Client {
    /// The names of all repositories that the registry shows.
    pub(crate) fn catalog(&self, host: &Host) -> Result<Vec<String>> {
        let origin = self.origin(&self.peer(host))?;
        let url = origin.url("/v2/_catalog").with("n", PAGE);
        let request = pages::request(url);
        let pages = self.pages(host, &Scope::catalog(), request, "repositories", name);
        pages.during("catalog")
    }
}

impl Registry {
    pub(super) fn fetch_tags(&self) -> Result<Vec<String>> {
        let request = pages::request(self.url("tags/list")?.with("n", PAGE));
        let (host, scope) = (&self.repository.host, &self.scope);
        let mut tags = self.client.pages(host, scope, request, "tags", name)?;
        // Artifactory lists digests among them.
        tags.retain(|tag| !tag.contains(':'));
        Ok(tags)
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
            return Err(self.client.refusal(&first));
        }
        self.client
            .pages_from(host, scope, request, &first, "manifests", Ok)
    }

    /// What the tag `sha256-HEX` lists, where a registry has no referrers API.
    fn fallback_referrers(&self, digest: &Digest) -> Result<Vec<Value>> {
        let tag = digest.to_string().replace(':', "-");
        let document = match self.fetch_manifest(&At::Tag(tag)) {
            Err(error) if error.kind() == Kind::NotFound => return Ok(Vec::new()),
            result => result?,
        };
        let listed = document.json()["manifests"].as_array();
        Ok(listed.cloned().unwrap_or_default())
    }
}

fn name(item: Value) -> Result<String> {
    match item {
        Value::String(name) => Ok(name),
        _ => Err(Error::new(Kind::Local, "the list holds what is no name")),
    }
}
