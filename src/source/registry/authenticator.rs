//! How a request is let in, from top to bottom: it is sent, a 401 brings a challenge, credentials or
//! a token answer the challenge, and the request is sent again (distribution-spec's token
//! authentication; RFC 9110, 11; RFC 6750).

use crate::error::{During, Error, Kind, Result};
use crate::parallel::lock;
use crate::secret::Secret;

use super::challenge::{self, Bearer, Challenge};
use super::client::Client;
use super::credentials::{self, Credential, ResolvedCredentials};
use super::message::{Request, Response};
use super::retry::Tries;
use super::state::RegistryState;
use super::token::{self, Scope, Token};
use super::url::Origin;
use super::{Registry, ping, realm};

/// An old token, a refused password, a scope that does not suffice: each may need another answer.
const ANSWERS: usize = 5;

impl Registry {
    /// The answer to a request, whatever its status but one that asks for credentials: those are
    /// looked for, and if none are good enough, the answer is the error.
    pub(super) fn ask(&self, mut request: Request) -> Result<Response> {
        let mut authenticator = Authenticator {
            client: &self.client,
            state: &self.state,
            scope: &self.scope,
            origin: self.state.origin()?,
            tries: request.tries.clone(),
        };
        if request.url.origin.host != authenticator.origin.host {
            let (url, origin) = (request.url.without_query(), &authenticator.origin);
            return Err(Error::new(Kind::Protocol, format!("{url} is not at {origin}")));
        }
        let first_request = self.state.first_request();
        let mut authorization = authenticator.authorization_ahead(first_request.is_first());
        for _ in 0..ANSWERS {
            request.url = authenticator.origin.url(request.url.path());
            request.authorization = authorization.header.clone();
            let outcome = self.client.follow(&request);
            let origin = &mut authenticator.origin;
            if let Some(moved) = self.state.moved_to_tls(origin, &outcome)? {
                *origin = moved;
                authorization = authenticator.authorization_ahead(false);
                continue;
            }
            let response = outcome?;
            if response.url.origin != *origin {
                return Ok(response);
            }
            let better = match challenge::asks_for_credentials(&response) {
                true => Some(authenticator.answer(&response, authorization)?),
                false if request.is_personal && response.is_success() => {
                    authenticator.unasked_authorization(&authorization)?
                }
                false => None,
            };
            let Some(better) = better else {
                return Ok(response);
            };
            authorization = better;
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
    client: &'a Client,
    state: &'a RegistryState,
    scope: &'a Scope,
    origin: Origin,
    /// Of the request, which tokens take part in.
    tries: Option<Tries>,
}

impl Authenticator<'_> {
    /// An authorization for a registry whose challenge is known from before. If nobody has asked
    /// the registry yet and there is no token, the connection is opened while the token server is
    /// asked.
    fn authorization_ahead(&self, is_first: bool) -> Authorization {
        let authorization = match self.state.challenge(self.scope) {
            Some(challenge) => self.authorization(challenge, None, false),
            None => match self.state.recalled_challenge(&self.origin) {
                Some(challenge) if self.credentials().is_none() => {
                    self.authorization(challenge, None, is_first)
                }
                _ => return Authorization::default(),
            },
        };
        authorization.unwrap_or_else(|_| {
            // The registry may ask for something else by now: the request goes without, and it says so.
            self.state.forget_challenges(&self.origin);
            Authorization::default()
        })
    }

    /// A better authorization than the one that got this answer; an error if there is none.
    fn answer(&self, response: &Response, shown: Authorization) -> Result<Authorization> {
        let denied = || {
            let error = self.client.error_response(response);
            credentials::hinted(error, &self.state.host, shown.credentials.as_ref())
        };
        let challenge = match Challenge::read(response.all("www-authenticate")) {
            Some(challenge) => challenge,
            // gcr.io said so on `/v2/` only.
            None => match self.ping()? {
                (401, Some(challenge)) => challenge,
                _ => return Err(denied()),
            },
        };
        let usual = &self.scope.text;
        let is_same = (shown.challenge.as_ref()).is_some_and(|it| it.is_same(&challenge, usual));
        if is_same && !shown.is_old && !self.goes_without(&shown) {
            return Err(denied());
        }
        let authorization = self.authorization(challenge.clone(), shown.header.as_ref(), false)?;
        if authorization.header.is_none() {
            return Err(denied());
        }
        self.state.keep_challenge(&challenge, self.scope, &self.origin);
        Ok(authorization)
    }

    /// An authorization by the credentials given for this run, where the registry has answered
    /// without any: its list may be longer with them. `None` if it has no challenge to answer.
    fn unasked_authorization(&self, shown: &Authorization) -> Result<Option<Authorization>> {
        let is_settled = shown.header.is_some() || self.state.is_open();
        if is_settled || self.client.credentials.given(&self.state.host).is_none() {
            return Ok(None);
        }
        // zot says so beside its 200.
        let Ok((_, Some(challenge))) = self.ping() else {
            self.state.note_open();
            return Ok(None);
        };
        let authorization = self.authorization(challenge.clone(), None, false)?;
        self.state.keep_challenge(&challenge, self.scope, &self.origin);
        Ok(Some(authorization))
    }

    /// The status of `/v2/` and the challenge that comes with it.
    fn ping(&self) -> Result<(u16, Option<Challenge>)> {
        let response = ping(self.client, &self.origin, self.tries.clone())?;
        let is_own = response.url.origin == self.origin;
        let challenge = Challenge::read(response.all("www-authenticate")).filter(|_| is_own);
        Ok((response.status, challenge))
    }

    /// The answer to a challenge. `refused` is a header that the registry did not take; `is_first`
    /// whether to connect to it while a token is fetched.
    fn authorization(
        &self,
        challenge: Challenge,
        refused: Option<&Secret>,
        is_first: bool,
    ) -> Result<Authorization> {
        let mut credentials = self.credentials();
        let credential = credentials.as_ref().map(|it| &it.credential);
        let (header, is_old) = match (&challenge, credential) {
            (_, Some(Credential::RegistryToken(token))) => {
                self.client.transport.trace.token(None);
                (Some(token::bearer(token)), false)
            }
            (Challenge::Basic, credential) => (credential.and_then(token::basic), false),
            (Challenge::Bearer(bearer), _) => {
                let (token, is_old) = self.token(bearer, &mut credentials, refused, is_first)?;
                (Some(token::bearer(&token)), is_old)
            }
        };
        Ok(Authorization { header, challenge: Some(challenge), credentials, is_old })
    }

    /// The user's credentials, unless they were refused for the scope.
    fn credentials(&self) -> Option<ResolvedCredentials> {
        let repository = self.scope.repository.as_ref();
        let found = self.client.credentials.find(&self.state.host, repository)?;
        let is_refused = self.state.refuses(&found.credential, self.scope);
        (!is_refused).then_some(found)
    }

    /// A token, and whether it was there before: in this run, in the cache of the last one, or from
    /// the token server. `credentials` become `None` if the server refuses stored ones.
    fn token(
        &self,
        bearer: &Bearer,
        credentials: &mut Option<ResolvedCredentials>,
        refused: Option<&Secret>,
        is_first: bool,
    ) -> Result<(Secret, bool)> {
        let scope = bearer.scope.as_deref().unwrap_or(&self.scope.text);
        let place = self.state.token(scope);
        let mut place = lock(&place);
        let now = (self.client.settings.clock)();
        let is_usable =
            |token: &Token| token.is_good(now) && refused != Some(&token::bearer(&token.value));
        let is_anybodys =
            credentials.is_none() && refused.is_none() && !self.identifies(&self.origin);
        let cached = || Token::from_cache(&(self.state.cache.get)(&self.token_key(scope))?);
        let recalled = || cached().filter(|it| is_anybodys && is_usable(it));
        let kept = place.take().filter(is_usable).or_else(recalled);
        let is_old = kept.is_some();
        let token = match kept {
            Some(token) => token,
            None => {
                if is_first {
                    self.client.transport.connections.open_ahead(&self.origin);
                }
                self.fetch_token(bearer, scope, credentials)?
            }
        };
        let value = place.insert(token).value.clone();
        let credential = credentials.as_ref().map(|it| &it.credential);
        if let Some(example) = token::example(&self.origin, bearer, scope, credential) {
            self.client.transport.trace.token(Some(&example));
        }
        Ok((value, is_old))
    }

    /// A new token. Stored credentials that are refused are given up, with a warning.
    fn fetch_token(
        &self,
        bearer: &Bearer,
        scope: &str,
        credentials: &mut Option<ResolvedCredentials>,
    ) -> Result<Token> {
        let connections = &self.client.transport.connections;
        let realm = realm::locate(&bearer.realm, &self.origin, connections)?;
        let ask = |credentials: Option<&ResolvedCredentials>| {
            let credential = credentials.map(|it| &it.credential);
            let response = token::ask(self.client, &realm, bearer, scope, credential, &self.tries);
            response.during("token")
        };
        let mut response = ask(credentials.as_ref())?;
        let is_refused = matches!(response.status, 401 | 403);
        if is_refused && credentials.take_if(|it| self.state.gives_up(it, self.scope)).is_some() {
            response = ask(None)?;
        }
        let doing = || format!("token from {}", realm.origin.authority());
        if !response.is_success() {
            let error = self.client.error_response(&response);
            let error = credentials::hinted(error, &self.state.host, credentials.as_ref());
            return Err(error).during(doing());
        }
        let now = (self.client.settings.clock)();
        let token = Token::read(response.bytes(), now).during(doing())?;
        let origins = [&self.origin, &realm.origin, &response.url.origin];
        if credentials.is_none() && !origins.into_iter().any(|origin| self.identifies(origin)) {
            (self.state.cache.put)(&self.token_key(scope), &token.to_cache());
        }
        Ok(token)
    }

    /// Whether the origin sees a client certificate: its token may be for this user alone, then.
    fn identifies(&self, origin: &Origin) -> bool {
        self.client.transport.connections.identifies(origin)
    }

    fn token_key(&self, scope: &str) -> String {
        format!("token {} {scope}", self.origin)
    }

    /// Whether the authorization was made with stored credentials that are given up now.
    fn goes_without(&self, shown: &Authorization) -> bool {
        shown.credentials.as_ref().is_some_and(|credentials| {
            let is_direct = shown.challenge == Some(Challenge::Basic)
                || matches!(credentials.credential, Credential::RegistryToken(_));
            is_direct && self.state.gives_up(credentials, self.scope)
        })
    }
}
