//! What can go wrong, as a kind for the machine and a sentence for the human.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// This machine: a file, a thread, a filter that failed at run time.
    Local,
    /// What a registry answered or an image holds is not what the specifications allow, or is beyond
    /// a limit.
    Protocol,
    /// Arguments, reference or filter; no request was sent.
    Usage,
    /// Repository, tag, platform, blob or manifest list.
    NotFound,
    /// 401 after trying, 403.
    Denied,
    /// DNS, connection, TLS, timeout, 5xx after all tries.
    Unavailable,
    /// Digest or size differ, or not JSON.
    Corrupt,
    /// 429 after all tries.
    RateLimited,
}

impl Kind {
    /// The exit code of a process that ends for this reason.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Kind::Local | Kind::Protocol => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
            Kind::Denied => 4,
            Kind::Unavailable => 5,
            Kind::Corrupt => 6,
            Kind::RateLimited => 7,
        }
    }
}

/// One line for the human, `WHAT: DOING: WHY`, with its kind and perhaps a hint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    excerpt: Vec<String>,
    hint: Option<String>,
    retry_after: Option<Duration>,
}

/// Whether hints name the program as docker's plugin.
static CALLED_BY_DOCKER: AtomicBool = AtomicBool::new(false);

pub(crate) fn called_by_docker() {
    CALLED_BY_DOCKER.store(true, Ordering::Relaxed);
}

impl Error {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), excerpt: Vec::new(), hint: None, retry_after: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Error::new(Kind::Usage, message)
    }

    /// Quotes what the message is about, on lines of their own between message and hint.
    pub(crate) fn excerpt(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.excerpt.extend(lines);
        self
    }

    /// Names the next step, shown on a line of its own below the message.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert(hint.into());
        self
    }

    /// The same in place of the hint that is there.
    pub(crate) fn better_hint(self, hint: impl Into<String>) -> Self {
        Error { hint: Some(hint.into()), ..self }
    }

    /// Says when to ask again, where the registry does.
    pub(crate) fn come_back(mut self, after: Option<Duration>) -> Self {
        self.retry_after = after;
        self
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The lines below the message, and the hint, as they are shown.
    pub(crate) fn details(&self) -> (Vec<String>, Option<String>) {
        let excerpt = self.excerpt.iter().map(|line| printable(line)).collect();
        (excerpt, self.hint.as_ref().map(|hint| printable(&without_users(hint))))
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Says it on standard error.
    pub(crate) fn report(&self) {
        write_line(format!("docker-registry: {self:#}\n"));
    }
}

/// The message on one line, so that it can be part of another; with `{:#}` also the excerpt and the
/// hint on lines of their own below it. Characters that could drive a terminal or begin a line are
/// escaped: messages quote what registries send. Users and passwords of URLs are left out.
impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&printable(&without_users(&self.message)))?;
        if !f.alternate() {
            return Ok(());
        }
        for line in &self.excerpt {
            write!(f, "\n{}", printable(line))?;
        }
        match &self.hint {
            Some(hint) => {
                let hint = printable(&without_users(hint));
                let hint = match CALLED_BY_DOCKER.load(Ordering::Relaxed) {
                    true => hint.replace("docker-registry ", "docker registry "),
                    false => hint,
                };
                write!(f, "\nhint: {hint}")
            }
            None => Ok(()),
        }
    }
}

impl From<io::Error> for Error {
    /// An error that crossed an `io::Read` comes out as it went in.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(error) => error,
            Err(error) => Error::new(Kind::Local, plain(&error)),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        io::Error::other(error)
    }
}

impl std::error::Error for Error {}

/// Adds what was being done, where it is known.
pub(crate) trait During<T> {
    fn during(self, doing: impl Display) -> Result<T>;
}

impl<T, E: Into<Error>> During<T> for std::result::Result<T, E> {
    fn during(self, doing: impl Display) -> Result<T> {
        self.map_err(|error| {
            let mut error = error.into();
            error.message = format!("{doing}: {}", error.message);
            error
        })
    }
}

/// Writes one line to standard error, with what could drive a terminal escaped, and without the
/// users and passwords of URLs.
pub(crate) fn say(text: &str) {
    write_line(printable(&without_users(text)) + "\n");
}

