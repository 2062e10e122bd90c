//! What all registries share: connections, credentials, and the state of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::{During, Error, Kind, Result};
use crate::memory;
use crate::names::Names;
use crate::parallel::lock;
use crate::reference::{Host, Repository, TagOrDigest};

use super::challenge::Challenge;
use super::credentials::{AuthFiles, Credentials, ResolvedCredentials};
use super::message::{Method, Request, Response};
use super::state::{AuthCache, RegistryState};
use super::token::{Scope, Token};
use super::trace::{Trace, Verbosity};
use super::transport::{
    Certificates, Connections, HttpClient, Proxies, Resolver, SystemRoots, Trust,
};
use super::url::{Origin, Scheme};
use super::{Registry, error_response, realm};

/// How long a server that was out of reach is not asked again.
pub(super) const OUT_OF_REACH: Duration = Duration::from_secs(10);

/// When a registry is asked over plain HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    Always,
    /// If it does not speak TLS.
    WithoutTls,
    /// If it does not speak TLS and is this machine.
    Loopback,
}

/// Why registries are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// The user names them: what was given for this run is for no other.
    Named,
    /// They stand in place of those, or an image of an internal one names them.
    Substitute,
    /// Somebody else names them: what only some can reach is not connected to.
    Stranger,
    /// They come before those, which are asked where they fail: nothing is tried again.
    Mirror,
}

/// What flags, environment and files say about registries.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) role: Role,
    pub(crate) certificates: Certificates,
    pub(crate) proxies: Proxies,
    pub(crate) plain_http: PlainHttp,
    /// The longest silence.
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    /// How many requests there are at a time.
    pub(crate) jobs: usize,
    pub(crate) verbosity: Verbosity,
    pub(crate) user_agent: String,
    pub(crate) auth_cache: AuthCache,
    pub(crate) clock: fn() -> SystemTime,
}

/// A token that several requests use, or the place for one.
type SharedToken = Arc<Mutex<Option<Token>>>;

/// What clients share, in whatever way they ask.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) credentials: Arc<Credentials>,
    resolver: Arc<Resolver>,
    /// What the system trusts.
    roots: Arc<SystemRoots>,
}

/// Shared by everything that asks registries.
pub(crate) struct Client {
    pub(super) role: Role,
    pub(super) shared: Shared,
    pub(super) transport: HttpClient,
    pub(super) plain_http: PlainHttp,
    pub(super) retries: u32,
    pub(super) cache: AuthCache,
    pub(super) clock: fn() -> SystemTime,
    states: Mutex<HashMap<Host, Arc<RegistryState>>>,
    /// By registry and scope. The request that fetches a token holds its lock, so that the others wait
    /// for it.
    tokens: Mutex<HashMap<(Host, String), SharedToken>>,
    /// What requests of this run were asked for, by registry and scope; under the empty one what holds
    /// for all.
    pub(super) challenges: Mutex<HashMap<(Host, String), Challenge>>,
    /// Why there was no connection to these, and when.
    pub(super) unreachable: Mutex<HashMap<Origin, (Error, SystemTime)>>,
}

impl Client {
    pub(crate) fn new(auth_files: AuthFiles, settings: Settings) -> Client {
        let credentials = Arc::new(Credentials::new(auth_files, settings.timeout, settings.clock));
        let resolver = Arc::new(Resolver::new(settings.timeout, settings.clock));
        Client::with(Shared { credentials, resolver, roots: Arc::default() }, settings)
    }

    /// A client for other servers, which are asked in another way.
    pub(crate) fn beside(&self, settings: Settings) -> Client {
        Client::with(self.shared.clone(), settings)
    }

    fn with(shared: Shared, settings: Settings) -> Client {
        let Settings { certificates, user_agent, jobs, timeout, .. } = settings;
        let trust = Trust::new(certificates.clone(), Arc::clone(&shared.roots));
        let resolver = Arc::clone(&shared.resolver);
        let is_stranger = settings.role == Role::Stranger;
        let connections = Connections::new(settings.proxies, trust, resolver, timeout, is_stranger);
        let connections = Arc::new(connections);
        let trace = Trace::new(settings.verbosity, certificates, Arc::clone(&connections));
        Client {
            role: settings.role,
            shared,
            transport: HttpClient::new(connections, jobs, &user_agent, trace),
            plain_http: settings.plain_http,
            retries: settings.retries,
            cache: settings.auth_cache,
            clock: settings.clock,
            states: Mutex::default(),
            tokens: Mutex::default(),
            challenges: Mutex::default(),
            unreachable: Mutex::default(),
        }
    }

    /// Names a registry that will be asked. `Kind::Usage` if credentials were given for another.
    pub(crate) fn claim(&self, host: &Host) -> Result<()> {
        self.shared.credentials.claim(host)
    }

