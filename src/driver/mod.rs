//! Images × platforms → answers: in parallel, printed in the order they were asked for.

mod pair;

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::{Map, json};

use crate::answer::{Answer, Body, Verdict};
use crate::cli::{Args, Operand};
use crate::commands::{Command, Run};
use crate::context::{Context, Platforms};
use crate::error::{During, Error, Result, say};
use crate::image::Image;
use crate::output::{self, Output};
use crate::query;
use crate::state::{self, Entry};

/// Asks the command's question of every image that was named, prints the answers and gives the
/// exit code.
pub(crate) fn run(context: &Context, command: &Command, args: &Args) -> Result<u8> {
    if context.platforms == Platforms::All && !matches!(command.run, Run::Image(_) | Run::Pair(_)) {
        let name = command.spec.name;
        let message = format!(
            "--platform all cannot be used with '{name}', which does not depend on the platform"
        );
        return Err(Error::usage(message));
    }
    let mut printer = Printer {
        context,
        command,
        out: context.output(),
        exit_code: 0,
        verdict: None,
        ends_with_no: false,
    };
    // What only asks may end anywhere: nobody waits for the answer.
    if matches!(
        command.spec.operand,
        Operand::Images | Operand::Pair | Operand::Registry
    ) {
        output::when_closed(|| leave());
    }
    let ended = match command.run {
        Run::Alone(ask) => {
            ask(context, args).and_then(|answer| printer.print(&Asked::plain(answer), false))
        }
        Run::Pair(ask) => {
            pair::compare(context, args, ask).and_then(|answer| printer.print(&answer, false))
        }
        Run::Image(_) | Run::Repository(_) => printer.print_all(args),
    };
    let ended = ended.and_then(|()| printer.out.flush());
    // What has been printed is remembered, whatever came after.
    let remembered = state::finish();
    match ended {
        _ if printer.out.is_closed() => remembered.map(|()| 0),
        Err(error) => Err(error),
        Ok(()) => remembered.map(|()| printer.exit_code()),
    }
}

/// Held from when an answer goes out until it is remembered, and by whoever ends the program.
static TELLING: Mutex<()> = Mutex::new(());

/// Ends the program for nobody reads it any more.
fn leave() -> ! {
    let _telling = TELLING.lock();
    let remembered = state::finish().map_err(|error| {
        error.report();
        i32::from(error.kind().exit_code())
    });
    std::process::exit(remembered.err().unwrap_or_default())
}

/// An answer and what it is about.
struct Asked {
    image: String,
    platform: Option<String>,
    answer: Answer,
}

impl Asked {
    fn plain(answer: Answer) -> Self {
        Asked {
            image: String::new(),
            platform: None,
            answer,
        }
    }
}

/// Asks for one image.
fn ask(context: &Context, command: &Command, args: &Args, image: &Image) -> Result<Asked> {
    let answer = match (&command.run, &context.platforms) {
        (Run::Image(ask), Platforms::All) => everywhere(context, args, image, *ask),
        (Run::Image(ask) | Run::Repository(ask), _) => ask(image, args),
        (Run::Alone(_) | Run::Pair(_), _) => unreachable!("these are not asked of one image"),
    };
    let platform = match context.platforms {
        Platforms::All => None,
        Platforms::One(_) => image.platform().map(|platform| platform.to_string()),
    };
    Ok(Asked {
        image: image.text().to_owned(),
        platform,
        answer: named(answer, image.text())?,
    })
}

/// One JSON object, keyed by platform. Of two images for one platform the first counts, as it
/// does for whoever pulls.
fn everywhere(
    context: &Context,
    args: &Args,
    image: &Image,
    ask: fn(&Image, &Args) -> Result<Answer>,
) -> Result<Answer> {
    let listed = image.platforms()?;
    let answers = context.pool.all(listed.images, |(platform, image)| {
        let answer = ask(&image, args).during(&platform);
        let limit = image.budget().exceeded();
        limit
            .cloned()
            .map_or(Ok((platform.to_string(), answer)), Err)
    })?;
    Ok(keyed(answers, listed.missing, Verdict::max))
}

/// What went wrong names the image.
fn named(answer: Result<Answer>, image: &str) -> Result<Answer> {
    let mut answer = answer.during(image)?;
    let failures = std::mem::take(&mut answer.failures).into_iter();
    let failures = failures.filter_map(|error| Err::<(), _>(error).during(image).err());
    answer.failures.extend(failures);
    Ok(answer)
}

