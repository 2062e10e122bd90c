//! What all registries share: settings, connections, credentials, and the state of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::{During, Error, Result};
use crate::names::Names;
use crate::parallel::lock;
use crate::reference::{Host, Repository, TagOrDigest};

use super::Registry;
use super::credentials::{AuthFiles, Credentials};
use super::error_response;
use super::message::Response;
use super::realm;
use super::state::{AuthCache, RegistryState};
use super::token::Scope;
use super::trace::{Trace, Verbosity};
use super::transport::{Certificates, Connections, HttpClient, Proxies, Trust};
use super::url::{Origin, Scheme, Url};

/// A timeout that outlasts anybody's, and that a deadline can still be counted with.
const DAY: Duration = Duration::from_secs(86_400);

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
    pub(super) settings: Settings,
    pub(super) credentials: Credentials,
    pub(super) transport: HttpClient,
    cache: Arc<AuthCache>,
    states: Mutex<HashMap<Host, Arc<RegistryState>>>,
    /// Why there is no connection to these.
    pub(super) unreachable: Mutex<HashMap<Origin, Error>>,
}

impl Client {
    pub(crate) fn new(mut settings: Settings) -> Client {
        settings.timeout = settings.timeout.min(DAY);
        let auth_files = std::mem::take(&mut settings.auth_files);
        let certificates = std::mem::take(&mut settings.certificates);
        let trust = Trust::new(certificates.clone());
        let proxies = std::mem::take(&mut settings.proxies);
        let connections = Arc::new(Connections::new(proxies, trust, settings.timeout));
        let trace = Trace::new(settings.verbosity, certificates, Arc::clone(&connections));
        Client {
            credentials: Credentials::new(auth_files, settings.timeout),
            transport: HttpClient::new(connections, settings.jobs, &settings.user_agent, trace),
            cache: Arc::new(std::mem::take(&mut settings.auth_cache)),
            states: Mutex::default(),
            unreachable: Mutex::default(),
            settings,
        }
    }

    /// Names a registry that will be asked. `Kind::Usage` if credentials were given for another.
    pub(crate) fn claim(&self, host: &Host) -> Result<()> {
        self.credentials.claim(host)
    }

    /// Refuses an internal registry that an image of a public one names, or one that lies in a file.
    pub(crate) fn admit(&self, from: Option<&Host>, to: &Host) -> Result<()> {
        let origin = |host: &Host| Origin::new(Scheme::Https, host.api());
        let from = from.map(origin).transpose()?;
        realm::admit_image(from.as_ref(), &origin(to)?, &self.transport.connections)
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
        let state = states.entry(host.clone()).or_insert_with(|| {
            let connections = Arc::clone(&self.transport.connections);
            let cache = Arc::clone(&self.cache);
            let plain_http = self.settings.plain_http;
            Arc::new(RegistryState::new(host, plain_http, connections, cache))
        });
        Registry {
            client: Arc::clone(self),
            state: Arc::clone(state),
            scope,
            accept_override: None,
        }
    }

    /// The error that an answer is which is no success.
    pub(super) fn error_response(&self, response: &Response) -> Error {
        error_response::error(response, (self.settings.clock)())
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

    /// The name of the repository.
    pub(super) fn name(&self) -> &str {
        self.scope.repository.as_ref().map_or("", |it| &it.name)
    }

    /// A URL below the repository's, or the registry's.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        let slash = if self.name().is_empty() { "" } else { "/" };
        let path = format!("/v2/{}{slash}{path}", self.name());
        Ok(self.state.origin()?.url(path))
    }

    /// An answer of the registry, or of where it redirected to, if it is a success.
    pub(super) fn succeeded(&self, response: Response) -> Result<Response> {
        if response.is_success() {
            return Ok(response);
        }
        let error = Err(self.client.error_response(&response));
        if response.url.origin == self.state.origin()? {
            return error;
        }
        error.during(response.url.origin.authority())
    }
}