    /// What the user gave for the host, if it is one that the user names.
    pub(super) fn given(&self, host: &Host) -> Option<ResolvedCredentials> {
        if self.role == Role::Named { self.shared.credentials.given(host) } else { None }
    }

    /// As what a registry is asked that an image of `from` names, or one that lies in a file: an
    /// internal one only if the image's is internal too. `Kind::Unavailable` if nobody knows its name.
    pub(crate) fn role_of(&self, from: Option<&Host>, to: &Host) -> Result<Role> {
        if from.is_some_and(|from| from.api() == to.api()) {
            return Ok(Role::Named);
        }
        let internal = |host: &Host| {
            let origin = Origin::new(Scheme::Https, host.api())?;
            self.transport.connections.internal(&origin)
        };
        if !internal(to).during(to)?.contains(&true) {
            return Ok(Role::Stranger);
        }
        if from.is_some_and(|from| internal(from).is_ok_and(|it| !realm::is_public(&it))) {
            return Ok(Role::Substitute);
        }
        let message = format!("the image names {to}, which is an internal address");
        Err(Error::new(Kind::Protocol, message))
    }

    /// Whether a host is this machine, by its very name.
    pub(crate) fn is_loopback(host: &Host) -> bool {
        Origin::new(Scheme::Http, host.api()).is_ok_and(|origin| origin.is_loopback())
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
        let state = memory::entry(&mut states, host.clone()).or_default();
        let (client, state) = (Arc::clone(self), Arc::clone(state));
        let api = "/v2".to_owned();
        let (accept_override, namespace) = (None, None);
        Registry { client, host: host.clone(), api, namespace, state, scope, accept_override }
    }

    /// The place of a token for a registry and a scope.
    pub(super) fn token(&self, host: &Host, scope: &str) -> SharedToken {
        let key = (host.clone(), scope.to_owned());
        Arc::clone(memory::entry(&mut lock(&self.tokens), key).or_default())
    }

    /// The error that an answer is which is no success.
    pub(super) fn error_response(&self, response: &Response) -> Error {
        error_response::error(response, (self.clock)())
    }
}

impl Registry {
    /// The same repository where the API is at another path, of a server that may have to be told
    /// whose repository is meant.
    pub(in super::super) fn below(self, api: &str, namespace: Option<String>) -> Self {
        Registry { api: api.to_owned(), namespace, ..self }
    }

