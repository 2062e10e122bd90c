//! Tags read as versions, and ranges of versions as npm has them.

use std::str::FromStr;

use crate::error::{Error, Result};

/// Numbers and a suffix, in the order of semver.org's precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version<'a> {
    /// Without zeros at the end: 1 and 1.0 are the same.
    numbers: Vec<u64>,
    /// Whether there is no suffix: a final version comes after those with one.
    is_final: bool,
    /// The parts of the suffix, numbers before words.
    identifiers: Vec<std::result::Result<u64, &'a str>>,
    /// What stands behind the numbers, without the hyphen. `-01` and `-1` are not the same.
    suffix: &'a str,
}

impl<'a> Version<'a> {
    /// `None` for a tag that is no version, such as `latest` or `3f2a1b`.
    pub(super) fn parse(tag: &'a str) -> Option<Self> {
        let (numbers, suffix) = split(tag)?;
        let identifiers = suffix.split('.').map(|text| text.parse().map_err(|_| text));
        Some(Version {
            numbers: trimmed(numbers),
            is_final: suffix.is_empty(),
            identifiers: identifiers.collect(),
            suffix,
        })
    }
}

/// `v1.2.3-alpine` as 1, 2, 3 and `alpine`. A suffix without a hyphen, as in `3.13.0rc1`, counts only
/// behind several numbers: `3f2a1b` is a hash.
fn split(text: &str) -> Option<(Vec<u64>, &str)> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (numbers, suffix) = text.split_at(end.unwrap_or(text.len()));
    let numbers = numbers.split('.').map(|number| number.parse().ok());
    let numbers = numbers.collect::<Option<Vec<u64>>>()?;
    match suffix.strip_prefix(['-', '_']) {
        Some("") => None,
        Some(suffix) => Some((numbers, suffix)),
        None if suffix.is_empty() || numbers.len() > 1 => Some((numbers, suffix)),
        None => None,
    }
}

/// A tag that is a version, and how it is written.
pub(in crate::commands) struct Shape<'a> {
    pub(in crate::commands) tag: &'a str,
    numbers: Vec<u64>,
    /// What stands before and behind the numbers.
    frame: (&'a str, &'a str),
}

impl<'a> Shape<'a> {
    /// `None` for a tag that is no version.
    pub(in crate::commands) fn parse(tag: &'a str) -> Option<Self> {
        let (numbers, _) = split(tag)?;
        let (prefix, rest) = tag.split_at(tag.find(|c: char| c.is_ascii_digit())?);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        Some(Shape { tag, numbers, frame: (prefix, &rest[end.unwrap_or(rest.len())..]) })
    }

    pub(in crate::commands) fn numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// Whether it is written like `other`, greater, and the same in the first `fixed` numbers.
    pub(in crate::commands) fn is_newer(&self, other: &Shape, fixed: usize) -> bool {
        let fixed = fixed.min(other.numbers.len());
        self.frame == other.frame
            && self.numbers.len() == other.numbers.len()
            && self.numbers[..fixed] == other.numbers[..fixed]
            && self.numbers > other.numbers
    }
}

/// Without zeros at the end.
fn trimmed(mut numbers: Vec<u64>) -> Vec<u64> {
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

/// What `--semver` takes: one of several sets of bounds.
#[derive(Debug)]
pub(super) struct Range(Vec<Bounds>);

#[derive(Debug, Default)]
struct Bounds {
    intervals: Vec<Interval>,
    /// `*`: any suffix, or none.
    suffix: String,
}

/// At least the first version and less than the second; `None`: no upper bound.
type Interval = (Vec<u64>, Option<Vec<u64>>);

impl Range {
    pub(super) fn takes(&self, version: &Version) -> bool {
        let numbers = &version.numbers;
        self.0.iter().any(|Bounds { intervals, suffix }| {
            let mut intervals = intervals.iter();
            (suffix == "*" || suffix == version.suffix)
                && intervals
                    .all(|(from, to)| numbers >= from && to.as_ref().is_none_or(|to| numbers < to))
        })
    }
}

impl FromStr for Range {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let sets = text.split("||").map(bounds);
        sets.collect::<Option<_>>().map(Range).ok_or_else(|| {
            Error::usage(format!(
                "--semver wants a range such as '^1.4', '1.x' or '>=1.2 <2', not '{text}'"
            ))
        })
    }
}

/// `None` if there is none, or a malformed one, or if they have different suffixes.
fn bounds(text: &str) -> Option<Bounds> {
    let mut bounds = Bounds::default();
    let is_space = |c: char| c == ',' || c.is_whitespace();
    let hyphen = text.trim().split_once(" - ");
    let hyphen = hyphen.map(|(from, to)| format!(">={from} <={to}"));
    let mut rest = hyphen.as_deref().unwrap_or(text).trim_matches(is_space);
    while !rest.is_empty() {
        let (operator, tail) = rest.split_at(rest.find(|c| !"^~=<>".contains(c))?);
        let tail = tail.trim_start();
        let (word, tail) = tail.split_at(tail.find(is_space).unwrap_or(tail.len()));
        let (version, suffix) = word.split_once('-').unwrap_or((word, ""));
        if !suffix.is_empty() {
            if !bounds.suffix.is_empty() && bounds.suffix != suffix {
                return None;
            }
            bounds.suffix = suffix.to_owned();
        }
        bounds.intervals.push(interval(operator, &partial(version)?)?);
        rest = tail.trim_start_matches(is_space);
    }
    (!bounds.intervals.is_empty()).then_some(bounds)
}

