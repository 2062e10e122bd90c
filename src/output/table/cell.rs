//! What stands in a table: a value as people read it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use crate::digest::Digest;
use crate::error::printable;
use crate::platform::Platform;
use crate::text::{Color, columns, width};

/// What is shown where nothing is.
pub(super) const NOTHING: &str = "-";

/// Where a cell stands in its row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Image,
    Key,
    Member(String),
    /// Of what is no object.
    Value,
}

#[derive(Clone)]
pub(super) struct Cell {
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) color: Option<Color>,
    /// Of a number; for a size, how many bytes.
    pub(super) number: Option<u64>,
    /// Whether it may be as long as a registry likes.
    pub(super) is_text: bool,
}

impl Cell {
    /// On one line, without anything that could drive a terminal.
    pub(super) fn plain(place: Place, text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = printable(&words.join(" "));
        Cell { place, text, color: None, number: None, is_text: true }
    }

    /// `key` says what a number means.
    pub(super) fn of(place: Place, key: &str, value: &Value, now: u64) -> Self {
        let plain = Cell { is_text: false, ..Cell::plain(place, "") };
        match value {
            Value::String(text) => match (text.parse::<Digest>(), time(text)) {
                (Ok(digest), _) => {
                    let text = digest.hex()[..12].to_owned();
                    Cell { text, color: Some(Color::Yellow), ..plain }
                }
                (_, Some(then)) => Cell { text: age(now, then), ..plain },
                _ => Cell::plain(plain.place, text),
            },
            Value::Number(number) => {
                let size = number.as_u64().filter(|_| is_size(key));
                let text = size.map_or_else(|| number.to_string(), megabytes);
                Cell { text, number: Some(size.unwrap_or_default()), ..plain }
            }
            value => Cell::plain(plain.place, &words(value)),
        }
    }
}

/// The text, or as much of it as fits and `…`. Of a media type, which begins as all do, the end.
pub(super) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if width(text) <= limit {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += columns(*c);
        used < limit
    };
    Cow::Owned(match text.starts_with("application/") {
        true => {
            let end: Vec<char> = text.chars().rev().take_while(fits).collect();
            format!("…{}", end.iter().rev().collect::<String>())
        }
        false => format!("{}…", text.chars().take_while(fits).collect::<String>()),
    })
}

/// `createdBy` and `created_by` as `CREATED BY`; what is no such word, as it is.
pub(super) fn title(key: &str) -> String {
    if !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return key.to_owned();
    }
    let mut title = String::new();
    let mut was_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() && was_lower {
            title.push(' ');
        }
        was_lower = c.is_ascii_lowercase();
        title.push(if c == '_' { ' ' } else { c.to_ascii_uppercase() });
    }
    title
}

/// What is neither a number nor a string alone.
fn words(value: &Value) -> String {
    let listed = |items: &Vec<Value>| items.iter().map(words).collect::<Vec<_>>().join(", ");
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.is_empty() => listed(items),
        Value::Object(members) if !members.is_empty() => {
            Platform::read(value).map_or_else(|| value.to_string(), |it| it.to_string())
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        _ => NOTHING.to_owned(),
    }
}

/// Whether a number with this name counts bytes.
fn is_size(key: &str) -> bool {
    key.to_ascii_lowercase().ends_with("size") || matches!(key, "compressed" | "unpacked")
}

fn megabytes(bytes: u64) -> String {
    match bytes {
        1..50_000 => "<0.1 MB".to_owned(),
        bytes => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// A time as RFC 3339 has it, in seconds since 1970. A tag may look like one, but has no colon.
fn time(text: &str) -> Option<i64> {
    let time = text.contains(':').then(|| text.parse::<Timestamp>().ok())?;
    time.map(Timestamp::as_second)
}

/// `3 weeks ago`, in the steps of docker.
fn age(now: u64, then: i64) -> String {
    /// Below so many seconds so many make one.
    const STEPS: [(u64, u64, &str); 7] = [
        (60, 1, "second"),
        (3_600, 60, "minute"),
        (2 * 86_400, 3_600, "hour"),
        (14 * 86_400, 86_400, "day"),
        (60 * 86_400, 7 * 86_400, "week"),
        (730 * 86_400, 30 * 86_400, "month"),
        (u64::MAX, 365 * 86_400, "year"),
    ];
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let seconds = now.abs_diff(then);
    let step = STEPS.into_iter().find(|(below, ..)| seconds < *below);
    let (_, one, unit) = step.unwrap_or(STEPS[6]);
    let count = seconds / one;
    let plural = if count == 1 { "" } else { "s" };
    match then > now {
        true => format!("in {count} {unit}{plural}"),
        false => format!("{count} {unit}{plural} ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_as_docker_tells_them() {
        const NOW: u64 = 1_800_000_000;
        for (seconds, expected) in [
            (0, "0 seconds ago"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (172_799, "47 hours ago"),
            (172_800, "2 days ago"),
            (1_209_600, "2 weeks ago"),
            (5_184_000, "2 months ago"),
            (63_072_000, "2 years ago"),
            (1_800_000_000, "57 years ago"),
            (-90, "in 1 minute"),
        ] {
            assert_eq!(age(NOW, NOW as i64 - seconds), expected);
        }
        assert_eq!(age(u64::MAX, i64::MIN), "584942417355 years ago");
    }

    #[test]
    fn what_is_wide_is_cut_to_what_it_takes_on_a_terminal() {
        for (text, limit, expected) in [
            ("abcde", 5, "abcde"),
            ("abcdef", 5, "abcd…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("e\u{301}e\u{301}e\u{301}", 3, "e\u{301}e\u{301}e\u{301}"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("application/vnd.oci.image.layer.v1.tar+gzip", 12, "…v1.tar+gzip"),
        ] {
            let cut = cut(text, limit);
            assert_eq!(cut, expected);
            assert!(width(&cut) <= limit, "{cut}");
        }
    }

    #[test]
    fn names_are_titles() {
        for (key, expected) in [
            ("createdBy", "CREATED BY"),
            ("created_by", "CREATED BY"),
            ("diffId", "DIFF ID"),
            ("dockerVersion", "DOCKER VERSION"),
            ("org.opencontainers.image.title", "org.opencontainers.image.title"),
            ("linux/amd64", "linux/amd64"),
        ] {
            assert_eq!(title(key), expected);
        }
    }
}
