//! The command line as one table: parsing, help, man pages and completions derive from it.
//!
//! `about`, the manual and the other long texts are plain text in the small markup of `text.rs`.

use std::ops::RangeInclusive;
use std::ptr;

mod args;
mod check;
mod closest;
mod help;
mod man;
mod parameters;
mod parse;
mod roff;
#[cfg(test)]
mod tests;
mod text;
mod usual;
mod value;

pub(crate) use args::Args;
pub(crate) use closest::nearest;
pub(crate) use man::{man, man_page};
pub(crate) use parse::{PartialCommandLine, Request, parse};
pub(crate) use usual::USUAL;
pub(crate) use value::{Value, duration};

/// One option, declared as a `static`: it is told from others by its address, so that a
/// misspelled name does not compile.
pub(crate) struct Flag {
    /// The long name, without dashes.
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) value: Value,
    /// Imperative, under 60 columns, no full stop.
    pub(crate) help: &'static str,
    /// What the man page and the command's help add to `help`; may be empty.
    pub(crate) about: &'static str,
    /// Whether it means nothing to somebody who asks from elsewhere.
    is_local: bool,
    /// Whether all its values count, not only the last one.
    pub(crate) is_repeated: bool,
}

impl Flag {
    pub(crate) const fn new(name: &'static str, value: Value, help: &'static str) -> Flag {
        Flag { name, short: None, value, help, about: "", is_local: false, is_repeated: false }
    }

    /// An option without a value.
    pub(crate) const fn switch(name: &'static str, help: &'static str) -> Flag {
        Flag::new(name, Value::None, help)
    }

    pub(crate) const fn short(self, letter: char) -> Flag {
        Flag { short: Some(letter), ..self }
    }

    pub(crate) const fn about(self, about: &'static str) -> Flag {
        Flag { about, ..self }
    }

    /// Every value counts, of a `Text`.
    pub(crate) const fn repeated(self) -> Flag {
        Flag { is_repeated: true, ..self }
    }

    /// About this machine's files or terminal.
    pub(crate) const fn local(self) -> Flag {
        Flag { is_local: true, ..self }
    }

    /// `-q, --jq FILTER`
    fn synopsis(&self) -> String {
        let short = self.short.map(|letter| format!("-{letter}, "));
        let long = format!("--{} {}", self.name, self.value.placeholder());
        short.unwrap_or_default() + long.trim_end()
    }
}

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    None,
    /// Exactly one image, which is changed.
    Image,
    /// One image or more, or an option that takes `Value::Images`.
    Images,
    /// An image, or an option that takes `Value::Images`, and a path in it.
    ImageFile {
        is_needed: bool,
    },
    /// Two images, which make one question.
    Pair,
    /// `IMAGE@DIGEST`, the digest being that of a layer.
    Layer,
    Repository,
    Registry,
    /// What strangers may ask for; nothing where they may ask for anything.
    Served,
    /// The name of a command, or nothing: this is the command that explains the others.
    Command,
    Kind(&'static [&'static str]),
    /// One of several ways, `from-spec FILE` or `from-args`: a word, and a file if one is named.
    Forms(&'static [&'static str]),
}

impl Operand {
    /// What a usage line shows, what a message says of it, and how many there may be.
    fn described(self) -> (String, String, RangeInclusive<usize>) {
        let (placeholder, wanted, count) = match self {
            Operand::None => ("", "takes no operand", 0..=0),
            Operand::Command => ("[COMMAND]", "wants one command", 0..=1),
            Operand::Image => ("IMAGE", "wants one image", 1..=1),
            Operand::Images => ("IMAGE...", "wants an image", 1..=usize::MAX),
            Operand::ImageFile { is_needed: true } => {
                ("IMAGE PATH", "wants one image and a path in it", 2..=2)
            }
            Operand::ImageFile { is_needed: false } => {
                ("IMAGE [PATH]", "wants one image, and perhaps a path in it", 1..=2)
            }
            Operand::Pair => ("IMAGE IMAGE", "wants two images", 2..=2),
            Operand::Layer => ("IMAGE@DIGEST", "wants one layer, IMAGE@DIGEST", 1..=1),
            Operand::Repository => ("REPOSITORY", "wants one repository", 1..=1),
            Operand::Registry => ("HOST", "wants one registry, HOST[:PORT]", 1..=1),
            Operand::Served => {
                let places = "[REGISTRY|REPOSITORY|oci:PATH]...";
                (places, "wants registries, repositories or layouts", 0..=usize::MAX)
            }
            Operand::Kind(words) | Operand::Forms(words) => {
                return (words.join("|"), format!("wants {}", one_of(&self.words())), 1..=1);
            }
        };
        (placeholder.to_owned(), wanted.to_owned(), count)
    }

