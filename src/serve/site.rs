//! What is answered and kept: a question is asked once however many ask it, and its answer believed for
//! a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::access::Access;
use super::filter::Filters;
use super::http;
use super::kept::{Found, Kept};
use super::openapi;
use super::reply::Reply;
use crate::cli::{Args, Cli};
use crate::commands::{self, Command};
use crate::context::{self, Context, Filter};
use crate::driver;
use crate::error::{Error, Kind, Result};
use crate::parallel::Queue;
use crate::reference::{Reference, TagOrDigest};

/// What all that is kept may have together, in bytes.
const KEPT: usize = 16 << 20;

/// How long an answer is kept that is the same for ever, and a failure that may be gone.
const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_secs(1);

/// How many questions are asked at a time, and how many wait for that.
const ASKED: usize = 16;
const WAITING: usize = 128;

pub(super) struct Site {
    context: Context,
    queue: Queue,
    asked: AtomicU64,
    answered: AtomicU64,
    pub(super) table: Cli,
    access: Arc<Access>,
    max_age: Duration,
    kept: Kept<Arc<Reply>>,
    filters: Filters,
    /// The description of the interface.
    pub(super) openapi: Arc<Reply>,
}

impl Site {
    pub(super) fn new(args: &Args, table: Cli, access: Access) -> Result<Self> {
        let access = Arc::new(access);
        let admits = Arc::clone(&access);
        let context = Context::of_server(args, Arc::new(move |place| admits.admit(place)))?;
        let registries: Vec<_> = access.registries().collect();
        if registries.is_empty() {
            context::check_named(args)?;
        }
        registries.iter().try_for_each(|registry| context.sources.claim(registry))?;
        let max_age = context::max_age(args);
        let (kept, filters) = (Kept::new(KEPT), Filters::new()?);
        let openapi = Arc::new(Reply::json(&openapi::document(&table)));
        let queue = Queue::new(ASKED, WAITING);
        let (asked, answered) = Default::default();
        Ok(Site { context, queue, asked, answered, table, access, max_age, kept, filters, openapi })
    }

    /// What was named on the command line.
    pub(super) fn operands(&self) -> &[String] {
        self.access.operands()
    }

    /// The longest silence of a registry.
    pub(super) fn timeout(&self) -> Duration {
        self.context.timeout
    }

    /// How long an answer is believed.
    pub(super) fn max_age(&self) -> Duration {
        self.max_age
    }

    /// Whether any image may be asked for.
    pub(super) fn any(&self) -> bool {
        self.access.is_any()
    }

    /// The command's answer to these parameters, as a URL has them. A filter is not among them.
    pub(super) fn ask(&self, command: &str, parameters: &[(&str, &str)]) -> Arc<Reply> {
        self.ask_within(self.max_age, command, parameters)
    }

    /// The same, not older than that.
    pub(super) fn ask_within(
        &self,
        max_age: Duration,
        command: &str,
        parameters: &[(&str, &str)],
    ) -> Arc<Reply> {
        let asked = self.command(command).and_then(|command| {
            let parameters = parameters.iter().copied();
            let args = command.spec.arguments(context::PARAMETERS, parameters)?;
            Ok(self.answer_within(max_age, command, context::without_filter(args).0))
        });
        asked.unwrap_or_else(|error| Arc::new(Reply::failed(error)))
    }

    /// The answers to several questions, asked side by side.
    pub(super) fn ask_all(&self, questions: &[(&str, &[(&str, &str)])]) -> Vec<Arc<Reply>> {
        let ask =
            |(command, parameters): (&str, &[(&str, &str)])| Ok(self.ask(command, parameters));
        let answers = http::aside(|| self.context.pool.all(questions.to_vec(), ask));
        answers.expect("an answer is no error")
    }

    /// How many questions were asked, and how many answered; the difference came from what is kept.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.asked.load(Ordering::Relaxed), self.answered.load(Ordering::Relaxed))
    }

    /// The command of this name, if it only reads.
    pub(super) fn command(&self, name: &str) -> Result<&'static Command> {
        let spec = self.table.command(name).filter(|spec| spec.operand.is_only_read());
        spec.map(commands::of).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("there is no question '{name}'"))
                .hint("/api/openapi.json lists them")
        })
    }

    /// The command's answer, from what is kept if it is there.
    pub(super) fn answer(&self, command: &'static Command, args: Args) -> Arc<Reply> {
        self.answer_within(self.max_age, command, args)
    }

    fn answer_within(
        &self,
        max_age: Duration,
        command: &'static Command,
        args: Args,
    ) -> Arc<Reply> {
        let key = format!("{} {max_age:?} {}", command.spec.name, args.key());
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.kept.get(&key, || {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let reply = http::aside(|| self.queue.hold(|| self.reply(command, &args)));
            let busy = || Error::new(Kind::Unavailable, "too many questions wait");
            let reply = reply.unwrap_or_else(|| Reply::refused(503, busy()));
            let is_fixed = command.spec.is_immutable && is_pinned(&args);
            let lifetime = match reply.error() {
                Some(_) if reply.status == 503 => Duration::ZERO,
                Some(_) => SHORT.min(max_age),
                None if reply.file.is_some() => Duration::ZERO,
                None if is_fixed => LONG.max(max_age),
                None => max_age,
            };
            Found { bytes: reply.weight(), value: Arc::new(reply), lifetime }
        })
    }

    /// What a filter makes of the command's answer, kept for as long.
    pub(super) fn filtered(
        &self,
        command: &'static Command,
        args: Args,
        filter: &Filter,
    ) -> Arc<Reply> {
        let key = args.key();
        let reply = self.answer(command, args);
        let Ok(input) = reply.body.as_ref().map(Arc::clone) else { return reply };
        if !reply.failures.is_empty() {
            return reply;
        }
        let key = format!("{filter:?} {} {key} {}", command.spec.name, reply.etag);
        self.kept.get(&key, || {
            let done = self.filters.run(filter, &reply.image, reply.platform.as_deref(), &input);
            let (reply, lifetime) = match done.map_err(|error| (error.kind(), error)) {
                Ok(lines) => (reply.filtered(filter, lines), self.max_age),
                Err((Kind::Unavailable, error)) => (Reply::refused(503, error), Duration::ZERO),
                Err((Kind::Usage, error)) => (Reply::failed(error), self.max_age),
                // Another time it would not do better.
                Err((_, error)) => (Reply::refused(422, error), self.max_age),
            };
            Found { bytes: reply.weight(), value: Arc::new(reply), lifetime }
        })
    }

    fn reply(&self, command: &Command, args: &Args) -> Reply {
        let asked = self.context.for_question(args).and_then(|context| {
            let answered = driver::ask(&context, command, args)?;
            Ok(Reply::of(answered, &command.spec, context.presentation.raw))
        });
        asked.unwrap_or_else(Reply::failed)
    }
}

/// Whether a digest says which image is meant.
fn is_pinned(args: &Args) -> bool {
    let pinned = |text: &String| {
        let reference = text.parse::<Reference>();
        reference.is_ok_and(|it| matches!(it.at, TagOrDigest::Digest { .. }))
    };
    args.operands().iter().all(pinned)
}
