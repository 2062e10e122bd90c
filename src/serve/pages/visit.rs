//! What a visitor asks a page for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::http::{self, Request};
use super::super::reply::Reply;
use super::super::site::Site;
use super::link;
use crate::error::{Error, Result};
use crate::parallel::lock;
use crate::reference::{Reference, TagOrDigest};

pub(super) struct Visit<'a> {
    pub(super) site: &'a Arc<Site>,
    pub(super) request: &'a Request,
}

impl Visit<'_> {
    /// `Kind::Usage` if it is missing.
    pub(super) fn wanted(&self, name: &str) -> Result<&str> {
        let given = Some(self.given(name)).filter(|value| !value.is_empty());
        given.ok_or_else(|| Error::usage(format!("the parameter '{name}' is missing")))
    }

    /// Without white space around it; empty if it is missing.
    pub(super) fn given(&self, name: &str) -> &str {
        self.request.parameter(name).unwrap_or_default().trim()
    }

    /// Which page of a list, from 1.
    pub(super) fn page(&self) -> usize {
        self.given("page").parse().ok().filter(|page| *page > 0).unwrap_or(1)
    }

    pub(super) fn ask(&self, command: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        answered(&self.site.ask(command, parameters))
    }

    /// The same of several commands, asked side by side.
    pub(super) fn ask_all(&self, questions: &[(&str, &[(&str, &str)])]) -> Vec<Result<Value>> {
        self.site.ask_all(questions).iter().map(|reply| answered(reply)).collect()
    }

    /// The answers that come in time. The others are asked for nevertheless, so that they are there
    /// when the visitor comes again.
    pub(super) fn ask_soon(
        &self,
        command: &'static str,
        questions: Vec<Vec<(&'static str, String)>>,
        patience: Duration,
    ) -> Vec<Option<Arc<Reply>>> {
        let mut replies = vec![None; questions.len()];
        let waiting = Arc::new(Mutex::new(questions.into_iter().enumerate()));
        let (sender, receiver) = mpsc::channel();
        for _ in 0..replies.len().min(SIDE_BY_SIDE) {
            let Some(turn) = Turn::take() else { break };
            let (site, waiting, sender) = (self.site.clone(), waiting.clone(), sender.clone());
            let work = move || {
                let _turn = turn;
                let next = || lock(&waiting).next();
                while let Some((n, question)) = next() {
                    let parameters = question.iter().map(|(name, value)| (*name, &**value));
                    let reply = site.ask(command, &parameters.collect::<Vec<_>>());
                    // Whoever asked may have gone.
                    let _ = sender.send((n, reply));
                }
            };
            // Where no thread is left, other questions are under way.
            let _ = thread::Builder::new().spawn(work);
        }
        drop(sender);
        let end = Instant::now() + patience;
        let left = || end.saturating_duration_since(Instant::now());
        http::aside(|| {
            while let Ok((n, reply)) = receiver.recv_timeout(left()) {
                replies[n] = Some(reply);
            }
        });
        replies
    }

    /// The address of this server as the visitor knows it.
    pub(super) fn base(&self) -> String {
        let is_tls = self.request.header("x-forwarded-proto") == Some("https");
        let scheme = if is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.request.header("host").unwrap_or("localhost"))
    }
}

/// How many of one visitor's questions are asked side by side, and how many of all visitors'.
const SIDE_BY_SIDE: usize = 8;
const IN_ALL: usize = 64;

/// The right to a thread that asks.
struct Turn;

static TURNS: AtomicUsize = AtomicUsize::new(IN_ALL);

impl Turn {
    fn take() -> Option<Self> {
        let free = |turns: usize| turns.checked_sub(1);
        TURNS.try_update(Ordering::Relaxed, Ordering::Relaxed, free).is_ok().then_some(Turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURNS.fetch_add(1, Ordering::Relaxed);
    }
}

/// The whole answer, or why there is none.
pub(super) fn answered(reply: &Reply) -> Result<Value> {
    reply.error().cloned().map_or_else(|| reply.answer(), Err)
}

/// An image on a platform, as it was asked for.
pub(super) struct Subject {
    /// As the visitor wrote it.
    pub(super) image: String,
    /// Empty for the usual one.
    pub(super) platform: String,
    pub(super) reference: Reference,
}

impl Subject {
    pub(super) fn of(visit: &Visit) -> Result<Self> {
        Subject::named(visit.wanted("image")?, visit.given("platform"))
    }

    pub(super) fn named(image: &str, platform: &str) -> Result<Self> {
        let reference = image.parse()?;
        Ok(Subject { image: image.to_owned(), platform: platform.to_owned(), reference })
    }

    /// The parameters of a question about it.
    pub(super) fn parameters(&self) -> Vec<(&str, &str)> {
        let platform = Some(("platform", &*self.platform)).filter(|(_, value)| !value.is_empty());
        [("image", &*self.image)].into_iter().chain(platform).collect()
    }

    /// A page or an answer about it.
    pub(super) fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        link::to(path, &[&*self.parameters(), more].concat())
    }

    /// A command's answer about it.
    pub(super) fn answer(&self, command: &str) -> String {
        self.link(&format!("/api/v1/{command}"), &[])
    }
}

/// Its tag or the beginning of its digest.
pub(super) fn short(reference: &Reference) -> String {
    match &reference.at {
        TagOrDigest::Only => String::new(),
        TagOrDigest::Tag(tag) => tag.clone(),
        TagOrDigest::Digest { digest, .. } => digest.hex()[..12].to_owned(),
    }
}
