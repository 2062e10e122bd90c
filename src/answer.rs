//! What a command answers: a document, a JSON value, or a text that has a JSON form.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::content::Content;
use crate::error::Error;
use crate::file::Spool;
use crate::json;
use crate::memory;
use crate::names::Names;
use crate::state::Entry;
use crate::text::Text;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Body,
    pub(crate) verdict: Verdict,
    /// What is missing from it, and why.
    pub(crate) failures: Vec<Error>,
    /// What is to be remembered when it has been printed.
    pub(crate) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// Shown indented, or byte for byte with `--raw`.
    Content(Arc<Content>),
    /// Shown indented, or on one line with `--raw`.
    Value(Value),
    /// The same without white space, of lists that may be long.
    Json(String),
    /// A list, shown on one line.
    List(String),
    /// Shown as it is, a newline added; `--json`, filters and batches see the JSON form.
    Text { text: Text, json: Value },
    /// Verified content, from its beginning: every byte to pipes and files.
    File(Spool),
    /// The command has written its data itself.
    Nothing,
}

/// What the exit code says of an answer that was given. Of several answers the greatest counts:
/// no is said only if all say no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// The answer is no: exit 8.
    No,
    Yes,
    /// What was checked is not as it should be: exit 6.
    Corrupt,
}

impl Verdict {
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Verdict::Yes => 0,
            Verdict::No => 8,
            Verdict::Corrupt => 6,
        }
    }
}

impl Answer {
    pub(crate) fn content(content: Arc<Content>) -> Self {
        Body::Content(content).into()
    }

    pub(crate) fn value(value: Value) -> Self {
        Body::Value(value).into()
    }

    /// A value that is JSON already, without white space.
    pub(crate) fn json_text(json: String) -> Self {
        Body::Json(json).into()
    }

    pub(crate) fn list(names: Names) -> Self {
        Body::List(names.into_json()).into()
    }

    pub(crate) fn text(text: impl Into<Text>, json: Value) -> Self {
        Body::Text { text: text.into(), json }.into()
    }

    /// A word, such as a digest, whose JSON form is the same word in quotes.
    pub(crate) fn word(word: impl ToString) -> Self {
        let word = word.to_string();
        Body::Text { json: Value::from(word.as_str()), text: word.into() }.into()
    }

    pub(crate) fn verdict(self, verdict: Verdict) -> Self {
        Answer { verdict, ..self }
    }

    /// An answer that is whole but for these.
    pub(crate) fn failures(self, failures: Vec<Error>) -> Self {
        Answer { failures, ..self }
    }

    /// An answer that changes what is remembered, as soon as it has been printed.
    pub(crate) fn entries(self, entries: Vec<Entry>) -> Self {
        Answer { entries, ..self }
    }

    /// How many bytes of memory it has, about.
    pub(crate) fn weight(&self) -> usize {
        match &self.body {
            Body::Content(content) => content.weight(),
            Body::Value(json) | Body::Text { json, .. } => memory::weight(json),
            Body::Json(json) | Body::List(json) => json.len(),
            Body::File(_) | Body::Nothing => 0,
        }
    }

    /// The answer as JSON; of a document, its JSON as it was served.
    pub(crate) fn json(&self) -> Cow<'_, Value> {
        match &self.body {
            Body::Content(content) => Cow::Borrowed(content.json()),
            Body::Value(json) | Body::Text { json, .. } => Cow::Borrowed(json),
            Body::Json(json) | Body::List(json) => {
                Cow::Owned(json::parse(json.as_bytes()).unwrap_or_default())
            }
            Body::File(_) | Body::Nothing => Cow::Owned(Value::Null),
        }
    }

    /// Whether it is neither null nor false.
    pub(crate) fn is_true(&self) -> bool {
        match &self.body {
            Body::Json(_) | Body::List(_) => true,
            _ => !matches!(*self.json(), Value::Null | Value::Bool(false)),
        }
    }

    /// The same without white space.
    pub(crate) fn compact(&self) -> Cow<'_, str> {
        match &self.body {
            Body::Json(json) | Body::List(json) => Cow::Borrowed(json),
            _ => Cow::Owned(self.json().to_string()),
        }
    }
}

impl From<Body> for Answer {
    fn from(body: Body) -> Self {
        Answer { body, verdict: Verdict::Yes, failures: Vec::new(), entries: Vec::new() }
    }
}
