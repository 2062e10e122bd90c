//! A token server: decides who may do what, and signs it as the distribution registry verifies it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{KeyPair, PublicKeyData, SigningKey};
use serde_json::{Value, json};
use sha2::Digest as _;

use super::http::{Request, Response};

/// The service and issuer that all tokens name.
pub const SERVICE: &str = "suite";

/// The token server's mind; clones share it.
#[derive(Clone)]
pub struct Tokens(Arc<Mutex<State>>);

struct State {
    key: KeyPair,
    users: BTreeMap<String, String>,
    refresh_tokens: BTreeMap<String, String>,
    private: bool,
    realm: Option<String>,
    fields: Vec<&'static str>,
    expires_in: Option<u64>,
    post_status: Option<u16>,
    issued: BTreeMap<String, Vec<Access>>,
}

/// One resource and what may be done with it.
#[derive(Clone, Debug, PartialEq)]
struct Access {
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Tokens {
    /// Anyone may pull, nobody else is known; tokens come as `token` and hold for 300 seconds.
    pub fn new() -> Tokens {
        Tokens(Arc::new(Mutex::new(State {
            key: KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key"),
            users: BTreeMap::new(),
            refresh_tokens: BTreeMap::new(),
            private: false,
            realm: None,
            fields: vec!["token"],
            expires_in: Some(300),
            post_status: None,
            issued: BTreeMap::new(),
        })))
    }

    /// Someone who may do everything.
    pub fn user(self, name: &str, password: &str) -> Tokens {
        self.with(|state| state.users.insert(name.into(), password.into()));
        self
    }

    /// A refresh token (identity token) of someone who may do everything.
    pub fn refresh_token(self, user: &str, token: &str) -> Tokens {
        self.with(|state| state.refresh_tokens.insert(token.into(), user.into()));
        self
    }

    /// Who gives no name may do nothing.
    pub fn private(self) -> Tokens {
        self.with(|state| state.private = true);
        self
    }

    /// Under which names the token comes: `token`, `access_token` or both.
    pub fn fields(self, fields: &[&'static str]) -> Tokens {
        self.with(|state| state.fields = fields.to_vec());
        self
    }

    /// What `expires_in` says; `None` leaves it out.
    pub fn expires_in(self, seconds: Option<u64>) -> Tokens {
        self.with(|state| state.expires_in = seconds);
        self
    }

    /// POST is answered with this status: not every token server knows it.
    pub fn without_post(self, status: u16) -> Tokens {
        self.with(|state| state.post_status = Some(status));
        self
    }

    /// From now on the registry knows none of the tokens that were issued.
    pub fn revoke_all(&self) {
        self.with(|state| state.issued.clear());
    }

    /// How many tokens were issued and not revoked.
    pub fn issued(&self) -> usize {
        self.with(|state| state.issued.len())
    }

    /// A token that was not asked for over HTTP; scopes as in `repository:a:pull,push`.
    pub fn issue(&self, scopes: &[&str]) -> String {
        let access = scopes.iter().filter_map(|scope| Access::parse(scope));
        self.with(|state| state.issue("harness", access.collect()))
    }

    pub fn realm(&self) -> Option<String> {
        self.with(|state| state.realm.clone())
    }

    pub(super) fn set_realm(&self, realm: String) {
        self.with(|state| state.realm = Some(realm));
    }

    /// A certificate of the signing key, for the registry's `rootcertbundle`.
    pub fn certificate(&self) -> String {
        self.with(|state| {
            let params = rcgen::CertificateParams::default();
            let certificate = params.self_signed(&state.key).expect("a certificate");
            certificate.pem()
        })
    }

    /// Whether this token allows it. `None`: the token is not one of ours.
    pub(super) fn allows(&self, token: &str, scope: &str) -> Option<bool> {
        let wanted = Access::parse(scope);
        self.with(|state| {
            let granted = state.issued.get(token)?;
            let Some(wanted) = wanted else {
                return Some(true);
            };
            Some(granted.iter().any(|granted| granted.covers(&wanted)))
        })
    }

    /// The answer of the token server.
    pub(super) fn answer(&self, request: &Request) -> Response {
        self.with(|state| state.answer(request))
    }

    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.0.lock().unwrap())
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Response {
        let post = request.method == "POST";
        if let (true, Some(status)) = (post, self.post_status) {
            return Response::new(status);
        }
        let user = match post {
            true => self.user_by_form(request),
            false => self.user_by_basic(request),
        };
        let Ok(user) = user else {
            return Response::error(401, "UNAUTHORIZED", "authentication required");
        };
        let scopes = match post {
            true => request.field("scope").into_iter().collect(),
            false => request.queries("scope"),
        };
        let granted = scopes
            .iter()
            .flat_map(|scopes| scopes.split(' '))
            .filter_map(Access::parse)
            .filter_map(|wanted| self.granted(user.as_deref(), wanted))
            .collect();
        let token = self.issue(user.as_deref().unwrap_or_default(), granted);
        let mut answer = json!({});
        for field in &self.fields {
            answer[*field] = json!(token);
        }
        if let Some(seconds) = self.expires_in {
            answer["expires_in"] = json!(seconds);
        }
        Response::new(200).json(&answer)
    }

    /// `None` is anonymous; an error is a wrong password.
    fn user_by_basic(&self, request: &Request) -> Result<Option<String>, ()> {
        let Some(header) = request.header("Authorization") else {
            return Ok(None);
        };
        let (user, password) = basic(header).ok_or(())?;
        match self.users.get(&user) == Some(&password) {
            true => Ok(Some(user)),
            false => Err(()),
        }
    }

    fn user_by_form(&self, request: &Request) -> Result<Option<String>, ()> {
        let field = |name| request.field(name).unwrap_or_default();
        let user = match field("grant_type").as_str() {
            "refresh_token" => self.refresh_tokens.get(&field("refresh_token")).cloned(),
            "password" => {
                let right = self.users.get(&field("username")) == Some(&field("password"));
                right.then(|| field("username"))
            }
            _ => None,
        };
        user.map(Some).ok_or(())
    }

    /// What of the wish is granted; it is no error if nothing is.
    fn granted(&self, user: Option<&str>, wanted: Access) -> Option<Access> {
        if user.is_some() {
            return Some(wanted);
        }
        let pull = wanted.kind == "repository" && wanted.actions.iter().any(|it| it == "pull");
        (pull && !self.private).then(|| Access {
            actions: vec!["pull".to_owned()],
            ..wanted
        })
    }

    /// Signs a token: <https://distribution.github.io/distribution/spec/auth/jwt/>.
    fn issue(&mut self, user: &str, access: Vec<Access>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.expect("a clock after 1970").as_secs();
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": key_id(&self.key)});
        let claims = json!({
            "iss": SERVICE,
            "sub": user,
            "aud": SERVICE,
            "exp": now + 300,
            "nbf": now - 10,
            "iat": now,
            "jti": self.issued.len().to_string(),
            "access": access.iter().map(Access::claim).collect::<Vec<Value>>(),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = sign(&self.key, signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        self.issued.insert(token.clone(), access);
        token
    }
}

impl Access {
    fn parse(scope: &str) -> Option<Access> {
        let (kind, rest) = scope.split_once(':')?;
        let (name, actions) = rest.rsplit_once(':')?;
        Some(Access {
            kind: kind.to_owned(),
            name: name.to_owned(),
            actions: actions.split(',').map(str::to_owned).collect(),
        })
    }

    fn covers(&self, wanted: &Access) -> bool {
        let actions = &self.actions;
        let all = wanted
            .actions
            .iter()
            .all(|action| actions.contains(action) || actions.iter().any(|it| it == "*"));
        self.kind == wanted.kind && self.name == wanted.name && all
    }

    fn claim(&self) -> Value {
        json!({"type": self.kind, "name": self.name, "actions": self.actions})
    }
}

/// User and password of an `Authorization` header.
pub(super) fn basic(header: &str) -> Option<(String, String)> {
    let text = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// An `ES256` signature: the two numbers, 32 bytes each, where ASN.1 has them in a sequence.
pub(super) fn sign(key: &KeyPair, message: &[u8]) -> Vec<u8> {
    let der = key.sign(message).expect("a signature");
    let mut rest = &der[2..];
    let mut numbers = Vec::new();
    while let [_, length, tail @ ..] = rest {
        let (number, tail) = tail.split_at(usize::from(*length));
        let number = &number[number.len().saturating_sub(32)..];
        numbers.extend(std::iter::repeat_n(0, 32 - number.len()).chain(number.iter().copied()));
        rest = tail;
    }
    numbers
}

/// The name of a key, as libtrust forms it: 30 bytes of a SHA-256 in groups of base32.
pub(super) fn key_id(key: &KeyPair) -> String {
    let hash = sha2::Sha256::digest(key.subject_public_key_info());
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = |position: usize| {
        let (byte, bit) = (position / 8, position % 8);
        let two = u16::from_be_bytes([hash[byte], hash[byte + 1]]);
        usize::from(two >> (11 - bit) & 31)
    };
    let letters: Vec<char> = (0..48).map(|i| alphabet[bits(i * 5)].into()).collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|four| four.iter().collect())
        .collect();
    groups.join(":")
}
