//! A repository and its mirrors, which are asked first.

use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::super::{Blob, Resolved, Source};
use crate::content::{Content, Descriptor};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result, say, warn};
use crate::memory;
use crate::names::Names;
use crate::reference::TagOrDigest;

pub(crate) struct Mirror<S> {
    pub(crate) source: S,
    /// `mirror HOST/NAME`, or `HOST/NAME` of the registry itself, for messages.
    pub(crate) name: String,
    pub(crate) has_tags: bool,
    pub(crate) has_digests: bool,
    /// Whether it does not have the image, or failed: it is not asked for the rest of it.
    has_failed: AtomicBool,
    has_answered: AtomicBool,
}

impl<S> Mirror<S> {
    pub(crate) fn new(source: S, name: String, has_tags: bool, has_digests: bool) -> Self {
        let (has_failed, has_answered) = (AtomicBool::new(false), AtomicBool::new(false));
        Mirror { source, name, has_tags, has_digests, has_failed, has_answered }
    }

    fn has(&self, at: &TagOrDigest) -> bool {
        if matches!(at, TagOrDigest::Digest { .. }) { self.has_digests } else { self.has_tags }
    }
}

/// Mirrors are asked for manifests and blobs, in turn; then the registry itself. Tags and referrers
/// it alone is asked for: a mirror knows only those that somebody has asked it for.
pub(crate) struct Mirrored<S> {
    pub(crate) mirrors: Vec<Mirror<S>>,
    pub(crate) last: Mirror<S>,
    pub(crate) is_verbose: bool,
}

impl<S: Source> Mirrored<S> {
    fn first<T>(
        &self,
        has: impl Fn(&Mirror<S>) -> bool,
        ask: impl Fn(&S) -> Result<T>,
    ) -> Result<T> {
        let mut failure = None;
        let usable = |mirror: &&Mirror<S>| has(mirror) && !mirror.has_failed.load(Relaxed);
        for mirror in self.mirrors.iter().filter(usable) {
            match ask(&mirror.source) {
                Err(error) if is_ended() => return Err(error),
                Err(error) => {
                    let is_absent = error.kind() == Kind::NotFound;
                    // Who has the image may lack what nobody has to have, such as its signature.
                    let is_usable = is_absent && mirror.has_answered.load(Relaxed);
                    mirror.has_failed.store(!is_usable, Relaxed);
                    self.tell(mirror, &error);
                    if !is_absent {
                        failure = Some(format!("asked before it: {}: {error}", mirror.name));
                    }
                }
                answer => return self.answered(mirror, answer),
            }
        }
        let answer = ask(&self.last.source).map_err(|error| match failure {
            Some(failure) => error.hint(failure),
            None => error,
        });
        self.answered(&self.last, answer)
    }

    /// Bytes that are not what they should be are always worth a word, and files that cannot be read.
    fn tell(&self, mirror: &Mirror<S>, error: &Error) {
        if matches!(error.kind(), Kind::Corrupt | Kind::Local) {
            warn(format_args!("{}: {error}", mirror.name));
        } else if self.is_verbose {
            say(&format!("{}: {error}", mirror.name));
        }
    }

    /// Says once who answers, where there is a choice.
    fn answered<T>(&self, by: &Mirror<S>, answer: Result<T>) -> Result<T> {
        let is_new = answer.is_ok() && !by.has_answered.swap(true, Relaxed);
        if is_new && self.is_verbose && !self.mirrors.is_empty() {
            say(&format!("{} answers", by.name));
        }
        answer
    }
}

/// Whether the question ends for want of memory, which nobody else gives.
fn is_ended() -> bool {
    memory::share().is_some_and(|share| share.is_refused())
}

impl<S: Source> Source for Mirrored<S> {
    fn manifest(&self, at: &TagOrDigest) -> Result<Content> {
        self.first(|mirror| mirror.has(at), |source| source.manifest(at))
    }

    fn resolve(&self, at: &TagOrDigest) -> Result<Resolved> {
        self.first(|mirror| mirror.has(at), |source| source.resolve(at))
    }

    fn content(&self, descriptor: &Descriptor) -> Result<Content> {
        self.first(|mirror| mirror.has_digests, |source| source.content(descriptor))
    }

    fn blob(&self, digest: &Digest, from: u64) -> Result<Blob> {
        self.first(|mirror| mirror.has_digests, |source| source.blob(digest, from))
    }

    fn part(&self, digest: &Digest, range: Range<u64>) -> Result<Blob> {
        self.first(|mirror| mirror.has_digests, |source| source.part(digest, range.clone()))
    }

    fn tags(&self) -> Result<Names> {
        self.last.source.tags()
    }

    fn referrers(&self, digest: &Digest, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        self.last.source.referrers(digest, artifact_type)
    }
}
