//! What a registry does when it does not do what it should.

use std::sync::Mutex;
use std::time::Duration;

use super::http::{Request, Response};

/// How one answer goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This instead of the right answer; `503.into()` is an answer with that status and no body.
    Answer(Response),
    /// The right answer with this body instead of its own; the headers stay as they were.
    WrongBytes(Vec<u8>),
    /// The right answer with this header, in place of what it had under that name.
    Header(&'static str, String),
    /// The right answer without this header.
    WithoutHeader(&'static str),
    /// 307 to this URL.
    Redirect(String),
    /// The body is followed by so many spaces, and `Content-Length` counts them.
    Oversize(usize),
    /// The connection closes before the answer.
    Hangup,
    /// The same, but what was asked for is done.
    Lost,
    /// What was asked for is done, and answered with this status and no body.
    Denied(u16),
    /// The connection closes after so many bytes of the body; `Content-Length` said more.
    Truncate(usize),
    /// Nothing comes, until the client gives up or the test ends.
    Stall,
    /// The same after the headers and so many bytes of the body.
    StallAfter(usize),
    /// A body without end, in chunks.
    Endless,
    /// The body in pieces of so many bytes, with a pause before each.
    Slow(usize, Duration),
    /// Instead of the right answer these bytes, then those again and again, each after a pause.
    Trickle(Vec<u8>, &'static [u8]),
    /// The same, but what comes again and again is not encrypted.
    TrickleBelowTls(Vec<u8>, &'static [u8]),
    /// The answer waits until so many requests wait for theirs.
    Together(usize),
}

impl From<u16> for Fault {
    fn from(status: u16) -> Fault {
        Fault::Answer(Response::new(status))
    }
}

impl From<Response> for Fault {
    fn from(response: Response) -> Fault {
        Fault::Answer(response)
    }
}

/// How an answer goes out.
#[derive(Clone, Debug)]
pub enum Delivery {
    Whole,
    Hangup,
    Truncate(usize),
    Stall,
    StallAfter(usize),
    Endless,
    Slow(usize, Duration),
    Trickle(Vec<u8>, &'static [u8]),
    TrickleBelowTls(Vec<u8>, &'static [u8]),
    Together(usize),
}

impl Fault {
    /// Headers are changed whatever else happens to the answer.
    pub(super) fn is_about_a_header(&self) -> bool {
        matches!(self, Fault::Header(..) | Fault::WithoutHeader(_))
    }

    /// What is asked for need not be there.
    pub(super) fn hides_the_right_answer(&self) -> bool {
        use Fault::{Answer, Hangup, Redirect, Stall, Trickle, TrickleBelowTls};
        matches!(
            self,
            Answer(_) | Redirect(_) | Hangup | Stall | Trickle(..) | TrickleBelowTls(..)
        )
    }

    /// What the right answer becomes, and how it goes out.
    pub(super) fn apply(self, right: Response) -> (Response, Delivery) {
        let delivery = match &self {
            Fault::Hangup | Fault::Lost => Delivery::Hangup,
            Fault::Truncate(bytes) => Delivery::Truncate(*bytes),
            Fault::Stall => Delivery::Stall,
            Fault::StallAfter(bytes) => Delivery::StallAfter(*bytes),
            Fault::Endless => Delivery::Endless,
            Fault::Slow(piece, pause) => Delivery::Slow(*piece, *pause),
            Fault::Trickle(start, again) => Delivery::Trickle(start.clone(), again),
            Fault::TrickleBelowTls(start, again) => Delivery::TrickleBelowTls(start.clone(), again),
            Fault::Together(requests) => Delivery::Together(*requests),
            _ => Delivery::Whole,
        };
        let response = match self {
            Fault::Answer(response) => response,
            Fault::Denied(status) => Response::new(status),
            Fault::WrongBytes(body) => right.body(body),
            Fault::Header(name, value) => right.without_header(name).header(name, value),
            Fault::WithoutHeader(name) => right.without_header(name),
            Fault::Redirect(url) => Response::new(307).header("Location", url),
            Fault::Oversize(bytes) => {
                let mut body = right.body.clone();
                body.resize(body.len() + bytes, b' ');
                right.body(body)
            }
            _ => right,
        };
        (response, delivery)
    }
}

/// A fault and when it strikes.
pub(super) struct Script {
    pub(super) fault: Fault,
    method: Option<String>,
    /// A path, a path with query, or the beginning of either and `*`.
    target: String,
    skip: usize,
    /// `None`: for ever.
    left: Option<usize>,
    pub(super) before_auth: bool,
    reached: bool,
}

impl Script {
    pub(super) fn new(method: Option<&str>, target: &str, fault: Fault) -> Script {
        Script {
            fault,
            method: method.map(str::to_owned),
            target: target.to_owned(),
            skip: 0,
            left: Some(1),
            before_auth: false,
            reached: false,
        }
    }

    /// Whether it strikes this request; counts that it did.
    pub(super) fn strikes(&mut self, request: &Request) -> bool {
        if !self.is_about(request) || self.left == Some(0) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        self.reached = true;
        true
    }

    fn is_about(&self, request: &Request) -> bool {
        let method = self.method.as_ref();
        let target = match self.target.strip_suffix('*') {
            Some(start) => request.target.starts_with(start),
            None => self.target == request.target || self.target == request.path(),
        };
        target && method.is_none_or(|method| *method == request.method)
    }

    /// What the test announced and the program did not come to.
    pub(super) fn unreached(&self) -> Option<String> {
        let method = self.method.as_deref().unwrap_or("any method");
        let open = match (self.left, self.reached) {
            (None, true) | (Some(0), _) => return None,
            (None, false) => "at all".to_owned(),
            (Some(left), _) => format!("{left} more times"),
        };
        let (target, fault) = (&self.target, &self.fault);
        Some(format!(
            "not asked for {open}: {target} ({method}) with {fault:?}"
        ))
    }
}

/// A fault that was just announced, to say more about it. Without a word it strikes once.
pub struct Announced<'a> {
    pub(super) scripts: &'a Mutex<Vec<Script>>,
    pub(super) index: usize,
}

impl Announced<'_> {
    /// Strikes so many times.
    pub fn times(self, times: usize) -> Self {
        self.change(|script| script.left = Some(times));
        self
    }

    /// Strikes each time, at least once.
    pub fn always(self) -> Self {
        self.change(|script| script.left = None);
        self
    }

    /// Spares the first requests that it is about.
    pub fn after(self, requests: usize) -> Self {
        self.change(|script| script.skip = requests);
        self
    }

    /// Strikes requests with this method only.
    pub fn on(self, method: &str) -> Self {
        self.change(|script| script.method = Some(method.to_owned()));
        self
    }

    /// Strikes also requests without the credentials that the registry wants.
    pub fn before_auth(self) -> Self {
        self.change(|script| script.before_auth = true);
        self
    }

    fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.scripts.lock().unwrap()[self.index]);
    }
}
