//! The global options and the environment as values: the only reader of the environment.

mod registry;

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::cli::{Args, Flag, HELP, VERSION, Value};
use crate::error::{During, Error, Result, say};
use crate::image::Image;
use crate::machine;
use crate::output::{ColorChoice, Output};
use crate::parallel::Pool;
use crate::platform::PlatformMatcher;
use crate::query::Query;
use crate::reference::Reference;
use crate::source::Sources;

pub(crate) use registry::cache;

pub(crate) static GROUPS: &[(&str, &[&Flag])] = &[
    ("Answer", &[&RAW, &JQ, &ARG, &EXIT_STATUS, &JSON, &COLOR]),
    ("Platform", &[&PLATFORM, &OS, &ARCH, &VARIANT]),
    ("Images", &[&IMAGES, &JOBS]),
    ("Credentials", registry::CREDENTIALS),
    ("Manifests", registry::MANIFESTS),
    ("Transport", registry::TRANSPORT),
    ("Cache", registry::CACHE),
    ("This program", &[&HELP, &VERSION]),
];

/// What the first screen of the help shows.
pub(crate) static ESSENTIAL: &[&Flag] = &[&PLATFORM, &JQ, &RAW];

static RAW: Flag = Flag::switch("raw", "Print documents byte for byte, other JSON on one line")
    .short('r')
    .about("On a terminal, control characters are escaped; pipes and files get every byte.");
static JQ: Flag = Flag::new("jq", Value::Text("FILTER"), "Run a jq filter on the answer")
    .short('q')
    .about("Strings are printed without quotes, other results as JSON. In the filter, `$image` is the image and `$platform` its platform.");
static ARG: Flag =
    Flag::new("arg", Value::Pair("NAME", "VALUE"), "Set $NAME in the filter to the string VALUE");
static EXIT_STATUS: Flag =
    Flag::switch("exit-status", "Exit with 8 if the last result is null or false")
        .short('e')
        .about("Also if there is no result.");
static JSON: Flag = Flag::switch("json", "Print text answers as JSON");
static COLOR: Flag = Flag::new(
    "color",
    Value::Choice(&["auto", "always", "never"]),
    "Say when to colour JSON (default: auto)",
)
.about("`auto` is on a terminal, unless NO_COLOR is set.");
static PLATFORM: Flag = Flag::new("platform", Value::Suggested("PLATFORM", PLATFORMS), "Choose OS/ARCH[/VARIANT][:OSVERSION], or all")
    .about("Default: Linux on this machine's architecture. With `all` the answer is one JSON object with the platforms as keys; a platform that is listed but cannot be read is reported on stderr and by the exit code.");
static OS: Flag = Flag::new(
    "os",
    Value::Suggested("OS", &["darwin", "freebsd", "linux", "windows"]),
    "Choose the operating system (default: linux)",
);
static ARCH: Flag = Flag::new(
    "arch",
    Value::Suggested("ARCH", ARCHITECTURES),
    "Choose the architecture (default: this machine's)",
)
.about("x86_64, aarch64, armhf, armel and i386 are understood too.");
static VARIANT: Flag = Flag::new(
    "variant",
    Value::Suggested("VARIANT", &["v5", "v6", "v7", "v8"]),
    "Choose the variant, such as v7",
);
static IMAGES: Flag = Flag::new("images", Value::Images, "Read the images from FILE; - is stdin")
    .about("One per line; `#` starts a comment. Each answer is one line of JSON, in the order of the images.");
static JOBS: Flag = Flag::new("jobs", Value::Number, "Ask for N images at the same time (default: 8)")
    .short('j')
    .about("Also limits the requests that are sent at the same time. If the limit of open files is too low for N, fewer are sent.");

/// What completions offer.
const PLATFORMS: &[&str] = &[
    "all",
    "linux/386",
    "linux/amd64",
    "linux/arm/v5",
    "linux/arm/v6",
    "linux/arm/v7",
    "linux/arm64",
    "linux/mips64le",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "windows/amd64",
    "windows/arm64",
];
const ARCHITECTURES: &[&str] =
    &["386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x"];

/// What is the same for all images of a run.
pub(crate) struct Context {
    pub(crate) platforms: Platforms,
    pub(crate) presentation: Presentation,
    pub(crate) pool: Arc<Pool>,
    pub(crate) timeout: Duration,
    pub(crate) is_verbose: bool,
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
pub(crate) struct Presentation {
    pub(crate) raw: bool,
    pub(crate) json: bool,
    pub(crate) exit_status: bool,
    pub(crate) query: Option<Query>,
    color: ColorChoice,
}

impl Context {
    pub(crate) fn new(args: &Args) -> Result<Self> {
        let jobs = fitting(jobs(args)?);
        Ok(Context {
            platforms: platforms(args)?,
            presentation: presentation(args)?,
            pool: Arc::new(Pool::new(jobs)),
            timeout: registry::timeout(args)?,
            is_verbose: registry::is_verbose(args),
            kinds: registry::kinds(args).unwrap_or_default(),
            sources: registry::sources(args, jobs)?,
        })
    }

