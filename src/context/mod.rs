//! The global options and the environment as values: the only reader of the environment.

mod mirrors;
mod options;
mod registry;
mod server;

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::cli::{Args, USUAL};
use crate::error::{During, Error, Result, say};
use crate::image::Image;
use crate::machine;
use crate::parallel::Pool;
use crate::platform::PlatformMatcher;
use crate::progress::ProgressStyle;
use crate::query::Query;
use crate::reference::Reference;
use crate::source::Sources;
use crate::terminal;
use options::{
    ARCH, ARG, COLOR, EXIT_STATUS, IMAGES, JOBS, JQ, JSON, MAX_AGE, OFFLINE, OS, PLATFORM, RAW,
    TABLE, VARIANT, VERBOSE, WAIT,
};

pub(crate) use options::{ALTERNATIVES, ESSENTIAL, GROUPS, PUBLIC_KEY};
pub(crate) use registry::{cache, lone_key, public_key};
pub(crate) use server::{Filter, PARAMETERS, check_named, is_verbose, max_age, without_filter};

/// What is the same for all images of a run.
pub(crate) struct Context {
    pub(crate) platforms: Platforms,
    pub(crate) presentation: Presentation,
    pub(crate) pool: Arc<Pool>,
    pub(crate) timeout: Duration,
    /// How long to ask again for what is not found.
    pub(crate) wait: Option<Duration>,
    /// How the progress of a question is shown.
    pub(crate) progress: ProgressStyle,
    /// The media types to ask for; none for all kinds of manifest.
    kinds: Vec<String>,
    pub(crate) sources: Sources,
}

/// For which platforms the question is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Platforms {
    One(PlatformMatcher),
    All,
}

/// How answers are shown.
#[derive(Default)]
pub(crate) struct Presentation {
    pub(crate) raw: bool,
    pub(crate) json: bool,
    pub(crate) exit_status: bool,
    pub(crate) table: bool,
    pub(crate) query: Option<Query>,
    /// `None`: where the output is a terminal.
    pub(crate) color: Option<bool>,
}

impl Context {
    pub(crate) fn new(args: &Args) -> Result<Self> {
        if let Some(usual) = args.usual().filter(|_| args.has(&VERBOSE)) {
            say(&format!("docker-registry: {USUAL}: {usual}"));
        }
        let jobs = jobs(args)?;
        let platforms = platforms(args)?;
        let timeout = registry::timeout(args)?;
        Ok(Context {
            platforms,
            presentation: presentation(args, timeout)?,
            pool: Arc::new(Pool::new(jobs)),
            timeout,
            wait: wait(args)?,
            progress: ProgressStyle::automatic(args.has(&VERBOSE)),
            kinds: registry::kinds(args),
            sources: registry::sources(args, jobs, timeout, None)?,
        })
    }

    /// The image that a user names. `Kind::Usage` if the reference is malformed.
    pub(crate) fn image(&self, text: &str) -> Result<Image> {
        let reference: Reference = text.parse()?;
        let matcher = match &self.platforms {
            Platforms::One(matcher) => matcher.clone(),
            Platforms::All => PlatformMatcher::default(),
        };
        let source = self.sources.open(&reference).during(text)?;
        let image = Image::new(text, reference, source, matcher, self.pool.clone());
        Ok(image.of_kinds(self.kinds.clone()))
    }

    /// Whether answers are lines that name their image.
    pub(crate) fn is_batch(&self, args: &Args) -> bool {
        args.has(&IMAGES) || args.operands().len() > 1
    }

    /// The operands, then those of `--images`, read as they are needed. `Kind::Usage` at once if
    /// an operand is malformed, or of a registry that the given credentials are not for.
    pub(crate) fn texts<'a>(
        &'a self,
        args: &'a Args,
    ) -> Result<impl Iterator<Item = Result<String>> + Send + use<'a>> {
        for text in args.operands() {
            let reference: Reference = text.parse()?;
            self.sources.claim(&reference.transport).during(text)?;
        }
        let file: Box<dyn Read + Send> = match args.path(&IMAGES) {
            None => Box::new(io::empty()),
            Some(path) if path == Path::new("-") => Box::new(terminal::stdin().during("--images")?),
            Some(path) => Box::new(File::open(path).during(path.display())?),
        };
        let lines = BufReader::new(file).lines().scan(false, |is_broken, line| {
            // A line that is not UTF-8 is skipped with an error; any other error ends the list,
            // since a directory, for instance, would give the same error for ever.
            let ends = matches!(&line, Err(error) if error.kind() != ErrorKind::InvalidData);
            (!mem::replace(is_broken, ends)).then_some(line)
        });
        let listed = lines.filter_map(|line| match line {
            Ok(line) => self.listed(line.split('#').next().unwrap_or_default().trim()),
            Err(error) => Some(Err(error).during("--images")),
        });
        Ok(args.operands().iter().cloned().map(Ok).chain(listed))
    }

    /// A line of `--images`. Registries are claimed in the order of the lines, since the first one
    /// gets the given credentials. A malformed line is an error when its turn comes.
    fn listed(&self, line: &str) -> Option<Result<String>> {
        let reference = line.parse::<Reference>();
        let claimed = reference.map_or(Ok(()), |it| self.sources.claim(&it.transport).during(line));
        (!line.is_empty()).then(|| claimed.map(|()| line.to_owned()))
    }
}

