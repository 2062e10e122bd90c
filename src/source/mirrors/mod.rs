//! Where else a registry's images can be read: what `--mirror` and the configurations of podman,
//! containerd and docker say.

mod containerd;
mod containers;
mod file;
mod mirrored;

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};

use crate::error::{Error, Kind, Result};
use crate::memory;
use crate::parallel::lock;
use crate::reference::{Host, TagOrDigest};
use containerd::Hosts;
use containers::RegistryTable;

pub(super) use mirrored::{Mirror, Mirrored};

/// What the user says about mirrors, and where it may be written.
#[derive(Clone, Default)]
pub(crate) struct MirrorSettings {
    /// Registries and their mirrors, which come before those of the files.
    pub(crate) given: Vec<(Host, Server)>,
    /// The file that is read in place of podman's `registries.conf`.
    pub(crate) registries_conf: Option<PathBuf>,
    /// The user's directory of configurations, then the system's: both are laid out alike.
    pub(crate) roots: Vec<PathBuf>,
}

/// `[http[s]://]HOST[:PORT][/PATH]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    is_plain: bool,
    host: Host,
    /// Without slashes around it.
    path: String,
}

impl FromStr for Server {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        if !matches!(scheme, "http" | "https") {
            return Err(Error::usage(format!("expected http or https, not {scheme}")));
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let is_component =
            |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_sound);
        if !path.is_empty() && !path.split('/').all(is_component) {
            return Err(Error::usage("expected a host and a path, and nothing behind it"));
        }
        Ok(Server { is_plain: scheme == "http", host: host.parse()?, path: path.to_owned() })
    }
}

/// How a server is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Access {
    pub(super) is_plain: bool,
    /// Any certificate will do.
    pub(super) is_unverified: bool,
    /// So will a server without TLS.
    pub(super) may_be_plain: bool,
    /// Certificates to trust besides the others.
    pub(super) authorities: Vec<PathBuf>,
    /// The client's certificate and its key, perhaps in the same file.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

/// A server that has the repository, under the same name or another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) host: Host,
    pub(super) name: String,
    pub(super) access: Access,
    /// The path of its API.
    pub(super) api: String,
    /// The registry that is meant, for a server that mirrors several.
    pub(super) namespace: Option<String>,
    /// Whether it is asked what a tag leads to.
    pub(super) has_tags: bool,
    /// Whether it is asked for what has a digest.
    pub(super) has_digests: bool,
}

impl Endpoint {
    fn new(host: Host, name: String) -> Self {
        Endpoint {
            host,
            name,
            access: Access::default(),
            api: "/v2".to_owned(),
            namespace: None,
            has_tags: true,
            has_digests: true,
        }
    }

    /// Whether it is this registry, by any of its names.
    pub(super) fn is_at(&self, host: &Host) -> bool {
        self.host.api() == host.api()
    }
}

/// The servers that have a repository.
pub(super) struct Endpoints {
    /// In the order in which they are asked.
    pub(super) mirrors: Vec<Endpoint>,
    /// The registry itself, or what stands in its place: it is asked last.
    pub(super) last: Endpoint,
}

impl Endpoints {
    /// How the registry itself is reached.
    pub(super) fn access(self, registry: &Host) -> Access {
        if self.last.is_at(registry) { self.last.access } else { Access::default() }
    }
}

/// All that is known of mirrors; files are read when first needed.
#[derive(Default)]
pub(super) struct Mirrors {
    settings: MirrorSettings,
    registries: OnceLock<Vec<RegistryTable>>,
    hosts: Mutex<HashMap<Host, Arc<Hosts>>>,
    hub: OnceLock<Vec<Server>>,
}

impl Mirrors {
    pub(super) fn new(settings: MirrorSettings) -> Self {
        Mirrors { settings, ..Mirrors::default() }
    }

