//! Tokens: how they are asked for (distribution-spec's token and OAuth 2 authentication), and read.

use std::time::{Duration, SystemTime};

use crate::encoding;
use crate::error::{Error, Kind, Result};
use crate::json;
use crate::reference::Repository;
use crate::secret::Secret;

use super::challenge::Bearer;
use super::credentials::Credential;
use super::message::{Method, Payload, Request, Want};
use super::url::{Url, escape};

const LIMIT: u64 = 1 << 20;

/// What a token is good for where the server does not say, or says less (Docker's rule).
const LEAST: u64 = 60;

/// A token that ends this soon is not used any more: the request needs time as well.
const MARGIN: Duration = Duration::from_secs(10);

/// A token that is longer is used once: many of them would fill the memory.
const LONGEST: usize = 16 << 10;

/// What a request wants to do, as tokens name it.
#[derive(Clone)]
pub(super) struct Scope {
    pub(super) text: String,
    pub(super) repository: Option<Repository>,
}

impl Scope {
    /// `actions` are `pull`, `pull,push` or `delete`.
    pub(super) fn of(repository: &Repository, actions: &str) -> Self {
        let text = format!("repository:{}:{actions}", repository.name);
        Scope { text, repository: Some(repository.clone()) }
    }

    /// To pull from another repository too, which it takes to mount from there.
    pub(super) fn and_pull(&self, other: &str) -> Self {
        let text = format!("{} repository:{other}:pull", self.text);
        Scope { text, repository: self.repository.clone() }
    }

    pub(super) fn catalog() -> Self {
        Scope { text: "registry:catalog:*".to_owned(), repository: None }
    }
}

pub(super) struct Token {
    pub(super) value: Secret,
    until: SystemTime,
}

impl Token {
    pub(super) fn is_good(&self, now: SystemTime) -> bool {
        self.until > now + MARGIN
    }

    pub(super) fn is_kept(&self) -> bool {
        self.value.reveal().len() <= LONGEST
    }

    /// For the disk: when it ends, and the token.
    pub(super) fn to_cache(&self) -> Vec<u8> {
        let until = self.until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{} {}", until.as_secs(), self.value.reveal()).into_bytes()
    }

    /// From the disk; `None` for what is no token.
    pub(super) fn from_cache(bytes: &[u8]) -> Option<Token> {
        let (until, value) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        let until = Duration::from_secs(until.parse().ok()?);
        Some(Token { value: sound(value)?, until: SystemTime::UNIX_EPOCH.checked_add(until)? })
    }

    /// Out of a token server's answer.
    pub(super) fn read(bytes: &[u8], now: SystemTime) -> Result<Token> {
        let json = json::parse(bytes).unwrap_or_default();
        let text = |key: &str| json[key].as_str().and_then(sound);
        let value = text("token").or_else(|| text("access_token"));
        let value = value.ok_or_else(|| Error::new(Kind::Protocol, "the answer holds no token"))?;
        let lasts = json["expires_in"].as_f64().unwrap_or_default();
        // A year is as good as for ever.
        let lasts = (lasts as u64).clamp(LEAST, 31_536_000);
        Ok(Token { value, until: now + Duration::from_secs(lasts) })
    }
}

/// A token that a header can hold.
fn sound(text: &str) -> Option<Secret> {
    let is_sound = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    is_sound.then(|| Secret::new(text))
}

/// The value of `Authorization` for a user and password; `None` for what is neither.
pub(super) fn basic(credential: &Credential) -> Option<Secret> {
    let (user, password) = credential.user_and_password()?;
    let pair = encoding::encode(format!("{user}:{}", password.reveal()).as_bytes());
    Some(Secret::new(format!("Basic {pair}")))
}

/// The value of `Authorization` for a token.
pub(super) fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.reveal()))
}

/// Asks for a token by GET, with the password if there is one.
pub(super) fn get(
    realm: &Url,
    bearer: &Bearer,
    scope: &str,
    credential: Option<&Credential>,
) -> Request {
    let service = bearer.service.iter().map(|service| ("service", service.as_str()));
    let scopes = scope.split_whitespace().map(|scope| ("scope", scope));
    let user = credential.and_then(Credential::user_and_password).map(|(user, _)| user);
    let account = user.filter(|user| !user.is_empty()).map(|user| ("account", user));
    let parameters = service.chain(scopes).chain(account);
    let url = parameters.fold(realm.clone(), |url, (name, value)| url.with(name, value));
    let authorization = credential.and_then(basic);
    Request { authorization, want: Want::Whole(LIMIT), ..Request::new(Method::Get, url) }
}

