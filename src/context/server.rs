//! What one program has in common that answers many questions, and what each of them has of its own.

use std::sync::Arc;
use std::time::Duration;

use super::options::{
    ARCH, ARG, CERT, INDEX, INSECURE, JQ, MAX_AGE, MEDIA_TYPE, OCI, OS, PLAIN_HTTP, PLATFORM, RAW,
    USER, VARIANT, VERBOSE, WAIT,
};
use super::{Context, Platforms, Presentation, jobs, platforms, registry};
use crate::cli::{Args, Flag};
use crate::error::{Error, Result};
use crate::parallel::Pool;
use crate::progress::ProgressStyle;
use crate::source::Admit;

/// The global options that are about one question and its answer.
pub(crate) static PARAMETERS: &[&Flag] =
    &[&JQ, &ARG, &RAW, &PLATFORM, &OS, &ARCH, &VARIANT, &INDEX, &OCI, &MEDIA_TYPE];

/// How long a tag is believed, unless `--max-age` says it.
const MAX_AGE_OF_TAGS: Duration = Duration::from_secs(60);

/// What becomes of an answer.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) code: String,
    /// Names and values of `arg`.
    pub(crate) arguments: Vec<(String, String)>,
    /// Whether strings are wanted without quotes.
    pub(crate) is_raw: bool,
}

/// The question itself, and the filter for its answer if there is one: it sees the answer's JSON.
pub(crate) fn without_filter(args: Args) -> (Args, Option<Filter>) {
    let filter = args.text(&JQ).map(|code| Filter {
        code: code.to_owned(),
        arguments: args.pairs(&ARG).map(|(name, value)| (name.into(), value.into())).collect(),
        is_raw: args.has(&RAW),
    });
    let others: &[&Flag] = if filter.is_some() { &[&JQ, &ARG, &RAW] } else { &[&ARG] };
    (args.without(others), filter)
}

/// How long an answer is believed that a tag has part in.
pub(crate) fn max_age(args: &Args) -> Duration {
    args.duration(&MAX_AGE).unwrap_or(MAX_AGE_OF_TAGS)
}

/// Refuses options that are for registries that are named, where none is.
pub(crate) fn check_named(args: &Args) -> Result<()> {
    match [&USER, &INSECURE, &CERT, &PLAIN_HTTP].into_iter().find(|flag| args.has(flag)) {
        Some(flag) => {
            Err(Error::usage(format!("--{} is for registries that are named", flag.name))
                .hint("name one: 'docker-registry serve HOST'"))
        }
        None => Ok(()),
    }
}

/// Whether each request is told of.
pub(crate) fn is_verbose(args: &Args) -> bool {
    args.has(&VERBOSE)
}

impl Context {
    /// For a program that answers strangers.
    pub(crate) fn of_server(args: &Args, admit: Arc<Admit>) -> Result<Self> {
        if args.has(&WAIT) {
            return Err(Error::usage("--wait cannot be used with 'serve'"));
        }
        let platforms = platforms(args)?;
        if platforms == Platforms::All {
            return Err(Error::usage("--platform all cannot be used with 'serve'"));
        }
        let jobs = jobs(args)?;
        let timeout = registry::timeout(args)?;
        // What a tag led to is believed by the cache on disk, and then what was made of it by the
        // program: half of the time each.
        let sources = registry::sources(args, jobs, timeout, Some(max_age(args) / 2))?;
        Ok(Context {
            platforms,
            presentation: Presentation::default(),
            pool: Arc::new(Pool::new(jobs)),
            timeout,
            wait: None,
            progress: ProgressStyle::Silent,
            kinds: Vec::new(),
            sources: sources.for_strangers(admit),
        })
    }

    /// For one question, with options of its own and all else in common.
    pub(crate) fn for_question(&self, args: &Args) -> Result<Context> {
        let (raw, kinds) = (args.has(&RAW), registry::kinds(args));
        let is_chosen = [&PLATFORM, &OS, &ARCH, &VARIANT].into_iter().any(|flag| args.has(flag));
        Ok(Context {
            platforms: if is_chosen { platforms(args)? } else { self.platforms.clone() },
            presentation: Presentation { raw, json: !raw, ..Presentation::default() },
            pool: Arc::clone(&self.pool),
            sources: self.sources.of_kinds(kinds.clone()),
            kinds,
            ..*self
        })
    }
}