    pub(crate) fn output(&self) -> Output {
        Output::new(self.presentation.color, self.presentation.raw)
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
            self.sources.claim(&reference.place).during(text)?;
        }
        let lines: Box<dyn Iterator<Item = io::Result<String>> + Send> = match args.path(&IMAGES) {
            None => Box::new(std::iter::empty()),
            Some(path) if path == Path::new("-") => Box::new(BufReader::new(io::stdin()).lines()),
            Some(path) => {
                Box::new(BufReader::new(File::open(path).during(path.display())?).lines())
            }
        };
        let mut is_broken = false;
        let lines = lines.map_while(move |line| {
            // A line that is not UTF-8 is skipped with an error; any other error ends the list,
            // since a directory, for instance, would give the same error for ever.
            let ends = matches!(&line, Err(error) if error.kind() != ErrorKind::InvalidData);
            (!std::mem::replace(&mut is_broken, ends)).then_some(line)
        });
        let listed = lines.filter_map(|line| match line {
            Ok(line) => Some(line.split('#').next().unwrap_or_default().trim().to_owned())
                .filter(|line| !line.is_empty())
                .map(|line| self.claimed(line)),
            Err(error) => Some(Err(error).during("--images")),
        });
        Ok(args.operands().iter().cloned().map(Ok).chain(listed))
    }

    /// A line of `--images`. Registries are claimed in the order of the lines, since the first one
    /// gets the given credentials. A malformed line is an error when its turn comes.
    fn claimed(&self, line: String) -> Result<String> {
        if let Ok(reference) = line.parse::<Reference>() {
            self.sources.claim(&reference.place).during(&line)?;
        }
        Ok(line)
    }
}

/// How much is done at the same time.
fn jobs(args: &Args) -> Result<usize> {
    match args.number(&JOBS) {
        Some(0) => Err(Error::usage("--jobs wants a number from 1, not '0'")),
        Some(jobs) => Ok(usize::try_from(jobs).unwrap_or(usize::MAX).min(256)),
        None => Ok(8),
    }
}

/// The number of jobs for which enough files may be open.
fn fitting(jobs: usize) -> usize {
    // A connection to the registry, one to its blob store, an idle one, and a file.
    const EACH: usize = 4;
    const OTHERS: usize = 16;
    let wanted = jobs * EACH + OTHERS;
    let granted = machine::open_files(wanted);
    let fewer = (granted.saturating_sub(OTHERS) / EACH).max(1);
    if granted >= wanted || fewer >= jobs {
        return jobs;
    }
    say(&format!(
        "docker-registry: the limit of {granted} open files allows only -j{fewer}, not -j{jobs}"
    ));
    fewer
}

/// The time in seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock before 1970 is not set and counts as 0.
    since.map_or(0, |since| since.as_secs())
}

fn platforms(args: &Args) -> Result<Platforms> {
    let mut matcher = PlatformMatcher::default();
    match args.text(&PLATFORM) {
        Some("all") if args.has(&OS) || args.has(&ARCH) || args.has(&VARIANT) => {
            return Err(Error::usage(
                "--platform all cannot be used with --os, --arch or --variant",
            ));
        }
        Some("all") => return Ok(Platforms::All),
        Some(text) => matcher = text.parse()?,
        None => {}
    }
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

fn presentation(args: &Args) -> Result<Presentation> {
    let arguments: Vec<_> =
        args.pairs(&ARG).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let timeout = registry::timeout(args)?;
    let query =
        args.text(&JQ).map(|filter| Query::compile(filter, &arguments, timeout)).transpose()?;
    Ok(Presentation {
        raw: args.has(&RAW),
        json: args.has(&JSON),
        exit_status: args.has(&EXIT_STATUS),
        query,
        color: color(args.text(&COLOR)),
    })
}

/// The option takes precedence over `NO_COLOR` (no-color.org) and `CLICOLOR_FORCE`
/// (bixense.com/clicolors).
fn color(wanted: Option<&str>) -> ColorChoice {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    match wanted {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ if is_set("NO_COLOR") => ColorChoice::Never,
        _ if is_set("CLICOLOR_FORCE")
            && env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0") =>
        {
            ColorChoice::Always
        }
        _ => ColorChoice::Auto,
    }
}

/// Whether docker runs this program as its plugin (docker/cli, `cli-plugins/metadata`,
/// `ReexecEnvvar`).
pub(crate) fn is_docker_plugin() -> bool {
    env::var_os("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND").is_some()
}
