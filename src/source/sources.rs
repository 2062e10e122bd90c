//! Opens sources: who is asked for an image, as what, and what is remembered of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::cache::{self, Cache, Freshness};
use super::layout::Layout;
use super::mirrors::{Access, Endpoint, Mirror, Mirrored, Mirrors};
use super::{
    AuthCache, AuthFiles, Certificates, Client, DiskCache, MirrorSettings, PlainHttp, Registry,
    Role, Settings, Source, Verbosity,
};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::names::Names;
use crate::parallel::lock;
use crate::reference::{Host, Reference, Repository, TagOrDigest, Transport};
use crate::terminal;

/// Opens sources; what they share lives here.
#[derive(Clone)]
pub(crate) struct Sources {
    settings: Settings,
    client: Arc<Client>,
    /// Clients for what is reached in another way, or is not what the user names.
    others: Arc<Clients>,
    mirrors: Arc<Mirrors>,
    cache: Option<CacheSettings>,
    /// The media types of manifests that the user chose; none for all kinds.
    kinds: Vec<String>,
    /// Where strangers ask.
    admit: Option<Arc<Admit>>,
}

/// Also by whether later runs may believe what they are told.
type Clients = Mutex<HashMap<(Access, Role, bool), Arc<Client>>>;

/// Says of what a stranger asks for whether the user of this program named it; of a registry as a whole
/// the name of the repository is empty. `Kind::Denied` for what is not to be asked for.
pub(crate) type Admit = dyn Fn(&Transport) -> Result<bool> + Send + Sync;

/// What is remembered between runs, and how far it is believed.
#[derive(Clone)]
pub(crate) struct CacheSettings {
    pub(crate) disk: Arc<DiskCache>,
    pub(crate) freshness: Freshness,
    /// Empty where all kinds of manifest are asked for.
    pub(crate) accept: String,
    pub(crate) is_verbose: bool,
}

impl Sources {
    pub(crate) fn new(
        settings: Settings,
        auth_files: AuthFiles,
        mirrors: MirrorSettings,
        cache: Option<CacheSettings>,
    ) -> Self {
        let client = Arc::new(Client::new(auth_files, settings.clone()));
        Sources {
            settings,
            client,
            others: Arc::default(),
            mirrors: Arc::new(Mirrors::new(mirrors)),
            cache,
            kinds: Vec::new(),
            admit: None,
        }
    }

    /// The same sources, asked for manifests of these media types only.
    pub(crate) fn of_kinds(&self, kinds: Vec<String>) -> Self {
        let mut cache = self.cache.clone();
        // With other media types the same tag may lead to another manifest.
        cache.iter_mut().for_each(|cache| cache.accept = kinds.join(","));
        Sources { kinds, cache, ..self.clone() }
    }

    /// The same sources for strangers: what the user did not name is asked as anybody would ask it, and
    /// not at all where only some can reach it.
    pub(crate) fn for_strangers(self, admit: Arc<Admit>) -> Self {
        Sources { admit: Some(admit), ..self }
    }

    /// Says that a place will be asked for. Credentials that were given for this run are for the
    /// first registry among them; `Kind::Usage` for another.
    pub(crate) fn claim(&self, transport: &Transport) -> Result<()> {
        match transport {
            Transport::Registry(repository) => self.client.claim(&repository.host),
            place if place.is_stdin() => terminal::archive().map(drop),
            _ => Ok(()),
        }
    }

    /// The repository of an image, ready to be asked. A choice of media types is about that image
    /// alone, not about what it leads to.
    pub(crate) fn open(&self, reference: &Reference) -> Result<Arc<dyn Source>> {
        let role = self.role(&reference.transport)?;
        Ok(match &reference.transport {
            Transport::Registry(repository) => self.remembered(repository, &reference.at, role)?,
            Transport::Layout(path) => Arc::new(Layout::directory(path)?),
            Transport::OciArchive(path) => Arc::new(Layout::oci_archive(path)?),
            Transport::DockerArchive(path) => Arc::new(Layout::docker_archive(path)?),
        })
    }

    /// The repository of an image that an image of `from` names: of a registry, without what was
    /// given for this run unless it is the same one, and never an internal one that somebody outside
    /// leads to.
    pub(crate) fn led(&self, from: &Transport, to: &Reference) -> Result<Arc<dyn Source>> {
        let Transport::Registry(repository) = &to.transport else {
            return Err(Error::new(Kind::Protocol, "an image names a file of this machine"));
        };
        let from = match from {
            Transport::Registry(from) => Some(&from.host),
            _ => None,
        };
        let host = &repository.host;
        let role = match (&self.admit, self.online()) {
            (Some(admit), _) if admit(&to.transport) == Ok(true) => Role::Named,
            // What strangers ask about may be theirs, and what is inside lie in the cache.
            (Some(_), _) => self.client.role_of(None, host)?,
            (None, Err(_)) => Role::Stranger,
            (None, Ok(())) => match self.client.role_of(from, host) {
                // A mirror may answer; the registry itself is judged when it is connected to.
                Err(error) if error.kind() == Kind::Unavailable => Role::Stranger,
                role => role?,
            },
        };
        self.of_kinds(Vec::new()).remembered(repository, &to.at, role)
    }

