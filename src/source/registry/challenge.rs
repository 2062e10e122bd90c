//! What a 401 asks for: `WWW-Authenticate` (RFC 9110, 11.6.1).

use std::collections::HashMap;

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
    /// Scopes, separated by spaces; `None`: what the request wants to do.
    pub(super) scope: Option<String>,
}

impl Challenge {
    /// The challenge to answer out of all headers: a token before a password, since the password
    /// then goes to one server only. `None` if none is understood.
    pub(super) fn read<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Challenge> {
        let mut all: Vec<Challenge> = headers.flat_map(parse).collect();
        let bearer = all.iter().position(|it| matches!(it, Challenge::Bearer(_)));
        (!all.is_empty()).then(|| all.swap_remove(bearer.unwrap_or(0)))
    }

    /// Without a scope that is the usual one, so that challenges which ask for the same are equal.
    pub(super) fn without(mut self, usual: &str) -> Challenge {
        if let Challenge::Bearer(bearer) = &mut self {
            bearer.scope.take_if(|scope| scope == usual);
        }
        self
    }

    /// Whether it is about another scope than the usual one.
    pub(super) fn names_scope(&self) -> bool {
        matches!(self, Challenge::Bearer(Bearer { scope: Some(_), .. }))
    }

    /// For the disk: the header that it came in, without a scope.
    pub(super) fn to_cache(&self) -> Vec<u8> {
        let Challenge::Bearer(Bearer { realm, service, .. }) = self else {
            return b"Basic".to_vec();
        };
        let service = service.as_deref().unwrap_or_default();
        let [realm, service] =
            [realm, service].map(|it| it.replace('\\', r"\\").replace('"', "\\\""));
        format!("Bearer realm=\"{realm}\",service=\"{service}\"").into_bytes()
    }

    /// From the disk; `None` for what is no challenge.
    pub(super) fn from_cache(bytes: &[u8]) -> Option<Challenge> {
        Challenge::read(std::str::from_utf8(bytes).into_iter())
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
    let mut challenges: Vec<(String, HashMap<String, String>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, tail) = rest.split_at(rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len()));
        let word = word.to_ascii_lowercase();
        if let Some(tail) = tail.trim_start().strip_prefix('=') {
            let (value, tail) = value(tail.trim_start());
            if let Some((_, parameters)) = challenges.last_mut() {
                parameters.entry(word).or_insert(value);
            }
            rest = tail;
        } else if word.is_empty() {
            return challenges.into_iter().filter_map(understand).collect();
        } else {
            challenges.push((word, HashMap::new()));
            rest = tail;
        }
    }
}

/// A quoted string or a token, and what stands behind it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([' ', '\t', ',']).unwrap_or(text.len()));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next() {
            None | Some('"') => return (value, chars.as_str()),
            Some('\\') => value.extend(chars.next()),
            Some(c) => value.push(c),
        }
    }
}

fn understand((scheme, parameters): (String, HashMap<String, String>)) -> Option<Challenge> {
    let get = |name: &str| parameters.get(name).filter(|value| !value.is_empty()).cloned();
    match scheme.as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer(Bearer {
            realm: get("realm")?,
            service: get("service"),
            scope: get("scope"),
        })),
        _ => None,
    }
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
