//! Limits for one question, and all entries of an index within them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::vec;

use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result, found};
use crate::memory;
use crate::parallel::lock;
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

/// What is found out once, however many ask for it at the same time.
pub(crate) struct Once<T>(Mutex<HashMap<String, Arc<OnceLock<Result<T>>>>>);

impl<T> Default for Once<T> {
    fn default() -> Self {
        Once(Mutex::default())
    }
}

impl<T: Clone> Once<T> {
    /// Whether nobody has been told so before: whoever is should go and get it.
    pub(crate) fn is_new(&self, key: String) -> bool {
        let mut slots = lock(&self.0);
        let is_new = !slots.contains_key(&key);
        slots.entry(key).or_default();
        is_new
    }

    pub(crate) fn get(&self, key: String, find: impl FnOnce() -> Result<T>) -> Result<T> {
        let slot = lock(&self.0).entry(key).or_default().clone();
        slot.get_or_init(find).clone()
    }
}

/// Shared by all images of a question. What they have in common is fetched once.
#[derive(Default)]
pub(crate) struct Budget {
    entries: AtomicUsize,
    fetches: AtomicUsize,
    bytes: AtomicUsize,
    /// Indexes whose entries were counted.
    counted: Mutex<HashSet<Digest>>,
    fetched: Once<Arc<Content>>,
    referrers: Once<Arc<Vec<Descriptor>>>,
    /// Attestations that had to be read to learn what they are about.
    pub(crate) statements: Once<Arc<Vec<u8>>>,
    /// What came of reading whole layers.
    pub(crate) layers: Once<()>,
    /// What layers list.
    pub(crate) trees: Once<Arc<[u8]>>,
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

    /// The manifest that a tag leads to, if there is one.
    pub(crate) fn tagged(&self, source: &dyn Source, tag: &str) -> Result<Option<Arc<Content>>> {
        let at = TagOrDigest::Tag(tag.to_owned());
        found(self.once(tag.to_owned(), || source.manifest(&at)))
    }

    /// What refers to a manifest that is itself listed `depth` levels deep. They count as the entries
    /// of an index do.
    pub(crate) fn referrers(
        &self,
        source: &dyn Source,
        subject: &Digest,
        depth: usize,
    ) -> Result<Arc<Vec<Descriptor>>> {
        if depth > DEPTH {
            let limit = format_args!("referrers are nested more than {DEPTH} deep");
            return Err(self.exceed(limit));
        }
        self.referrers.get(subject.to_string(), || {
            self.fetch()?;
            let listed = source.referrers(subject, None)?;
            self.list(listed.len())?;
            self.hold(listed.iter().map(|it| memory::weight(&it.json)).sum())?;
            Ok(Arc::new(listed))
        })
    }

    /// The small blob that a descriptor leads to. Descriptors with another size or media type for
    /// the same digest are verified separately.
    pub(crate) fn content(&self, source: &dyn Source, blob: &Descriptor) -> Result<Arc<Content>> {
        if blob.data().is_some() {
            return source.content(blob).map(Arc::new);
        }
        let key = format!("{} {} {}", blob.digest, blob.size, blob.media_type);
        self.once(key, || source.content(blob))
    }

    /// The entries of an index that is nested `depth` levels deep. They count once, however often
    /// the index is listed.
    pub(crate) fn entries(&self, index: &Content, depth: usize) -> Result<Vec<Descriptor>> {
        let is_new = lock(&self.counted).insert(index.digest().clone());
        self.listed(index, depth, is_new)
    }

    /// The same, counted each time: for output that repeats them.
    pub(crate) fn entries_again(&self, index: &Content, depth: usize) -> Result<Vec<Descriptor>> {
        self.listed(index, depth, true)
    }

    fn listed(&self, index: &Content, depth: usize, counts: bool) -> Result<Vec<Descriptor>> {
        if depth > DEPTH {
            return Err(self.exceed(format_args!("indexes are nested more than {DEPTH} deep")));
        }
        let entries = index.descriptors("manifests")?;
        if counts {
            self.list(entries.len())?;
        }
        Ok(entries)
    }

    fn once(&self, key: String, fetch: impl FnOnce() -> Result<Content>) -> Result<Arc<Content>> {
        self.fetched.get(key, || {
            self.fetch()?;
            let document = fetch()?;
            self.hold(document.weight())?;
            Ok(Arc::new(document))
        })
    }

    fn fetch(&self) -> Result<()> {
        let limit = format_args!("it would take more than {FETCHES} requests");
        self.spend(&self.fetches, 1, FETCHES, limit)?;
        // A question that has no memory any more is asked again: nothing more is asked for now.
        memory::take(0)
    }

    fn list(&self, entries: usize) -> Result<()> {
        let limit = format_args!("the indexes list more than {ENTRIES} images");
        self.spend(&self.entries, entries, ENTRIES, limit)
    }

    /// Says that so much is in memory until the question has its answer.
    pub(crate) fn hold(&self, bytes: usize) -> Result<()> {
        let limit = format_args!("it would take more than {} MiB of memory", BYTES >> 20);
        self.spend(&self.bytes, bytes, BYTES, limit)
    }

    fn spend(
        &self,
        on: &AtomicUsize,
        amount: usize,
        limit: usize,
        why: fmt::Arguments,
    ) -> Result<()> {
        match on.fetch_add(amount, Ordering::Relaxed).saturating_add(amount) > limit {
            true => Err(self.exceed(why)),
            false => Ok(()),
        }
    }

    fn exceed(&self, why: fmt::Arguments) -> Error {
        self.exceeded.get_or_init(|| Error::new(Kind::Protocol, why.to_string())).clone()
    }
}

/// All entries of an index, in order. The entry of a nested index is followed by the entries of that
/// index, the first time that it is listed. A nested index that cannot be read is one error, and the
/// walk goes on; an exceeded budget ends it.
pub(crate) struct Walk<'a> {
    source: &'a dyn Source,
    budget: &'a Budget,
    opened: HashSet<Digest>,
    /// The remaining entries of the open indexes, the innermost last.
    levels: Vec<vec::IntoIter<Descriptor>>,
    /// The index that the last entry leads to.
    next: Option<Descriptor>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(source: &'a dyn Source, budget: &'a Budget, index: &Content) -> Result<Self> {
        let opened = HashSet::from([index.digest().clone()]);
        let levels = vec![budget.entries(index, 0)?.into_iter()];
        Ok(Walk { source, budget, opened, levels, next: None })
    }

    fn open(&mut self, entry: &Descriptor) -> Result<()> {
        let index = self.budget.manifest(self.source, entry)?;
        let entries = self.budget.entries(&index, self.levels.len())?;
        self.levels.push(entries.into_iter());
        Ok(())
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Descriptor>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.next.take()
            && let Err(error) = self.open(&entry)
        {
            if self.budget.exceeded().is_some() {
                self.levels.clear();
            }
            return Some(Err(error));
        }
        while self.levels.last()?.as_slice().is_empty() {
            self.levels.pop();
        }
        let entry = self.levels.last_mut()?.next()?;
        if is_index(&entry) && self.opened.insert(entry.digest.clone()) {
            self.next = Some(entry.clone());
        }
        Some(Ok(entry))
    }
}

fn is_index(entry: &Descriptor) -> bool {
    ManifestKind::of(&entry.media_type) == ManifestKind::Index && !entry.is_attestation()
}
