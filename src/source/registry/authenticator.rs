//! How a request is let in, from top to bottom: it is sent, a 401 brings a challenge, credentials or
//! a token answer the challenge, and the request is sent again (distribution-spec's token
//! authentication; RFC 9110, 11; RFC 6750).

use std::mem;
use std::sync::atomic::Ordering::Relaxed;

use crate::error::{During, Error, Kind, Result};
use crate::parallel::lock;
use crate::secret::Secret;

use super::challenge::{self, Bearer, Challenge};
use super::credentials::{self, Credential, ResolvedCredentials};
use super::message::{Request, Response};
use super::retry::Tries;
use super::token::{self, Token};
use super::url::{Origin, Url};
use super::{Registry, realm};

/// An old token, a refused password, a scope that does not suffice: each may need another answer.
const ANSWERS: usize = 5;

impl Registry {
    /// The answer to a request, whatever its status but one that asks for credentials: those are
    /// looked for, and if none are good enough, the answer is the error.
    pub(super) fn ask(&self, mut request: Request) -> Result<Response> {
        let (origin, tries) = (self.origin()?, request.tries.clone());
        if request.url.origin.host != origin.host {
            let message = format!("{} is not at {origin}", request.url.without_query());
            return Err(Error::new(Kind::Protocol, message));
        }
        let mut authenticator = Authenticator { registry: self, origin, tries };
        // The first request finds out what the registry asks for; the others wait for its answer.
        let mut is_asked = lock(&self.state.is_asked);
        let first = (!mem::replace(&mut *is_asked, true)).then_some(is_asked);
        let mut authorization = authenticator.authorization_ahead(first.is_some());
        for _ in 0..ANSWERS {
            request.url = authenticator.origin.url(request.url.path());
            request.authorization = authorization.header.clone();
            let outcome = self.client.follow(&request);
            let origin = self.origin_after(&outcome)?;
            if origin != authenticator.origin {
                authenticator.origin = origin;
                authorization = authenticator.authorization_ahead(false);
                continue;
            }
            let response = outcome?;
            if response.url.origin != authenticator.origin {
                return Ok(response);
            }
            if challenge::asks_for_credentials(&response) {
                authorization = authenticator.answer(&response, authorization)?;
            } else if request.is_personal
                && response.is_success()
                && let Some(unasked) = authenticator.unasked_authorization(&authorization)?
            {
                authorization = unasked;
            } else {
                return Ok(response);
            }
        }
        let message = "the registry asks for other credentials again and again";
        Err(Error::new(Kind::Denied, message))
    }
}

/// What a request shows to be let in, and why.
#[derive(Default)]
struct Authorization {
    /// The value of `Authorization`.
    header: Option<Secret>,
    /// What it answers, and with whose credentials.
    challenge: Option<Challenge>,
    credentials: Option<ResolvedCredentials>,
    /// Whether it is a token that was there before, and may have expired.
    is_old: bool,
}

/// Finds the authorization of one request.
struct Authenticator<'a> {
    registry: &'a Registry,
    origin: Origin,
    /// Of the request, which tokens take part in.
    tries: Option<Tries>,
}

