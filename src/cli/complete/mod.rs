//! The table as completions for shells: commands, options and their values.
//!
//! Each script is a template, `complete.SHELL`, with the table's part put where `@NAME@` and
//! the like stand. Scripts are static; for images asked for before they run `Cli::recall`.

mod bash;
mod cobra;
mod fish;
mod powershell;
mod zsh;

use super::{Cli, Flag, Operand, Value};

pub(crate) use cobra::candidates;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

pub(crate) fn completions(cli: &Cli, shell: Shell) -> String {
    match shell {
        Shell::Bash => bash::script(cli),
        Shell::Zsh => zsh::script(cli),
        Shell::Fish => fish::script(cli),
        Shell::Powershell => powershell::script(cli),
    }
}

/// What may stand in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Offer {
    /// Something, but nobody can guess it.
    Unknown,
    Words(Vec<&'static str>),
    Files,
    Directories,
    /// Images asked for before, and images on disk.
    Images,
}

impl Offer {
    fn value(value: Value) -> Offer {
        match value {
            Value::None | Value::Count | Value::Text(_) | Value::Secret(_) => Offer::Unknown,
            Value::Pair(..) | Value::Number | Value::Seconds | Value::Duration => Offer::Unknown,
            Value::Path(_) | Value::Images(_) => Offer::Files,
            Value::Directory(_) => Offer::Directories,
            Value::Choice(choices) => Offer::Words(choices.to_vec()),
            Value::Platform => Offer::Words(PLATFORMS.to_vec()),
            Value::Os => Offer::Words(SYSTEMS.to_vec()),
            Value::Arch => Offer::Words(ARCHITECTURES.to_vec()),
            Value::Variant => Offer::Words(VARIANTS.to_vec()),
        }
    }

    fn operand(cli: &Cli, operand: Operand) -> Offer {
        match operand {
            Operand::None | Operand::Registry => Offer::Unknown,
            Operand::Image | Operand::Images | Operand::Layer => Offer::Images,
            Operand::Pair | Operand::Repository => Offer::Images,
            Operand::Command => Offer::Words(cli.specs().map(|spec| spec.name).collect()),
            Operand::Kind(kinds) => Offer::Words(kinds.to_vec()),
            Operand::Forms(forms) => Offer::Words(forms.iter().map(|form| form.word).collect()),
        }
    }

    /// What may follow the first operand.
    fn further(operand: Operand) -> Offer {
        match operand {
            Operand::Images => Offer::Images,
            Operand::Forms(_) => Offer::Files,
            _ => Offer::Unknown,
        }
    }
}

/// How many arguments a value is.
fn arguments(value: Value) -> usize {
    match value {
        Value::None | Value::Count => 0,
        Value::Pair(..) => 2,
        _ => 1,
    }
}

/// `--output`, `-o`: what a word of the command line may be for an option.
fn spellings(flag: &Flag) -> Vec<String> {
    let mut spellings = vec![format!("--{}", flag.name)];
    spellings.extend(flag.short.map(|letter| format!("-{letter}")));
    spellings
}

/// The commands, with spaces between.
fn names(cli: &Cli) -> String {
    let names: Vec<&str> = cli.specs().map(|spec| spec.name).collect();
    names.join(" ")
}

/// The options that take a value, as the command line spells them, with spaces between.
fn valued(cli: &Cli) -> String {
    let flags = cli.flags().filter(|flag| !flag.value.is_switch());
    let spellings: Vec<String> = flags.flat_map(spellings).collect();
    spellings.join(" ")
}

/// The template with the name of the program, as it is and as part of a function's name.
fn fill(template: &str, cli: &Cli, parts: &[(&str, &str)]) -> String {
    let recall = cli.recall.unwrap_or_default();
    let id = cli.name.replace('-', "_");
    let named = [
        ("@NAME@", cli.name),
        ("@ID@", id.as_str()),
        ("@RECALL@", recall),
    ];
    parts
        .iter()
        .chain(&named)
        .fold(template.to_owned(), |text, (place, part)| {
            text.replace(place, part)
        })
}

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
const SYSTEMS: &[&str] = &["darwin", "freebsd", "linux", "windows"];
const ARCHITECTURES: &[&str] = &[
    "386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le", "riscv64", "s390x",
];
const VARIANTS: &[&str] = &["v5", "v6", "v7", "v8"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo;

    #[test]
    fn every_script_knows_every_command_option_and_choice() {
        let cli = demo::cli();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Powershell] {
            let script = completions(&cli, shell);
            for spec in cli.specs() {
                assert!(script.contains(spec.name), "{shell:?}: {}", spec.name);
            }
            for flag in cli.flags() {
                let long = match shell {
                    Shell::Fish => format!(" -l {} ", flag.name),
                    _ => format!("--{}", flag.name),
                };
                assert!(script.contains(&long), "{shell:?}: {long}");
            }
            for word in ["always", "linux/arm64", "oci:", "__images"] {
                assert!(script.contains(word), "{shell:?}: {word}");
            }
            let left = script.contains("@NAME@") || script.contains("@ID@");
            assert!(!left, "{shell:?} has a place that was not filled");
        }
    }

    #[test]
    fn a_help_cannot_leave_its_quotes() {
        for (shell, quoted) in [
            (Shell::Zsh, r"after a command, that command'\''s"),
            (Shell::Fish, r"after a command, that command\'s"),
            (Shell::Powershell, "after a command, that command''s"),
        ] {
            assert!(
                completions(&demo::cli(), shell).contains(quoted),
                "{shell:?}"
            );
        }
    }
}
