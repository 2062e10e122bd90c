//! What is known of one registry: where it is, what it asks for, the tokens that it takes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::error::Result;
use crate::json;
use crate::reference::{Host, Repository};

use super::challenge::{Bearer, Challenge};
use super::connection::Connections;
use super::token::Token;
use super::url::{Origin, Scheme};

/// The bytes under a key, if there are any.
type Recall = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// Keeps bytes under a key; no bytes: forget.
type Remember = dyn Fn(&str, &[u8]) + Send + Sync;

/// What is kept between runs. Whoever keeps it keeps it from others: it may be a token that
/// anybody can get, never one that was got with credentials.
pub(crate) struct Memory {
    pub(crate) recall: Box<Recall>,
    pub(crate) remember: Box<Remember>,
}

impl Default for Memory {
    /// Keeps nothing.
    fn default() -> Self {
        Memory {
            recall: Box::new(|_| None),
            remember: Box::new(|_, _| {}),
        }
    }
}

/// What a request wants to do, as tokens name it.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) text: String,
    pub(super) repository: Option<Repository>,
}

impl Scope {
    /// `actions` are `pull`, `pull,push` or `delete`.
    pub(super) fn of(repository: &Repository, actions: &str) -> Self {
        Scope {
            text: format!("repository:{}:{actions}", repository.name),
            repository: Some(repository.clone()),
        }
    }

    /// To pull from another repository too, which it takes to mount from there.
    pub(super) fn and_pull(&self, other: &Repository) -> Self {
        Scope {
            text: format!("{} repository:{}:pull", self.text, other.name),
            repository: self.repository.clone(),
        }
    }

    pub(super) fn catalog() -> Self {
        Scope {
            text: "registry:catalog:*".to_owned(),
            repository: None,
        }
    }
}

pub(super) struct Peer {
    pub(super) host: Host,
    origin: Mutex<Option<Origin>>,
    /// By scope, and under the empty one for all scopes.
    challenges: Mutex<HashMap<String, Challenge>>,
    tokens: Mutex<HashMap<String, Arc<Mutex<Option<Token>>>>>,
    is_met: AtomicBool,
    meeting: Mutex<()>,
    /// Whether its stored credentials were refused.
    pub(super) is_refused: AtomicBool,
}

impl Peer {
    pub(super) fn new(host: &Host) -> Self {
        Peer {
            host: host.clone(),
            origin: Mutex::default(),
            challenges: Mutex::default(),
            tokens: Mutex::default(),
            is_met: AtomicBool::new(false),
            meeting: Mutex::default(),
            is_refused: AtomicBool::new(false),
        }
    }

    /// HTTPS, unless `plain` is chosen, or this machine's own server does not speak TLS.
    pub(super) fn origin(&self, plain: bool, connections: &Connections) -> Result<Origin> {
        // The lock is held while one finds out.
        let mut known = self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(origin) = &*known {
            return Ok(origin.clone());
        }
        let at = |scheme| Origin::new(scheme, self.host.api());
        let secure = at(Scheme::Https)?;
        let is_plain = plain || (secure.is_loopback() && !connections.speaks_tls(&secure));
        let origin = if is_plain { at(Scheme::Http)? } else { secure };
        *known = Some(origin.clone());
        Ok(origin)
    }

    /// The first to ask a registry finds out what it wants; others wait for that.
    pub(super) fn meet(&self) -> Meeting<'_> {
        if self.is_met.load(Ordering::Acquire) {
            return Meeting(self, None);
        }
        let guard = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !self.is_met.load(Ordering::Acquire);
        Meeting(self, is_first.then_some(guard))
    }

    /// What the registry will ask for, from this run or the last one.
    pub(super) fn challenge(
        &self,
        scope: &Scope,
        origin: &Origin,
        memory: &Memory,
    ) -> Option<Challenge> {
        let mut known = self
            .challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(challenge) = known.get(&scope.text).or_else(|| known.get("")) {
            return Some(challenge.clone());
        }
        if self.is_met.load(Ordering::Acquire) {
            return None;
        }
        let challenge = read(&(memory.recall)(&key(origin))?)?;
        known.insert(String::new(), challenge.clone());
        Some(challenge)
    }

    /// Keeps the challenge: for all scopes and the next run, if its scope is what we would ask for.
    pub(super) fn keep(
        &self,
        challenge: &Challenge,
        scope: &Scope,
        origin: &Origin,
        memory: &Memory,
    ) {
        let general = match challenge {
            Challenge::Bearer(bearer) => match &bearer.scope {
                Some(own) if *own != scope.text => None,
                _ => Some(Challenge::Bearer(Bearer {
                    scope: None,
                    error: None,
                    ..bearer.clone()
                })),
            },
            Challenge::Basic => Some(Challenge::Basic),
        };
        let mut known = self
            .challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match general {
            Some(general) => {
                if known.get("") != Some(&general) {
                    (memory.remember)(&key(origin), &write(&general));
                }
                known.insert(String::new(), general);
                known.remove(&scope.text);
            }
            None => {
                known.insert(scope.text.clone(), challenge.clone());
            }
        }
    }

    /// Nothing is known of what the registry asks for, after all.
    pub(super) fn forget(&self, origin: &Origin, memory: &Memory) {
        let known = self.challenges.lock();
        known.unwrap_or_else(PoisonError::into_inner).clear();
        (memory.remember)(&key(origin), b"");
    }

    /// The place of a scope's token. Who fetches one holds its lock, so that the others wait for it.
    pub(super) fn token(&self, scope: &str) -> Arc<Mutex<Option<Token>>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(scope.to_owned()).or_default())
    }
}

pub(super) struct Meeting<'a>(&'a Peer, Option<MutexGuard<'a, ()>>);

impl Meeting<'_> {
    /// Whether nobody has asked the registry before.
    pub(super) fn is_first(&self) -> bool {
        self.1.is_some()
    }
}

impl Drop for Meeting<'_> {
    fn drop(&mut self) {
        self.0.is_met.store(true, Ordering::Release);
    }
}

fn key(origin: &Origin) -> String {
    format!("challenge {origin}")
}

fn write(challenge: &Challenge) -> Vec<u8> {
    let json = match challenge {
        Challenge::Basic => json!({}),
        Challenge::Bearer(bearer) => json!({"realm": bearer.realm, "service": bearer.service}),
    };
    json.to_string().into_bytes()
}

fn read(bytes: &[u8]) -> Option<Challenge> {
    let json = json::parse(bytes).ok()?;
    let object = json.as_object()?;
    if object.is_empty() {
        return Some(Challenge::Basic);
    }
    Some(Challenge::Bearer(Bearer {
        realm: json["realm"].as_str()?.to_owned(),
        service: json["service"].as_str().map(str::to_owned),
        ..Bearer::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_recalled_as_it_was_written() {
        let bearer = Challenge::Bearer(Bearer {
            realm: "https://auth.example.com/token".into(),
            service: Some("registry.example.com".into()),
            ..Bearer::default()
        });
        for challenge in [bearer, Challenge::Basic] {
            assert_eq!(read(&write(&challenge)), Some(challenge));
        }
        for damaged in [&b""[..], b"[]", br#"{"realm":1}"#, b"{"] {
            assert_eq!(read(damaged), None);
        }
    }
}
