//! What was given on the command line, asked for with the flag itself.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::closest::suggest;
use super::{Flag, Value, one_of};
use crate::error::{Error, Result, without_user};
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

impl Value {
    /// How many words it has.
    pub(super) fn length(self) -> usize {
        match self {
            Value::None | Value::Count => 0,
            Value::Pair(..) => 2,
            _ => 1,
        }
    }

    /// Refuses words that are not such a value. `option` is the option as it was written.
    pub(super) fn check(self, option: &str, words: &[OsString]) -> Result<()> {
        let wanted = format!("{option} wants {}", self.wanted());
        if words.len() < self.length() {
            return Err(Error::usage(wanted));
        }
        let is_path = matches!(self, Value::Path | Value::Directory | Value::Images);
        if !is_path && words.iter().any(|word| word.to_str().is_none()) {
            return Err(Error::usage(format!("{wanted}, in UTF-8")));
        }
        let Some(word) = words.first().map(|word| word.to_string_lossy()) else { return Ok(()) };
        let fits = match self {
            Value::Number => number(&word).is_some(),
            Value::Seconds | Value::Duration => duration(&word).is_some(),
            Value::Choice(choices) => choices.contains(&&*word),
            _ => !is_path || !word.is_empty(),
        };
        if fits {
            return Ok(());
        }
        let error = Error::usage(format!("{wanted}, not '{}'", without_user(&word)));
        Err(match self {
            Value::Choice(choices) => suggest(error, &word, choices.iter().copied(), ""),
            _ => error,
        })
    }

    /// The value as a sentence names it.
    fn wanted(self) -> String {
        match self {
            Value::Number => "a number".to_owned(),
            Value::Seconds => "seconds, such as 30 or 1m30s".to_owned(),
            Value::Duration => "a duration, such as 90, 30s, 10m or 1h30m".to_owned(),
            Value::Directory => "a directory".to_owned(),
            Value::Path => "a file".to_owned(),
            Value::Images => "a file of images".to_owned(),
            Value::Pair(name, value) => format!("{name} and {value}"),
            Value::Choice(choices) => one_of(choices),
            _ => self.placeholder(),
        }
    }
}

fn number(word: &str) -> Option<u64> {
    word.parse().ok().filter(|_| !word.starts_with('+'))
}

/// `90`, `30s`, `10m`, `1h`, `2d`, `500ms`, and units in falling order: `1h30m`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    if let Some(seconds) = number(text) {
        return Some(Duration::from_secs(seconds));
    }
    let (mut rest, mut sum, mut previous) = (text, 0u64, u64::MAX);
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let end = tail.find(|c: char| c.is_ascii_digit());
        let (unit, tail) = tail.split_at(end.unwrap_or(tail.len()));
        let unit = match unit {
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        if unit >= previous {
            return None;
        }
        let part = number.parse::<u64>().ok()?.checked_mul(unit)?;
        (rest, sum, previous) = (tail, sum.checked_add(part)?, unit);
    }
    (!text.is_empty()).then(|| Duration::from_millis(sum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, milliseconds) in [
            ("0", Some(0)),
            ("90", Some(90_000)),
            ("30s", Some(30_000)),
            ("10m", Some(600_000)),
            ("1h", Some(3_600_000)),
            ("2d", Some(172_800_000)),
            ("1h30m", Some(5_400_000)),
            ("1m500ms", Some(60_500)),
            ("", None),
            ("s", None),
            ("+5", None),
            ("-5", None),
            ("1.5h", None),
            ("1h30", None),
            ("30m1h", None),
            ("1h1h", None),
            ("1w", None),
            ("10 m", None),
            ("99999999999999999999", None),
            ("999999999999999999d", None),
        ] {
            let expected = milliseconds.map(Duration::from_millis);
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
