//! What was given on the command line, asked for with the flag itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Flag;
use crate::secret::Secret;

/// The options and operands of one command. An option that was not given is absent, not its
/// default. Each accessor is for the values of one kind; using another one is a bug.
pub(crate) struct Args {
    pub(super) given: Vec<(&'static Flag, OptionValue)>,
    pub(super) operands: Vec<String>,
}

/// The value of an option, parsed.
pub(super) enum OptionValue {
    Switch,
    Text(String),
    Secret(Secret),
    Pair(String, String),
    Number(u64),
    Duration(Duration),
    Path(PathBuf),
}

impl Args {
    pub(crate) fn has(&self, flag: &Flag) -> bool {
        self.count(flag) > 0
    }

    /// How often the option was given.
    pub(crate) fn count(&self, flag: &Flag) -> usize {
        self.all(flag).count()
    }

    /// The last value of an option whose value is a word: text, choice or part of a platform.
    pub(crate) fn text(&self, flag: &Flag) -> Option<&str> {
        self.texts(flag).last()
    }

    /// All values of such an option.
    pub(crate) fn texts(&self, flag: &Flag) -> impl Iterator<Item = &str> {
        self.all(flag).map(|given| match given {
            OptionValue::Text(text) => text.as_str(),
            _ => unreachable!("--{} holds no text", flag.name),
        })
    }

    pub(crate) fn secret(&self, flag: &Flag) -> Option<&Secret> {
        self.all(flag).last().map(|given| match given {
            OptionValue::Secret(secret) => secret,
            _ => unreachable!("--{} holds no secret", flag.name),
        })
    }

    pub(crate) fn pairs(&self, flag: &Flag) -> impl Iterator<Item = (&str, &str)> {
        self.all(flag).map(|given| match given {
            OptionValue::Pair(name, value) => (name.as_str(), value.as_str()),
            _ => unreachable!("--{} holds no pair", flag.name),
        })
    }

    pub(crate) fn number(&self, flag: &Flag) -> Option<u64> {
        self.all(flag).last().map(|given| match given {
            OptionValue::Number(number) => *number,
            _ => unreachable!("--{} holds no number", flag.name),
        })
    }

    pub(crate) fn duration(&self, flag: &Flag) -> Option<Duration> {
        self.all(flag).last().map(|given| match given {
            OptionValue::Duration(duration) => *duration,
            _ => unreachable!("--{} holds no duration", flag.name),
        })
    }

    /// A file, a directory or a list of images; `-` is for the caller to understand.
    pub(crate) fn path(&self, flag: &Flag) -> Option<&Path> {
        self.all(flag).last().map(|given| match given {
            OptionValue::Path(path) => path.as_path(),
            _ => unreachable!("--{} holds no path", flag.name),
        })
    }

    /// What follows the command and is no option.
    pub(crate) fn operands(&self) -> &[String] {
        &self.operands
    }

    fn all(&self, flag: &Flag) -> impl Iterator<Item = &OptionValue> {
        self.given
            .iter()
            .filter(move |(other, _)| std::ptr::eq(*other, flag))
            .map(|(_, given)| given)
    }
}
