//! Candidates for the word that is being written, in the form of cobra, the library that docker's
//! command line is made of (cobra, `ShellCompDirective`).

use std::collections::BTreeSet;
use std::fs;

use crate::cli::{Args, Cli, Operand, PartialCommandLine, Value};
use crate::context;
use crate::reference::{Reference, TagOrDigest};
use crate::source::Namespace;

/// Flags that tell the shell what else to do; they are added.
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;
const DIRECTORIES: u8 = 16;

/// A line for each candidate that starts with `word`, what it is about behind a tab, and a last line
/// for the shell. Of an option's value after `=` the candidates are values.
pub(super) fn answer(cli: &Cli, line: &PartialCommandLine, word: &str) -> String {
    let (option, begun) = match word.split_once('=') {
        Some((option, value)) if !line.is_past_options && option.starts_with("--") => {
            (Some(option.trim_start_matches('-')), value)
        }
        _ => (None, word),
    };
    let named = |name| cli.flags_for(line.command).find(|flag| flag.name == name);
    let (candidates, directive) = match line.expects.or(option.and_then(named)) {
        Some(flag) => values(flag.value),
        None if option.is_some() => (Vec::new(), NO_FILES),
        None if word.starts_with('-') && !line.is_past_options => (options(cli, line), NO_FILES),
        None => operands(cli, line, begun),
    };
    let fitting: Vec<_> = candidates.into_iter().filter(|it| it.starts_with(begun)).collect();
    // After a scheme or a directory the user goes on typing.
    let is_begun = !fitting.is_empty() && fitting.iter().all(|it| it.ends_with([':', '/']));
    let directive = if is_begun { directive | NO_SPACE } else { directive };
    let lines = fitting.into_iter().map(|candidate| candidate + "\n");
    format!("{}:{directive}\n", lines.collect::<String>())
}

/// Candidates for an option's value, and the directive for the shell.
fn values(value: Value) -> (Vec<String>, u8) {
    match value {
        Value::Path | Value::Images => (Vec::new(), 0),
        Value::Directory => (Vec::new(), DIRECTORIES),
        Value::Choice(words) => (owned(words), NO_FILES),
        Value::Suggested(_, words) => (words.split(' ').map(str::to_owned).collect(), NO_FILES),
        // What cannot be guessed.
        _ => (Vec::new(), NO_FILES),
    }
}

fn operands(cli: &Cli, line: &PartialCommandLine, word: &str) -> (Vec<String>, u8) {
    let operand = line.command.map_or(Operand::Command, |spec| spec.operand);
    let candidates = match (operand, line.args.operands().len()) {
        (Operand::Forms(_), 1..) => return (Vec::new(), 0),
        (Operand::Images | Operand::Served, _) | (Operand::Pair, ..2) => images(line, word),
        (Operand::Image | Operand::ImageFile { .. }, 0) => images(line, word),
        (Operand::Layer | Operand::Repository, 0) => images(line, word),
        (Operand::Command, 0) => {
            cli.specs().map(|spec| format!("{}\t{}", spec.name, spec.help)).collect()
        }
        (operand, 0) => owned(&operand.words()),
        _ => Vec::new(),
    };
    (candidates, NO_FILES)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn options(cli: &Cli, line: &PartialCommandLine) -> Vec<String> {
    let described = cli.flags_of(line.command).flat_map(|flag| {
        let short = flag.short.map(|letter| format!("-{letter}\t{}", flag.help));
        [format!("--{}\t{}", flag.name, flag.help)].into_iter().chain(short)
    });
    described.collect()
}

/// Images asked for before, and images on disk.
fn images(line: &PartialCommandLine, word: &str) -> Vec<String> {
    const SCHEMES: [&str; 3] = ["oci:", "oci-archive:", "docker-archive:"];
    match SCHEMES.iter().find(|scheme| word.starts_with(**scheme)) {
        Some(scheme) => paths(scheme, &word[scheme.len()..]),
        None => [images_asked_for(&line.args, word), owned(&SCHEMES)].concat(),
    }
}

/// Directories that complete the path, and for archives files too.
fn paths(scheme: &str, path: &str) -> Vec<String> {
    let (directory, begun) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
    let entries = fs::read_dir(if directory.is_empty() { "." } else { directory })
        .into_iter()
        .flatten()
        .flatten();
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

/// The images asked for before that start with `prefix`, in the form in which they do, sorted; from the cache alone.
fn images_asked_for(args: &Args, prefix: &str) -> Vec<String> {
    let keys = context::cache(args).map(|cache| cache.keys(Namespace::Tags)).unwrap_or_default();
    let images: BTreeSet<String> = keys.iter().filter_map(|key| named(key, prefix)).collect();
    images.into_iter().collect()
}

/// The first of an image's names that starts with `prefix`. Keys are `HOST/NAME:TAG ACCEPT`, of
/// lists of tags `HOST/NAME`.
fn named(key: &str, prefix: &str) -> Option<String> {
    let key = key.split(' ').next().unwrap_or_default();
    let reference: Reference = key.parse().ok()?;
    let is_latest = reference.at == TagOrDigest::Tag("latest".to_owned());
    let short = is_latest.then(|| reference.transport.to_string());
    let names = [short, Some(reference.to_string()), Some(key.to_owned())];
    names.into_iter().flatten().find(|name| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_users_name_them() {
        for (key, prefix, expected) in [
            ("docker.io/library/ubuntu:18.04", "", Some("ubuntu:18.04")),
            ("docker.io/library/ubuntu:18.04 a,b", "ub", Some("ubuntu:18.04")),
            ("docker.io/library/ubuntu:latest", "ub", Some("ubuntu")),
            ("docker.io/library/ubuntu:latest", "ubuntu:", Some("ubuntu:latest")),
            ("docker.io/library/ubuntu", "ub", Some("ubuntu")),
            ("docker.io/sphinxdoc/sphinx:4.4.0", "sph", Some("sphinxdoc/sphinx:4.4.0")),
            (
                "docker.io/library/ubuntu:18.04",
                "docker.io/",
                Some("docker.io/library/ubuntu:18.04"),
            ),
            ("localhost:5000/a:v1", "localhost:5", Some("localhost:5000/a:v1")),
            ("example.com/a", "example.com/a", Some("example.com/a")),
            ("docker.io/library/ubuntu:18.04", "alpine", None),
            ("NOT/", "", None),
        ] {
            assert_eq!(named(key, prefix).as_deref(), expected, "{key} {prefix}");
        }
    }
}
