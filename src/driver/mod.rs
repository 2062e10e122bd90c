//! Images × platforms → answers: in parallel, printed in the order they were asked for.

mod pair;
mod printer;
mod wait;

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Map;

use crate::answer::{Answer, Body, Verdict};
use crate::cli::{Args, Operand};
use crate::commands::{AskImage, Command, Invocation, Run};
use crate::context::{self, Context, Platforms};
use crate::error::{During, Error, Result};
use crate::image::Image;
use crate::memory::{self, Share};
use crate::output;
use printer::{Answered, Printer};
use wait::Wait;

/// Asks the command's question of every image that was named, prints the answers and gives the
/// exit code.
pub(crate) fn run(context: &Context, command: &Command, args: &Args) -> Result<u8> {
    check(context, command, args).map_err(|error| args.hinted(error))?;
    let presentation = &context.presentation;
    let is_alone = context.platforms != Platforms::All && !context.is_batch(args);
    let question = Question {
        context,
        wait: Wait::new(context.wait),
        invocation: Invocation {
            args,
            sources: &context.sources,
            pool: &context.pool,
            timeout: context.timeout,
            now: context::now,
            is_raw: presentation.raw,
            is_alone,
            is_json: presentation.json
                || presentation.table
                || presentation.query.is_some()
                || !is_alone,
            is_verbose: context.is_verbose,
        },
    };
    let mut printer = Printer::new(context, command.spec.name);
    // A command that only reads may end at any time: nobody waits for its answer.
    if matches!(
        command.spec.operand,
        Operand::Images | Operand::ImageFile { .. } | Operand::Pair | Operand::Registry
    ) {
        output::when_closed(|| printer::leave());
    }
    let ended = match command.run {
        Run::Alone(ask) => ask(&question.invocation)
            .and_then(|answer| printer.print(&Answered::plain(answer), false)),
        Run::Pair(ask) => {
            let texts: Vec<&str> = args.operands().iter().map(String::as_str).collect();
            let compared =
                question.found(&texts, |image| image, |images| pair::compare(context, images, ask));
            compared.and_then(|answered| printer.print(&answered, false))
        }
        Run::Repository(ask) => {
            question.answer_all(&mut printer, |image| ask(image, &question.invocation))
        }
        Run::Image(ask) => question.answer_all(&mut printer, |image| match context.platforms {
            Platforms::All => question.everywhere(image, ask),
            Platforms::One(_) => ask(image, &question.invocation),
        }),
    };
    printer.finish(ended)
}

/// Refuses options that mean nothing to the command.
fn check(context: &Context, command: &Command, args: &Args) -> Result<()> {
    if context.platforms == Platforms::All && !matches!(command.run, Run::Image(_) | Run::Pair(_)) {
        return Err(Error::usage(format!(
            "--platform all cannot be used with '{}', which does not depend on the platform",
            command.spec.name
        )));
    }
    if context.wait.is_some() && matches!(command.run, Run::Alone(_)) {
        let name = command.spec.name;
        return Err(Error::usage(format!("--wait cannot be used with '{name}'")));
    }
    if context::lone_key(args).is_some() && !command.spec.has(&context::PUBLIC_KEY) {
        return Err(Error::usage("--key needs --cert")
            .hint("signatures are checked by 'verifytool --key FILE'"));
    }
    Ok(())
}

/// What all questions may take together that are asked beside one another, in bytes of memory.
const BESIDE: usize = 8 << 20;

/// The same of one that is asked by itself, but for several things at a time.
const ALONE: usize = 40 << 20;

/// What came of a question that was asked beside others.
enum Begun {
    Answered(Answered, Arc<Share>),
    /// There was too little memory: the image is asked for when its turn has come.
    Postponed(String),
}

/// The command's question of the images that were named.
struct Question<'a> {
    context: &'a Context,
    wait: Wait,
    invocation: Invocation<'a>,
}

