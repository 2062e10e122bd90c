//! From the words after an option to its value.

use std::ffi::OsString;
use std::time::Duration;

use super::Value;
use super::args::OptionValue;
use super::closest::closest;
use crate::error::{Error, Result, without_user};
use crate::secret::Secret;

impl Value {
    /// Takes as many words from `next` as the value has. `option` is the option as it was
    /// written, for messages.
    pub(super) fn read(
        self,
        option: &str,
        mut next: impl FnMut() -> Option<OsString>,
    ) -> Result<OptionValue> {
        if self.is_switch() {
            return Ok(OptionValue::Switch);
        }
        let wanted = || format!("{option} wants {}", self.wanted());
        let first = next().ok_or_else(|| Error::usage(wanted()))?;
        if let Value::Path | Value::Directory | Value::Images = self {
            return match first.is_empty() {
                true => Err(Error::usage(format!("{}, not ''", wanted()))),
                false => Ok(OptionValue::Path(first.into())),
            };
        }
        let utf8 = |word: OsString| {
            let not_utf8 = || Error::usage(format!("{}, in UTF-8", wanted()));
            word.into_string().map_err(|_| not_utf8())
        };
        let first = utf8(first)?;
        if let Value::Pair(..) = self {
            let second = next().ok_or_else(|| Error::usage(wanted()))?;
            return Ok(OptionValue::Pair(first, utf8(second)?));
        }
        self.parse(&first).ok_or_else(|| {
            let shown = without_user(&first);
            let error = Error::usage(format!("{}, not '{shown}'", wanted()));
            match self.closest(&first) {
                Some(choice) => error.hint(format!("did you mean '{choice}'?")),
                None => error,
            }
        })
    }

    /// `None` if the word is not such a value.
    fn parse(self, word: &str) -> Option<OptionValue> {
        match self {
            Value::Number if word.starts_with('+') => None,
            Value::Number => word.parse().ok().map(OptionValue::Number),
            Value::Seconds | Value::Duration => duration(word).map(OptionValue::Duration),
            Value::Choice(choices) if !choices.contains(&word) => None,
            Value::Secret(_) => Some(OptionValue::Secret(Secret::new(word))),
            _ => Some(OptionValue::Text(word.to_owned())),
        }
    }

    fn closest(self, word: &str) -> Option<&'static str> {
        match self {
            Value::Choice(choices) => closest(word, choices.iter().copied()),
            _ => None,
        }
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
            Value::Choice(choices) => enumeration(choices),
            _ => self.placeholder().into_owned(),
        }
    }
}

/// `a, b or c`
pub(super) fn enumeration(choices: &[&str]) -> String {
    match choices {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

/// `90`, `30s`, `10m`, `1h`, `2d`, `500ms`, and units in falling order: `1h30m`.
fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return (!text.starts_with('+')).then(|| Duration::from_secs(seconds));
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
