//! containerd's `certs.d/HOST/hosts.toml` (containerd, docs/hosts.md).

use std::path::PathBuf;

use super::file::{self, Table};
use super::{Access, Endpoint, Server};
use crate::reference::{Host, split_port};

/// What a file says about one registry.
#[derive(Default)]
pub(super) struct Hosts {
    /// The registry itself, or what stands in its place.
    server: Option<HostTable>,
    access: Access,
    hosts: Vec<HostTable>,
}

struct HostTable {
    server: Server,
    access: Access,
    /// Whether the URL is that of the API, without `/v2` behind it.
    is_api: bool,
    pulls: bool,
    resolves: bool,
}

impl Hosts {
    /// The file in the first directory that there is for the registry, or else for all.
    pub(super) fn read(roots: &[PathBuf], host: &Host) -> Self {
        let own = match split_port(host.name()) {
            (name, Some(port)) => vec![format!("{name}_{port}_"), format!("{name}:{port}")],
            (name, None) => vec![name.to_owned()],
        };
        let names = own.iter().map(String::as_str).chain(["_default"]);
        let names: Vec<&str> = names.collect();
        let directories = roots.iter().flat_map(|root| {
            names.iter().map(move |name| root.join("containerd/certs.d").join(name))
        });
        let directory = { directories }.find(|directory| directory.is_dir());
        let path = directory.map(|directory| directory.join("hosts.toml"));
        path.and_then(|path| file::toml(&path, Hosts::of)).unwrap_or_default()
    }

    fn of(root: Table) -> Self {
        let hosts = root.table("host").into_iter().flat_map(|hosts| {
            hosts.keys().filter_map(move |url| {
                let server = url.parse().inspect_err(|why| hosts.warn(url, why)).ok()?;
                Some(HostTable::read(server, hosts.table(url)?))
            })
        });
        let server = root.parsed("server").map(|server| HostTable::read(server, root));
        Hosts { hosts: hosts.collect(), server, access: access(root) }
    }

    /// What is asked last.
    pub(super) fn server(&self, host: &Host, name: &str) -> Endpoint {
        match &self.server {
            Some(server) => server.endpoint(host, name),
            None => {
                let access = self.access.clone();
                Endpoint { access, ..Endpoint::new(host.clone(), name.to_owned()) }
            }
        }
    }

    pub(super) fn mirrors(&self, host: &Host, name: &str) -> impl Iterator<Item = Endpoint> {
        self.hosts.iter().map(|table| table.endpoint(host, name))
    }
}

impl HostTable {
    fn read(server: Server, table: Table) -> Self {
        let capabilities = table.words("capabilities");
        let can = |what| capabilities.as_ref().is_none_or(|all| all.contains(&what));
        HostTable {
            access: Access { is_plain: server.is_plain, ..access(table) },
            server,
            is_api: table.is("override_path"),
            pulls: can("pull"),
            resolves: can("resolve"),
        }
    }

    /// The server learns which registry is meant, if it is another one.
    fn endpoint(&self, of: &Host, name: &str) -> Endpoint {
        let there = Endpoint::new(self.server.host.clone(), name.to_owned());
        let is_other = !there.is_at(of);
        Endpoint {
            host: if is_other { there.host } else { of.clone() },
            access: self.access.clone(),
            api: match self.is_api {
                true => format!("/{}", self.server.path).trim_end_matches('/').to_owned(),
                false => self.server.api(),
            },
            namespace: is_other.then(|| of.name().to_owned()),
            has_tags: self.pulls && self.resolves,
            has_digests: self.pulls,
            ..there
        }
    }
}

fn access(table: Table) -> Access {
    let authorities = table.words("ca").unwrap_or_default().into_iter();
    let identity = table.pair("client");
    Access {
        is_unverified: table.is("skip_verify"),
        authorities: authorities.map(|file| table.beside(file)).collect(),
        identity: identity.map(|(cert, key)| (table.beside(cert), table.beside(key))),
        ..Access::default()
    }
}
