//! A request to a registry, whatever it takes: patience, redirects, credentials.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::error::{During, Error, Kind, Result};
use crate::reference::Host;

use super::authenticator::Authenticator;
use super::credentials::{AuthFiles, Credentials};
use super::error_response;
use super::message::{Method, Request, Response};
use super::realm;
use super::retry::{self, Tries};
use super::state::{AuthCache, RegistryState, Scope};
use super::trace::{self, Trace, Verbosity};
use super::transport::{Certificates, Connections, Failure, HttpClient, Proxies, Trust};
use super::url::{Origin, Scheme, Url};

const REDIRECTS: usize = 10;

/// An old token, a refused password, a scope that does not suffice: each may need another answer.
const ANSWERS: usize = 5;

/// A patience that outlasts anybody's, and that a deadline can still be counted with.
const DAY: Duration = Duration::from_secs(86_400);

/// A wait that is longer is announced.
const NOTICEABLE: Duration = Duration::from_secs(2);

/// What flags and environment say about registries.
pub(crate) struct Settings {
    pub(crate) stores: AuthFiles,
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
    pub(crate) memory: AuthCache,
    pub(crate) clock: fn() -> SystemTime,
}

/// Shared by everything that asks registries: connections, tokens, what is known of each.
pub(crate) struct Client {
    pub(super) settings: Settings,
    pub(super) credentials: Credentials,
    pub(super) transport: HttpClient,
    states: Mutex<HashMap<Host, Arc<RegistryState>>>,
    /// Why there is no connection to these.
    unreachable: Mutex<HashMap<Origin, Error>>,
}

impl Client {
    pub(crate) fn new(mut settings: Settings) -> Client {
        settings.timeout = settings.timeout.min(DAY);
        let stores = std::mem::take(&mut settings.stores);
        let certificates = std::mem::take(&mut settings.certificates);
        let trust = Trust::new(certificates.clone());
        let proxies = std::mem::take(&mut settings.proxies);
        let connections = Arc::new(Connections::new(proxies, trust, settings.timeout));
        let trace = Trace::new(settings.verbosity, certificates, Arc::clone(&connections));
        Client {
            credentials: Credentials::new(stores, settings.timeout),
            transport: HttpClient::new(
                connections,
                settings.jobs,
                settings.timeout,
                &settings.user_agent,
                trace,
            ),
            states: Mutex::default(),
            unreachable: Mutex::default(),
            settings,
        }
    }

    /// Names a registry that will be asked. `Kind::Usage` if credentials were given for another.
    pub(crate) fn claim(&self, host: &Host) -> Result<()> {
        self.credentials.claim(host)
    }

