//! A command's question of images, on one platform or on all.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Map;

use super::pair;
use super::printer::Answered;
use super::wait::Wait;
use crate::answer::{Answer, Body, Verdict};
use crate::cli::{Args, nearest, one_of};
use crate::commands::{AskImage, Command, Invocation, Run};
use crate::context::{self, Context, Platforms};
use crate::error::{During, Error, Kind, Result};
use crate::image::Image;
use crate::memory::{self, Share};
use crate::parallel::Semaphore;
use crate::progress::ProgressStyle;
use crate::reference::{Reference, TagOrDigest, Transport};
use crate::terminal;

/// What a command asks of the images that are named.
pub(super) struct Question<'a> {
    context: &'a Context,
    command: &'a Command,
    wait: Wait,
    invocation: Invocation<'a>,
}

impl<'a> Question<'a> {
    /// `Kind::Usage` for options that the command has no use for.
    pub(super) fn new(context: &'a Context, command: &'a Command, args: &'a Args) -> Result<Self> {
        check(context, command, args).map_err(|error| args.hinted(error))?;
        let presentation = &context.presentation;
        let is_alone = context.platforms != Platforms::All && !context.is_batch(args);
        let invocation = Invocation {
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
            progress: context.progress,
        };
        Ok(Question { context, command, wait: Wait::new(context.wait), invocation })
    }

    /// What the command answers that is not asked for a batch, with this much memory as long as others
    /// are asked beside it.
    pub(super) fn answer(&self, most: usize) -> Result<Answered> {
        if let Run::Alone(ask) = self.command.run {
            return ask(&self.invocation).map(Answered::plain);
        }
        let texts: Vec<&str> = self.invocation.args.operands().iter().map(String::as_str).collect();
        match self.beside(most, &texts) {
            Some((answered, _)) => answered,
            None => self.alone(&texts),
        }
    }

    /// What a question gives that is asked beside others, and the memory that it keeps until it is
    /// printed; `None` if there is too little.
    pub(super) fn beside(
        &self,
        most: usize,
        texts: &[&str],
    ) -> Option<(Result<Answered>, Arc<Share>)> {
        let share = Share::new(most);
        let answered = memory::with(Some(Arc::clone(&share)), || {
            let answered = self.answered(texts, |image| image)?;
            // A document has been counted as it came.
            if !matches!(answered.answer.body, Body::Content(_)) {
                memory::take(answered.answer.weight())?;
            }
            Ok(answered)
        });
        (!share.is_refused()).then_some((answered, share))
    }

    /// The same without a limit but the question's own: nothing is done side by side, and nobody else
    /// does the same meanwhile.
    pub(super) fn alone(&self, texts: &[&str]) -> Result<Answered> {
        static PLACE: Semaphore = Semaphore::new(1);
        PLACE.hold(|| self.answered(texts, Image::alone))
    }

    fn answered(&self, texts: &[&str], open: fn(Image) -> Image) -> Result<Answered> {
        self.found(texts, open, |images| {
            let image = &images[0];
            let answer = match (&self.command.run, &self.context.platforms) {
                (Run::Pair(ask), _) => {
                    let ask = |from: Option<&_>, to: Option<&_>| ask(from, to, &self.invocation);
                    return pair::compare(self.context, images, ask);
                }
                (Run::Image(ask), Platforms::All) => self.everywhere(image, *ask),
                (Run::Image(ask) | Run::Repository(ask), _) => ask(image, &self.invocation),
                (Run::Alone(_) | Run::Serve, _) => unreachable!("these are not about an image"),
            };
            let mut answered = Answered::of(image, named(answer, image.text())?);
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
                return answered.map_err(|error| self.near(error, texts, &absent));
            }
            drop(answered);
            memory::give_all();
        }
        unreachable!("no time is so long")
    }

    /// Names the tags that may have been meant in place of the first that is not there, if somebody
    /// sees it.
    fn near(&self, error: Error, texts: &[&str], absent: &[bool]) -> Error {
        let is_shown = error.kind() == Kind::NotFound
            && self.context.progress != ProgressStyle::Silent
            && terminal::is_seen();
        let missing = texts.iter().zip(absent).find(|(_, is_absent)| **is_absent && is_shown);
        let reference = missing.and_then(|(text, _)| text.parse::<Reference>().ok());
        let Some(Reference { transport: Transport::Registry(at), at: TagOrDigest::Tag(tag) }) =
            reference
        else {
            return error;
        };
        // What it takes is no part of the question.
        let asked = || self.context.sources.repository(&at)?.some_tags();
        let tags = memory::with(None, asked).unwrap_or_default();
        match &nearest(&tag, tags.iter())[..] {
            [] => error,
            near => {
                let near = one_of(&near[..near.len().min(3)]);
                error.better_hint(format!("did you mean {near}?"))
            }
        }
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

/// Adds the image to the messages of the error or of the failures.
fn named(answer: Result<Answer>, image: &str) -> Result<Answer> {
    let mut answer = answer.during(image)?;
    let failures = std::mem::take(&mut answer.failures).into_iter();
    let failures = failures.filter_map(|error| Err::<(), _>(error).during(image).err());
    answer.failures.extend(failures);
    Ok(answer)
}

/// One JSON object of all answers. Of two answers for one platform the first one is kept.
pub(super) fn keyed(
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
