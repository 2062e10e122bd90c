//! The user's credentials for a registry: given for this run, else of Docker's configuration, else of
//! containers' auth.json.

mod auth_file;
mod helper;

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Kind, Result, warn};
use crate::memory;
use crate::parallel::lock;
use crate::reference::{Host, Repository};
use crate::secret::Secret;

use auth_file::{AuthFile, AuthFileFormat};

pub(super) use auth_file::Credential;

/// How Docker's configuration and helpers name Docker Hub.
const HUB: &str = "https://index.docker.io/v1/";

/// How references may name it, by its API.
const HUB_API: &str = "registry-1.docker.io";

/// How long a helper's answer is believed: clouds' helpers give what ends within hours.
const HELPED: Duration = Duration::from_secs(300);

/// What the user gave for this run: `-u`, standard input, the environment.
#[derive(Clone)]
pub(crate) struct ExplicitCredentials {
    /// What gave them, for messages.
    pub(crate) by: &'static str,
    pub(crate) user: String,
    pub(crate) password: Secret,
}

/// Where credentials are looked for.
#[derive(Clone, Default)]
pub(crate) struct AuthFiles {
    pub(crate) given: Option<ExplicitCredentials>,
    /// The value of `DOCKER_AUTH_CONFIG`.
    pub(crate) docker_auth_config: Option<Secret>,
    /// Docker's `config.json`.
    pub(crate) docker_config: Option<PathBuf>,
    /// containers' `auth.json`, in the order in which they are looked at.
    pub(crate) auth_files: Vec<PathBuf>,
}

/// Credentials, and whether refusing them is an error.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ResolvedCredentials {
    pub(super) credential: Credential,
    /// Where they are stored, for messages; `None` if they were given for this run.
    pub(super) store: Option<String>,
}

/// What a helper said, and when.
type HelperAnswer = (Option<Credential>, SystemTime);

/// Looks for credentials; files are read when first needed.
pub(super) struct Credentials {
    sources: AuthFiles,
    /// Whose the given credentials are.
    owner: OnceLock<Host>,
    timeout: Duration,
    clock: fn() -> SystemTime,
    files: OnceLock<Vec<AuthFile>>,
    /// By helper and server.
    helped: Mutex<HashMap<(String, String), HelperAnswer>>,
}

impl Credentials {
    pub(super) fn new(sources: AuthFiles, timeout: Duration, clock: fn() -> SystemTime) -> Self {
        let (owner, files, helped) = (OnceLock::new(), OnceLock::new(), Mutex::default());
        Credentials { sources, owner, timeout, clock, files, helped }
    }

    /// Given credentials are for one registry, the first that is named. `Kind::Usage` for another:
    /// it must not learn them.
    pub(super) fn claim(&self, host: &Host) -> Result<()> {
        let Some(given) = &self.sources.given else {
            return Ok(());
        };
        let owner = self.owner.get_or_init(|| host.clone());
        if owner == host {
            return Ok(());
        }
        Err(Error::usage(format!("{} is for one registry, {}", given.by, owner.name())))
    }

    /// What the user gave for the host, if that is the one that was claimed.
    pub(super) fn given(&self, host: &Host) -> Option<ResolvedCredentials> {
        let given = self.sources.given.as_ref().filter(|_| self.owner.get() == Some(host))?;
        let (user, password) = (given.user.clone(), given.password.clone());
        let credential = Credential::Password { user, password };
        Some(ResolvedCredentials { credential, store: None })
    }

    /// What is stored for a repository, or for the host alone.
    pub(super) fn stored(
        &self,
        host: &Host,
        repository: Option<&Repository>,
    ) -> Option<ResolvedCredentials> {
        // A reference to Docker Hub's API means the login of docker.io.
        let host = if host.name() == HUB_API { "docker.io" } else { host.name() };
        let name = match repository {
            Some(repository) => format!("{host}/{}", repository.name),
            None => host.to_owned(),
        };
        self.files().iter().find_map(|file| {
            // By the file's helper for the host, its helper for all, the file itself.
            let is_hub = host == "docker.io" && file.format == AuthFileFormat::Docker;
            let server = if is_hub { HUB } else { host };
            let helped = file.helpers(&name).find_map(|helper| self.help(helper, server));
            let credential = helped.or_else(|| file.entry(&name))?;
            Some(ResolvedCredentials { credential, store: Some(file.name.clone()) })
        })
    }

    fn files(&self) -> &[AuthFile] {
        use AuthFileFormat::{Containers, Docker};
        self.files.get_or_init(|| {
            let sources = &self.sources;
            let value = sources.docker_auth_config.iter().map(|text| {
                ("DOCKER_AUTH_CONFIG".to_owned(), Docker, Ok(text.reveal().as_bytes().to_vec()))
            });
            let docker = sources.docker_config.iter().map(|path| (path, Docker));
            let containers = sources.auth_files.iter().map(|path| (path, Containers));
            let files = docker.chain(containers);
            let files =
                files.map(|(path, format)| (path.display().to_string(), format, fs::read(path)));
            let files = value.chain(files);
            files.filter_map(|(name, format, bytes)| AuthFile::read(name, format, bytes)).collect()
        })
    }

    /// The lock is held while a helper runs: others that want to know the same can wait.
    fn help(&self, name: &str, server: &str) -> Option<Credential> {
        let (mut helped, now) = (lock(&self.helped), (self.clock)());
        let key = (name.to_owned(), server.to_owned());
        if let Some((answer, since)) = helped.get(&key)
            && now.duration_since(*since).is_ok_and(|age| age < HELPED)
        {
            return answer.clone();
        }
        let answer = helper::ask(name, server, self.timeout);
        let answer = answer.inspect_err(|why| warn(why)).unwrap_or_default();
        memory::entry(&mut helped, key).insert_entry((answer.clone(), now));
        answer
    }
}

/// A refusal of these credentials, with what to do about it.
pub(super) fn hinted(error: Error, host: &Host, shown: Option<&ResolvedCredentials>) -> Error {
    let host = host.name();
    let hint = match shown.map(|shown| &shown.store) {
        _ if error.kind() != Kind::Denied => return error,
        None => format!(
            "it may not exist, or need credentials: docker login {host}, or -u USER:PASSWORD"
        ),
        Some(None) => "the given credentials do not let us in".to_owned(),
        Some(Some(store)) => format!("the credentials of {store} do not let us in"),
    };
    error.hint(hint)
}
