//! A file of stored credentials, Docker's or containers', and which of its entries is whose.

use std::io;

use serde_json::Value;

use crate::encoding;
use crate::error::{Error, warn};
use crate::json;
use crate::secret::Secret;

#[derive(Clone, PartialEq, Eq)]
pub(in super::super) enum Credential {
    Password {
        user: String,
        password: Secret,
    },
    /// To be exchanged for a registry's token by OAuth.
    IdentityToken {
        user: String,
        token: Secret,
    },
    /// For the registry itself.
    RegistryToken(Secret),
}

impl Credential {
    /// What `Authorization: Basic` is made of.
    pub(in super::super) fn user_and_password(&self) -> Option<(&str, &Secret)> {
        match self {
            Credential::Password { user, password } => Some((user, password)),
            Credential::IdentityToken { user, token } => Some((user, token)),
            Credential::RegistryToken(_) => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthFileFormat {
    /// Keys name hosts, with or without a scheme and a path that means nothing.
    Docker,
    /// Keys name hosts or, with a path, the repositories below it.
    Containers,
}

pub(super) struct AuthFile {
    /// For messages.
    pub(super) name: String,
    pub(super) format: AuthFileFormat,
    json: Value,
}

impl AuthFile {
    /// `None` for a file that does not exist and, with a warning, for what is not JSON.
    pub(super) fn read(
        name: String,
        format: AuthFileFormat,
        bytes: io::Result<Vec<u8>>,
    ) -> Option<AuthFile> {
        let json = match bytes {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            bytes => bytes.map_err(Error::from).and_then(|bytes| json::parse(&bytes)),
        };
        let json = json.inspect_err(|error| warn(format_args!("{name}: {error}"))).ok()?;
        Some(AuthFile { name, format, json })
    }

    /// The helpers to ask for `HOST[/NAME]`: the host's own, then the one for all.
    pub(super) fn helpers(&self, name: &str) -> impl Iterator<Item = &str> {
        let own = best(&self.json["credHelpers"], self.format, name).and_then(Value::as_str);
        let all = self.json["credsStore"].as_str();
        own.into_iter().chain(all).filter(|helper| !helper.is_empty())
    }

    /// What the file itself knows of `HOST[/NAME]`.
    pub(super) fn entry(&self, name: &str) -> Option<Credential> {
        best(&self.json["auths"], self.format, name).and_then(entry)
    }
}

/// The value whose key fits `HOST[/NAME]` best: the longest path, and no `*` rather than one.
fn best<'a>(object: &'a Value, format: AuthFileFormat, name: &str) -> Option<&'a Value> {
    let keys = object.as_object()?.iter().map(|(key, value)| (normal(key, format), value));
    let fitting = keys.filter(|(key, _)| fits(key, name));
    let best = fitting.max_by_key(|(key, _)| (!key.contains('*'), key.len()));
    best.map(|(_, value)| value)
}

/// `HOST[/PATH]`, whatever name Docker Hub is given.
fn normal(key: &str, format: AuthFileFormat) -> String {
    let bare = key.strip_prefix("https://").or(key.strip_prefix("http://"));
    let key = bare.unwrap_or(key).trim_end_matches('/');
    let (host, path) = key.split_once('/').unwrap_or((key, ""));
    let host = match host {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_lowercase(),
    };
    match format {
        AuthFileFormat::Containers if !path.is_empty() => format!("{host}/{path}"),
        _ => host,
    }
}

/// Whether the key is the name or a path above it. `*` in a host stands for one or more characters
/// of one of its labels.
fn fits(key: &str, name: &str) -> bool {
    let (key_host, key_path) = key.split_once('/').unwrap_or((key, ""));
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    let below = path.strip_prefix(key_path);
    let is_below = |rest: &str| key_path.is_empty() || rest.is_empty() || rest.starts_with('/');
    let (patterns, labels) = (key_host.split('.'), host.split('.'));
    below.is_some_and(is_below)
        && patterns.clone().count() == labels.clone().count()
        && patterns.zip(labels).all(|(pattern, label)| match pattern.split_once('*') {
            None => pattern == label,
            Some((before, after)) => {
                let middle = label.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                middle.is_some_and(|middle| !middle.is_empty())
            }
        })
}

/// An entry of `auths`; `None` for one that holds nothing, as `docker login` leaves beside a helper.
fn entry(value: &Value) -> Option<Credential> {
    let text = |key: &str| value[key].as_str().unwrap_or_default();
    let (mut user, mut password) = (text("username").to_owned(), text("password").to_owned());
    if let Some(decoded) = Some(text("auth")).filter(|it| !it.is_empty()).and_then(encoding::decode)
    {
        let decoded = String::from_utf8(decoded).ok()?;
        // Docker takes off the zeros with which some old clients filled it up.
        let (first, second) = decoded.trim_end_matches('\0').split_once(':')?;
        (user, password) = (first.to_owned(), second.to_owned());
    }
    let [registry, identity, password] =
        [text("registrytoken"), text("identitytoken"), &password].map(Secret::new);
    match (registry.is_empty(), identity.is_empty(), password.is_empty()) {
        (false, ..) => Some(Credential::RegistryToken(registry)),
        (_, false, _) => Some(Credential::IdentityToken { user, token: identity }),
        (_, _, false) => Some(Credential::Password { user, password }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chosen(object: Value, format: AuthFileFormat, name: &str) -> Option<i64> {
        best(&object, format, name).and_then(Value::as_i64)
    }

    #[test]
    fn keys_of_docker_name_hosts() {
        for (key, name, expected) in [
            ("https://index.docker.io/v1/", "docker.io/library/ubuntu", true),
            ("docker.io", "docker.io/library/ubuntu", true),
            ("registry-1.docker.io", "docker.io", true),
            ("example.com", "example.com/a", true),
            ("http://example.com/v2/", "example.com/a", true),
            ("https://Example.com:5000", "example.com:5000/a", true),
            ("example.com:5000", "example.com/a", false),
            ("example.com", "a.example.com/a", false),
            ("example.com", "example.com.evil.example/a", false),
            ("*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu-west-1.amazonaws.com/a", true),
            ("*.dkr.ecr.*.amazonaws.com", "dkr.ecr.eu-west-1.amazonaws.com/a", false),
            ("*.dkr.ecr.*.amazonaws.com", "1.2.dkr.ecr.eu.amazonaws.com/a", false),
            ("*.dkr.ecr.*.amazonaws.com", "1.dkr.ecr.eu.amazonaws.com.evil.example", false),
            ("*", "example.com/a", false),
            ("eu-*.example.com", "eu-1.example.com", true),
        ] {
            let found = chosen(json!({key: 1}), AuthFileFormat::Docker, name);
            assert_eq!(found.is_some(), expected, "{key} {name}");
        }
    }

    #[test]
    fn the_longest_path_wins() {
        let auths = json!({
            "example.com": 0, "example.com/a": 1, "example.com/a/b": 2, "*.com": 3, "example.*": 4
        });
        for (name, expected) in [
            ("example.com", 0),
            ("example.com/ab", 0),
            ("example.com/a", 1),
            ("example.com/a/bc", 1),
            ("example.com/a/b", 2),
            ("example.com/a/b/c", 2),
            ("other.com/a", 3),
        ] {
            let found = chosen(auths.clone(), AuthFileFormat::Containers, name);
            assert_eq!(found, Some(expected), "{name}");
        }
    }

    #[test]
    fn entries_are_read_in_every_form() {
        let password = |user: &str, password: &str| {
            let (user, password) = (user.to_owned(), Secret::new(password));
            Some(Credential::Password { user, password })
        };
        let token = Secret::new("t");
        for (value, expected) in [
            (json!({"auth": "dXNlcjpwYTpzcw=="}), password("user", "pa:ss")),
            (json!({"auth": "dXNlcjpwYTpzcw"}), password("user", "pa:ss")),
            (json!({"auth": "dXNlcjpwAAA="}), password("user", "p")),
            (json!({"username": "u", "password": "p"}), password("u", "p")),
            (
                json!({"auth": "dXNlcjo=", "identitytoken": "t"}),
                Some(Credential::IdentityToken { user: "user".into(), token: token.clone() }),
            ),
            (json!({"registrytoken": "t"}), Some(Credential::RegistryToken(token))),
            (json!({}), None),
            (json!({"auth": ""}), None),
            (json!({"auth": "dXNlcg=="}), None),
            (json!({"auth": 1, "email": "x"}), None),
        ] {
            assert!(entry(&value) == expected, "{value}");
        }
    }
}
