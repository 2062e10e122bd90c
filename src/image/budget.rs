//! Limits for one question. Each digest is fetched once, however often it is listed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::content::{Content, Descriptor};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::memory;
use crate::reference::TagOrDigest;
use crate::source::Source;

/// How many entries all indexes may have together.
const ENTRIES: usize = 10_000;

/// How many manifests and configurations may be fetched.
const FETCHES: usize = 1_000;

/// How much memory these may have together, and what is told of them for several platforms.
const BYTES: usize = 40 << 20;

/// How deep indexes may be nested in indexes.
const DEPTH: usize = 4;

type Fetched = Arc<OnceLock<Result<Arc<Content>>>>;

/// Shared by all images of a question.
#[derive(Default)]
pub(crate) struct Budget {
    entries: AtomicUsize,
    fetches: AtomicUsize,
    bytes: AtomicUsize,
    /// Indexes whose entries were counted.
    counted: Mutex<HashSet<Digest>>,
    fetched: Mutex<HashMap<String, Fetched>>,
    exceeded: OnceLock<Error>,
}

impl Budget {
    /// The limit that was exceeded, if any; every further fetch fails with the same error.
    pub(crate) fn exceeded(&self) -> Option<&Error> {
        self.exceeded.get()
    }

    /// The manifest or index that an entry leads to.
    pub(crate) fn manifest(&self, source: &dyn Source, entry: &Descriptor) -> Result<Arc<Content>> {
        let at = TagOrDigest::Digest { digest: entry.digest.clone(), tag: None };
        self.once(entry.digest.to_string(), || source.manifest(&at))
    }

    /// The small blob that a descriptor leads to. Descriptors with another size or media type for
    /// the same digest are verified separately.
    pub(crate) fn document(&self, source: &dyn Source, blob: &Descriptor) -> Result<Arc<Content>> {
        if blob.data().is_some() {
            return source.document(blob).map(Arc::new);
        }
        let key = format!("{} {} {}", blob.digest, blob.size, blob.media_type);
        self.once(key, || source.document(blob))
    }

    /// The entries of an index that is nested `depth` levels deep. They count once, however often
    /// the index is listed.
    pub(crate) fn entries(&self, index: &Content, depth: usize) -> Result<Vec<Descriptor>> {
        let entries = self.nested(index, depth)?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.insert(index.digest().clone()) {
            self.count(entries.len())?;
        }
        Ok(entries)
    }

    /// The same, counted each time: for output that repeats them.
    pub(crate) fn entries_again(&self, index: &Content, depth: usize) -> Result<Vec<Descriptor>> {
        let entries = self.nested(index, depth)?;
        self.count(entries.len())?;
        Ok(entries)
    }

    fn nested(&self, index: &Content, depth: usize) -> Result<Vec<Descriptor>> {
        match depth > DEPTH {
            true => Err(self.exceed(format!("indexes are nested more than {DEPTH} deep"))),
            false => index.descriptors("manifests"),
        }
    }

    fn count(&self, entries: usize) -> Result<()> {
        let message = || format!("the indexes list more than {ENTRIES} images");
        self.spend(&self.entries, entries, ENTRIES, message)
    }

    fn once(&self, key: String, fetch: impl FnOnce() -> Result<Content>) -> Result<Arc<Content>> {
        let slot = {
            let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fetched.entry(key).or_default())
        };
        let fetch = || {
            let message = || format!("it would take more than {FETCHES} requests");
            self.spend(&self.fetches, 1, FETCHES, message)?;
            // A question that has no memory any more is asked again: nothing more is asked for now.
            memory::take(0)?;
            let document = fetch()?;
            self.hold(document.weight())?;
            Ok(Arc::new(document))
        };
        slot.get_or_init(fetch).clone()
    }

    /// Says that so much is in memory until the question has its answer.
    pub(crate) fn hold(&self, bytes: usize) -> Result<()> {
        let message = || format!("it would take more than {} MiB of memory", BYTES >> 20);
        self.spend(&self.bytes, bytes, BYTES, message)
    }

    fn spend(
        &self,
        on: &AtomicUsize,
        amount: usize,
        limit: usize,
        message: impl FnOnce() -> String,
    ) -> Result<()> {
        match on.fetch_add(amount, Ordering::Relaxed).saturating_add(amount) > limit {
            true => Err(self.exceed(message())),
            false => Ok(()),
        }
    }

    fn exceed(&self, message: String) -> Error {
        let error = || Error::new(Kind::Protocol, message);
        self.exceeded.get_or_init(error).clone()
    }
}
