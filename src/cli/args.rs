//! What was given on the command line, asked for with the flag itself.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::Flag;
use super::value::{duration, number};
use crate::secret::Secret;

/// The options and operands of one command. An option that was not given is absent, not its
/// default. Each accessor is for the values of one kind; using another one is a bug.
#[derive(Default)]
pub(crate) struct Args {
    /// Options in their order, with the words of their values.
    pub(super) given: Vec<(&'static Flag, Vec<OsString>)>,
    pub(super) operands: Vec<String>,
    pub(super) file: Option<String>,
    /// How many of the options are the environment's, which come first.
    pub(super) usual: usize,
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
        self.all(flag).map(|words| utf8(&words[0]))
    }

    pub(crate) fn secret(&self, flag: &Flag) -> Option<Secret> {
        self.text(flag).map(Secret::new)
    }

    pub(crate) fn pairs(&self, flag: &Flag) -> impl Iterator<Item = (&str, &str)> {
        self.all(flag).map(|words| (utf8(&words[0]), utf8(&words[1])))
    }

    pub(crate) fn number(&self, flag: &Flag) -> Option<u64> {
        self.text(flag).and_then(number)
    }

    pub(crate) fn duration(&self, flag: &Flag) -> Option<Duration> {
        self.text(flag).and_then(duration)
    }

    /// A file, a directory or a list of images; `-` is for the caller to understand.
    pub(crate) fn path(&self, flag: &Flag) -> Option<&Path> {
        self.all(flag).last().map(|words| Path::new(&words[0]))
    }

    /// The path in the image, of `Operand::ImageFile`.
    pub(crate) fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// What follows the command and is no option.
    pub(crate) fn operands(&self) -> &[String] {
        &self.operands
    }

    fn all(&self, flag: &Flag) -> impl Iterator<Item = &[OsString]> {
        let given = self.given.iter().filter(move |(other, _)| std::ptr::eq(*other, flag));
        given.map(|(_, words)| words.as_slice())
    }
}

fn utf8(word: &OsString) -> &str {
    word.to_str().expect("the parser lets only paths be anything else")
}