/// One object of those that were answered. Of two answers for one platform the first counts.
fn keyed(
    answers: Vec<(String, Result<Answer>)>,
    mut missing: Vec<Error>,
    both: fn(Verdict, Verdict) -> Verdict,
) -> Answer {
    let mut object = Map::new();
    let mut seen = HashSet::new();
    let mut verdict: Option<Verdict> = None;
    let mut entries = Vec::new();
    for (platform, answer) in answers {
        if !seen.insert(platform.clone()) {
            continue;
        }
        match answer {
            Ok(answer) => {
                entries.extend(answer.entries.iter().cloned());
                verdict =
                    Some(verdict.map_or(answer.verdict, |others| both(others, answer.verdict)));
                object.insert(platform, answer.json().into_owned());
            }
            Err(error) => missing.push(error),
        }
    }
    let answer = match object.is_empty() && !missing.is_empty() {
        true => Body::Nothing.into(),
        false => Answer::value(object.into()),
    };
    let verdict = verdict.unwrap_or(Verdict::Yes);
    answer.verdict(verdict).failures(missing).entries(entries)
}

/// Prints answers as they come and remembers what the exit code will say.
struct Printer<'a> {
    context: &'a Context,
    command: &'a Command,
    out: Output,
    /// The first failure's.
    exit_code: u8,
    /// What the answers say together; `None` as long as there is none.
    verdict: Option<Verdict>,
    /// With `--exit-status`: whether the last result was null, false or missing.
    ends_with_no: bool,
}

impl Printer<'_> {
    fn print_all(&mut self, args: &Args) -> Result<()> {
        let (context, command) = (self.context, self.command);
        if !context.is_batch(args) {
            let [image] = args.operands() else {
                unreachable!("the parser has counted")
            };
            let asked = ask(context, command, args, &context.image(image)?)?;
            return self.print(&asked, false);
        }
        let work = |text: Result<String>| ask(context, command, args, &context.image(&text?)?);
        let weigh = |asked: &Result<Asked>| asked.as_ref().map_or(0, |asked| asked.answer.weight());
        context
            .pool
            .ordered(context.texts(args)?, work, weigh, |asked| {
                let printed = match asked {
                    Ok(asked) => self.print(&asked, true),
                    Err(error) => Err(error),
                };
                if self.out.is_closed() {
                    // Others may still wait for a registry, and nobody waits for them.
                    leave();
                }
                match printed {
                    // What cannot be written is no image's fault.
                    Err(error) if self.out.is_broken() => Err(error),
                    Err(error) => {
                        self.failed(&error);
                        self.out.flush()
                    }
                    Ok(()) => Ok(()),
                }
            })
    }

    fn failed(&mut self, error: &Error) {
        error.report();
        self.note(error.kind().exit_code());
    }

    fn note(&mut self, exit_code: u8) {
        if self.exit_code == 0 {
            self.exit_code = exit_code;
        }
    }

    fn print(&mut self, asked: &Asked, is_batch: bool) -> Result<()> {
        let verdict = asked.answer.verdict;
        let last = self.show(asked, is_batch)?;
        {
            let _telling = TELLING.lock();
            self.out.flush()?;
            asked.answer.entries.iter().for_each(Entry::told);
        }
        self.ends_with_no = self.context.presentation.exit_status && last == Some(false);
        for failure in &asked.answer.failures {
            self.failed(failure);
        }
        if verdict == Verdict::Corrupt {
            self.note(verdict.exit_code());
        }
        self.verdict = self.verdict.max(Some(verdict));
        Ok(())
    }

    fn exit_code(&self) -> u8 {
        let verdict = self.verdict.unwrap_or(Verdict::Yes);
        match self.exit_code {
            0 if self.ends_with_no => Verdict::No.exit_code(),
            0 => verdict.exit_code(),
            failed => failed,
        }
    }

    /// Gives the truth of the last result: whether there was one that is neither null nor false.
    fn show(&mut self, asked: &Asked, is_batch: bool) -> Result<Option<bool>> {
        let Asked {
            image,
            platform,
            answer,
        } = asked;
        let presentation = &self.context.presentation;
        if let Some(query) = &presentation.query {
            let input = match &answer.body {
                Body::Document(document) => query::Input::Document(document.bytes()),
                Body::Json(json) | Body::List(json) => query::Input::Document(json.as_bytes()),
                Body::Value(json) | Body::Text { json, .. } => query::Input::Value(json),
                Body::Nothing => return Ok(None),
            };
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
            let last = query.run(input, Some(image), platform.as_deref(), &mut write);
            // What cannot be written is not the image's fault.
            written?;
            return Ok(Some(last.during(image)?.unwrap_or(false)));
        }
        match &answer.body {
            Body::Nothing => return Ok(None),
            _ if is_batch => self.out.line(&[
                &format!(r#"{{"image":{},"#, json!(image)),
                &format!(r#""{}":"#, self.command.spec.name),
                &answer.compact(),
                "}",
            ])?,
            Body::Document(document) if presentation.raw => self.out.served(document.bytes())?,
            Body::Document(document) => self.out.document(document.bytes())?,
            Body::Value(json) => self.out.value(json)?,
            Body::Json(json) => self.out.json(json.as_bytes())?,
            Body::List(json) => self.out.line(&[json])?,
            Body::Text { json, .. } if presentation.json => self.out.value(json)?,
            Body::Text { text, .. } => self.out.text(text)?,
        }
        Ok(Some(answer.is_true()))
    }
}
