//! Candidates for the word that is being written, in the form of cobra, the library that docker's
//! command line is made of (cobra, `ShellCompDirective`).

use std::fs;

use super::recall::images_asked_for;
use crate::cli::{Cli, Flag, Operand, PartialCommandLine, Value};

/// Flags that tell the shell what else to do; they are added.
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;
const DIRECTORIES: u8 = 16;

/// What can be completed at this place.
enum Expected {
    /// A value that cannot be guessed.
    Unknown,
    Commands,
    Options,
    Words(Vec<&'static str>),
    Files,
    Directories,
    Images,
}

/// A line for each candidate that starts with `word`, what it is about behind a tab, and a last line
/// for the shell. Of an option's value after `=` the candidates are values.
pub(super) fn answer(cli: &Cli, line: &PartialCommandLine, word: &str) -> String {
    let (option, value) = match word.split_once('=') {
        Some((option, value)) if !line.is_past_options && option.starts_with("--") => {
            (Some(option), value)
        }
        _ => (None, word),
    };
    let (candidates, directive) = match expected(cli, line, option, word) {
        Expected::Unknown => (Vec::new(), NO_FILES),
        Expected::Files => (Vec::new(), 0),
        Expected::Directories => (Vec::new(), DIRECTORIES),
        Expected::Commands => (commands(cli), NO_FILES),
        Expected::Options => (options(cli, line), NO_FILES),
        Expected::Words(words) => (words.into_iter().map(str::to_owned).collect(), NO_FILES),
        Expected::Images => (images(line, value), NO_FILES),
    };
    let fitting = candidates.into_iter().filter(|it| it.starts_with(value));
    let fitting: Vec<String> = fitting.collect();
    // After a scheme or a directory the user goes on typing.
    let is_begun = fitting.iter().all(|it| it.ends_with([':', '/']));
    let directive = match is_begun && !fitting.is_empty() {
        true => directive | NO_SPACE,
        false => directive,
    };
    let lines = fitting.into_iter().map(|candidate| candidate + "\n");
    format!("{}:{directive}\n", lines.collect::<String>())
}

fn expected(cli: &Cli, line: &PartialCommandLine, option: Option<&str>, word: &str) -> Expected {
    if let Some(flag) = line.expects {
        return value(flag.value);
    }
    if let Some(option) = option {
        let flag = cli.flag(option.trim_start_matches('-'));
        return flag.map_or(Expected::Unknown, |flag| value(flag.value));
    }
    if !line.is_past_options && word.starts_with('-') {
        return Expected::Options;
    }
    let Some(command) = line.command else {
        return Expected::Commands;
    };
    match command.operand {
        Operand::Images => Expected::Images,
        Operand::Forms(_) if !line.args().operands().is_empty() => Expected::Files,
        Operand::Pair if line.args().operands().len() < 2 => Expected::Images,
        operand if line.args().operands().is_empty() => first_operand(operand),
        _ => Expected::Unknown,
    }
}

fn value(value: Value) -> Expected {
    match value {
        Value::None | Value::Count | Value::Text(_) | Value::Secret(_) => Expected::Unknown,
        Value::Pair(..) | Value::Number | Value::Seconds | Value::Duration => Expected::Unknown,
        Value::Path | Value::Images => Expected::Files,
        Value::Directory => Expected::Directories,
        Value::Choice(words) | Value::Suggested(_, words) => Expected::Words(words.to_vec()),
    }
}

fn first_operand(operand: Operand) -> Expected {
    match operand {
        Operand::None | Operand::Registry => Expected::Unknown,
        Operand::Image | Operand::Images | Operand::Layer => Expected::Images,
        Operand::Pair | Operand::Repository => Expected::Images,
        Operand::Command => Expected::Commands,
        Operand::Kind(kinds) => Expected::Words(kinds.to_vec()),
        Operand::Forms(forms) => Expected::Words(forms.iter().map(|(word, _)| *word).collect()),
    }
}

fn commands(cli: &Cli) -> Vec<String> {
    let described = cli.specs().map(|spec| format!("{}\t{}", spec.name, spec.help));
    described.collect()
}

fn options(cli: &Cli, line: &PartialCommandLine) -> Vec<String> {
    let own = line.command.into_iter().flat_map(|spec| spec.flags);
    let described = |flag: &'static Flag| {
        let short = flag.short.map(|letter| format!("-{letter}"));
        let spellings = [Some(format!("--{}", flag.name)), short];
        let spellings = spellings.into_iter().flatten();
        spellings.map(|spelling| format!("{spelling}\t{}", flag.help))
    };
    let flags = own.copied().chain(cli.global_flags());
    flags.flat_map(described).collect()
}

/// Images asked for before, and images on disk.
fn images(line: &PartialCommandLine, word: &str) -> Vec<String> {
    const SCHEMES: [&str; 3] = ["oci:", "oci-archive:", "docker-archive:"];
    match SCHEMES.iter().find(|scheme| word.starts_with(**scheme)) {
        Some(scheme) => paths(scheme, &word[scheme.len()..]),
        None => {
            let schemes = SCHEMES.map(str::to_owned);
            let asked = images_asked_for(line.args(), word);
            asked.into_iter().chain(schemes).collect()
        }
    }
}

/// Directories that complete the path, and for archives files too.
fn paths(scheme: &str, path: &str) -> Vec<String> {
    let (directory, begun) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
    let beside = match directory {
        "" => ".",
        directory => directory,
    };
    let entries = fs::read_dir(beside).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| {
        let is_directory = entry.path().is_dir();
        let name = entry.file_name().into_string().ok()?;
        let is_shown = is_directory || scheme != "oci:";
        let is_hidden = name.starts_with('.') && !begun.starts_with('.');
        let end = if is_directory { "/" } else { "" };
        (is_shown && !is_hidden).then(|| format!("{scheme}{directory}{name}{end}"))
    });
    let mut named: Vec<String> = named.collect();
    named.sort();
    named
}
