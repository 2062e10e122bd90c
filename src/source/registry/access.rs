//! How a registry is convinced: what it asks for, answered with what the user has.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::error::{During, Error, Kind, Result};
use crate::secret::Secret;

use super::challenge::{Bearer, Challenge};
use super::client::Client;
use super::credentials::Found;
use super::message::{Request, Response};
use super::peer::{Peer, Scope};
use super::realm;
use super::stored::Credential;
use super::token::{self, Token};
use super::trace::warn;
use super::url::Origin;

/// What a request shows to be let in, and why.
#[derive(Default)]
pub(super) struct Pass {
    /// The value of `Authorization`.
    pub(super) header: Option<Secret>,
    /// What it answers, and with whose credentials.
    challenge: Option<Challenge>,
    found: Option<Found>,
    /// Whether the registry has seen it before and may have grown tired of it.
    is_old: bool,
}

impl Client {
    /// A pass for a registry whose challenge is known from before. Without a token for the first
    /// request, the connection is opened while the token server is asked.
    pub(super) fn pass_ahead(
        &self,
        peer: &Peer,
        scope: &Scope,
        home: &Origin,
        is_first: bool,
    ) -> Pass {
        let memory = &self.settings.memory;
        let Some(challenge) = peer.challenge(scope, home, memory) else {
            return Pass::default();
        };
        let opening = is_first.then_some(home);
        self.pass(peer, scope, home, challenge, None, opening)
            .unwrap_or_else(|_| {
                // The registry may ask for something else by now: in order, then.
                peer.forget(home, memory);
                Pass::default()
            })
    }

    /// A better pass than the one that was answered so; an error if there is none.
    pub(super) fn answer(
        &self,
        peer: &Peer,
        scope: &Scope,
        response: &Response,
        shown: Pass,
    ) -> Result<Pass> {
        let home = &response.url.origin;
        let challenge = match Challenge::read(response.all("www-authenticate")) {
            Some(challenge) => challenge,
            None => self
                .ping(home)?
                .ok_or_else(|| self.denied(peer, response, &shown))?,
        };
        let is_same = shown
            .challenge
            .as_ref()
            .is_some_and(|c| same(c, &challenge));
        if is_same && !shown.is_old && !self.gives_up(peer, &shown) {
            return Err(self.denied(peer, response, &shown));
        }
        let pass = self.pass(
            peer,
            scope,
            home,
            challenge.clone(),
            shown.header.as_ref(),
            None,
        )?;
        if pass.header.is_none() {
            return Err(self.denied(peer, response, &shown));
        }
        peer.keep(&challenge, scope, home, &self.settings.memory);
        Ok(pass)
    }

    /// What `/v2/` asks for, of a registry that asked for nothing else, as gcr.io did.
    fn ping(&self, home: &Origin) -> Result<Option<Challenge>> {
        let response = self.follow(&Request::get(home.url("/v2/"), 1 << 20))?;
        Ok(Challenge::read(response.all("www-authenticate")).filter(|_| response.status == 401))
    }

    /// `refused` is what the registry did not take; `opening` where to connect to meanwhile.
    fn pass(
        &self,
        peer: &Peer,
        scope: &Scope,
        home: &Origin,
        challenge: Challenge,
        refused: Option<&Secret>,
        opening: Option<&Origin>,
    ) -> Result<Pass> {
        let mut found = match peer.is_refused.load(Ordering::Acquire) {
            true => None,
            false => self.credentials.find(&peer.host, scope.repository.as_ref()),
        };
        let credential = found.as_ref().map(|found| found.credential.clone());
        let (header, is_old) = match (&challenge, credential) {
            (_, Some(Credential::RegistryToken(token))) => (Some(bearer(&token)), false),
            (Challenge::Basic, Some(Credential::Password { user, password })) => {
                (Some(token::basic(&user, &password)), false)
            }
            (Challenge::Basic, Some(Credential::IdentityToken { user, token })) => {
                (Some(token::basic(&user, &token)), false)
            }
            (Challenge::Basic, None) => (None, false),
            (Challenge::Bearer(wanted), _) => {
                let text = wanted.scope.as_deref().unwrap_or(&scope.text);
                let slot = peer.token(text);
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                let kept = slot.take().filter(|token| self.is_usable(token, refused));
                let kept = kept.or_else(|| self.recall(home, text, found.as_ref(), refused));
                let is_old = kept.is_some();
                let token = match kept {
                    Some(token) => token,
                    None => {
                        if let Some(origin) = opening {
                            self.transport.connections.open_ahead(origin);
                        }
                        self.fetch(peer, home, wanted, text, &mut found)?
                    }
                };
                let header = bearer(&token.value);
                *slot = Some(token);
                (Some(header), is_old)
            }
        };
        Ok(Pass {
            header,
            challenge: Some(challenge),
            found,
            is_old,
        })
    }