    pub(super) fn state(&self, host: &Host) -> Arc<RegistryState> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states
            .entry(host.clone())
            .or_insert_with(|| Arc::new(RegistryState::new(host)));
        Arc::clone(state)
    }

    pub(super) fn origin(&self, state: &RegistryState) -> Result<Origin> {
        let Settings {
            plain_http, memory, ..
        } = &self.settings;
        state
            .home
            .origin(*plain_http, &self.transport.connections, memory)
    }

    /// The answer to a request, whatever its status but one that asks for credentials: those are
    /// looked for, and if none are good enough, the answer is the error.
    pub(super) fn ask(&self, host: &Host, scope: &Scope, request: Request) -> Result<Response> {
        let state = self.state(host);
        // Its server may speak TLS by now.
        let again = state.home.is_recalled().then(|| request.clone());
        let outcome = self.ask_home(&state, scope, request);
        let Some(again) = again else { return outcome };
        let is_good = outcome
            .as_ref()
            .is_ok_and(|response| response.status != 400);
        let connections = &self.transport.connections;
        match state
            .home
            .has_moved(is_good, connections, &self.settings.memory)?
        {
            true => self.ask_home(&state, scope, again),
            false => outcome,
        }
    }

    fn ask_home(
        &self,
        state: &RegistryState,
        scope: &Scope,
        mut request: Request,
    ) -> Result<Response> {
        let home = self.origin(state)?;
        if request.url.origin.host != home.host {
            let message = format!("{} is not at {home}", request.url.without_query());
            return Err(Error::new(Kind::Protocol, message));
        }
        request.url = home.url(request.url.path());
        let first_request = state.first_request();
        let authenticator = Authenticator {
            client: self,
            state,
            scope,
            home: &home,
            tries: &request.tries.clone(),
        };
        let mut authorization = authenticator.authorization_ahead(first_request.is_first());
        for _ in 0..ANSWERS {
            request.authorization = authorization.header.clone();
            let response = self.follow(&request)?;
            if response.url.origin != home {
                return Ok(response);
            }
            let better = match asks_for_credentials(&response) {
                true => Some(authenticator.answer(&response, authorization)?),
                false if request.is_personal && response.is_success() => {
                    authenticator.introduction(&authorization)?
                }
                false => None,
            };
            let Some(better) = better else {
                return Ok(response);
            };
            authorization = better;
        }
        let message = "the registry asks for other credentials again and again";
        Err(Error::new(Kind::Denied, message))
    }

    /// As [`Client::ask`], but anything else than success is an error.
    pub(super) fn succeed(&self, host: &Host, scope: &Scope, request: Request) -> Result<Response> {
        let response = self.ask(host, scope, request)?;
        self.expect_success(host, response)
    }

    /// An answer of the host, or of where it redirected to, if it is a success.
    pub(super) fn expect_success(&self, host: &Host, response: Response) -> Result<Response> {
        if response.is_success() {
            return Ok(response);
        }
        let home = self.origin(&self.state(host))?;
        let error = Err(self.error_response(&response));
        if response.url.origin == home {
            return error;
        }
        error.during(response.url.origin.authority())
    }

    pub(super) fn error_response(&self, response: &Response) -> Error {
        error_response::error(response, (self.settings.clock)())
    }

    /// Follows redirects. `Authorization` stays with its origin.
    pub(super) fn follow(&self, request: &Request) -> Result<Response> {
        let mut request = Cow::Borrowed(request);
        for _ in 0..=REDIRECTS {
            let response = self.send(&request)?;
            let Some(target) = redirection(&request, &response)? else {
                return Ok(response);
            };
            let next = request.to_mut();
            if target.origin != next.url.origin {
                let connections = &self.transport.connections;
                realm::admit(&next.url.origin, &target.origin, connections)?;
                next.authorization = None;
            }
            next.url = target;
        }
        let message = format!("more than {REDIRECTS} redirects");
        Err(Error::new(Kind::Protocol, message)).during(request.url.origin.authority())
    }

    /// Sends the request again as long as that may help. An origin to which there was no connection
    /// after all tries is not asked any more.
    fn send(&self, request: &Request) -> Result<Response> {
        let origin = &request.url.origin;
        let host = origin.authority();
        if let Some(error) = self.unreachable().get(origin) {
            return Err(error.clone());
        }
        loop {
            let sent = self.transport.send(request);
            let is_unreached = matches!(sent, Err(Failure::Unreached(_)));
            let (passes, after) = match &sent {
                Ok(response) if retry::is_temporary(response.status) => (
                    true,
                    error_response::wait(response, (self.settings.clock)()),
                ),
                Ok(_) => (false, None),
                Err(failure) => (failure.is_broken() && request.is_repeatable, None),
            };
            if passes && self.wait(&request.tries, after, &host) {
                continue;
            }
            let outcome = sent.map_err(Error::from).during(&host);
            return outcome.inspect_err(|error| {
                if is_unreached && error.kind() == Kind::Unavailable {
                    self.unreachable().insert(origin.clone(), error.clone());
                }
            });
        }
    }

    /// Waits before another try of a request to the host; `false` if there is to be none.
    pub(super) fn wait(&self, tries: &Tries, after: Option<Duration>, host: &str) -> bool {
        let chance = f64::from((RandomState::new().hash_one(()) >> 32) as u32);
        // A number in 0..1 that another process does not have.
        let chance = chance / f64::from(u32::MAX);
        let Some(wait) = tries.next(self.settings.retries, after, chance) else {
            return false;
        };
        if wait > NOTICEABLE {
            let words = retry::words(wait);
            trace::line(&format!(
                "docker-registry: waiting {words} before asking {host} again"
            ));
        }
        thread::sleep(wait);
        true
    }

    fn unreachable(&self) -> MutexGuard<'_, HashMap<Origin, Error>> {
        let unreachable = self.unreachable.lock();
        unreachable.unwrap_or_else(PoisonError::into_inner)
    }
}

/// A 401; or a 403 that says which scope is missing (RFC 6750, 3.1).
fn asks_for_credentials(response: &Response) -> bool {
    let names_scope =
        |header: &str| header.contains("insufficient_scope") && header.contains("scope=");
    response.status == 401
        || (response.status == 403 && response.all("www-authenticate").any(names_scope))
}

/// Where to ask instead; `None` if the answer is no redirect that can be followed.
fn redirection(request: &Request, response: &Response) -> Result<Option<Url>> {
    let is_reading = matches!(request.method, Method::Get | Method::Head);
    let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
    let Some(location) = response
        .header("location")
        .filter(|_| is_reading && is_redirect)
    else {
        return Ok(None);
    };
    let from = &request.url.origin;
    let target = request.url.join(location).during("redirect")?;
    if from.scheme == Scheme::Https && target.origin.scheme == Scheme::Http {
        let message = format!("{from} redirects from HTTPS to {}", target.without_query());
        return Err(Error::new(Kind::Protocol, message));
    }
    Ok(Some(target))
}
