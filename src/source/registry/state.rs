//! What is known of one registry: where it is, what it asks for, the tokens that it takes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::reference::{Host, Repository};

use super::challenge::{Bearer, Challenge};
use super::credentials::Credential;
use super::home::Home;
use super::token::Token;
use super::url::Origin;

/// The bytes under a key, if there are any.
type Recall = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// Keeps bytes under a key; no bytes: forget.
type Remember = dyn Fn(&str, &[u8]) + Send + Sync;

/// What is kept between runs. Whoever keeps it keeps it from others: it may be a token that
/// anybody can get, never one that was got with credentials.
pub(crate) struct AuthCache {
    pub(crate) recall: Box<Recall>,
    pub(crate) remember: Box<Remember>,
}

impl Default for AuthCache {
    /// Keeps nothing.
    fn default() -> Self {
        AuthCache {
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

pub(super) struct RegistryState {
    pub(super) host: Host,
    pub(super) home: Home,
    /// What this run was asked for, by scope, and under the empty one for all scopes.
    challenges: Mutex<HashMap<String, Challenge>>,
    /// What the last run was asked for.
    recalled: Mutex<Option<Challenge>>,
    tokens: Mutex<HashMap<String, Arc<Mutex<Option<Token>>>>>,
    has_answered: AtomicBool,
    first: Mutex<()>,
    /// Whether it was found to have no use for credentials.
    pub(super) is_open: AtomicBool,
    /// Stored credentials that were refused, by scope.
    refused: Mutex<HashMap<String, Credential>>,
}

impl RegistryState {
    pub(super) fn new(host: &Host) -> Self {
        RegistryState {
            host: host.clone(),
            home: Home::new(host),
            challenges: Mutex::default(),
            recalled: Mutex::default(),
            tokens: Mutex::default(),
            has_answered: AtomicBool::new(false),
            first: Mutex::default(),
            is_open: AtomicBool::new(false),
            refused: Mutex::default(),
        }
    }

    /// The first to ask a registry finds out what it wants; others wait for that.
    pub(super) fn first_request(&self) -> FirstRequest<'_> {
        if self.has_answered.load(Ordering::Acquire) {
            return FirstRequest(self, None);
        }
        let guard = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = !self.has_answered.load(Ordering::Acquire);
        FirstRequest(self, is_first.then_some(guard))
    }

    /// What the registry will ask for, as it said in this run.
    pub(super) fn challenge(&self, scope: &Scope) -> Option<Challenge> {
        let known = self.challenges();
        let challenge = known.get(&scope.text).or_else(|| known.get(""));
        challenge.cloned()
    }

    /// What the registry asked for in the last run. Nobody has verified that it was the registry:
    /// to this no credentials are an answer.
    pub(super) fn recalled(&self, origin: &Origin, memory: &AuthCache) -> Option<Challenge> {
        let recalled = self.recalled.lock();
        let mut recalled = recalled.unwrap_or_else(PoisonError::into_inner);
        if recalled.is_none() && !self.has_answered.load(Ordering::Acquire) {
            *recalled = Challenge::recall(&(memory.recall)(&key(origin))?);
        }
        recalled.clone()
    }

    /// Keeps the challenge: for all scopes and the next run, if its scope is what we would ask for.
    pub(super) fn keep(
        &self,
        challenge: &Challenge,
        scope: &Scope,
        origin: &Origin,
        memory: &AuthCache,
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
        let mut known = self.challenges();
        match general {
            Some(general) => {
                let last = self.recalled.lock();
                let last = last.unwrap_or_else(PoisonError::into_inner);
                if [known.get(""), last.as_ref()]
                    .iter()
                    .all(|it| *it != Some(&general))
                {
                    (memory.remember)(&key(origin), &general.write());
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
    pub(super) fn forget(&self, origin: &Origin, memory: &AuthCache) {
        self.challenges().clear();
        let recalled = self.recalled.lock();
        *recalled.unwrap_or_else(PoisonError::into_inner) = None;
        (memory.remember)(&key(origin), b"");
    }

    fn challenges(&self) -> MutexGuard<'_, HashMap<String, Challenge>> {
        let challenges = self.challenges.lock();
        challenges.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these credentials were refused for the scope. What is refused for one may be right
    /// for another.
    pub(super) fn refuses(&self, credential: &Credential, scope: &Scope) -> bool {
        let refused = self.refused.lock();
        let refused = refused.unwrap_or_else(PoisonError::into_inner);
        refused.get(&scope.text) == Some(credential)
    }

    /// Notes that these credentials were refused for the scope. True if they never were before.
    pub(super) fn refuse(&self, credential: &Credential, scope: &Scope) -> bool {
        let refused = self.refused.lock();
        let mut refused = refused.unwrap_or_else(PoisonError::into_inner);
        let is_first = refused.values().all(|other| other != credential);
        refused.insert(scope.text.clone(), credential.clone());
        is_first
    }

    /// The place of a scope's token. Who fetches one holds its lock, so that the others wait for it.
    pub(super) fn token(&self, scope: &str) -> Arc<Mutex<Option<Token>>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(scope.to_owned()).or_default())
    }
}

pub(super) struct FirstRequest<'a>(&'a RegistryState, Option<MutexGuard<'a, ()>>);

impl FirstRequest<'_> {
    /// Whether nobody has asked the registry before.
    pub(super) fn is_first(&self) -> bool {
        self.1.is_some()
    }
}

impl Drop for FirstRequest<'_> {
    fn drop(&mut self) {
        self.0.has_answered.store(true, Ordering::Release);
    }
}

fn key(origin: &Origin) -> String {
    format!("challenge {origin}")
}