    fn is_usable(&self, token: &Token, refused: Option<&Secret>) -> bool {
        token.is_good((self.settings.clock)()) && refused != Some(&bearer(&token.value))
    }

    /// A token that anybody can get, from the last run.
    fn recall(
        &self,
        home: &Origin,
        scope: &str,
        found: Option<&Found>,
        refused: Option<&Secret>,
    ) -> Option<Token> {
        if found.is_some() || refused.is_some() {
            return None;
        }
        let bytes = (self.settings.memory.recall)(&key(home, scope))?;
        Token::recall(&bytes).filter(|token| self.is_usable(token, refused))
    }

    /// A new token. Stored credentials that are refused are given up, with a warning.
    fn fetch(
        &self,
        peer: &Peer,
        home: &Origin,
        wanted: &Bearer,
        scope: &str,
        found: &mut Option<Found>,
    ) -> Result<Token> {
        let realm = realm::locate(&wanted.realm, home, &self.transport.connections)?;
        let host = realm.origin.authority();
        let ask = |credential: Option<&Credential>| -> Result<Response> {
            if let Some(Credential::IdentityToken { token, .. }) = credential {
                let response = self.follow(&token::exchange(&realm, wanted, scope, token))?;
                if !token::wants_get(response.status) {
                    return Ok(response);
                }
            }
            self.follow(&token::get(&realm, wanted, scope, credential))
        };
        let mut response = ask(found.as_ref().map(|f| &f.credential)).during("token")?;
        let is_refused = matches!(response.status, 401 | 403);
        if let Some(store) = found
            .as_ref()
            .and_then(|f| f.store.clone())
            .filter(|_| is_refused)
        {
            self.give_up(peer, &store);
            *found = None;
            response = ask(None).during("token")?;
        }
        if !response.is_success() {
            return Err(self.refusal(&response)).during(format!("token from {host}"));
        }
        let token = Token::read(response.bytes(), (self.settings.clock)());
        let token = token.during(format!("token from {host}"))?;
        if found.is_none() {
            (self.settings.memory.remember)(&key(home, scope), &token.write());
        }
        Ok(token)
    }

    /// Whether the pass was made with stored credentials that are refused and can be done without.
    fn gives_up(&self, peer: &Peer, shown: &Pass) -> bool {
        let Some(Found {
            credential,
            store: Some(store),
        }) = &shown.found
        else {
            return false;
        };
        let is_direct = shown.challenge == Some(Challenge::Basic)
            || matches!(credential, Credential::RegistryToken(_));
        if is_direct {
            self.give_up(peer, store);
        }
        is_direct
    }

    fn give_up(&self, peer: &Peer, store: &str) {
        if !peer.is_refused.swap(true, Ordering::AcqRel) {
            let host = peer.host.name();
            warn(&format!(
                "{host} refuses the credentials of {store}: going on without"
            ));
        }
    }

    fn denied(&self, peer: &Peer, response: &Response, shown: &Pass) -> Error {
        let error = self.refusal(response);
        if error.kind() != Kind::Denied {
            return error;
        }
        let host = peer.host.name();
        match &shown.found {
            None => error.hint(format!(
                "it may not exist, or need credentials: docker login {host}, or -u USER:PASSWORD"
            )),
            Some(Found { store: None, .. }) => error.hint("the given credentials do not let us in"),
            Some(Found {
                store: Some(store), ..
            }) => error.hint(format!("the credentials of {store} do not let us in")),
        }
    }
}

/// Whether a registry asks for the same thing again. What it says of the last pass does not count.
fn same(a: &Challenge, b: &Challenge) -> bool {
    match (a, b) {
        (Challenge::Bearer(a), Challenge::Bearer(b)) => {
            // A challenge that was kept has no scope of its own.
            let same_scope = a.scope.is_none() || b.scope.is_none() || a.scope == b.scope;
            same_scope && (&a.realm, &a.service) == (&b.realm, &b.service)
        }
        (a, b) => a == b,
    }
}

fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.reveal()))
}

fn key(home: &Origin, scope: &str) -> String {
    format!("token {home} {scope}")
}
