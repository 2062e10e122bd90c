//! What is known of one registry: where it is, what it asks for, the credentials that it refused.

use std::collections::HashMap;
use std::mem;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::error::{Result, warn};
use crate::memory;
use crate::parallel::lock;

use super::Registry;
use super::challenge::Challenge;
use super::client::{Client, OUT_OF_REACH, PlainHttp};
use super::credentials::{Credential, ResolvedCredentials};
use super::message::Response;
use super::url::{Origin, Scheme};

type Get = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;
type Put = dyn Fn(&str, &[u8]) + Send + Sync;

/// What is kept between runs, as bytes under a key: which registries lack TLS, challenges, and tokens
/// that anybody can get, never one that was got with credentials. Other users must not read it all
/// the same.
#[derive(Clone)]
pub(crate) struct AuthCache {
    pub(crate) get: Arc<Get>,
    /// No bytes: what is under the key is forgotten.
    pub(crate) put: Arc<Put>,
}

impl Default for AuthCache {
    /// Keeps nothing.
    fn default() -> Self {
        AuthCache { get: Arc::new(|_| None), put: Arc::new(|_, _| {}) }
    }
}

/// Of one registry, shared by all its repositories.
#[derive(Default)]
pub(super) struct RegistryState {
    /// The lock is held while it is found out.
    place: Mutex<Option<Place>>,
    /// Whether there was a request. The first one holds the lock until its answer has come.
    pub(super) is_asked: Mutex<bool>,
    /// Whether the registry was found to have no use for credentials.
    pub(super) is_open: AtomicBool,
    /// Stored credentials that were refused, by scope: they may be right for another.
    refused: Mutex<HashMap<String, Credential>>,
}

/// Where a registry is.
struct Place {
    origin: Origin,
    /// Whether only the last run knows that it speaks TLS there, or does not.
    is_recalled: bool,
    /// When nobody answered there.
    unreached: Option<SystemTime>,
}

impl Registry {
    /// Where the API is: by HTTPS, unless the user chose otherwise, or the registry does not speak TLS
    /// and is this machine's own, or one that the user does without TLS for.
    pub(super) fn origin(&self) -> Result<Origin> {
        let Client { transport, cache, plain_http, clock, .. } = &*self.client;
        let is_over = |since| clock().duration_since(since).is_ok_and(|age| age >= OUT_OF_REACH);
        let mut known = lock(&self.state.place);
        if let Some(place) = known.as_ref().filter(|place| !place.unreached.is_some_and(is_over)) {
            transport.connections.name(&place.origin);
            return Ok(place.origin.clone());
        }
        let https = self.origin_by(Scheme::Https)?;
        transport.connections.name(&https);
        let is_candidate = match plain_http {
            PlainHttp::Always => false,
            PlainHttp::WithoutTls => true,
            PlainHttp::Loopback => https.is_loopback(),
        };
        let lacked_tls = is_candidate && (cache.get)(&self.scheme_key()).is_some();
        // Who asked for credentials over TLS spoke it.
        let is_recalled = lacked_tls || (is_candidate && self.recalled_challenge(&https).is_some());
        let mut unreached = None;
        let mut lacks_tls = || {
            let speaks_tls = transport.connections.speaks_tls(&https);
            unreached = speaks_tls.is_none().then(clock);
            speaks_tls == Some(false)
        };
        let origin = if *plain_http == PlainHttp::Always || lacked_tls {
            self.origin_by(Scheme::Http)?
        } else if is_candidate && !is_recalled && lacks_tls() {
            (cache.put)(&self.scheme_key(), b"http");
            self.origin_by(Scheme::Http)?
        } else {
            https
        };
        Ok(known.insert(Place { origin, is_recalled, unreached }).origin.clone())
    }