    /// Only the manifest at `at` is asked for by these media types.
    pub(in super::super) fn with_accept_override(self, at: &TagOrDigest, types: &[String]) -> Self {
        let accept_override = (!types.is_empty()).then(|| (at.clone(), types.join(", ")));
        Registry { accept_override, ..self }
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
        let path = format!("{}/{}{slash}{path}", self.api, self.name());
        let request = Request::new(method, self.origin()?.url(path));
        Ok(match &self.namespace {
            Some(namespace) => request.query("ns", namespace),
            None => request,
        })
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{ErrorKind, Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread::{self, JoinHandle};

    use super::*;

    fn settings() -> Settings {
        Settings {
            role: Role::Named,
            certificates: Certificates::default(),
            proxies: Proxies::default(),
            plain_http: PlainHttp::Loopback,
            timeout: Duration::from_secs(30),
            retries: 0,
            jobs: 1,
            verbosity: Verbosity::Quiet,
            user_agent: String::new(),
            auth_cache: AuthCache::default(),
            clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.get()),
        }
    }

    thread_local! {
        /// The seconds on the clock of the settings.
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    /// Gives each connection one of the answers. What was asked, up to its body.
    fn serve(listener: TcpListener, answers: Vec<String>) -> JoinHandle<Vec<String>> {
        thread::spawn(move || {
            let answer = |answer: String| {
                let (mut stream, mut asked) = (listener.accept().unwrap().0, [0; 4096]);
                let length = stream.read(&mut asked).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8_lossy(&asked[..length]).into_owned()
            };
            answers.into_iter().map(answer).collect()
        })
    }

    fn ok(body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    }

    /// An address where nobody listens for now.
    fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    #[test]
    fn a_server_that_was_out_of_reach_is_asked_again_after_a_while() {
        const NOT_TLS: &str = "HTTP/1.0 400 Bad Request\r\n\r\n";
        for (plain_http, answers) in [
            (PlainHttp::Always, vec![ok(r#"{"repositories":["a"]}"#)]),
            // Whether it speaks TLS is found out when it is there.
            (PlainHttp::Loopback, vec![NOT_TLS.to_owned(), ok(r#"{"repositories":["a"]}"#)]),
        ] {
            NOW.set(0);
            let settings = Settings { plain_http, ..settings() };
            let client = Arc::new(Client::new(AuthFiles::default(), settings));
            let address = nobody();
            let host: Host = address.to_string().parse().unwrap();
            let refused = client.catalog(&host).map(|_| ()).unwrap_err();
            let listener = TcpListener::bind(address).unwrap();
            listener.set_nonblocking(true).unwrap();
            NOW.set(9);
            assert_eq!(client.catalog(&host).map(|_| ()).unwrap_err(), refused);
            assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
            NOW.set(10);
            listener.set_nonblocking(false).unwrap();
            let server = serve(listener, answers);
            assert_eq!(client.catalog(&host).unwrap().json(), r#"["a"]"#);
            let asked = server.join().unwrap();
            assert!(asked.last().unwrap().starts_with("GET /v2/_catalog"), "{asked:?}");
        }
    }

    #[test]
    fn a_token_that_ends_is_replaced() {
        const REPOSITORIES: &str = r#"{"repositories":["a"]}"#;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{address}/token\"");
        let denied = ok("").replace("200 OK", &format!("401 Unauthorized\r\n{challenge}"));
        let token = |token: &str| ok(&format!(r#"{{"token":"{token}","expires_in":60}}"#));
        let list = || ok(REPOSITORIES);
        let (one, two) = (token("one"), token("two"));
        let server = serve(listener, vec![denied, one, list(), list(), two, list()]);
        let settings = Settings { plain_http: PlainHttp::Always, ..settings() };
        let client = Arc::new(Client::new(AuthFiles::default(), settings));
        let host: Host = address.to_string().parse().unwrap();
        for now in [0, 49, 50] {
            NOW.set(now);
            assert_eq!(client.catalog(&host).unwrap().json(), r#"["a"]"#);
        }
        let asked = server.join().unwrap();
        let shown = asked.iter().map(|request| {
            let header = |line: &str| Some(line.strip_prefix("authorization: ")?.to_owned());
            request.lines().find_map(header).unwrap_or_default()
        });
        let (one, two) = ("Bearer one", "Bearer two");
        assert_eq!(shown.collect::<Vec<_>>(), ["", "", one, one, "", two]);
    }

    #[test]
    fn what_is_known_of_registries_has_an_end() {
        let client = Arc::new(Client::new(AuthFiles::default(), settings()));
        let first = client.token(&"0.invalid".parse().unwrap(), "scope");
        for n in 0..3000 {
            let host = format!("{n}.invalid").parse().unwrap();
            client.registry(&host, Scope::catalog());
            client.token(&host, "scope");
        }
        assert!(lock(&client.states).len() < 2000);
        assert!(lock(&client.tokens).len() < 2000 && Arc::strong_count(&first) == 1);
    }

    #[test]
    fn a_stranger_is_not_connected_to_inside() {
        let nobody = nobody();
        let host: Host = format!("name.invalid:{}", nobody.port()).parse().unwrap();
        let client = Client::new(AuthFiles::default(), settings());
        client.shared.resolver.learn("name.invalid", vec![nobody.ip()]).unwrap();
        let inside = "the name leads to an internal address";
        for (role, why) in [(Role::Substitute, "connection refused"), (Role::Stranger, inside)] {
            let client = Arc::new(client.beside(Settings { role, ..settings() }));
            let error = client.catalog(&host).unwrap_err().to_string();
            assert_eq!(error, format!("catalog: {host}: {why}"));
        }
    }

    #[test]
    fn an_image_leads_inside_from_inside_only() {
        let client = Client::new(AuthFiles::default(), settings());
        for (name, address) in [("in.invalid", [10, 0, 0, 1]), ("out.invalid", [192, 0, 2, 1])] {
            client.shared.resolver.learn(name, vec![address.into()]).unwrap();
        }
        let [inside, outside] = ["in.invalid", "out.invalid"].map(|it| it.parse::<Host>().unwrap());
        let beside = "in.invalid:5000".parse().unwrap();
        let unknown = "unknown.invalid".parse().unwrap();
        for (from, to, expected) in [
            (None, &outside, Ok(Role::Stranger)),
            (None, &inside, Err(Kind::Protocol)),
            (None, &unknown, Err(Kind::Unavailable)),
            (Some(&outside), &inside, Err(Kind::Protocol)),
            (Some(&inside), &outside, Ok(Role::Stranger)),
            (Some(&inside), &beside, Ok(Role::Substitute)),
            (Some(&inside), &inside, Ok(Role::Named)),
            (Some(&outside), &outside, Ok(Role::Named)),
        ] {
            let role = client.role_of(from, to).map_err(|error| error.kind());
            assert_eq!(role, expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn clients_know_the_same_addresses() {
        let client = Client::new(AuthFiles::default(), settings());
        let other = client.beside(Settings { role: Role::Mirror, ..settings() });
        let origin = Origin::new(Scheme::Https, "name.invalid").unwrap();
        client.shared.resolver.learn("name.invalid", vec![[127, 0, 0, 1].into()]).unwrap();
        assert_eq!(other.transport.connections.internal(&origin).unwrap(), [true]);
    }
}
