//! The command line as one table: parsing, help, man pages and completions derive from it.
//!
//! `about` and the other long texts are plain text in the small markup of `text.rs`.

use std::borrow::Cow;

mod args;
mod check;
mod closest;
mod help;
#[cfg(test)]
mod laws;
mod man;
mod parse;
mod partial;
mod roff;
mod text;
mod tokens;
mod value;

pub(crate) use args::Args;
pub(crate) use help::{command_help, full_help, help};
pub(crate) use man::{man, man_page};
pub(crate) use parse::parse;
pub(crate) use partial::PartialCommandLine;

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
}

impl Flag {
    pub(crate) const fn new(name: &'static str, value: Value, help: &'static str) -> Flag {
        Flag { name, short: None, value, help, about: "" }
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

    /// `-q, --jq FILTER`
    fn synopsis(&self) -> String {
        let short = self.short.map(|letter| format!("-{letter}, "));
        let long = format!("--{} {}", self.name, self.value.placeholder());
        short.unwrap_or_default() + long.trim_end()
    }
}

/// What an option takes: the parser obeys it, the help prints it, the completions offer it.
/// A `&str` is the placeholder; of an option given twice the last value counts, except for
/// `Count`, `Text` (see `Args::texts`) and `Pair`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    /// No value, but it matters how often it is given.
    Count,
    Text(&'static str),
    /// Text too, of which the completions offer the most usual.
    Suggested(&'static str, &'static [&'static str]),
    /// Never repeated in a message.
    Secret(&'static str),
    /// Two values, each an argument of its own.
    Pair(&'static str, &'static str),
    Choice(&'static [&'static str]),
    Number,
    /// A duration that one thinks of in seconds.
    Seconds,
    Duration,
    Path,
    Directory,
    /// A file of images, one per line, which stands for the operands.
    Images,
}

impl Value {
    /// The value as a usage line shows it; empty for a switch.
    pub(crate) fn placeholder(self) -> Cow<'static, str> {
        match self {
            Value::None | Value::Count => "",
            Value::Text(name) | Value::Suggested(name, _) | Value::Secret(name) => name,
            Value::Pair(name, value) => return format!("{name} {value}").into(),
            Value::Choice(choices) => return choices.join("|").into(),
            Value::Number => "N",
            Value::Seconds => "SECONDS",
            Value::Duration => "DURATION",
            Value::Path | Value::Images => "FILE",
            Value::Directory => "DIR",
        }
        .into()
    }

    pub(crate) fn is_switch(self) -> bool {
        matches!(self, Value::None | Value::Count)
    }
}

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    None,
    /// Exactly one image.
    Image,
    /// One image or more, or an option that takes `Value::Images`.
    Images,
    /// Two images, which make one question.
    Pair,
    /// `IMAGE@DIGEST`, the digest being that of a layer.
    Layer,
    Repository,
    Registry,
    /// The name of a command, or nothing: this is the command that explains the others.
    Command,
    Kind(&'static [&'static str]),
    /// One of several ways: the word that names it, and the placeholder of the file that follows if
    /// one does.
    Forms(&'static [(&'static str, Option<&'static str>)]),
}

impl Operand {
    /// The operand as a usage line shows it.
    pub(crate) fn placeholder(self) -> String {
        match self {
            Operand::None => String::new(),
            Operand::Image => "IMAGE".to_owned(),
            Operand::Images => "IMAGE...".to_owned(),
            Operand::Pair => "IMAGE IMAGE".to_owned(),
            Operand::Layer => "IMAGE@DIGEST".to_owned(),
            Operand::Repository => "REPOSITORY".to_owned(),
            Operand::Registry => "HOST".to_owned(),
            Operand::Command => "[COMMAND]".to_owned(),
            Operand::Kind(kinds) => kinds.join("|"),
            Operand::Forms(forms) => {
                let forms = forms.iter().map(|(word, file)| match file {
                    Some(file) => format!("{word} {file}"),
                    None => (*word).to_owned(),
                });
                forms.collect::<Vec<_>>().join("|")
            }
        }
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
        examples: &[],
    };

    /// `docker-registry labels [OPTION]... IMAGE...`
    fn usage(&self, cli: &Cli) -> String {
        let operand = self.operand.placeholder();
        let usage = format!("{} {} [OPTION]... {operand}", cli.name, self.name);
        usage.trim_end().to_owned()
    }
}

/// A line for the shell, and what it shows.
pub(crate) type Example = (&'static str, &'static str);

/// Commands under a title.
pub(crate) struct Commands {
    pub(crate) title: &'static str,
    pub(crate) specs: Vec<&'static Spec>,
}

/// Global options under a title.
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) flags: &'static [&'static Flag],
}

/// A section that only the man page has.
pub(crate) struct Chapter {
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    /// Names and what is to be said of each; follows the text.
    pub(crate) entries: &'static [(&'static str, &'static str)],
}

/// The whole table.
pub(crate) struct Cli {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Of the release, `YYYY-MM-DD`: man pages carry one.
    pub(crate) date: &'static str,
    /// One line, lower case, no full stop: what follows the name in the man page.
    pub(crate) summary: &'static str,
    pub(crate) about: &'static str,
    pub(crate) commands: Vec<Commands>,
    pub(crate) groups: &'static [Group],
    /// The commands that the first screen of help explains; it names the others.
    pub(crate) frequent: &'static [&'static Spec],
    /// The few options that the first screen of help shows.
    pub(crate) essential: &'static [&'static Flag],
    pub(crate) chapters: &'static [Chapter],
    pub(crate) environment: &'static [(&'static str, &'static str)],
    pub(crate) files: &'static [(&'static str, &'static str)],
    pub(crate) exit_codes: &'static [(u8, &'static str)],
    pub(crate) examples: &'static [Example],
}

impl Cli {
    pub(crate) fn specs(&self) -> impl Iterator<Item = &'static Spec> {
        self.commands.iter().flat_map(|commands| &commands.specs).copied()
    }

    pub(crate) fn command(&self, name: &str) -> Option<&'static Spec> {
        self.specs().find(|spec| spec.name == name)
    }

    pub(crate) fn global_flags(&self) -> impl Iterator<Item = &'static Flag> {
        self.groups.iter().flat_map(|group| group.flags).copied()
    }

    /// The option that is meant by its long name: of two commands' the first one's.
    pub(crate) fn flag(&self, name: &str) -> Option<&'static Flag> {
        self.flags().find(|flag| flag.name == name)
    }

    /// Every option of every command, once.
    fn flags(&self) -> impl Iterator<Item = &'static Flag> {
        let own = self.specs().flat_map(|spec| spec.flags).copied();
        let mut flags: Vec<&'static Flag> = Vec::new();
        for flag in self.global_flags().chain(own) {
            if !flags.iter().any(|known| std::ptr::eq(*known, flag)) {
                flags.push(flag);
            }
        }
        flags.into_iter()
    }
}

/// What the command line asks for.
pub(crate) enum Request {
    /// The first screen: commands and the options used most.
    Help,
    /// Commands and all global options.
    FullHelp,
    CommandHelp(&'static Spec),
    Version,
    Run(&'static Spec, Args),
}

/// Belongs into a group of every table.
pub(crate) static HELP: Flag = Flag::switch("help", "Show help; after a command, that command's")
    .short('h')
    .about("Without a command, `-h` shows one screen and `--help` all global options.");

/// Belongs into a group of every table.
pub(crate) static VERSION: Flag = Flag::switch("version", "Show the version").short('V');
