//! What a 401 asks for: `WWW-Authenticate` (RFC 9110, 11.6.1).

use serde_json::json;

use crate::json;

use super::message::Response;

/// One thing that the registry would accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer(Bearer),
}

/// A token from another server (distribution-spec's token authentication).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bearer {
    /// Where tokens are given, perhaps relative to the registry.
    pub(super) realm: String,
    pub(super) service: Option<String>,
    /// Scopes, separated by spaces.
    pub(super) scope: Option<String>,
    pub(super) error: Option<String>,
}

impl Challenge {
    /// The challenge to answer out of all headers: a token before a password, since the password
    /// then goes to one server only. `None` if none is understood.
    pub(super) fn read<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
        let all: Vec<Challenge> = headers.flat_map(parse).collect();
        let bearer = all.iter().find(|c| matches!(c, Challenge::Bearer(_)));
        bearer.or(all.first()).cloned()
    }

    /// Whether a registry asks for the same thing again; what it says of the last authorization does
    /// not count. `usual` is the scope that a challenge without one is answered with.
    pub(super) fn is_same(&self, other: &Challenge, usual: &str) -> bool {
        match (self, other) {
            (Challenge::Bearer(a), Challenge::Bearer(b)) => {
                let scopes = [a, b].map(|bearer| bearer.scope.as_deref().unwrap_or(usual));
                scopes[0] == scopes[1] && (&a.realm, &a.service) == (&b.realm, &b.service)
            }
            (a, b) => a == b,
        }
    }

    /// For the disk, for all scopes.
    pub(super) fn to_cache(&self) -> Vec<u8> {
        let json = match self {
            Challenge::Basic => json!({}),
            Challenge::Bearer(bearer) => json!({"realm": bearer.realm, "service": bearer.service}),
        };
        json.to_string().into_bytes()
    }

    /// From the disk; `None` for what is no challenge.
    pub(super) fn from_cache(bytes: &[u8]) -> Option<Challenge> {
        let json = json::parse(bytes).ok()?;
        if json.as_object()?.is_empty() {
            return Some(Challenge::Basic);
        }
        Some(Challenge::Bearer(Bearer {
            realm: json["realm"].as_str()?.to_owned(),
            service: json["service"].as_str().map(str::to_owned),
            ..Bearer::default()
        }))
    }
}

/// Whether the answer is a 401; or a 403 that says which scope is missing (RFC 6750, 3.1).
pub(super) fn asks_for_credentials(response: &Response) -> bool {
    let names_scope =
        |header: &str| header.contains("insufficient_scope") && header.contains("scope=");
    response.status == 401
        || (response.status == 403 && response.all("www-authenticate").any(names_scope))
}

/// Every challenge of one header; schemes that are not known here are left out.
fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        let word = word.to_ascii_lowercase();
        match tail.trim_start().strip_prefix('=') {
            Some(tail) => {
                let (value, tail) = value(tail.trim_start());
                if let Some((_, parameters)) = challenges.last_mut() {
                    parameters.push((word, value));
                }
                rest = tail;
            }
            None if word.is_empty() => break,
            None => {
                challenges.push((word, Vec::new()));
                rest = tail;
            }
        }
    }
    challenges.into_iter().filter_map(understand).collect()
}

/// A quoted string or a token, and what stands behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    (value, "")
}

fn understand((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    if scheme == "basic" {
        return Some(Challenge::Basic);
    }
    let get = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|v| !v.is_empty())
    };
    (scheme == "bearer").then_some(())?;
    Some(Challenge::Bearer(Bearer {
        realm: get("realm")?,
        service: get("service"),
        scope: get("scope"),
        error: get("error"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: &str, scope: &str) -> Challenge {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Challenge::Bearer(Bearer {
            realm: realm.into(),
            service: some(service),
            scope: some(scope),
            error: None,
        })
    }

    #[test]
    fn challenges_are_read_however_they_are_written() {
        let realm = "https://auth.example.com/token";
        let full = bearer(realm, "registry.example.com", "repository:a/b:pull,push");
        for header in [
            r#"Bearer realm="https://auth.example.com/token",service="registry.example.com",scope="repository:a/b:pull,push""#,
            r#"bearer Scope="repository:a/b:pull,push" , service=registry.example.com , REALM = "https://auth.example.com/token""#,
            r#"Negotiate, Basic realm="a, b=\"c\" Bearer", Bearer scope="repository:a/b:pull,push",realm="https:\/\/auth.example.com/token",service="registry.example.com""#,
            r#"Negotiate YII==, Bearer realm="https://auth.example.com/token", service="registry.example.com",, scope="repository:a/b:pull,push"#,
        ] {
            assert_eq!(Challenge::read([header].into_iter()), Some(full.clone()), "{header}");
        }
    }

    #[test]
    fn a_token_goes_before_a_password_in_any_header() {
        let headers = [r#"Basic realm="x""#, r#"Bearer realm="/token""#];
        assert_eq!(Challenge::read(headers.into_iter()), Some(bearer("/token", "", "")));
        assert_eq!(Challenge::read(headers[..1].iter().copied()), Some(Challenge::Basic));
    }

    #[test]
    fn what_is_not_understood_is_no_challenge() {
        for header in [
            "",
            ",",
            "=",
            "Negotiate",
            "Bearer",
            "Bearer realm=",
            r#"Bearer service="x""#,
            r#"realm="x""#,
            "\"",
            "Bearer realm=\"\\",
        ] {
            assert_eq!(Challenge::read([header].into_iter()), None, "{header}");
        }
    }

    #[test]
    fn a_challenge_is_cached_as_it_was() {
        let bearer = Challenge::Bearer(Bearer {
            realm: "https://auth.example.com/token".into(),
            service: Some("registry.example.com".into()),
            ..Bearer::default()
        });
        for challenge in [bearer, Challenge::Basic] {
            assert_eq!(Challenge::from_cache(&challenge.to_cache()), Some(challenge));
        }
        for damaged in [&b""[..], b"[]", br#"{"realm":1}"#, b"{"] {
            assert_eq!(Challenge::from_cache(damaged), None);
        }
    }
}