fn interval(operator: &str, version: &[u64]) -> Option<Interval> {
    let Some(last) = version.len().checked_sub(1) else {
        // `>*` and `<*` contain no version.
        let is_open = matches!(operator, "" | "=" | "^" | "~" | ">=" | "<=");
        return is_open.then_some((Vec::new(), None));
    };
    let from = trimmed(version.to_vec());
    let below = |place| Some(after(version, place));
    let significant = version.iter().position(|number| *number > 0);
    Some(match operator {
        "" | "=" => (from, below(last)),
        "^" => (from, below(significant.unwrap_or(last))),
        "~" => (from, below(last.min(1))),
        ">=" => (from, None),
        ">" => (after(version, last), None),
        "<" => (Vec::new(), Some(from)),
        "<=" => (Vec::new(), below(last)),
        _ => return None,
    })
}

/// The numbers before the first wildcard: 1 for `1.x`, none for `*`.
fn partial(text: &str) -> Option<Vec<u64>> {
    let is_any = |part: &str| matches!(part, "x" | "X" | "*");
    let mut parts = text.strip_prefix(['v', 'V']).unwrap_or(text).split('.');
    let numbers = parts.by_ref().take_while(|part| !is_any(part)).map(|part| part.parse().ok());
    numbers.collect::<Option<_>>().filter(|_| parts.all(is_any))
}

/// The lowest version above all those that begin with the numbers up to this place.
fn after(version: &[u64], place: usize) -> Vec<u64> {
    let mut next = version[..=place].to_vec();
    next[place] = next[place].saturating_add(1);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_other_tags() {
        for tag in ["1", "v1.2", "1.2.3-alpine", "18.04", "3.13.0rc1", "1.2.3.4", "2024-01"] {
            assert!(Version::parse(tag).is_some(), "{tag}");
        }
        for tag in ["latest", "", "v", "3f2a1b", "1..2", "1.", ".1", "1-", "99999999999999999999"] {
            assert_eq!(Version::parse(tag), None, "{tag}");
        }
    }

    #[test]
    fn versions_are_ordered_by_precedence() {
        let rising = [
            "0.9",
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1",
            "1.0.1",
            "1.2",
            "1.2.0.1",
            "1.10",
        ];
        let versions = rising.map(|tag| Version::parse(tag).unwrap());
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        assert_eq!(Version::parse("v1.0.0"), Version::parse("1"));
    }

    #[test]
    fn ranges_are_npms() {
        for (range, inside, outside) in [
            ("^1.4", "1.4 1.4.1 1.9 v1.4.0.1", "1.3.9 2 2.0.0 1.4-alpine 1.5.0-rc1 latest"),
            ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3"),
            ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
            ("^0.0", "0.0.9", "0.1"),
            ("^0", "0.9", "1"),
            ("~1.2", "1.2 1.2.9", "1.3 1.1"),
            ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3"),
            ("~1", "1 1.9", "2"),
            ("1.2", "1.2 1.2.3", "1.3 1.20"),
            ("=v1.2.3", "1.2.3 v1.2.3", "1.2.4"),
            ("1.x", "1 1.9.9", "2 0.9"),
            ("1.2.*", "1.2.7", "1.3"),
            ("*", "0 7.1", "7.1-rc1 latest"),
            (">=1.2 <2", "1.2 1.9.9", "1.1.9 2 2.0"),
            (">= 1.2, < 2", "1.2 1.9.9", "1.1.9 2 2.0"),
            (">1.2", "1.3 2", "1.2 1.2.9"),
            ("<=1.2", "0 1.2 1.2.9", "1.3"),
            ("<1.2", "1.1.9", "1.2 1.2.0"),
            (">=1.0", "1 1.0 2", "0.9"),
            ("1.x || >=3", "1.1 3.1", "2"),
            ("^1.4-alpine", "1.4-alpine 1.5.1-alpine", "1.4 1.5-slim 2-alpine"),
            ("^1.4-*", "1.4 1.5-slim 1.6rc1", "2-slim"),
            ("1.2 - 1.4.1", "1.2 1.4.1", "1.1.9 1.4.2"),
            ("1.2  -  2", "1.2 2 2.9", "1.1 3"),
            ("1 - 2-alpine || 4", "2.1-alpine 4", "2.1 3-alpine"),
            (">=1.4-alpine <2", "1.4-alpine", "1.4"),
        ] {
            let takes = range.parse::<Range>().unwrap();
            let takes = |tag| Version::parse(tag).is_some_and(|version| takes.takes(&version));
            inside.split(' ').for_each(|tag| assert!(takes(tag), "{range} takes {tag}"));
            outside.split(' ').for_each(|tag| assert!(!takes(tag), "{range} leaves {tag}"));
        }
    }

    #[test]
    fn a_malformed_range_is_a_usage_error() {
        for range in [
            "",
            "abc",
            "^",
            "1..2",
            "1.x.2",
            "!1",
            "=>1",
            "1 -2",
            "1 - ",
            "^1 - 2",
            "1 - 2 - 3",
            "1 ||",
            "<*",
            "1-a 2-b",
        ] {
            assert!(range.parse::<Range>().is_err(), "{range}");
        }
    }
}
