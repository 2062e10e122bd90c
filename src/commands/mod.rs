//! The commands: each is its row of the table and one function.
//!
//! A new one is a file like `labels.rs` and two lines here: its `mod`, and its place in [`ALL`]. What
//! most commands use is imported here, so that theirs is `use super::{…}`.

use std::time::Duration;

use jiff::Timestamp;

use crate::answer::{Answer, Verdict};
use crate::cli::{Args, Cli, Flag, Operand, Spec};
use crate::context;
use crate::error::{During, Error, Kind, Result};
use crate::image::Image;
use crate::parallel::Pool;
use crate::progress::ProgressStyle;
use crate::source::Sources;

mod annotations;
mod attestations;
mod base;
mod cat;
mod catalog;
mod changed;
mod config;
mod delete;
mod diff;
mod digest;
mod digestlist;
mod downloadlayer;
mod entries;
mod files;
mod generate;
mod help;
mod history;
mod id;
mod inspect;
mod labels;
mod layers;
mod manifest;
mod manifestlist;
mod newer;
mod platforms;
mod push;
mod ratelimit;
mod referrers;
mod resolve;
mod saving;
mod sbom;
pub(crate) mod serve;
mod size;
mod tags;
mod testregistry;
mod verifytool;

/// A row of the table and what it does.
pub(crate) struct Command {
    pub(crate) spec: Spec,
    pub(crate) run: Run,
}

/// What a command is a question about; the driver asks it for every image and platform.
pub(crate) enum Run {
    /// One image on one platform.
    Image(AskImage),
    /// One image or repository, whatever the platform.
    Repository(AskImage),
    /// Two images on one platform; `None` where one of them has no image for it.
    Pair(AskPair),
    /// Whatever the operands name: a registry, several repositories, the program itself.
    Alone(fn(&Invocation) -> Result<Answer>),
    /// None: it has others asked.
    Serve,
}

pub(crate) type AskPair = fn(Option<&Image>, Option<&Image>, &Invocation) -> Result<Answer>;

pub(crate) type AskImage = fn(&Image, &Invocation) -> Result<Answer>;

/// What a command is handed beside the image.
pub(crate) struct Invocation<'a> {
    pub(crate) args: &'a Args,
    /// Opens repositories that are to be changed, or asked for what only a registry knows.
    pub(crate) sources: &'a Sources,
    pub(crate) pool: &'a Pool,
    pub(crate) timeout: Duration,
    /// The time in seconds since 1970.
    pub(crate) now: fn() -> u64,
    pub(crate) is_raw: bool,
    /// Whether the question is about one image on one platform.
    pub(crate) is_alone: bool,
    /// Whether a text is wanted in its JSON form.
    pub(crate) is_json: bool,
    /// How the progress of one question is shown.
    pub(crate) progress: ProgressStyle,
}

impl Command {
    /// Whether it is asked of several images at a time, one by one.
    pub(crate) fn is_of_many(&self) -> bool {
        matches!(self.run, Run::Image(_) | Run::Repository(_))
    }
}

/// All commands, in the order and under the titles that the help shows.
static ALL: &[(&str, &[&Command])] = &[
    (
        "Images",
        &[
            &tags::COMMAND,
            &resolve::COMMAND,
            &manifestlist::COMMAND,
            &digestlist::COMMAND,
            &manifest::COMMAND,
            &digest::COMMAND,
            &config::COMMAND,
            &id::COMMAND,
            &labels::COMMAND,
            &annotations::COMMAND,
            &history::COMMAND,
            &layers::COMMAND,
            &size::COMMAND,
            &platforms::COMMAND,
            &inspect::COMMAND,
            &referrers::COMMAND,
            &attestations::COMMAND,
            &sbom::SBOM,
            &sbom::PROVENANCE,
        ],
    ),
    ("Changes", &[&changed::COMMAND, &base::COMMAND, &newer::COMMAND, &diff::COMMAND]),
    ("Content", &[&files::COMMAND, &cat::COMMAND, &downloadlayer::COMMAND, &verifytool::COMMAND]),
    (
        "Registries",
        &[
            &catalog::COMMAND,
            &ratelimit::COMMAND,
            &push::COMMAND,
            &delete::COMMAND,
            &testregistry::COMMAND,
        ],
    ),
    ("This program", &[&serve::COMMAND, &generate::COMMAND, &help::COMMAND]),
];

/// What people ask most.
static FREQUENT: &[&Spec] = &[
    &tags::COMMAND.spec,
    &platforms::COMMAND.spec,
    &digest::COMMAND.spec,
    &labels::COMMAND.spec,
    &config::COMMAND.spec,
    &changed::COMMAND.spec,
];

/// What docker, podman, crane, skopeo and regctl call otherwise.
static ELSEWHERE: &[(&str, &str)] = &[
    ("login", LOGIN),
    ("logout", LOGIN),
    ("pull", "'downloadlayer --all' saves an image's layers, 'cat' prints a file of it"),
    ("ls", LIST),
    ("list", LIST),
    ("version", "'--version' shows the version"),
    ("completion", "'generate bash' prints the completions; also zsh, fish and powershell"),
    ("--format", "'--jq FILTER' chooses what is printed"),
    ("--limit", "the first ten: --jq '.[:10]'"),
    ("--username", "use --user NAME:PASSWORD, or --user NAME with --password-stdin"),
    ("--password", "use --password-stdin with --user NAME"),
];
static LOGIN: &str =
    "credentials of 'docker login' and 'podman login' are used; '--user' gives others";
static LIST: &str = "'tags' lists a repository's tags, 'catalog' a registry's repositories, 'files' an image's files";

/// The whole command line.
pub(crate) fn table() -> Cli {
    let specs = |commands: &[&'static Command]| commands.iter().map(|it| &it.spec).collect();
    Cli {
        name: "docker-registry",
        version: env!("CARGO_PKG_VERSION"),
        date: "2026-11-21",
        summary: "look into container registries, without pulling",
        manual: include_str!("../manual.txt"),
        commands: ALL.iter().map(|(title, commands)| (*title, specs(commands))).collect(),
        groups: context::GROUPS,
        alternatives: context::ALTERNATIVES,
        frequent: FREQUENT,
        essential: context::ESSENTIAL,
        examples: &[
            ("docker-registry tags ubuntu", "all tags of library/ubuntu on Docker Hub"),
            ("docker-registry labels sphinxdoc/sphinx:4.4.0", "the labels of an image"),
        ],
        elsewhere: ELSEWHERE,
    }
}

/// The command whose row this is.
pub(crate) fn of(spec: &Spec) -> &'static Command {
    let mut commands = ALL.iter().flat_map(|(_, commands)| *commands);
    commands.find(|command| std::ptr::eq(&command.spec, spec)).expect("the parser knows only these")
}

/// When the image was built; `None` if it does not say so as RFC 3339 has it.
fn created(image: &Image) -> Result<Option<Timestamp>> {
    Ok(image.config_json()?["created"].as_str().and_then(|date| date.parse().ok()))
}
