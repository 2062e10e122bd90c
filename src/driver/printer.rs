//! Answers on standard output, and what the exit code says of them.

use std::borrow::Cow;
use std::sync::Mutex;

use serde_json::json;

use crate::answer::{Answer, Body, Verdict};
use crate::context::Presentation;
use crate::error::{During, Error, Result, say};
use crate::image::Image;
use crate::output::Output;
use crate::query::{self, Query};
use crate::state::{self, Entry};

/// An answer and what it is about.
pub(super) struct Answered {
    pub(super) image: String,
    pub(super) platform: Option<String>,
    pub(super) answer: Answer,
}

impl Answered {
    pub(super) fn plain(answer: Answer) -> Self {
        Answered { image: String::new(), platform: None, answer }
    }

    pub(super) fn of(image: &Image, answer: Answer) -> Self {
        let platform = image.platform().map(|platform| platform.to_string());
        Answered { image: image.text().to_owned(), platform, answer }
    }
}

/// Held while an answer is printed and its state is saved, so that the program does not end in
/// between.
static PRINTING: Mutex<()> = Mutex::new(());

/// Ends the program because nobody reads its output any more.
pub(super) fn leave() -> ! {
    let _printing = PRINTING.lock();
    let saved = state::finish().inspect_err(Error::report);
    std::process::exit(saved.map_or_else(|error| error.kind().exit_code().into(), |()| 0))
}

/// Prints answers as they come and remembers what the exit code will say.
pub(super) struct Printer<'a> {
    presentation: &'a Presentation,
    /// The command's, for the lines of a batch.
    name: &'static str,
    out: Output,
    /// The first failure's.
    exit_code: Option<u8>,
    /// What the answers say together; `None` as long as there is none.
    verdict: Option<Verdict>,
    /// With `--exit-status`: whether the last result was null, false or missing.
    ends_with_no: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(presentation: &'a Presentation, name: &'static str) -> Self {
        let out = Output::new(presentation.color, presentation.raw);
        Printer { presentation, name, out, exit_code: None, verdict: None, ends_with_no: false }
    }

    /// One of a batch. A failure is reported and counted; only a failing output ends the batch.
    pub(super) fn line(&mut self, answered: Result<Answered>) -> Result<()> {
        let printed = answered.and_then(|answered| self.print(&answered, true));
        if self.out.is_closed() {
            // The output's reader is gone: the requests that are still running are not needed.
            leave();
        }
        match printed {
            Err(error) if !self.out.is_broken() => {
                self.failed(&error);
                self.out.flush()
            }
            printed => printed,
        }
    }

    /// The exit code, when the last answer has been printed or an error has ended the command.
    pub(super) fn finish(mut self, ended: Result<()>) -> Result<u8> {
        let ended = ended.and_then(|()| self.out.flush());
        // The state of what has been printed is saved, whatever came after.
        let saved = state::finish();
        if self.out.is_closed() {
            return saved.map(|()| 0);
        }
        ended.and(saved)?;
        Ok(match self.exit_code {
            Some(failed) => failed,
            None if self.ends_with_no => Verdict::No.exit_code(),
            None => self.verdict.unwrap_or(Verdict::Yes).exit_code(),
        })
    }

    fn failed(&mut self, error: &Error) {
        error.report();
        self.exit_code.get_or_insert(error.kind().exit_code());
    }

    /// Prints the only answer, or one of a batch, and saves its state.
    pub(super) fn print(&mut self, answered: &Answered, is_batch: bool) -> Result<()> {
        let Answer { verdict, failures, entries, .. } = &answered.answer;
        let last = self.show(answered, is_batch)?;
        {
            let _printing = PRINTING.lock();
            self.out.flush()?;
            entries.iter().for_each(Entry::printed);
        }
        self.ends_with_no = self.presentation.exit_status && last == Some(false);
        failures.iter().for_each(|failure| self.failed(failure));
        if *verdict == Verdict::Corrupt {
            self.exit_code.get_or_insert(verdict.exit_code());
        }
        self.verdict = self.verdict.max(Some(*verdict));
        Ok(())
    }

    /// Whether the last result is neither null nor false; `None` if nothing was to be printed.
    fn show(&mut self, answered: &Answered, is_batch: bool) -> Result<Option<bool>> {
        let presentation = self.presentation;
        let answer = &answered.answer;
        match (&answer.body, &presentation.query) {
            (Body::Nothing, _) => return Ok(None),
            (body, Some(query)) => return self.filter(query, input(body), answered).map(Some),
            _ if is_batch => self.out.line(&[
                &format!(r#"{{"image":{},"#, json!(answered.image)),
                &format!(r#""{}":"#, self.name),
                &answer.compact(),
                "}",
            ])?,
            (Body::Content(content), _) if presentation.raw => self.out.served(content.bytes())?,
            (Body::Content(content), _) => self.out.content(content.bytes())?,
            (Body::Json(json), _) => self.out.json(json.as_bytes())?,
            (Body::List(json), _) => self.out.line(&[json])?,
            (Body::Text { text, .. }, _) if !presentation.json => self.out.text(text)?,
            (Body::Value(json) | Body::Text { json, .. }, _) => self.out.value(json)?,
        }
        Ok(Some(answer.is_true()))
    }

    /// Prints what the filter makes of the answer.
    fn filter(&mut self, query: &Query, input: Cow<[u8]>, answered: &Answered) -> Result<bool> {
        let (image, platform) = (&answered.image, answered.platform.as_deref());
        let out = &mut self.out;
        let mut written = Ok(());
        let mut write = |found: &query::Output| {
            written = match found {
                query::Output::Text(text) => out.string(text),
                query::Output::Json(json) => out.json(json),
                query::Output::Note(note) => {
                    say(note.trim_end_matches('\n'));
                    Ok(())
                }
            };
            written.clone()
        };
        let last = query.run(input, Some(image), platform, &mut write);
        // An error of the output is returned without the image's name.
        written?;
        Ok(last.during(image)?.unwrap_or(false))
    }
}

/// What a filter runs on.
fn input(body: &Body) -> Cow<'_, [u8]> {
    match body {
        Body::Content(content) => content.bytes().into(),
        Body::Json(json) | Body::List(json) => json.as_bytes().into(),
        Body::Value(json) | Body::Text { json, .. } => json.to_string().into_bytes().into(),
        Body::Nothing => b"null"[..].into(),
    }
}
