//! Registries and their repositories, by distribution/reference's grammar.

use std::fmt::{self, Display};
use std::net::Ipv6Addr;
use std::str::FromStr;

use super::{Reference, Transport};
use crate::error::{Error, Result, without_user};

/// Docker Hub's name in references.
const DOCKER_HUB: &str = "docker.io";

/// The longest name that the domain name system knows.
pub(super) const LONGEST_HOST: usize = 253;

/// Host and name together (distribution/reference, `NameTotalLengthMax`).
pub(super) const LONGEST_NAME: usize = 255;

pub(super) const LONGEST_TAG: usize = 128;

/// What another thing than a name stands behind, if a colon follows.
const PREFIXES: [&str; 10] = [
    "oci",
    "oci-archive",
    "docker-archive",
    "oci-layout",
    "ocidir",
    "dir",
    "docker-daemon",
    "containers-storage",
    "sha256",
    "sha512",
];

/// A repository at a registry, by the names that users know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Repository {
    pub(crate) host: Host,
    /// As the registry knows it: `library/ubuntu` for Docker Hub's `ubuntu`.
    pub(crate) name: String,
}

/// `HOST[:PORT]`, in lower case, IPv6 addresses in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Host(String);

impl Host {
    /// As users and credentials name it: `docker.io`.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Where its API is.
    pub(crate) fn api(&self) -> &str {
        // Docker Hub's API has another name than its images.
        if self.is_docker_hub() { "registry-1.docker.io" } else { &self.0 }
    }

    pub(crate) fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }

    fn read(text: &str) -> Result<Self> {
        let host = text.to_ascii_lowercase();
        let (name, port) = split_port(&host);
        let port = port.unwrap_or("443");
        let address = name.strip_prefix('[').map(|rest| rest.strip_suffix(']').unwrap_or_default());
        let is_sound = match address {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => name.split('.').all(is_host_label),
        };
        let why = if text.len() > LONGEST_HOST + ":65535".len() {
            &*too_long(text, LONGEST_HOST)
        } else if port.parse::<u16>().is_err() || port.starts_with('+') {
            "the port is a number up to 65535"
        } else if !is_sound && address.is_some() {
            "an IPv6 address stands in the brackets"
        } else if !is_sound {
            "host names are letters, digits, '-' and '.'"
        } else if host == "index.docker.io" {
            // Docker's old name for its index, still in scripts and configurations.
            return Ok(Host(DOCKER_HUB.to_owned()));
        } else {
            return Ok(Host(host));
        };
        Err(fault("registry", text, why))
    }
}

impl Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Host {
    type Err = Error;

    /// Hints at the host of a URL or an image, which may have been named instead.
    fn from_str(text: &str) -> Result<Self> {
        Host::read(text).map_err(|error| {
            let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
            let bare = bare.rsplit_once('@').map_or(bare, |(_, rest)| rest).trim_end_matches('/');
            let host = match bare.parse::<Reference>().map(|image| image.transport) {
                _ if bare != text && Host::read(bare).is_ok() => bare.to_owned(),
                Ok(Transport::Registry(repository)) if bare.contains(['/', ':']) => {
                    repository.host.0
                }
                _ => return error,
            };
            error.hint(format!("write only the registry: {host}"))
        })
    }
}

impl FromStr for Repository {
    type Err = Error;

    /// `[HOST[:PORT]/]NAME`; `library/` is added on Docker Hub only.
    fn from_str(text: &str) -> Result<Self> {
        if text.contains('@') {
            return Err(fault("repository", text, "only a digest may follow '@'"));
        }
        let (host, name) = match text.split_once('/') {
            Some((first, rest)) if is_host(first) => (Host::read(first)?, rest),
            _ => (Host(DOCKER_HUB.to_owned()), text),
        };
        if let Some(why) = name_fault(name) {
            return Err(fault("repository", name, why));
        }
        let is_official = host.is_docker_hub() && !name.contains('/');
        let name = if is_official { format!("library/{name}") } else { name.to_owned() };
        if host.0.len() + 1 + name.len() > LONGEST_NAME {
            let why =
                format!("the name of the repository is longer than {LONGEST_NAME} characters");
            return Err(Error::usage(why));
        }
        Ok(Repository { host, name })
    }
}

/// The shortest form that means the same repository: `ubuntu` and `sphinxdoc/sphinx`, as `docker`
/// shows the images of Docker Hub, unless that means another image.
impl Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let official = self.name.strip_prefix("library/").filter(|name| !name.contains('/'));
        let short = official.unwrap_or(&self.name);
        if !PREFIXES.contains(&short) && short.parse().as_ref() == Ok(self) {
            return f.write_str(short);
        }
        match is_host(&self.host.0) {
            true => write!(f, "{}/{}", self.host, self.name),
            // A host without any other mark is told by its upper case.
            false => write!(f, "{}/{}", self.host.0.to_uppercase(), self.name),
        }
    }
}

/// `HOST[:PORT]`, an IPv6 address in brackets.
pub(crate) fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

/// Docker's rule which first component is a host (distribution/reference, `splitDockerDomain`).
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost" || first.contains(char::is_uppercase)
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a registry may have a tag of this name (distribution-spec, "Pulling manifests").
pub(crate) fn is_tag(text: &str) -> bool {
    tag_fault(text).is_none()
}

/// The same of a repository.
pub(crate) fn is_repository(text: &str) -> bool {
    text.len() <= LONGEST_NAME && text.split('/').all(is_name_component)
}

pub(super) fn tag_fault(tag: &str) -> Option<&'static str> {
    let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if tag.is_empty() {
        Some("a tag follows the colon")
    } else if tag.starts_with(['.', '-']) || !tag.bytes().all(is_sound) {
        Some("a tag is letters, digits, '_', '.' and '-', and starts with none of the last two")
    } else {
        (tag.len() > LONGEST_TAG).then_some("a tag has at most 128 characters")
    }
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("the name is missing")
    } else if name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        Some("64 hex digits are an image ID, which no registry knows")
    } else if name.contains(char::is_uppercase) {
        Some("the name must be lower case")
    } else {
        let is_sound = name.split('/').all(is_name_component);
        (!is_sound).then_some(
            "components are lower-case letters and digits, with '.', '_', '__' or '-' between them",
        )
    }
}

/// `[a-z0-9]+` joined by one `.`, one or two `_`, or any number of `-`.
fn is_name_component(component: &str) -> bool {
    let is_word = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9');
    let bytes = component.as_bytes();
    let edges = bytes.first().is_some_and(is_word) && bytes.last().is_some_and(is_word);
    edges
        && bytes.split(is_word).all(|separator| {
            matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-')
        })
}

fn fault(kind: &str, text: &str, why: &str) -> Error {
    Error::usage(format!("{kind} '{}': {why}", cut(&without_user(text))))
}

/// An image for messages: without what may be a user and a password.
pub(super) fn shown(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, behind)) if before.contains(':') || behind.contains('/') => {
            cut(&without_user(text))
        }
        _ => cut(text),
    }
}

/// No longer than a message can be read.
fn cut(text: &str) -> String {
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

pub(super) fn too_long(text: &str, limit: usize) -> String {
    format!("it has {} characters; at most {limit} are allowed", text.len())
}