    /// The words of which the first operand is one; none where it may be anything.
    pub(crate) fn words(self) -> Vec<&'static str> {
        let (Operand::Kind(words) | Operand::Forms(words)) = self else { return Vec::new() };
        words.iter().filter_map(|form| form.split(' ').next()).collect()
    }
}

/// One command.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) operand: Operand,
    /// Imperative, under 60 columns, no full stop.
    pub(crate) help: &'static str,
    pub(crate) about: &'static str,
    /// The options that no other command has, or that a few share.
    pub(crate) flags: &'static [&'static Flag],
    /// Whether the global options mean anything to it; they are always accepted.
    pub(crate) global: bool,
    /// Whether the answer is decided by the digest of the image's manifest, for ever.
    pub(crate) is_immutable: bool,
    pub(crate) examples: &'static [Example],
}

impl Spec {
    pub(crate) const DEFAULT: Spec = Spec {
        name: "",
        operand: Operand::None,
        help: "",
        about: "",
        flags: &[],
        global: true,
        is_immutable: false,
        examples: &[],
    };

    /// Whether the option is one of its own.
    pub(crate) fn has(&self, flag: &Flag) -> bool {
        self.flags.iter().any(|own| ptr::eq(*own, flag))
    }

    /// `docker-registry labels [OPTION]... IMAGE...`
    fn usage(&self, cli: &Cli) -> String {
        let (operand, ..) = self.operand.described();
        let usage = format!("{} {} [OPTION]... {operand}", cli.name, self.name);
        usage.trim_end().to_owned()
    }
}

/// A line for the shell, and what it shows.
pub(crate) type Example = (&'static str, &'static str);

/// The whole table.
pub(crate) struct Cli {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Of the release, `YYYY-MM-DD`: man pages carry one.
    pub(crate) date: &'static str,
    /// One line, lower case, no full stop: what follows the name in the man page.
    pub(crate) summary: &'static str,
    /// What the man page says beyond commands and options: a description, then chapters below
    /// lines `# TITLE`, in which `: NAME` starts an entry.
    pub(crate) manual: &'static str,
    /// Under their titles.
    pub(crate) commands: Vec<(&'static str, Vec<&'static Spec>)>,
    /// The global options under their titles.
    pub(crate) groups: &'static [(&'static str, &'static [&'static Flag])],
    /// Options in whose place the others of the same line are, where they are given later.
    pub(crate) alternatives: &'static [&'static [&'static Flag]],
    /// The commands that the first screen of help explains; it names the others.
    pub(crate) frequent: &'static [&'static Spec],
    /// The few options that the first screen of help shows.
    pub(crate) essential: &'static [&'static Flag],
    pub(crate) examples: &'static [Example],
    /// Commands and options that other programs have and this one has not, as they are written, and
    /// what does the same here.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

impl Cli {
    pub(crate) fn specs(&self) -> impl Iterator<Item = &'static Spec> {
        self.commands.iter().flat_map(|(_, specs)| specs).copied()
    }

    pub(crate) fn command(&self, name: &str) -> Option<&'static Spec> {
        self.specs().find(|spec| spec.name == name)
    }

    pub(crate) fn global_flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.groups.iter().flat_map(|(_, flags)| *flags).copied()
    }

    /// The options that a command understands, its own first.
    pub(crate) fn flags_of(
        &self,
        command: Option<&'static Spec>,
    ) -> impl Iterator<Item = &'static Flag> {
        command.into_iter().flat_map(|spec| spec.flags).copied().chain(self.global_flags())
    }

    /// The options that may be meant, a command's own first: other commands have some of those names.
    pub(crate) fn flags_for(
        &self,
        command: Option<&'static Spec>,
    ) -> impl Iterator<Item = &'static Flag> {
        self.flags_of(command).chain(self.flags())
    }

    /// Whether an option takes the place of another, or of itself, that was given before.
    fn replaces(&self, flag: &Flag, other: &Flag) -> bool {
        let has = |flags: &[&Flag], flag: &Flag| flags.iter().any(|it| ptr::eq(*it, flag));
        let mut groups = self.alternatives.iter();
        ptr::eq(flag, other) || groups.any(|group| has(group, flag) && has(group, other))
    }

    /// Every option of every command; one that several commands have, several times.
    fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.global_flags().chain(self.specs().flat_map(|spec| spec.flags).copied())
    }
}

/// Belongs into a group of every table.
pub(crate) static HELP: Flag = Flag::switch("help", "Show help; after a command, that command's")
    .short('h')
    .about("Without a command, `-h` shows one screen and `--help` all global options.");

/// Belongs into a group of every table.
pub(crate) static VERSION: Flag = Flag::switch("version", "Show the version").short('V');

/// `a, b or c`
pub(crate) fn one_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}
