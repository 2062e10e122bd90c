//! What all registries share: connections, credentials, and the state of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::{During, Error, Kind, Result};
use crate::names::Names;
use crate::parallel::lock;
use crate::reference::{Host, Repository, TagOrDigest};

use super::credentials::{AuthFiles, Credentials};
use super::message::{Method, Request, Response};
use super::state::{AuthCache, RegistryState};
use super::token::Scope;
use super::trace::{Trace, Verbosity};
use super::transport::{Certificates, Connections, HttpClient, Proxies, Trust};
use super::url::{Origin, Scheme};
use super::{Registry, error_response, realm};

/// What flags and environment say about registries.
pub(crate) struct Settings {
    pub(crate) auth_files: AuthFiles,
    pub(crate) certificates: Certificates,
    pub(crate) proxies: Proxies,
    pub(crate) plain_http: bool,
    /// The longest silence.
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    /// How many requests there are at a time.
    pub(crate) jobs: usize,
    pub(crate) verbosity: Verbosity,
    /// The media types of manifests that the user chose; `None`: all kinds.
    pub(crate) accept: Option<Vec<String>>,
    pub(crate) user_agent: String,
    pub(crate) auth_cache: AuthCache,
    pub(crate) clock: fn() -> SystemTime,
}

/// Shared by everything that asks registries.
pub(crate) struct Client {
    pub(super) credentials: Credentials,
    pub(super) transport: HttpClient,
    pub(super) plain_http: bool,
    pub(super) retries: u32,
    pub(super) accept: Option<Vec<String>>,
    pub(super) cache: AuthCache,
    pub(super) clock: fn() -> SystemTime,
    states: Mutex<HashMap<Host, Arc<RegistryState>>>,
    /// Why there is no connection to these.
    pub(super) unreachable: Mutex<HashMap<Origin, Error>>,
}

impl Client {
    pub(crate) fn new(settings: Settings) -> Client {
        let Settings { certificates, user_agent, jobs, .. } = settings;
        // A day outlasts everybody, and a deadline can still be counted with it.
        let timeout = settings.timeout.min(Duration::from_secs(86_400));
        let trust = Trust::new(certificates.clone());
        let connections = Arc::new(Connections::new(settings.proxies, trust, timeout));
        let trace = Trace::new(settings.verbosity, certificates, Arc::clone(&connections));
        Client {
            credentials: Credentials::new(settings.auth_files, timeout),
            transport: HttpClient::new(connections, jobs, &user_agent, trace),
            plain_http: settings.plain_http,
            retries: settings.retries,
            accept: settings.accept,
            cache: settings.auth_cache,
            clock: settings.clock,
            states: Mutex::default(),
            unreachable: Mutex::default(),
        }
    }

    /// Names a registry that will be asked. `Kind::Usage` if credentials were given for another.
    pub(crate) fn claim(&self, host: &Host) -> Result<()> {
        self.credentials.claim(host)
    }

    /// Refuses an internal registry that an image of a public one names, or one that lies in a file.
    pub(crate) fn admit(&self, from: Option<&Host>, to: &Host) -> Result<()> {
        let origin = |host: &Host| Origin::new(Scheme::Https, host.api());
        let (from, to) = (from.map(origin).transpose()?, origin(to)?);
        if !realm::leads_inside(from.as_ref(), &to, &self.transport.connections)? {
            return Ok(());
        }
        let message = format!("the image names {}, which is an internal address", to.authority());
        Err(Error::new(Kind::Protocol, message))
    }

    pub(crate) fn repository(self: &Arc<Self>, repository: &Repository) -> Registry {
        self.registry(&repository.host, Scope::of(repository, "pull"))
    }

    /// The names of all repositories that a registry shows.
    pub(crate) fn catalog(self: &Arc<Self>, host: &Host) -> Result<Names> {
        self.registry(host, Scope::catalog()).catalog()
    }

    fn registry(self: &Arc<Self>, host: &Host, scope: Scope) -> Registry {
        let mut states = lock(&self.states);
        let state = states.entry(host.clone()).or_default();
        let (client, state) = (Arc::clone(self), Arc::clone(state));
        Registry { client, host: host.clone(), state, scope, accept_override: None }
    }

    /// The error that an answer is which is no success.
    pub(super) fn error_response(&self, response: &Response) -> Error {
        error_response::error(response, (self.clock)())
    }
}

impl Registry {
    /// Only the manifest at `at` is asked for by the media types that the user chose.
    pub(in super::super) fn with_accept_override(self, at: &TagOrDigest) -> Self {
        Registry { accept_override: Some(at.clone()), ..self }
    }

    /// The same repository, to be written to as well.
    pub(crate) fn for_pushing(&self) -> Registry {
        self.for_actions("pull,push")
    }

    /// The same repository, for other actions than `pull`.
    pub(super) fn for_actions(&self, actions: &str) -> Registry {
        let repository = self.scope.repository.as_ref();
        self.with_scope(repository.map_or_else(Scope::catalog, |it| Scope::of(it, actions)))
    }

    pub(super) fn with_scope(&self, scope: Scope) -> Registry {
        Registry { scope, ..self.clone() }
    }

    pub(super) fn name(&self) -> &str {
        self.scope.repository.as_ref().map_or("", |it| &it.name)
    }

    /// A request for what is below the repository's URL, or the registry's.
    pub(super) fn request(&self, method: Method, path: &str) -> Result<Request> {
        let slash = if self.name().is_empty() { "" } else { "/" };
        let path = format!("/v2/{}{slash}{path}", self.name());
        Ok(Request::new(method, self.origin()?.url(path)))
    }

    /// An answer of the registry, or of where it redirected to, if it is a success.
    pub(super) fn succeeded(&self, response: Response) -> Result<Response> {
        if response.is_success() {
            return Ok(response);
        }
        let error = Err(self.client.error_response(&response));
        if response.url.origin == self.origin()? {
            return error;
        }
        error.during(response.url.origin.authority())
    }
}
