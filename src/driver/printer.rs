//! Answers on standard output, and what the exit code says of them.

use std::borrow::Cow;
use std::sync::Mutex;

use serde_json::json;

use crate::answer::{Answer, Body, Verdict};
use crate::context::{self, Context, Platforms, Presentation};
use crate::digest::Digest;
use crate::error::{During, Error, Result, say};
use crate::image::Image;
use crate::output::{Output, Table};
use crate::query::{self, Query};
use crate::state::{self, Entry};

/// An answer and what it is about.
pub(crate) struct Answered {
    pub(crate) image: String,
    pub(crate) platform: Option<String>,
    /// Of the image's manifest, or of its index where no platform was chosen.
    pub(crate) digest: Option<Digest>,
    pub(crate) answer: Answer,
}

impl Answered {
    pub(super) fn plain(answer: Answer) -> Self {
        Answered { image: String::new(), platform: None, digest: None, answer }
    }

    pub(super) fn of(image: &Image, answer: Answer) -> Self {
        let platform = image.platform().map(|platform| platform.to_string());
        let digest = image.known_digest().cloned();
        Answered { image: image.text().to_owned(), platform, digest, answer }
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
    /// With `--table`: what is not printed yet of a batch, and the state of it.
    table: Table<'static>,
    entries: Vec<Entry>,
    /// The first failure's.
    exit_code: Option<u8>,
    /// What the answers say together; `None` as long as there is none.
    verdict: Option<Verdict>,
    /// With `--exit-status`: whether the last result was null, false or missing.
    ends_with_no: bool,
}

impl<'a> Printer<'a> {
    pub(super) fn new(context: &'a Context, name: &'static str) -> Self {
        let presentation = &context.presentation;
        let is_keyed = context.platforms == Platforms::All && presentation.query.is_none();
        let keys = if is_keyed { "platform" } else { "" };
        Printer {
            presentation,
            name,
            out: Output::new(presentation.color, presentation.raw),
            table: Table::new(keys, name, (context::now)()),
            entries: Vec::new(),
            exit_code: None,
            verdict: None,
            ends_with_no: false,
        }
    }

    /// One of a batch. A failure is reported and counted; only a failing output ends the batch.
    pub(super) fn line(&mut self, answered: Result<Answered>) -> Result<()> {
        let printed = answered.and_then(|answered| self.print(answered, true));
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
        let written = self.write();
        let ended = ended.and(written);
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
    pub(super) fn print(&mut self, mut answered: Answered, is_batch: bool) -> Result<()> {
        let last = self.show(&mut answered, is_batch)?;
        let Answer { verdict, failures, entries, .. } = answered.answer;
        self.entries.extend(entries);
        if !is_batch || !self.presentation.table || self.table.is_full() {
            self.write()?;
        }
        self.ends_with_no = self.presentation.exit_status && last == Some(false);
        failures.iter().for_each(|failure| self.failed(failure));
        if verdict == Verdict::Corrupt {
            self.exit_code.get_or_insert(verdict.exit_code());
        }
        self.verdict = self.verdict.max(Some(verdict));
        Ok(())
    }

    /// Makes sure that what was shown is printed, and then its state saved.
    fn write(&mut self) -> Result<()> {
        let _printing = PRINTING.lock();
        let table = self.table.take();
        self.out.table(&table)?;
        self.out.flush()?;
        self.entries.drain(..).for_each(|entry| entry.printed());
        Ok(())
    }

    /// Whether the last result is neither null nor false; `None` if nothing was to be printed.
    fn show(&mut self, answered: &mut Answered, is_batch: bool) -> Result<Option<bool>> {
        let presentation = self.presentation;
        if let Body::File(content) = &mut answered.answer.body {
            return self.out.copy(content).map(|()| None);
        }
        let answer = &answered.answer;
        match (&answer.body, &presentation.query) {
            (Body::File(_) | Body::Nothing, _) => return Ok(None),
            (body, Some(query)) => return self.filter(query, input(body), answered).map(Some),
            _ if presentation.table && is_batch => {
                self.table.push(Some(&answered.image), answer.compact().into_owned());
            }
            _ if presentation.table => {
                let mut table = self.table.take();
                table.push(None, answer.compact());
                self.out.table(&table)?;
            }
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
        let (out, table) = (&mut self.out, &mut self.table);
        let is_table = self.presentation.table;
        let mut written = Ok(());
        let mut write = |found: &query::Output| {
            written = match found {
                query::Output::Text(text) if is_table => {
                    tabulated(out, table, json!(text).to_string())
                }
                query::Output::Json(json) if is_table => {
                    tabulated(out, table, String::from_utf8_lossy(json).into_owned())
                }
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

/// Adds to the table, which is printed when it is full.
fn tabulated(out: &mut Output, table: &mut Table<'static>, json: String) -> Result<()> {
    table.push(None, json);
    if table.is_full() { out.table(&table.take()) } else { Ok(()) }
}

/// What a filter runs on.
fn input(body: &Body) -> Cow<'_, [u8]> {
    match body {
        Body::Content(content) => content.bytes().into(),
        Body::Json(json) | Body::List(json) => json.as_bytes().into(),
        Body::Value(json) | Body::Text { json, .. } => json.to_string().into_bytes().into(),
        Body::File(_) | Body::Nothing => b"null"[..].into(),
    }
}
