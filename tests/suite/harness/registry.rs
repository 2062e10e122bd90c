//! The suite's own registry: in the test's process, with scripted faults and a log of requests.
//!
//! It is strict. When it is dropped the test fails if something was asked for that is not there
//! and was not announced by `absent`, or if an announced fault or answer was not come to.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use super::faults::{Announced, Delivery, Fault, Script};
use super::http::{Request, Response};
use super::server::Server;
use super::store::{Manifest, Repository, Store, sha256};
use super::tls::Tls;
use super::tokens::{SERVICE, Tokens, basic};
use super::wire;

pub struct Registry {
    server: Server,
    inner: Arc<Inner>,
}

/// What a registry is before it starts.
#[derive(Default)]
pub struct Builder {
    tls: Option<Tls>,
    users: Vec<(String, String)>,
    tokens: Option<Tokens>,
    token_server: Option<Tokens>,
    challenges: Option<Vec<String>>,
    store: Store,
}

pub(super) struct Inner {
    tls: Option<Tls>,
    users: Vec<(String, String)>,
    tokens: Option<Tokens>,
    token_server: Option<Tokens>,
    challenges: Option<Vec<String>>,
    base: OnceLock<String>,
    scripts: Mutex<Vec<Script>>,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    store: Store,
    log: Vec<Request>,
    violations: Vec<String>,
    /// How many answers have come to where they stall.
    pub(super) stalled: usize,
    /// How many requests wait for others.
    pub(super) waiting: usize,
    /// How many answers are being made, and the most there were.
    at_once: usize,
    most_at_once: usize,
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
        self.server.address().to_string()
    }

    /// `http://127.0.0.1:PORT` or with `https`.
    pub fn base(&self) -> String {
        self.inner.base.get().expect("set at the start").clone()
    }

    /// `HOST/REPOSITORY_AND_TAG`.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    pub fn tls(&self) -> &Tls {
        self.inner.tls.as_ref().expect("a registry with TLS")
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
        self.repository(repository, |of| of.blobs.insert(digest.clone(), bytes));
        digest
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

    /// Forgets all complaints: for tests of the harness itself.
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
    pub fn tls(mut self, tls: Tls) -> Builder {
        self.tls = Some(tls);
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

    /// A registry from before the referrers API.
    pub fn without_referrers(mut self) -> Builder {
        self.store.without_referrers = true;
        self
    }

    pub fn start(self) -> Registry {
        let listener = Server::listener();
        let address = listener.local_addr().expect("a bound listener");
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{address}");
        if let Some(tokens) = &self.token_server {
            tokens.set_realm(format!("{base}/token"));
        }
        let config = self.tls.as_ref().map(Tls::server_config);
        let inner = Arc::new(Inner {
            tls: self.tls,
            users: self.users,
            tokens: self.tokens,
            token_server: self.token_server,
            challenges: self.challenges,
            base: OnceLock::from(base),
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
        Registry { server, inner }
    }
}

impl Inner {
    /// The answer to a request and how it goes out; `finished` must follow.
    pub(super) fn answer(&self, request: &Request) -> (Response, Delivery) {
        let refused = self.refused(request);
        let (headers, fault) = self.struck(request, refused.is_some());
        let mut state = self.state.lock().unwrap();
        state.log.push(request.clone());
        state.at_once += 1;
        state.most_at_once = state.most_at_once.max(state.at_once);
        let replaced = matches!(fault, Some(Fault::Answer(_) | Fault::Redirect(_)));
        let right = match refused {
            _ if replaced => Response::new(200),
            Some(refused) => refused,
            None => self.right(request, &mut state),
        };
        let faulty = match fault {
            Some(fault) => fault.apply(right),
            None => (right, Delivery::Whole),
        };
        let header = |(response, delivery), fault: Fault| (fault.apply(response).0, delivery);
        headers.into_iter().fold(faulty, header)
    }

    pub(super) fn finished(&self) {
        self.state.lock().unwrap().at_once -= 1;
    }

    fn right(&self, request: &Request, state: &mut State) -> Response {
        let tokens = self.token_server.as_ref().or(self.tokens.as_ref());
        if let Some(tokens) = tokens.filter(|_| request.path() == "/token") {
            return tokens.answer(request);
        }
        let response = state.store.answer(request);
        let old = state.store.without_referrers && request.path().contains("/referrers/");
        if matches!(response.status, 404 | 405) && !old {
            let (method, target) = (&request.method, &request.target);
            let why = String::from_utf8_lossy(&response.body);
            state
                .violations
                .push(format!("not announced as absent: {method} {target}: {why}"));
        }
        response
    }

    /// The faults that strike: those of headers, and the first that is none.
    fn struck(&self, request: &Request, refused: bool) -> (Vec<Fault>, Option<Fault>) {
        let mut scripts = self.scripts.lock().unwrap();
        let (mut headers, mut first) = (Vec::new(), None);
        for script in scripts.iter_mut() {
            let about_a_header = script.fault.is_about_a_header();
            let open = about_a_header || first.is_none();
            if !open || (refused && !script.before_auth) || !script.strikes(request) {
                continue;
            }
            match about_a_header {
                true => headers.push(script.fault.clone()),
                false => first = Some(script.fault.clone()),
            }
        }
        (headers, first)
    }

    /// 401, unless the request has the credentials that it needs.
    fn refused(&self, request: &Request) -> Option<Response> {
        if !request.path().starts_with("/v2/") {
            return None;
        }
        let given = request.header("Authorization");
        let scope = scope(request);
        let (missing, error) = match &self.tokens {
            None if self.users.is_empty() => return None,
            None => (!self.is_user(given), ""),
            Some(tokens) => {
                let token = given.and_then(|given| given.strip_prefix("Bearer "));
                match token.map(|token| tokens.allows(token, &scope)) {
                    Some(Some(true)) => (false, ""),
                    Some(Some(false)) => (true, ",error=\"insufficient_scope\""),
                    Some(None) => (true, ",error=\"invalid_token\""),
                    None => (true, ""),
                }
            }
        };
        missing.then(|| self.challenge(&scope, error))
    }

    fn is_user(&self, given: Option<&str>) -> bool {
        given
            .and_then(basic)
            .is_some_and(|given| self.users.contains(&given))
    }

    fn challenge(&self, scope: &str, error: &str) -> Response {
        let own = format!("{}/token", self.base.get().expect("set at the start"));
        let realm = self.tokens.as_ref().and_then(Tokens::realm).unwrap_or(own);
        let scoped = match scope {
            "" => String::new(),
            scope => format!(",scope=\"{scope}\""),
        };
        let values = match (&self.challenges, &self.tokens) {
            (Some(values), _) => values.clone(),
            (None, None) => vec!["Basic realm=\"suite\"".to_owned()],
            (None, Some(_)) => vec![format!(
                "Bearer realm=\"{realm}\",service=\"{SERVICE}\"{scoped}{error}"
            )],
        };
        let response = Response::error(401, "UNAUTHORIZED", "authentication required");
        values.iter().fold(response, |response, value| {
            let value = value.replace("{realm}", &realm).replace("{scope}", scope);
            response.header("WWW-Authenticate", value)
        })
    }
}

/// The scope that a request needs, empty when any token will do.
fn scope(request: &Request) -> String {
    let rest = request.path().trim_start_matches("/v2/");
    if rest == "_catalog" {
        return "registry:catalog:*".to_owned();
    }
    let kinds = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    let name = kinds.iter().find_map(|kind| rest.split_once(kind));
    let actions = match request.method.as_str() {
        "GET" | "HEAD" => "pull",
        "DELETE" => "delete",
        _ => "pull,push",
    };
    name.map_or(String::new(), |(name, _)| {
        format!("repository:{name}:{actions}")
    })
}
