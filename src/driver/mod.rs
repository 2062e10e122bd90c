//! Images × platforms → answers: in parallel, printed in the order they were asked for.

mod pair;
mod printer;

use std::collections::HashSet;

use serde_json::Map;

use crate::answer::{Answer, Body, Verdict};
use crate::cli::{Args, Operand};
use crate::commands::{AskImage, Command, Invocation, Run};
use crate::context::{self, Context, Platforms};
use crate::error::{During, Error, Result};
use crate::image::Image;
use crate::output;
use printer::{Answered, Printer};

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
    let presentation = &context.presentation;
    let question = Question {
        context,
        invocation: Invocation {
            args,
            sources: &context.sources,
            pool: &context.pool,
            timeout: context.timeout,
            now: context::now,
            is_raw: presentation.raw,
            is_verbose: context.is_verbose,
        },
    };
    let mut printer = Printer::new(presentation, context.output(), command.spec.name);
    // A command that only reads may end at any time: nobody waits for its answer.
    if matches!(
        command.spec.operand,
        Operand::Images | Operand::Pair | Operand::Registry
    ) {
        output::when_closed(|| printer::leave());
    }
    let ended = match command.run {
        Run::Alone(ask) => {
            ask(&question.invocation).and_then(|answer| printer.print(&Answered::plain(answer)))
        }
        Run::Pair(ask) => {
            pair::compare(context, args, ask).and_then(|answer| printer.print(&answer))
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

/// The command's question of the images that were named.
struct Question<'a> {
    context: &'a Context,
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
            let [image] = args.operands() else {
                unreachable!("the parser has counted")
            };
            return printer.print(&self.answered(image, &ask)?);
        }
        let texts = context.texts(args)?;
        let work = |text: Result<String>| self.answered(&text?, &ask);
        let weigh = |answered: &Result<Answered>| answered.as_ref().map_or(0, Answered::weight);
        context
            .pool
            .ordered(texts, work, weigh, |answered| printer.line(answered))
    }

    fn answered(&self, text: &str, ask: impl Fn(&Image) -> Result<Answer>) -> Result<Answered> {
        let image = self.context.image(text)?;
        let answer = ask(&image);
        let platform = match self.context.platforms {
            Platforms::All => None,
            Platforms::One(_) => image.platform().map(|platform| platform.to_string()),
        };
        Ok(Answered {
            image: image.text().to_owned(),
            platform,
            answer: named(answer, image.text())?,
        })
    }

    /// One JSON object, keyed by platform.
    fn everywhere(&self, image: &Image, ask: AskImage) -> Result<Answer> {
        let listed = image.platforms()?;
        let answers = self.context.pool.all(listed.images, |(platform, image)| {
            let answer = ask(&image, &self.invocation).during(&platform);
            let limit = image.budget().exceeded();
            limit
                .cloned()
                .map_or(Ok((platform.to_string(), answer)), Err)
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
