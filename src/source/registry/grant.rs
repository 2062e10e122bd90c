//! The token that lets a request in: kept, remembered, or fetched from the token server.

use std::sync::PoisonError;

use crate::error::{During, Result};
use crate::secret::Secret;

use super::authenticator::Authenticator;
use super::challenge::Bearer;
use super::credentials::{Credential, ResolvedCredentials};
use super::message::Response;
use super::realm;
use super::token::{self, Token};
use super::url::{Origin, Url};

impl Authenticator<'_> {
    /// A token, and whether it was there before. `found` becomes `None` if the token server refuses
    /// stored credentials.
    pub(super) fn token(
        &self,
        wanted: &Bearer,
        found: &mut Option<ResolvedCredentials>,
        refused: Option<&Secret>,
        opens: bool,
    ) -> Result<(Secret, bool)> {
        let scope = wanted.scope.as_deref().unwrap_or(&self.scope.text);
        let slot = self.state.token(scope);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = slot.take().filter(|token| self.is_usable(token, refused));
        let is_open_to_all = found.is_none() && refused.is_none() && !self.identifies(self.home);
        let kept = kept.or_else(|| self.recall(scope).filter(|_| is_open_to_all));
        let is_old = kept.is_some();
        let token = match kept {
            Some(token) => token,
            None => {
                if opens {
                    self.client.transport.connections.open_ahead(self.home);
                }
                self.fetch(wanted, scope, found)?
            }
        };
        let value = token.value.clone();
        *slot = Some(token);
        if let Ok(realm) = self.home.url("/v2/").join(&wanted.realm) {
            let credential = found.as_ref().map(|found| &found.credential);
            let example = token::example(&realm, wanted, scope, credential);
            self.client.transport.trace.token(Some(&example));
        }
        Ok((value, is_old))
    }

    fn is_usable(&self, token: &Token, refused: Option<&Secret>) -> bool {
        let is_refused = refused.is_some_and(|header| *header == token::bearer(&token.value));
        token.is_good((self.client.settings.clock)()) && !is_refused
    }

    /// A token that anybody can get, from the last run.
    fn recall(&self, scope: &str) -> Option<Token> {
        let bytes = (self.client.settings.memory.recall)(&self.key(scope))?;
        Token::recall(&bytes).filter(|token| self.is_usable(token, None))
    }

    /// A new token. Stored credentials that are refused are given up, with a warning.
    fn fetch(
        &self,
        wanted: &Bearer,
        scope: &str,
        found: &mut Option<ResolvedCredentials>,
    ) -> Result<Token> {
        let connections = &self.client.transport.connections;
        let realm = realm::locate(&wanted.realm, self.home, connections)?;
        let doing = || format!("token from {}", realm.origin.authority());
        let credential = found.as_ref().map(|found| &found.credential);
        let mut response = self
            .ask(&realm, wanted, scope, credential)
            .during("token")?;
        let is_refused = matches!(response.status, 401 | 403);
        if is_refused && found.take_if(|found| self.give_up(found)).is_some() {
            response = self.ask(&realm, wanted, scope, None).during("token")?;
        }
        if !response.is_success() {
            let error = self.hinted(self.client.error_response(&response), found.as_ref());
            return Err(error).during(doing());
        }
        let now = (self.client.settings.clock)();
        let token = Token::read(response.bytes(), now).during(doing())?;
        let origins = [self.home, &realm.origin, &response.url.origin];
        if found.is_none() && !origins.into_iter().any(|origin| self.identifies(origin)) {
            (self.client.settings.memory.remember)(&self.key(scope), &token.write());
        }
        Ok(token)
    }

    fn ask(
        &self,
        realm: &Url,
        wanted: &Bearer,
        scope: &str,
        credential: Option<&Credential>,
    ) -> Result<Response> {
        if let Some(Credential::IdentityToken { token, .. }) = credential {
            let request = token::exchange(realm, wanted, scope, token).within(self.tries);
            let response = self.client.follow(&request)?;
            if !token::wants_get(response.status) {
                return Ok(response);
            }
        }
        let request = token::get(realm, wanted, scope, credential).within(self.tries);
        self.client.follow(&request)
    }

    /// Whether a client certificate says there who we are: a token may be for us alone, then.
    fn identifies(&self, origin: &Origin) -> bool {
        self.client.transport.connections.identifies(origin)
    }

    fn key(&self, scope: &str) -> String {
        format!("token {} {scope}", self.home)
    }
}
