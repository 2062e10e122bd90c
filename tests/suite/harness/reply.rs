//! How the suite's registry decides what to answer: credentials, then faults, then the store.

use std::sync::{Condvar, Mutex};

use super::faults::{Delivery, Fault, Script};
use super::http::{Request, Response};
use super::store::Store;
use super::tokens::{SERVICE, Tokens, basic};

pub(super) struct Inner {
    pub(super) users: Vec<(String, String)>,
    pub(super) tokens: Option<Tokens>,
    pub(super) token_server: Option<Tokens>,
    pub(super) challenges: Option<Vec<String>>,
    /// `http://127.0.0.1:PORT` or with `https`.
    pub(super) base: String,
    pub(super) scripts: Mutex<Vec<Script>>,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) log: Vec<Request>,
    pub(super) violations: Vec<String>,
    /// How many answers have come to where they stall.
    pub(super) stalled: usize,
    /// How many requests wait for others.
    pub(super) waiting: usize,
    /// How many answers are being made, and the most there were.
    pub(super) at_once: usize,
    pub(super) most_at_once: usize,
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
        let unseen = fault.as_ref().is_some_and(Fault::hides_the_right_answer);
        let right = match refused {
            _ if unseen => Response::new(200),
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
        let was_there = state.store.deleted.contains(request.path());
        if matches!(response.status, 404 | 405) && !old && !was_there {
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
        let own = format!("{}/token", self.base);
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
