//! All entries of an index and of the indexes in it, in order.

use std::collections::HashSet;
use std::vec;

use super::budget::Budget;
use crate::content::{Content, Descriptor, ManifestKind};
use crate::digest::Digest;
use crate::error::Result;
use crate::source::Source;

/// The entries of an index. The entry of a nested index is followed by the entries of that index,
/// the first time that it is listed. A nested index that cannot be read is one error, and the walk
/// goes on; an exceeded budget ends it.
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
        Ok(Walk {
            source,
            budget,
            opened: HashSet::from([index.digest().clone()]),
            levels: vec![budget.entries(index, 0)?.into_iter()],
            next: None,
        })
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
        let entry = loop {
            match self.levels.last_mut()?.next() {
                Some(entry) => break entry,
                None => drop(self.levels.pop()),
            }
        };
        let is_index =
            ManifestKind::of(&entry.media_type) == ManifestKind::Index && !entry.is_attestation();
        if is_index && self.opened.insert(entry.digest.clone()) {
            self.next = Some(entry.clone());
        }
        Some(Ok(entry))
    }
}