/// Exchanges an identity token by POST.
pub(super) fn exchange(realm: &Url, bearer: &Bearer, scope: &str, token: &Secret) -> Request {
    let mut form = String::from("grant_type=refresh_token&client_id=docker-registry");
    let service = bearer.service.as_deref().unwrap_or_default();
    for (name, value) in [("service", service), ("scope", scope), ("refresh_token", token.reveal())]
    {
        form += &format!("&{name}={}", escape(value, "-._~"));
    }
    let body = Payload::bytes("application/x-www-form-urlencoded", form.into_bytes());
    let request = Request::new(Method::Post, realm.clone());
    Request { body: Some(body), want: Want::Whole(LIMIT), ..request }
}

/// The request that a user would make for the same token, who is named by the password alone.
pub(super) fn example(
    realm: &Url,
    bearer: &Bearer,
    scope: &str,
    credential: Option<&Credential>,
) -> Request {
    if let Some(Credential::IdentityToken { token, .. }) = credential {
        return exchange(realm, bearer, scope, token);
    }
    Request { authorization: credential.and_then(basic), ..get(realm, bearer, scope, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    #[test]
    fn a_token_is_read_under_either_name() {
        for (body, value) in [
            (r#"{"token":"a"}"#, Some("a")),
            (r#"{"access_token":"b","token":""}"#, Some("b")),
            (r#"{"token":"a","access_token":"b"}"#, Some("a")),
            (r#"{"token":"a\r\nX: y"}"#, None),
            (r#"{"token":1}"#, None),
            ("<html>", None),
        ] {
            let token = Token::read(body.as_bytes(), NOW).ok();
            assert_eq!(token.as_ref().map(|t| t.value.reveal()), value, "{body}");
        }
    }

    #[test]
    fn a_token_lasts_a_minute_at_least() {
        for (expires, lasts) in [
            ("", 60),
            (r#","expires_in":1"#, 60),
            (r#","expires_in":300.5"#, 300),
            (r#","expires_in":-1"#, 60),
            (r#","expires_in":1e300"#, 31_536_000),
        ] {
            let body = format!(r#"{{"token":"a"{expires}}}"#);
            let token = Token::read(body.as_bytes(), NOW).unwrap();
            assert_eq!(token.until, NOW + Duration::from_secs(lasts), "{expires}");
            assert!(token.is_good(NOW));
            assert!(!token.is_good(token.until - MARGIN));
        }
    }

    #[test]
    fn a_token_is_cached_as_it_was() {
        let token = Token::read(br#"{"token":"a","expires_in":300}"#, NOW).unwrap();
        let again = Token::from_cache(&token.to_cache()).unwrap();
        assert!(again.value == token.value && again.until == token.until);
        for damaged in [&b""[..], b"{}", b"1 a\n", b"a 1", b"1 ", b"1 a b"] {
            assert!(Token::from_cache(damaged).is_none());
        }
    }

    #[test]
    fn requests_say_what_the_token_is_for() {
        let realm: Url = "https://auth.example.com/token?x=1".parse().unwrap();
        let bearer = Bearer { service: Some("registry & co".into()), ..Bearer::default() };
        let password =
            Credential::Password { user: "user".into(), password: Secret::new("password") };
        let request =
            get(&realm, &bearer, "repository:a/b:pull registry:catalog:*", Some(&password));
        assert_eq!(
            request.url.to_string(),
            "https://auth.example.com/token?x=1&service=registry%20%26%20co&scope=repository:a/b:pull&scope=registry:catalog:*&account=user"
        );
        assert!(request.authorization == Some(Secret::new("Basic dXNlcjpwYXNzd29yZA==")));
        let request = exchange(&realm, &bearer, "repository:a/b:pull", &Secret::new("t+1"));
        let mut form = String::new();
        let mut reader = (request.body.unwrap().open)().unwrap();
        reader.read_to_string(&mut form).unwrap();
        assert_eq!(
            form,
            "grant_type=refresh_token&client_id=docker-registry&service=registry%20%26%20co&scope=repository%3Aa%2Fb%3Apull&refresh_token=t%2B1"
        );
    }
}