impl Authenticator<'_> {
    /// An authorization for a registry whose challenge is known from before. If this is its first
    /// request, the connection is opened while a token server may be asked.
    fn authorization_ahead(&self, is_first: bool) -> Authorization {
        let registry = self.registry;
        let challenge = registry.challenge().or_else(|| {
            let recalled = registry.recalled_challenge(&self.origin)?;
            let is_anonymous = registry.credentials().is_none();
            if is_anonymous && is_first {
                registry.client.transport.connections.open_ahead(&self.origin);
            }
            is_anonymous.then_some(recalled)
        });
        let Some(challenge) = challenge else {
            return Authorization::default();
        };
        self.authorization(challenge, None).unwrap_or_else(|_| {
            // The registry may ask for something else by now: the request goes without, and it says so.
            registry.forget_challenges(&self.origin);
            Authorization::default()
        })
    }

    /// A better authorization than the one that got this answer; an error if there is none.
    fn answer(&self, response: &Response, shown: Authorization) -> Result<Authorization> {
        let denied = || Err(self.denied(response, shown.credentials.as_ref()));
        let challenge = match Challenge::read(response.all("www-authenticate")) {
            Some(challenge) => challenge,
            // gcr.io said so on `/v2/` only.
            None => match self.ping()? {
                (401, Some(challenge)) => challenge,
                _ => return denied(),
            },
        };
        let challenge = challenge.without(&self.registry.scope.text);
        let is_same = shown.challenge.as_ref() == Some(&challenge);
        if is_same && !shown.is_old && !self.goes_without(&shown) {
            return denied();
        }
        let authorization = self.authorization(challenge.clone(), shown.header.as_ref())?;
        if authorization.header.is_none() {
            return denied();
        }
        self.registry.keep_challenge(challenge, &self.origin);
        Ok(authorization)
    }

    /// An authorization by the credentials given for this run, where the registry has answered
    /// without any: its list may be longer with them. `None` if it has no challenge to answer.
    fn unasked_authorization(&self, shown: &Authorization) -> Result<Option<Authorization>> {
        let Registry { client, host, state, scope, .. } = self.registry;
        let is_settled = shown.header.is_some() || state.is_open.load(Relaxed);
        if is_settled || client.given(host).is_none() {
            return Ok(None);
        }
        // zot says so beside its 200.
        let Ok((_, Some(challenge))) = self.ping() else {
            state.is_open.store(true, Relaxed);
            return Ok(None);
        };
        let challenge = challenge.without(&scope.text);
        let authorization = self.authorization(challenge.clone(), None)?;
        self.registry.keep_challenge(challenge, &self.origin);
        Ok(Some(authorization))
    }

    /// The status of `/v2/` and the challenge that comes with it.
    fn ping(&self) -> Result<(u16, Option<Challenge>)> {
        let response = self.registry.ping(&self.origin, self.tries.clone())?;
        let is_own = response.url.origin == self.origin;
        let challenge = Challenge::read(response.all("www-authenticate")).filter(|_| is_own);
        Ok((response.status, challenge))
    }

    /// The answer to a challenge. `refused` is a header that the registry did not take.
    fn authorization(
        &self,
        challenge: Challenge,
        refused: Option<&Secret>,
    ) -> Result<Authorization> {
        let credentials = self.registry.credentials();
        let credential = credentials.as_ref().map(|it| &it.credential);
        let (header, is_old) = match (&challenge, credential) {
            (_, Some(Credential::RegistryToken(token))) => {
                self.registry.client.transport.trace.token(|| None);
                (Some(token::bearer(token)), false)
            }
            (Challenge::Basic, credential) => (credential.and_then(token::basic), false),
            (Challenge::Bearer(bearer), _) => {
                let (token, is_old) = self.token(bearer, refused)?;
                (Some(token::bearer(&token)), is_old)
            }
        };
        // The token server may have refused stored ones.
        let credentials = self.registry.credentials();
        Ok(Authorization { header, challenge: Some(challenge), credentials, is_old })
    }

    /// A token, and whether it was there before: in this run, in the cache of the last one, or from
    /// the token server.
    fn token(&self, bearer: &Bearer, refused: Option<&Secret>) -> Result<(Secret, bool)> {
        let Registry { client, host, scope, .. } = self.registry;
        let scope = bearer.scope.as_deref().unwrap_or(&scope.text);
        let place = client.token(host, scope);
        let mut place = lock(&place);
        let now = (client.clock)();
        let is_usable =
            |token: &Token| token.is_good(now) && refused != Some(&token::bearer(&token.value));
        let credentials = self.registry.credentials();
        let is_anybodys =
            credentials.is_none() && refused.is_none() && !self.identifies(&[&self.origin]);
        let cached = || Token::from_cache(&(client.cache.get)(&self.token_key(scope))?);
        let kept = place.take().or_else(|| cached().filter(|_| is_anybodys)).filter(is_usable);
        let is_old = kept.is_some();
        let token = kept.map_or_else(|| self.fetch_token(bearer, scope), Ok)?;
        if let Ok(realm) = self.origin.url("/v2/").join(&bearer.realm) {
            client.transport.trace.token(|| {
                let credential = self.registry.credentials().map(|it| it.credential);
                Some(token::example(&realm, bearer, scope, credential.as_ref()))
            });
        }
        let value = token.value.clone();
        *place = Some(token).filter(Token::is_kept);
        Ok((value, is_old))
    }

    /// A new token. Stored credentials that are refused are given up, with a warning.
    fn fetch_token(&self, bearer: &Bearer, scope: &str) -> Result<Token> {
        let Registry { client, .. } = self.registry;
        let realm = realm::locate(&bearer.realm, &self.origin, &client.transport.connections)?;
        let credentials = self.registry.credentials();
        let credential = credentials.as_ref().map(|it| &it.credential);
        let response = self.ask_token_server(&realm, bearer, scope, credential)?;
        let is_refused = matches!(response.status, 401 | 403);
        if is_refused && credentials.as_ref().is_some_and(|it| self.registry.gives_up(it)) {
            return self.fetch_token(bearer, scope);
        }
        let doing = format!("token from {}", realm.origin.authority());
        if !response.is_success() {
            return Err(self.denied(&response, credentials.as_ref())).during(doing);
        }
        let token = Token::read(response.bytes(), (client.clock)()).during(doing)?;
        let origins = [&self.origin, &realm.origin, &response.url.origin];
        if credentials.is_none() && !self.identifies(&origins) {
            (client.cache.put)(&self.token_key(scope), &token.to_cache());
        }
        Ok(token)
    }

    /// The token server's answer. An identity token is exchanged where the server knows how to.
    fn ask_token_server(
        &self,
        realm: &Url,
        bearer: &Bearer,
        scope: &str,
        credential: Option<&Credential>,
    ) -> Result<Response> {
        let ask = |request| {
            let request = Request { tries: self.tries.clone(), ..request };
            self.registry.client.follow(&request).during("token")
        };
        if let Some(Credential::IdentityToken { token, .. }) = credential {
            let response = ask(token::exchange(realm, bearer, scope, token))?;
            if !matches!(response.status, 400 | 401 | 404 | 405) {
                return Ok(response);
            }
        }
        ask(token::get(realm, bearer, scope, credential))
    }

    /// Whether an origin sees a client certificate: its token may be for this user alone, then.
    fn identifies(&self, origins: &[&Origin]) -> bool {
        let connections = &self.registry.client.transport.connections;
        origins.iter().any(|origin| connections.identifies(origin))
    }

    fn token_key(&self, scope: &str) -> String {
        format!("token {} {scope}", self.origin)
    }

    /// Whether the authorization was made with stored credentials that are given up now.
    fn goes_without(&self, shown: &Authorization) -> bool {
        shown.credentials.as_ref().is_some_and(|credentials| {
            let is_direct = shown.challenge == Some(Challenge::Basic)
                || matches!(credentials.credential, Credential::RegistryToken(_));
            is_direct && self.registry.gives_up(credentials)
        })
    }

    /// The error that an answer is, with what to do about these credentials.
    fn denied(&self, response: &Response, shown: Option<&ResolvedCredentials>) -> Error {
        let error = self.registry.client.error_response(response);
        credentials::hinted(error, &self.registry.host, shown)
    }
}