    /// Why a place is asked for. `Kind::Denied` if strangers may not ask for it.
    fn role(&self, transport: &Transport) -> Result<Role> {
        match (&self.admit, transport) {
            (None, _) => self.claim(transport).map(|()| Role::Named),
            (Some(admit), Transport::Registry(repository)) if !admit(transport)? => {
                let host = &repository.host;
                self.client.role_of(None, host).map_err(|error| match error.kind() {
                    Kind::Unavailable => error,
                    _ => {
                        let why = "is an internal address, which is not served here";
                        Error::new(Kind::Denied, format!("{host} {why}"))
                    }
                })
            }
            (Some(admit), _) => admit(transport).map(|_| Role::Named),
        }
    }

    /// A repository of a registry, past everything that is remembered of it, and past its mirrors.
    pub(crate) fn repository(&self, repository: &Repository) -> Result<Registry> {
        self.online()?;
        let role = self.role(&Transport::Registry(repository.clone()))?;
        let Repository { host, name } = repository;
        let access = self.mirrors.endpoints(host, name, None)?.access(host);
        Ok(self.client(host, &access, role).repository(repository))
    }

    /// The names of all repositories that a registry shows.
    pub(crate) fn catalog(&self, host: &Host) -> Result<Names> {
        self.online()?;
        let whole = Repository { host: host.clone(), name: String::new() };
        let role = self.role(&Transport::Registry(whole))?;
        let access = self.mirrors.endpoints(host, "", None)?.access(host);
        self.client(host, &access, role).catalog(host)
    }

    fn online(&self) -> Result<()> {
        let cache = self.cache.as_ref();
        if cache.is_none_or(|cache| cache.freshness != Freshness::Offline) {
            return Ok(());
        }
        let message = "only the registry knows it, and --offline allows no requests";
        Err(Error::new(Kind::Unavailable, message))
    }

    /// Forgets where the tags of a repository led to, and manifests that are there no more.
    pub(crate) fn forget(&self, repository: &Repository, gone: &[Digest]) {
        if let Some(cache) = &self.cache {
            cache::forget(&cache.disk, repository, gone);
        }
    }

    /// A repository behind its mirrors, and what is remembered of it. `role` is the registry's own.
    fn remembered(
        &self,
        repository: &Repository,
        at: &TagOrDigest,
        role: Role,
    ) -> Result<Arc<dyn Source>> {
        let Repository { host, name } = repository;
        let endpoints = self.mirrors.endpoints(host, name, Some(at))?;
        let mut all = endpoints.mirrors.iter().chain([&endpoints.last]);
        let is_verified = all.all(|it| is_verified(&it.host, &it.access));
        let mirror = |endpoint: &Endpoint, what: &str, role| {
            let registry = self.registry(endpoint, role);
            let registry = registry.with_accept_override(at, &self.kinds);
            let name = format!("{what}{}/{}", endpoint.host, endpoint.name);
            Mirror::new(registry, name, endpoint.has_tags, endpoint.has_digests)
        };
        let last = &endpoints.last;
        let role = if last.is_at(host) { role } else { Role::Substitute };
        let mirrored = Mirrored {
            mirrors: endpoints
                .mirrors
                .iter()
                .map(|it| mirror(it, "mirror ", Role::Mirror))
                .collect(),
            last: mirror(last, "", role),
            is_verbose: self.settings.verbosity != Verbosity::Quiet,
        };
        Ok(match &self.cache {
            Some(cache) if is_verified || self.online().is_err() => {
                Arc::new(Cache::new(mirrored, repository, cache))
            }
            _ => Arc::new(mirrored),
        })
    }

    fn registry(&self, endpoint: &Endpoint, role: Role) -> Registry {
        let Endpoint { host, name, api, namespace, .. } = endpoint.clone();
        let client = self.client(&host, &endpoint.access, role);
        client.repository(&Repository { host, name }).below(&api, namespace)
    }

    /// The client for what is reached like this. What the user gives for this run is for registries
    /// that the user names: mirrors have their own.
    fn client(&self, host: &Host, access: &Access, role: Role) -> Arc<Client> {
        if role == Role::Named && *access == Access::default() {
            return Arc::clone(&self.client);
        }
        let is_verified = is_verified(host, access);
        let settings = || self.settings_for(access, role, is_verified);
        let mut others = lock(&self.others);
        let client = others
            .entry((access.clone(), role, is_verified))
            .or_insert_with(|| Arc::new(self.client.beside(settings())));
        Arc::clone(client)
    }

    fn settings_for(&self, access: &Access, role: Role, is_verified: bool) -> Settings {
        let is_named = role == Role::Named;
        let given = &self.settings.certificates;
        let own = given.cert.clone().filter(|_| is_named).map(|cert| (cert, given.key.clone()));
        let identity = access.identity.clone().map(|(cert, key)| (cert, Some(key)));
        let (cert, key) = own.or(identity).unzip();
        Settings {
            role,
            certificates: Certificates {
                insecure: access.is_unverified || is_named && given.insecure,
                cacert: [&given.cacert[..], &access.authorities].concat(),
                cert,
                key: key.flatten(),
                ..given.clone()
            },
            plain_http: match access {
                _ if is_named && self.settings.plain_http == PlainHttp::Always => PlainHttp::Always,
                Access { is_plain: true, .. } => PlainHttp::Always,
                Access { may_be_plain: true, .. } => PlainHttp::WithoutTls,
                _ => PlainHttp::Loopback,
            },
            auth_cache: match is_verified {
                true => self.settings.auth_cache.clone(),
                false => AuthCache::default(),
            },
            ..self.settings.clone()
        }
    }
}

/// Whether later runs may believe what a server says that is reached like this.
fn is_verified(host: &Host, access: &Access) -> bool {
    !access.is_unverified && (!access.is_plain || Client::is_loopback(host))
}
