//! The suite's own registry: in the test's process, with scripted faults and a log of requests.
//!
//! It is strict. When it is dropped the test fails if something was asked for that is not there
//! and was not announced by `absent`, or if an announced fault or answer was not come to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::faults::{Announced, Fault, Script};
use super::http::{Request, Response};
use super::reply::{Inner, State};
use super::server::Server;
use super::store::{Manifest, Oddity, Repository, Store, sha256};
use super::tls::Tls;
use super::tokens::Tokens;
use super::wire;

pub struct Registry {
    server: Server,
    tls: Option<Arc<Tls>>,
    inner: Arc<Inner>,
}

/// What a registry is before it starts.
#[derive(Default)]
pub struct Builder {
    address: Option<IpAddr>,
    tls: Option<Arc<Tls>>,
    users: Vec<(String, String)>,
    tokens: Option<Tokens>,
    token_server: Option<Tokens>,
    challenges: Option<Vec<String>>,
    store: Store,
}

impl Registry {
    /// A registry over plain HTTP that asks for no credentials.
    pub fn start() -> Registry {
        Registry::builder().start()
    }

    pub fn builder() -> Builder {
        Builder::default()
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// `http://127.0.0.1:PORT` or with `https`.
    pub fn base(&self) -> String {
        self.inner.base.clone()
    }

    /// `HOST/REPOSITORY_AND_TAG`.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    pub fn tls(&self) -> &Tls {
        self.tls.as_deref().expect("a registry with TLS")
    }

    /// The file to name with `--cacert`.
    pub fn ca(&self) -> PathBuf {
        self.tls().ca()
    }

    /// Keeps a manifest or index, and the tag when it is one and not a digest or empty. Gives the digest.
    pub fn manifest(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> String {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        self.keep(repository, tag, &digest, media_type, bytes);
        digest
    }

    /// The same under a digest that is not computed: sha512, schema 1.
    pub fn keep(
        &self,
        repository: &str,
        tag: &str,
        digest: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) {
        let media_type = media_type.to_owned();
        let manifest = Manifest { media_type, bytes };
        self.repository(repository, |of| {
            of.manifests.insert(digest.to_owned(), manifest);
            if !tag.is_empty() && !tag.contains(':') {
                of.tags.insert(tag.to_owned(), digest.to_owned());
            }
        });
    }

    /// Keeps a blob and gives its digest.
    pub fn blob(&self, repository: &str, bytes: impl Into<Vec<u8>>) -> String {
        let bytes = bytes.into();
        let digest = sha256(&bytes);
        self.keep_blob(repository, &digest, bytes);
        digest
    }

    /// The same under a digest that is not computed.
    pub fn keep_blob(&self, repository: &str, digest: &str, bytes: Vec<u8>) {
        self.repository(repository, |of| of.blobs.insert(digest.to_owned(), bytes));
    }

    /// Tags which all lead to the digest.
    pub fn tags(&self, repository: &str, tags: impl IntoIterator<Item = String>, digest: &str) {
        self.repository(repository, |of| {
            let tags = tags.into_iter().map(|tag| (tag, digest.to_owned()));
            of.tags.extend(tags);
        });
    }

    /// The tags of a repository and the digests they lead to.
    pub fn tagged(&self, repository: &str) -> Vec<(String, String)> {
        self.repository(repository, |of| of.tags.clone().into_iter().collect())
    }

    /// The bytes of a manifest that it has, by digest.
    pub fn manifest_bytes(&self, repository: &str, digest: &str) -> Option<Vec<u8>> {
        let manifest = |of: &mut Repository| of.manifests.get(digest).map(|it| it.bytes.clone());
        self.repository(repository, manifest)
    }

    /// Announces a fault for a path, a path with query, or the beginning of either and `*`.
    /// It strikes once, the first request that has the right credentials, unless more is said.
    /// Several faults for one path strike one after the other.
    pub fn fail(&self, target: &str, fault: impl Into<Fault>) -> Announced<'_> {
        self.announce(Script::new(None, target, fault.into()))
    }