    /// The origin after this outcome, another one if the registry speaks TLS by now that the last run
    /// found without, or lacks it. Only the first answer, if it is not a good one, is a reason to look.
    pub(super) fn origin_after(&self, outcome: &Result<Response>) -> Result<Origin> {
        let is_good = outcome.as_ref().is_ok_and(|response| response.status != 400);
        let mut known = lock(&self.state.place);
        if let Some(place) = known.as_mut()
            && mem::take(&mut place.is_recalled)
            && !is_good
        {
            let https = self.origin_by(Scheme::Https)?;
            let speaks_tls = self.client.transport.connections.speaks_tls(&https);
            place.unreached = speaks_tls.is_none().then(self.client.clock);
            let (scheme, kept) = match speaks_tls {
                Some(true) => (Scheme::Https, ""),
                Some(false) => (Scheme::Http, "http"),
                None => (place.origin.scheme, ""),
            };
            if scheme != place.origin.scheme {
                (self.client.cache.put)(&self.scheme_key(), kept.as_bytes());
                place.origin = self.origin_by(scheme)?;
            }
        }
        drop(known);
        self.origin()
    }

    fn scheme_key(&self) -> String {
        format!("scheme {}", self.host)
    }

    fn origin_by(&self, scheme: Scheme) -> Result<Origin> {
        Origin::new(scheme, self.host.api())
    }

    /// What the registry will ask for, as it said in this run.
    pub(super) fn challenge(&self) -> Option<Challenge> {
        let known = lock(&self.client.challenges);
        let at = |scope: &str| known.get(&(self.host.clone(), scope.to_owned()));
        at(&self.scope.text).or_else(|| at("")).cloned()
    }

    /// What the registry asked for in the last run. The cache may be wrong about who asked, so that
    /// no credentials are sent in answer to it.
    pub(super) fn recalled_challenge(&self, origin: &Origin) -> Option<Challenge> {
        Challenge::from_cache(&(self.client.cache.get)(&challenge_key(origin))?)
    }

    /// Keeps the challenge: for all scopes and the next run, if its scope is what we would ask for.
    pub(super) fn keep_challenge(&self, challenge: Challenge, origin: &Origin) {
        let mut known = lock(&self.client.challenges);
        let key = |scope: &str| (self.host.clone(), scope.to_owned());
        known.remove(&key(&self.scope.text));
        if challenge.names_scope() {
            memory::entry(&mut known, key(&self.scope.text)).insert_entry(challenge);
        } else if known.get(&key("")) != Some(&challenge) {
            if self.recalled_challenge(origin).as_ref() != Some(&challenge) {
                (self.client.cache.put)(&challenge_key(origin), &challenge.to_cache());
            }
            memory::entry(&mut known, key("")).insert_entry(challenge);
        }
    }

    /// Nothing is known of what the registry asks for, after all.
    pub(super) fn forget_challenges(&self, origin: &Origin) {
        lock(&self.client.challenges).retain(|(host, _), _| *host != self.host);
        (self.client.cache.put)(&challenge_key(origin), b"");
    }

    /// The user's credentials, unless they were refused for the scope.
    pub(super) fn credentials(&self) -> Option<ResolvedCredentials> {
        let found = self.client.given(&self.host);
        let found = found.or_else(|| {
            self.client.shared.credentials.stored(&self.host, self.scope.repository.as_ref())
        })?;
        let refused = lock(&self.state.refused);
        (refused.get(&self.scope.text) != Some(&found.credential)).then_some(found)
    }

    /// Goes on without stored credentials that were refused for the scope, and says so once. False
    /// if they were given for this run.
    pub(super) fn gives_up(&self, credentials: &ResolvedCredentials) -> bool {
        let Some(store) = &credentials.store else {
            return false;
        };
        let mut refused = lock(&self.state.refused);
        if refused.values().all(|other| *other != credentials.credential) {
            let host = self.host.name();
            warn(format_args!("{host} refuses the credentials of {store}: going on without"));
        }
        memory::entry(&mut refused, self.scope.text.clone())
            .insert_entry(credentials.credential.clone());
        true
    }
}

fn challenge_key(origin: &Origin) -> String {
    format!("challenge {origin}")
}
