//! What an option takes, and whether words are such a value.

use std::ffi::OsString;
use std::time::Duration;

use super::closest::suggest;
use super::one_of;
use crate::error::{Error, Result, without_user};

/// What an option takes: the parser obeys it, the help prints it, the completions offer it.
/// A `&str` is the placeholder; of an option given twice the last value counts, except for
/// `Count`, `Text` (see `Args::texts`) and `Pair`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    /// No value, but it matters how often it is given.
    Count,
    Text(&'static str),
    /// Text too, of which the completions offer these words.
    Suggested(&'static str, &'static str),
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
    /// What a usage line shows; empty for a switch.
    pub(super) fn placeholder(self) -> String {
        match self {
            Value::None | Value::Count => String::new(),
            Value::Text(name) | Value::Suggested(name, _) | Value::Secret(name) => name.to_owned(),
            Value::Pair(name, value) => format!("{name} {value}"),
            Value::Choice(choices) => choices.join("|"),
            Value::Number => "N".to_owned(),
            Value::Seconds => "SECONDS".to_owned(),
            Value::Duration => "DURATION".to_owned(),
            Value::Path | Value::Images => "FILE".to_owned(),
            Value::Directory => "DIR".to_owned(),
        }
    }

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

pub(super) fn number(word: &str) -> Option<u64> {
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