impl Question<'_> {
    fn answer_all(
        &self,
        printer: &mut Printer,
        ask: impl Fn(&Image) -> Result<Answer> + Sync,
    ) -> Result<()> {
        let (context, args) = (self.context, self.invocation.args);
        if !context.is_batch(args) {
            let [image] = args.operands() else { unreachable!("the parser has counted") };
            let answered = match self.beside(ALONE, image, &ask) {
                Some((answered, _)) => answered,
                None => self.alone(image, &ask),
            };
            return printer.print(&answered?, false);
        }
        let texts = context.texts(args)?;
        let work = |text: Result<String>| {
            let text = text?;
            Ok(match self.beside(BESIDE, &text, &ask) {
                Some((answered, share)) => Begun::Answered(answered?, share),
                None => Begun::Postponed(text),
            })
        };
        let weigh = |begun: &Result<Begun>| match begun {
            Ok(Begun::Answered(answered, _)) => answered.answer.weight(),
            _ => 0,
        };
        context.pool.ordered(texts, work, weigh, |begun| match begun {
            Ok(Begun::Answered(answered, _share)) => printer.line(Ok(answered)),
            Ok(Begun::Postponed(text)) => printer.line(self.alone(&text, &ask)),
            Err(error) => printer.line(Err(error)),
        })
    }

    /// What a question gives that is asked beside others, and the memory that it keeps until it is
    /// printed; `None` if there is too little.
    fn beside(
        &self,
        most: usize,
        text: &str,
        ask: impl Fn(&Image) -> Result<Answer>,
    ) -> Option<(Result<Answered>, Arc<Share>)> {
        let share = Share::new(most);
        let answered = memory::with(Some(Arc::clone(&share)), || {
            let answered = self.answered(text, |image| image, ask)?;
            // A document has been counted as it came.
            if !matches!(answered.answer.body, Body::Content(_)) {
                memory::take(answered.answer.weight())?;
            }
            Ok(answered)
        });
        (!share.is_refused()).then_some((answered, share))
    }

    /// The same without a limit but the question's own, and nothing done side by side.
    fn alone(&self, text: &str, ask: impl Fn(&Image) -> Result<Answer>) -> Result<Answered> {
        self.answered(text, Image::alone, ask)
    }

    fn answered(
        &self,
        text: &str,
        open: fn(Image) -> Image,
        ask: impl Fn(&Image) -> Result<Answer>,
    ) -> Result<Answered> {
        self.found(&[text], open, |images| {
            let image = &images[0];
            let answer = named(ask(image), image.text())?;
            let mut answered = Answered::of(image, answer);
            if self.context.platforms == Platforms::All {
                answered.platform = None;
            }
            Ok(answered)
        })
    }

    /// What the question gives. As long as `--wait` allows, an image that is not there is asked for
    /// by HEAD, and the question is asked again when it is there; of an image that is there, the
    /// question itself is asked again: an index may get the platform, an image its SBOM.
    fn found(
        &self,
        texts: &[&str],
        open: fn(Image) -> Image,
        ask: impl Fn(&[Image]) -> Result<Answered>,
    ) -> Result<Answered> {
        let mut absent = vec![false; texts.len()];
        for asked in 1.. {
            let images = texts.iter().map(|text| Ok(open(self.context.image(text)?)));
            let images = images.collect::<Result<Vec<Image>>>()?;
            let mut awaited = images.iter().zip(&absent).filter(|(_, is_absent)| **is_absent);
            let there =
                awaited.try_for_each(|(image, _)| image.resolved().map(drop).during(image.text()));
            let answered = there.and_then(|()| ask(&images));
            absent = images.iter().map(Image::is_absent).collect();
            drop(images);
            if !self.wait.pause(asked, &answered) {
                return answered;
            }
            drop(answered);
            memory::give_all();
        }
        unreachable!("no time is so long")
    }

    /// One JSON object, keyed by platform.
    fn everywhere(&self, image: &Image, ask: AskImage) -> Result<Answer> {
        let listed = image.platforms()?;
        let answers = image.pool.all(listed.images, |(platform, image)| {
            let answer = ask(&image, &self.invocation).during(&platform);
            if let Ok(answer) = &answer {
                // The object has a copy of it.
                image.budget.hold(answer.weight())?;
                memory::take(answer.weight())?;
            }
            let limit = image.budget.exceeded();
            limit.cloned().map_or(Ok((platform.to_string(), answer)), Err)
        })?;
        Ok(keyed(answers, listed.missing, Verdict::max))
    }
}

/// Adds the image to the messages of the error or of the failures.
fn named(answer: Result<Answer>, image: &str) -> Result<Answer> {
    let mut answer = answer.during(image)?;
    let failures = std::mem::take(&mut answer.failures).into_iter();
    let failures = failures.filter_map(|error| Err::<(), _>(error).during(image).err());
    answer.failures.extend(failures);
    Ok(answer)
}

/// One JSON object of all answers. Of two answers for one platform the first one is kept.
fn keyed(
    answers: Vec<(String, Result<Answer>)>,
    mut missing: Vec<Error>,
    both: fn(Verdict, Verdict) -> Verdict,
) -> Answer {
    let (mut object, mut verdicts, mut entries) = (Map::new(), Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for (platform, answer) in answers {
        if !seen.insert(platform.clone()) {
            continue;
        }
        match answer {
            Ok(answer) => {
                object.insert(platform, answer.json().into_owned());
                verdicts.push(answer.verdict);
                entries.extend(answer.entries);
            }
            Err(error) => missing.push(error),
        }
    }
    let answer = match object.is_empty() && !missing.is_empty() {
        true => Body::Nothing.into(),
        false => Answer::value(object.into()),
    };
    let verdict = verdicts.into_iter().reduce(both).unwrap_or(Verdict::Yes);
    answer.verdict(verdict).failures(missing).entries(entries)
}