/// Says what is wrong and no reason to end.
pub(crate) fn warn(text: impl Display) {
    say(&format!("docker-registry: warning: {text}"));
}

fn write_line(line: String) {
    // Where standard error is closed there is nobody left to tell.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// `None` for what is not found.
pub(crate) fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// What a hint names of so many: the first ten, and how many more there are.
pub(crate) fn some_of<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut items = items.into_iter();
    let shown: Vec<String> = items.by_ref().take(10).map(|it| it.to_string()).collect();
    let shown = shown.join(", ");
    match items.count() {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A URL or an image with `…` for all that stands before the last `@`, since a user's name comes with
/// a password that may hold anything. The `@` before a digest is another.
pub(crate) fn without_user(url: &str) -> Cow<'_, str> {
    let start = url.find("://").map_or(0, |end| end + 3);
    let is_digest = |text: &str| text.starts_with("sha256:") || text.starts_with("sha512:");
    let mut signs = url.match_indices('@').map(|(at, _)| at);
    match signs.rfind(|at| *at >= start && !is_digest(&url[at + 1..])) {
        Some(at) => Cow::Owned(format!("{}…{}", &url[..start], &url[at..])),
        None => Cow::Borrowed(url),
    }
}

/// A message with its URLs as [`without_user`] gives them.
fn without_users(message: &str) -> String {
    let words = message.split_inclusive(char::is_whitespace);
    words.map(|word| if word.contains("://") { without_user(word) } else { word.into() }).collect()
}

/// The text with control, bidirectional and invisible characters as `\u{…}`.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if drives_terminal(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

/// Whether a terminal may act on the character instead of showing it.
pub(crate) fn drives_terminal(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The system's words without Rust's ` (os error 2)`, in lower case.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_being_done_stands_before_why() {
        let missing: Result<()> =
            Err(io::Error::from_raw_os_error(2)).during("ca.pem").during("trust");
        assert_eq!(missing.unwrap_err().to_string(), "trust: ca.pem: no such file or directory");
    }

    #[test]
    fn a_hint_names_ten_and_counts_the_others() {
        let names: Vec<usize> = (1..=12).collect();
        assert_eq!(some_of(&names[..2]), "1, 2");
        assert_eq!(some_of(&names[..10]), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(some_of(&names), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
    }

    #[test]
    fn an_error_survives_a_reader() {
        let error = Error::new(Kind::Corrupt, "wrong digest").hint("try again");
        assert_eq!(Error::from(io::Error::from(error.clone())), error);
    }

    #[test]
    fn a_message_cannot_drive_the_terminal() {
        let error = Error::new(Kind::NotFound, "tag \u{1b}[2J\u{202e}x\nhint: run me");
        assert_eq!(error.to_string(), r"tag \u{1b}[2J\u{202e}x\u{a}hint: run me");
    }

    #[test]
    fn a_hint_stands_on_a_line_of_its_own_or_nowhere() {
        let inner = Error::usage("wrong\nhint: forged").hint("try\nhint: again");
        assert_eq!(inner.to_string(), r"wrong\u{a}hint: forged");
        let outer: Result<()> = Err(inner).during("outer");
        assert_eq!(
            format!("{:#}", outer.unwrap_err()),
            "outer: wrong\\u{a}hint: forged\nhint: try\\u{a}hint: again"
        );
    }

    #[test]
    fn no_message_names_the_user_of_a_url() {
        for (text, shown) in [
            ("at https://user:pass@example.com/x: no", "at https://…@example.com/x: no"),
            ("'ftp://token@[::1]:5000'", "'ftp://…@[::1]:5000'"),
            ("a://u:p@ss/w'ord@b c://d@e", "a://…@b c://…@e"),
            ("https://example.com/a b@c", "https://example.com/a b@c"),
            ("oci://a@sha256:12 x", "oci://a@sha256:12 x"),
            ("oci://u:p@a@sha256:12", "oci://…@a@sha256:12"),
        ] {
            assert_eq!(Error::usage(text).to_string(), shown);
        }
    }
}
