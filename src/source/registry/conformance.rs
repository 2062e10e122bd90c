//! What a registry supports, found out by trying: each answer is yes, or why not.

use crate::content::{Descriptor, LIMIT};
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result};
use crate::json::MOST;
use crate::names::Names;
use crate::reference::TagOrDigest;

use super::message::{Method, Want};
use super::rate::Rate;
use super::retry::Tries;
use super::source::{doing, expected_digest};
use super::upload::Mount;
use super::{Registry, pages};

impl Registry {
    /// What the registry still allows, by a request that does not count as a pull.
    pub(crate) fn rate(&self, at: &TagOrDigest) -> Result<Rate> {
        let response = self.head_manifest(at, &Tries::default())?;
        let rate = Rate::read(&response, (self.client.clock)());
        if response.is_success() || rate != Rate::default() {
            return Ok(rate);
        }
        Err(self.client.error_response(&response)).during(doing(at))
    }

    /// Whether HEAD of a manifest answers as GET does, without the body.
    pub(crate) fn check_head(&self, at: &TagOrDigest) -> Result<()> {
        let response = self.succeeded(self.head_manifest(at, &Tries::default())?)?;
        let has_length = response.header("content-length").is_some();
        ensure(has_length, "the answer does not say how long the manifest is")
    }

    /// Whether `Docker-Content-Digest` comes with a manifest, and is right.
    pub(crate) fn check_digest_header(&self, at: &TagOrDigest, digest: &Digest) -> Result<()> {
        let request = self.manifest_request(Method::Get, at, &Tries::default())?;
        let response = self.succeeded(self.ask(request)?)?;
        match expected_digest(at, &response)? {
            Some(header) => ensure(header == *digest, &format!("it says {header}")),
            None => ensure(false, "the answer has no such header"),
        }
    }

    /// Whether a list of one tag, where there are more, says where the next ones are.
    pub(crate) fn check_paging(&self) -> Result<()> {
        let response =
            self.succeeded(self.ask(self.list_request("tags/list")?.query("n", "1"))?)?;
        let mut tags = Names::default();
        pages::read_names(response.bytes(), "tags", &mut tags)?;
        match (tags.len(), response.header("link")) {
            (1, link) => ensure(link.is_some(), "the answer has no Link header"),
            (count, _) => ensure(false, &format!("{count} tags come where 1 was asked for")),
        }
    }

    /// Whether the referrers API lists `referrer` among those of `subject`; the fallback tag does
    /// not count.
    pub(crate) fn check_referrers(&self, subject: &Digest, referrer: &Digest) -> Result<()> {
        let request = self.list_request(&format!("referrers/{subject}"))?;
        let response = self.succeeded(self.ask(request)?)?;
        let listed = pages::read_items(response.bytes(), "manifests", MOST)?;
        let referrer = referrer.to_string();
        let is_listed = listed.iter().any(|item| item["digest"] == *referrer);
        ensure(is_listed, "the list lacks a manifest that was just pushed")
    }

    /// Whether a blob can be taken from another repository without sending it.
    pub(crate) fn check_mount(&self, digest: &Digest, from: &Registry) -> Result<()> {
        let is_mounted = matches!(self.mount(digest, from)?, Mount::Done);
        ensure(is_mounted, "the blob is to be sent instead")
    }

    /// Whether a part of a blob can be asked for.
    pub(crate) fn check_range(&self, blob: &Descriptor) -> Result<()> {
        let want = Want::Whole(LIMIT);
        let response = self.get_blob(&blob.digest, (1, None), want, &Tries::default())?;
        let response = self.succeeded(response)?;
        ensure(response.status == 206, "the whole blob came")?;
        ensure(response.bytes().len() as u64 + 1 == blob.size, "another part came")
    }
}

/// Yes, or why not.
fn ensure(is_so: bool, why: &str) -> Result<()> {
    is_so.then_some(()).ok_or_else(|| Error::new(Kind::Protocol, why))
}