/// How much is done at the same time: no more than enough files may be open for.
fn jobs(args: &Args) -> Result<usize> {
    // A connection to the registry, one to its blob store, an idle one, and a file.
    const EACH: usize = 4;
    const OTHERS: usize = 16;
    let jobs = match args.number(&JOBS) {
        Some(0) => return Err(Error::usage("--jobs wants a number from 1, not '0'")),
        jobs => jobs.unwrap_or(8).min(256) as usize,
    };
    let granted = machine::open_files(jobs * EACH + OTHERS);
    let fewer = (granted.saturating_sub(OTHERS) / EACH).clamp(1, jobs);
    if fewer < jobs {
        say(&format!(
            "docker-registry: the limit of {granted} open files allows only -j{fewer}, not -j{jobs}"
        ));
    }
    Ok(fewer)
}

fn wait(args: &Args) -> Result<Option<Duration>> {
    let wait = args.duration(&WAIT);
    match [&OFFLINE, &MAX_AGE].into_iter().find(|flag| args.has(flag)) {
        Some(flag) if wait.is_some() => {
            Err(Error::usage(format!("--wait cannot be used with --{}", flag.name)))
        }
        _ => Ok(wait),
    }
}

/// The time in seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is not set and counts as 0.
    since.map_or(0, |since| since.as_secs())
}

fn platforms(args: &Args) -> Result<Platforms> {
    let is_partial = [&OS, &ARCH, &VARIANT].into_iter().any(|flag| args.has(flag));
    let usual = variable("DOCKER_DEFAULT_PLATFORM").filter(|_| !is_partial);
    let usual = usual.map(|text| text.to_string_lossy().into_owned());
    let mut matcher = match args.text(&PLATFORM).or(usual.as_deref()) {
        Some("all") if is_partial => {
            return Err(Error::usage(
                "--platform all cannot be used with --os, --arch or --variant",
            ));
        }
        Some("all") => return Ok(Platforms::All),
        Some(text) => match text.parse() {
            Err(error) if !args.has(&PLATFORM) => Err(error).during("DOCKER_DEFAULT_PLATFORM"),
            parsed => parsed,
        }?,
        None => PlatformMatcher::default(),
    };
    if let Some(os) = args.text(&OS) {
        matcher.os = Some(os.to_lowercase());
    }
    if let Some(variant) = args.text(&VARIANT) {
        matcher.variant = Some(variant.to_owned());
    }
    if let Some(architecture) = args.text(&ARCH) {
        matcher.architecture(architecture);
    }
    Ok(Platforms::One(matcher))
}

fn presentation(args: &Args, timeout: Duration) -> Result<Presentation> {
    let other = [&RAW, &JSON].into_iter().find(|flag| args.has(flag));
    if let Some(flag) = other.filter(|_| args.has(&TABLE)) {
        return Err(Error::usage(format!("--table cannot be used with --{}", flag.name)));
    }
    let arguments = args.pairs(&ARG).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let arguments: Vec<_> = arguments.collect();
    let query = args.text(&JQ).map(|filter| Query::compile(filter, &arguments, timeout));
    Ok(Presentation {
        raw: args.has(&RAW),
        json: args.has(&JSON),
        exit_status: args.has(&EXIT_STATUS),
        table: args.has(&TABLE),
        query: query.transpose()?,
        color: color(args.text(&COLOR)),
    })
}

/// The option takes precedence over `NO_COLOR` (no-color.org) and `CLICOLOR_FORCE`
/// (bixense.com/clicolors).
fn color(wanted: Option<&str>) -> Option<bool> {
    match wanted {
        Some("always") => Some(true),
        Some("never") => Some(false),
        _ if variable("NO_COLOR").is_some() => Some(false),
        _ => variable("CLICOLOR_FORCE").filter(|value| value != "0").map(|_| true),
    }
}

/// The options that every run has, as a shell reads words. `Kind::Usage` if they are none.
pub(crate) fn usual_options() -> Result<Vec<OsString>> {
    let text = variable(USUAL).unwrap_or_default().into_string();
    let text = text.map_err(|_| Error::usage("not UTF-8"))?;
    let words = shlex::split(&text).ok_or_else(|| Error::usage("a quote is not closed"))?;
    Ok(words.into_iter().map(OsString::from).collect())
}

/// Whether docker runs this program as its plugin (docker/cli, `cli-plugins/metadata`,
/// `ReexecEnvvar`).
pub(crate) fn is_docker_plugin() -> bool {
    env::var_os("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND").is_some()
}

/// Where AWS Lambda hands out events, if it runs this program.
pub(crate) fn lambda_runtime() -> Option<String> {
    env::var("AWS_LAMBDA_RUNTIME_API").ok()
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}
