//! What is known of one registry: where it is, what it asks for, the tokens that it takes, the
//! credentials that it refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::error::Result;
use crate::parallel::lock;
use crate::reference::Host;

use super::challenge::{Bearer, Challenge};
use super::credentials::{Credential, ResolvedCredentials};
use super::message::Response;
use super::token::{Scope, Token};
use super::trace::warn;
use super::transport::Connections;
use super::url::{Origin, Scheme};

/// What is kept of a server that does not speak TLS.
const PLAIN_HTTP: &[u8] = b"http";

/// The bytes under a key, if there are any.
type Get = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

/// Keeps bytes under a key; no bytes: forget.
type Put = dyn Fn(&str, &[u8]) + Send + Sync;

/// What is kept between runs: challenges, and tokens that anybody can get, never one that was got
/// with credentials. Other users must not read it all the same.
pub(crate) struct AuthCache {
    pub(crate) get: Box<Get>,
    pub(crate) put: Box<Put>,
}

impl Default for AuthCache {
    /// Keeps nothing.
    fn default() -> Self {
        AuthCache { get: Box::new(|_| None), put: Box::new(|_, _| {}) }
    }
}

pub(super) struct RegistryState {
    pub(super) host: Host,
    /// Whether the user chose plain HTTP.
    plain_http: bool,
    connections: Arc<Connections>,
    pub(super) cache: Arc<AuthCache>,
    /// The lock is held while the origin is found out.
    origin: Mutex<Option<KnownOrigin>>,
    /// Whether an answer has come. The first request holds the lock until then.
    has_answered: Mutex<bool>,
    challenges: Mutex<Challenges>,
    /// By scope. The request that fetches a token holds its lock, so that the others wait for it.
    tokens: Mutex<HashMap<String, Arc<Mutex<Option<Token>>>>>,
    /// Stored credentials that were refused, by scope.
    refused: Mutex<HashMap<String, Credential>>,
}

struct KnownOrigin {
    origin: Origin,
    /// Whether it is plain HTTP only because it was in the last run.
    is_recalled: bool,
}

#[derive(Default)]
struct Challenges {
    /// What this run was asked for, by scope, and under the empty one for all scopes.
    known: HashMap<String, Challenge>,
    /// What the last run was asked for, once it was looked up.
    recalled: Option<Option<Challenge>>,
    /// Whether the registry was found to have no use for credentials.
    are_none: bool,
}

/// Held by the first request to a registry, empty for all others.
pub(super) struct FirstRequest<'a>(Option<MutexGuard<'a, bool>>);

impl FirstRequest<'_> {
    pub(super) fn is_first(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for FirstRequest<'_> {
    fn drop(&mut self) {
        if let Some(has_answered) = &mut self.0 {
            **has_answered = true;
        }
    }
}

