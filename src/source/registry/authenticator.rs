//! How a registry is convinced: what it asks for, answered with what the user has.

use std::sync::atomic::Ordering;

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

use super::challenge::{Bearer, Challenge};
use super::client::Client;
use super::credentials::{Credential, ResolvedCredentials};
use super::message::{Request, Response};
use super::retry::Tries;
use super::state::{RegistryState, Scope};
use super::token;
use super::trace::warn;
use super::url::Origin;

/// One request's way into a registry.
pub(super) struct Authenticator<'a> {
    pub(super) client: &'a Client,
    pub(super) state: &'a RegistryState,
    pub(super) scope: &'a Scope,
    pub(super) home: &'a Origin,
    /// Of the request, which tokens take part in.
    pub(super) tries: &'a Tries,
}

/// What a request shows to be let in, and why.
#[derive(Default)]
pub(super) struct Authorization {
    /// The value of `Authorization`.
    pub(super) header: Option<Secret>,
    /// What it answers, and with whose credentials.
    challenge: Option<Challenge>,
    found: Option<ResolvedCredentials>,
    /// Whether the registry has seen it before and may have grown tired of it.
    is_old: bool,
}

impl Authenticator<'_> {
    /// An authorization for a registry whose challenge is known from before. If nobody has asked the registry
    /// yet and there is no token, the connection is opened while the token server is asked.
    pub(super) fn authorization_ahead(&self, is_first: bool) -> Authorization {
        let memory = &self.client.settings.memory;
        let authorization = match self.state.challenge(self.scope) {
            Some(challenge) => self.authorization(challenge, None, false),
            None => match self.state.recalled(self.home, memory) {
                Some(challenge) if self.credentials().is_none() => {
                    self.authorization(challenge, None, is_first)
                }
                _ => return Authorization::default(),
            },
        };
        authorization.unwrap_or_else(|_| {
            // The registry may ask for something else by now: in order, then.
            self.state.forget(self.home, memory);
            Authorization::default()
        })
    }

    /// A better authorization than the one that was answered so; an error if there is none.
    pub(super) fn answer(
        &self,
        response: &Response,
        shown: Authorization,
    ) -> Result<Authorization> {
        let challenge = match Challenge::read(response.all("www-authenticate")) {
            Some(challenge) => challenge,
            None => {
                let (status, challenge) = self.ping()?;
                let challenge = challenge.filter(|_| status == 401);
                challenge.ok_or_else(|| self.denied(response, &shown))?
            }
        };
        let is_same = shown
            .challenge
            .as_ref()
            .is_some_and(|c| same(c, &challenge, &self.scope.text));
        if is_same && !shown.is_old && !self.gives_up(&shown) {
            return Err(self.denied(response, &shown));
        }
        let authorization = self.authorization(challenge.clone(), shown.header.as_ref(), false)?;
        if authorization.header.is_none() {
            return Err(self.denied(response, &shown));
        }
        let memory = &self.client.settings.memory;
        self.state.keep(&challenge, self.scope, self.home, memory);
        Ok(authorization)
    }

    /// An authorization for who gave credentials, where the registry has answered without them: it may show
    /// more to whom it knows. `None` if it does not say how to make oneself known.
    pub(super) fn introduction(&self, shown: &Authorization) -> Result<Option<Authorization>> {
        let is_settled = shown.header.is_some() || self.state.is_open.load(Ordering::Acquire);
        if is_settled || self.client.credentials.given(&self.state.host).is_none() {
            return Ok(None);
        }
        // zot says so beside its 200.
        let Ok((_, Some(challenge))) = self.ping() else {
            self.state.is_open.store(true, Ordering::Release);
            return Ok(None);
        };
        let authorization = self.authorization(challenge.clone(), None, false)?;
        let memory = &self.client.settings.memory;
        self.state.keep(&challenge, self.scope, self.home, memory);
        Ok(Some(authorization))
    }

    /// The status of `/v2/` and what it asks for, of a registry that asked for nothing else, as
    /// gcr.io did.
    fn ping(&self) -> Result<(u16, Option<Challenge>)> {
        let request = Request::get(self.home.url("/v2/"), 1 << 20).within(self.tries);
        let response = self.client.follow(&request)?;
        let is_own = response.url.origin == *self.home;
        let challenge = Challenge::read(response.all("www-authenticate")).filter(|_| is_own);
        Ok((response.status, challenge))
    }

    /// `refused` is what the registry did not take; `opens` whether to connect to it meanwhile.
    fn authorization(
        &self,
        challenge: Challenge,
        refused: Option<&Secret>,
        opens: bool,
    ) -> Result<Authorization> {
        let mut found = self.credentials();
        let (header, is_old) = match (&challenge, found.as_ref().map(|f| &f.credential)) {
            (_, Some(Credential::RegistryToken(token))) => {
                self.client.transport.trace.token(None);
                (Some(token::bearer(token)), false)
            }
            (
                Challenge::Basic,
                Some(Credential::Password {
                    user,
                    password: secret,
                }),
            )
            | (
                Challenge::Basic,
                Some(Credential::IdentityToken {
                    user,
                    token: secret,
                }),
            ) => (Some(token::basic(user, secret)), false),
            (Challenge::Basic, None) => (None, false),
            (Challenge::Bearer(wanted), _) => {
                let (token, is_old) = self.token(wanted, &mut found, refused, opens)?;
                (Some(token::bearer(&token)), is_old)
            }
        };
        Ok(Authorization {
            header,
            challenge: Some(challenge),
            found,
            is_old,
        })
    }

    fn credentials(&self) -> Option<ResolvedCredentials> {
        let repository = self.scope.repository.as_ref();
        let found = self.client.credentials.find(&self.state.host, repository)?;
        let is_refused = self.state.refuses(&found.credential, self.scope);
        (!is_refused).then_some(found)
    }

    /// Whether the authorization was made with stored credentials that are refused and can be done without.
    fn gives_up(&self, shown: &Authorization) -> bool {
        let Some(found) = &shown.found else {
            return false;
        };
        let is_direct = shown.challenge == Some(Challenge::Basic)
            || matches!(found.credential, Credential::RegistryToken(_));
        is_direct && self.give_up(found)
    }

    /// Goes on without stored credentials, and says so once. False if they were given.
    pub(super) fn give_up(&self, found: &ResolvedCredentials) -> bool {
        let Some(store) = &found.store else {
            return false;
        };
        if self.state.refuse(&found.credential, self.scope) {
            let host = self.state.host.name();
            warn(&format!(
                "{host} refuses the credentials of {store}: going on without"
            ));
        }
        true
    }

    fn denied(&self, response: &Response, shown: &Authorization) -> Error {
        self.hinted(self.client.error_response(response), shown.found.as_ref())
    }

    /// The refusal of these credentials, with what to do about it.
    pub(super) fn hinted(&self, error: Error, found: Option<&ResolvedCredentials>) -> Error {
        if error.kind() != Kind::Denied {
            return error;
        }
        let host = self.state.host.name();
        match found {
            None => error.hint(format!(
                "it may not exist, or need credentials: docker login {host}, or -u USER:PASSWORD"
            )),
            Some(ResolvedCredentials { store: None, .. }) => {
                error.hint("the given credentials do not let us in")
            }
            Some(ResolvedCredentials {
                store: Some(store), ..
            }) => error.hint(format!("the credentials of {store} do not let us in")),
        }
    }
}

/// Whether a registry asks for the same thing again. What it says of the last authorization does not count.
/// `usual` is the scope that a challenge without one was answered with.
fn same(a: &Challenge, b: &Challenge, usual: &str) -> bool {
    match (a, b) {
        (Challenge::Bearer(a), Challenge::Bearer(b)) => {
            let scope = |bearer: &Bearer| bearer.scope.clone().unwrap_or(usual.to_owned());
            scope(a) == scope(b) && (&a.realm, &a.service) == (&b.realm, &b.service)
        }
        (a, b) => a == b,
    }
}