    /// Announces an answer, to be given each time, whatever the registry holds.
    pub fn answer(&self, method: &str, target: &str, response: Response) -> Announced<'_> {
        let script = Script::new(Some(method), target, response.into());
        self.announce(script).always()
    }

    /// Announces that something is asked for that is not there.
    pub fn absent(&self, target: &str) -> Announced<'_> {
        let code = match target {
            _ if target.contains("/blobs/") => "BLOB_UNKNOWN",
            _ if target.contains("/tags/") => "NAME_UNKNOWN",
            _ => "MANIFEST_UNKNOWN",
        };
        let message = code.to_lowercase().replace('_', " ");
        let response = Response::error(404, code, &message);
        self.announce(Script::new(None, target, response.into()))
            .always()
    }

    fn announce(&self, script: Script) -> Announced<'_> {
        let mut scripts = self.inner.scripts.lock().unwrap();
        scripts.push(script);
        Announced {
            index: scripts.len() - 1,
            scripts: &self.inner.scripts,
        }
    }

    /// All requests since the start or the last `take`.
    pub fn requests(&self) -> Vec<Request> {
        self.state().log.clone()
    }

    /// The same as lines like `GET /v2/a/manifests/v1`, which are then forgotten.
    pub fn take(&self) -> Vec<String> {
        let log = std::mem::take(&mut self.state().log);
        let line = |request: Request| format!("{} {}", request.method, request.target);
        log.into_iter().map(line).collect()
    }

    /// On how many connections requests came since the start or the last `take`.
    pub fn connections(&self) -> usize {
        let log = &self.state().log;
        let numbers: std::collections::BTreeSet<usize> =
            log.iter().map(|request| request.connection).collect();
        numbers.len()
    }

    /// How many connections were made, with or without a request.
    pub fn accepted(&self) -> usize {
        self.server.accepted()
    }

    /// The most requests that were in the making at the same time.
    pub fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    /// Waits until an answer has come to where a fault lets it stall.
    pub fn wait_for_stall(&self) {
        let patience = Duration::from_secs(20);
        let state = self.state();
        let waited = self
            .inner
            .changed
            .wait_timeout_while(state, patience, |state| state.stalled == 0);
        let timed_out = waited.unwrap().1.timed_out();
        assert!(!timed_out, "no answer stalled");
    }

    fn repository<R>(&self, name: &str, act: impl FnOnce(&mut Repository) -> R) -> R {
        let mut state = self.state();
        act(state.store.repositories.entry(name.to_owned()).or_default())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.inner.state.lock().unwrap()
    }

    /// What the registry would complain about if it were dropped now.
    pub fn complaints(&self) -> Vec<String> {
        let scripts = self.inner.scripts.lock().unwrap();
        let unreached = scripts.iter().filter_map(Script::unreached);
        self.state()
            .violations
            .iter()
            .cloned()
            .chain(unreached)
            .collect()
    }

    /// Forgets all complaints, and the faults that were announced.
    pub fn forgive(&self) {
        self.inner.scripts.lock().unwrap().clear();
        self.state().violations.clear();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.server.stop();
        let complaints = self.complaints();
        if !complaints.is_empty() && !std::thread::panicking() {
            panic!("registry {}: {}", self.host(), complaints.join("\n"));
        }
    }
}

impl Builder {
    pub fn tls(mut self, tls: impl Into<Arc<Tls>>) -> Builder {
        self.tls = Some(tls.into());
        self
    }

    /// Wants Basic credentials; named several times, any of them.
    pub fn basic(mut self, user: &str, password: &str) -> Builder {
        self.users.push((user.to_owned(), password.to_owned()));
        self
    }

    /// Wants tokens. Unless another registry is the `token_server`, they come from `/token` here.
    pub fn tokens(mut self, tokens: &Tokens) -> Builder {
        self.tokens = Some(tokens.clone());
        self
    }

    /// Gives tokens, at `/token`, to be used elsewhere.
    pub fn token_server(mut self, tokens: &Tokens) -> Builder {
        self.token_server = Some(tokens.clone());
        self
    }

    /// The values of `WWW-Authenticate`, where `{realm}` and `{scope}` are filled in; none: no challenge.
    pub fn challenges(mut self, values: &[&str]) -> Builder {
        self.challenges = Some(values.iter().map(|value| (*value).to_owned()).collect());
        self
    }

    /// The most that a page of tags or repositories holds.
    pub fn page_size(mut self, size: usize) -> Builder {
        self.store.page_size = Some(size);
        self
    }

    /// Does something in its own way; named several times, all of it.
    pub fn odd(mut self, oddity: Oddity) -> Builder {
        self.store.oddities.push(oddity);
        self
    }

    /// A registry from before the referrers API.
    pub fn without_referrers(mut self) -> Builder {
        self.store.without_referrers = true;
        self
    }

    /// Listens on `[::1]`.
    pub fn on_ipv6(mut self) -> Builder {
        self.address = Some(Ipv6Addr::LOCALHOST.into());
        self
    }

    pub fn start(self) -> Registry {
        let listener = Server::listener(self.address.unwrap_or(Ipv4Addr::LOCALHOST.into()));
        let address = listener.local_addr().expect("a bound listener");
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{address}");
        if let Some(tokens) = &self.token_server {
            tokens.set_realm(format!("{base}/token"));
        }
        let config = self.tls.as_ref().map(|tls| tls.server_config());
        let inner = Arc::new(Inner {
            users: self.users,
            tokens: self.tokens,
            token_server: self.token_server,
            challenges: self.challenges,
            base,
            scripts: Mutex::default(),
            state: Mutex::new(State {
                store: self.store,
                ..State::default()
            }),
            changed: Condvar::new(),
        });
        let server = Server::start(listener, {
            let inner = inner.clone();
            move |socket, connection| wire::serve(&inner, config.as_ref(), socket, connection)
        });
        Registry {
            server,
            tls: self.tls,
            inner,
        }
    }
}