    /// The servers for a repository, or for a registry with an empty name. `Kind::Denied` if the
    /// configuration forbids it.
    pub(super) fn endpoints(
        &self,
        host: &Host,
        name: &str,
        at: Option<&TagOrDigest>,
    ) -> Result<Endpoints> {
        let given = self.settings.given.iter().filter(|(of, _)| of.api() == host.api());
        let mut mirrors: Vec<Endpoint> = given.map(|(_, it)| it.below_path(name)).collect();
        let plain = Endpoint::new(host.clone(), name.to_owned());
        let hosts = self.hosts(host);
        let mut last = hosts.server(host, name);
        let registries = self.registries.get_or_init(|| containers::read(&self.settings));
        if let Some(image) = containers::find(registries, host, name, at) {
            if image.table.is_blocked {
                let (prefix, file) = (&image.table.prefix, image.table.file.display());
                let error = Error::new(Kind::Denied, format!("{prefix} is blocked by {file}"));
                return Err(error.hint("its [[registry]] has blocked = true"));
            }
            mirrors.extend(image.mirrors());
            last = image.location(&plain).unwrap_or(last);
        }
        mirrors.extend(hosts.mirrors(host, name));
        if host.is_docker_hub() {
            let hub = self.hub.get_or_init(|| file::registry_mirrors(&self.settings.roots));
            mirrors.extend(hub.iter().map(|it| it.below_api(name)));
        }
        // An entry of who is asked last says how that is reached, unless that is known.
        mirrors.retain(|mirror| {
            let is_last =
                mirror.is_at(&last.host) && (&mirror.name, &mirror.api) == (&last.name, &last.api);
            if is_last && last.access == Access::default() {
                last.access = mirror.access.clone();
            }
            !is_last
        });
        Ok(Endpoints { mirrors, last })
    }

    fn hosts(&self, host: &Host) -> Arc<Hosts> {
        let mut known = lock(&self.hosts);
        let read = || Arc::new(Hosts::read(&self.settings.roots, host));
        Arc::clone(memory::entry(&mut known, host.clone()).or_insert_with(read))
    }
}

impl Server {
    /// The repository there, whose name begins with the path.
    fn below_path(&self, name: &str) -> Endpoint {
        let slash = if self.path.is_empty() { "" } else { "/" };
        let name = format!("{}{slash}{name}", self.path);
        let access = Access { is_plain: self.is_plain, ..Access::default() };
        Endpoint { access, ..Endpoint::new(self.host.clone(), name) }
    }

    /// The repository there, where the API begins with the path.
    fn below_api(&self, name: &str) -> Endpoint {
        let access = Access { is_plain: self.is_plain, ..Access::default() };
        Endpoint { access, api: self.api(), ..Endpoint::new(self.host.clone(), name.to_owned()) }
    }

    /// The path of the API, whose version may be written or not.
    fn api(&self) -> String {
        match format!("/{}", self.path) {
            path if path.ends_with("/v2") => path,
            path => format!("{}/v2", path.trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_host_and_perhaps_a_scheme_and_a_path() {
        for (text, expected) in [
            ("mirror.example.com", Some("mirror.example.com /v2 false")),
            ("https://mirror.example.com/", Some("mirror.example.com /v2 false")),
            ("http://localhost:5000", Some("localhost:5000 /v2 true")),
            ("https://Example.com/a/b", Some("example.com /a/b/v2 false")),
            ("https://example.com/v2/", Some("example.com /v2 false")),
            ("https://[::1]:5000/a/v2", Some("[::1]:5000 /a/v2 false")),
            ("ftp://example.com", None),
            ("https://user:password@example.com", None),
            ("https://example.com/../a", None),
            ("https://example.com/a//b", None),
            ("https://example.com/a?b", None),
            ("https://example.com/a#b", None),
            ("", None),
        ] {
            let shown = |it: Server| format!("{} {} {}", it.host, it.api(), it.is_plain);
            let read = text.parse().ok().map(shown);
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