impl RegistryState {
    pub(super) fn new(
        host: &Host,
        plain_http: bool,
        connections: Arc<Connections>,
        cache: Arc<AuthCache>,
    ) -> Self {
        RegistryState {
            host: host.clone(),
            plain_http,
            connections,
            cache,
            origin: Mutex::default(),
            has_answered: Mutex::default(),
            challenges: Mutex::default(),
            tokens: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Where the API is: by HTTPS, unless the user chose otherwise, or the registry is this machine's
    /// own and does not speak TLS.
    pub(super) fn origin(&self) -> Result<Origin> {
        let mut known = lock(&self.origin);
        if let Some(known) = &*known {
            return Ok(known.origin.clone());
        }
        let https = self.origin_by(Scheme::Https)?;
        self.connections.name(&https);
        let is_candidate = !self.plain_http && https.is_loopback();
        let key = scheme_key(&https);
        let is_recalled = is_candidate && (self.cache.get)(&key).as_deref() == Some(PLAIN_HTTP);
        let is_found =
            is_candidate && !is_recalled && self.connections.speaks_tls(&https) == Some(false);
        if is_found {
            (self.cache.put)(&key, PLAIN_HTTP);
        }
        let origin = match self.plain_http || is_recalled || is_found {
            true => self.origin_by(Scheme::Http)?,
            false => https,
        };
        *known = Some(KnownOrigin { origin: origin.clone(), is_recalled });
        Ok(origin)
    }

    /// The new origin of a registry that the last run found without TLS, and that speaks it by now.
    /// Only the first answer, if it is not a good one, is a reason to look.
    pub(super) fn moved_to_tls(
        &self,
        asked: &Origin,
        outcome: &Result<Response>,
    ) -> Result<Option<Origin>> {
        let mut known = lock(&self.origin);
        let Some(known) = known.as_mut() else {
            return Ok(None);
        };
        let is_good = outcome.as_ref().is_ok_and(|response| response.status != 400);
        if std::mem::take(&mut known.is_recalled) && !is_good {
            let https = self.origin_by(Scheme::Https)?;
            if self.connections.speaks_tls(&https) == Some(true) {
                (self.cache.put)(&scheme_key(&https), b"");
                known.origin = https;
            }
        }
        Ok((known.origin != *asked).then(|| known.origin.clone()))
    }

    fn origin_by(&self, scheme: Scheme) -> Result<Origin> {
        Origin::new(scheme, self.host.api())
    }

    /// The first request finds out what the registry asks for; others wait for that.
    pub(super) fn first_request(&self) -> FirstRequest<'_> {
        let has_answered = lock(&self.has_answered);
        FirstRequest((!*has_answered).then_some(has_answered))
    }

    /// What the registry will ask for, as it said in this run.
    pub(super) fn challenge(&self, scope: &Scope) -> Option<Challenge> {
        let known = &lock(&self.challenges).known;
        known.get(&scope.text).or_else(|| known.get("")).cloned()
    }

    /// What the registry asked for in the last run. The cache may be wrong
    /// about who asked, so that no credentials are sent in answer to it.
    pub(super) fn recalled_challenge(&self, origin: &Origin) -> Option<Challenge> {
        let recall = || Challenge::from_cache(&(self.cache.get)(&challenge_key(origin))?);
        let recalled = &mut lock(&self.challenges).recalled;
        recalled.get_or_insert_with(recall).clone()
    }

    /// Keeps the challenge: for all scopes and the next run, if its scope is what we would ask for.
    pub(super) fn keep_challenge(&self, challenge: &Challenge, scope: &Scope, origin: &Origin) {
        let mut challenges = lock(&self.challenges);
        let general = match challenge {
            Challenge::Bearer(bearer)
                if bearer.scope.as_ref().is_some_and(|s| *s != scope.text) =>
            {
                challenges.known.insert(scope.text.clone(), challenge.clone());
                return;
            }
            Challenge::Bearer(bearer) => {
                Challenge::Bearer(Bearer { scope: None, error: None, ..bearer.clone() })
            }
            Challenge::Basic => Challenge::Basic,
        };
        let recalled = challenges.recalled.as_ref().and_then(Option::as_ref);
        if challenges.known.get("") != Some(&general) && recalled != Some(&general) {
            (self.cache.put)(&challenge_key(origin), &general.to_cache());
        }
        challenges.known.insert(String::new(), general);
        challenges.known.remove(&scope.text);
    }

    /// Nothing is known of what the registry asks for, after all.
    pub(super) fn forget_challenges(&self, origin: &Origin) {
        let mut challenges = lock(&self.challenges);
        challenges.known.clear();
        challenges.recalled = Some(None);
        (self.cache.put)(&challenge_key(origin), b"");
    }

    /// Notes that the registry has no use for credentials.
    pub(super) fn note_open(&self) {
        lock(&self.challenges).are_none = true;
    }

    pub(super) fn is_open(&self) -> bool {
        lock(&self.challenges).are_none
    }

    /// Whether these credentials were refused for the scope. What is refused for one may be right
    /// for another.
    pub(super) fn refuses(&self, credential: &Credential, scope: &Scope) -> bool {
        lock(&self.refused).get(&scope.text) == Some(credential)
    }

    /// Goes on without stored credentials that were refused for the scope, and says so once. False
    /// if they were given for this run.
    pub(super) fn gives_up(&self, credentials: &ResolvedCredentials, scope: &Scope) -> bool {
        let Some(store) = &credentials.store else {
            return false;
        };
        let credential = &credentials.credential;
        let mut refused = lock(&self.refused);
        if refused.values().all(|other| other != credential) {
            let host = self.host.name();
            warn(&format!("{host} refuses the credentials of {store}: going on without"));
        }
        refused.insert(scope.text.clone(), credential.clone());
        true
    }

    /// The place of a scope's token.
    pub(super) fn token(&self, scope: &str) -> Arc<Mutex<Option<Token>>> {
        Arc::clone(lock(&self.tokens).entry(scope.to_owned()).or_default())
    }
}

fn scheme_key(origin: &Origin) -> String {
    format!("scheme {}", origin.authority())
}

fn challenge_key(origin: &Origin) -> String {
    format!("challenge {origin}")
}
