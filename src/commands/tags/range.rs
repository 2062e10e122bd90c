//! Ranges of versions, as npm has them.

use std::str::FromStr;

use super::version::{Version, trimmed};
use crate::error::{Error, Result};

/// What `--semver` takes: one of several sets of bounds.
#[derive(Debug)]
pub(super) struct Range(Vec<Bounds>);

#[derive(Debug)]
struct Bounds {
    intervals: Vec<Interval>,
    /// `*` is any or none.
    suffix: String,
}

/// From the first on and, unless it is `None`, below the second.
#[derive(Debug)]
struct Interval(Vec<u64>, Option<Vec<u64>>);

impl Range {
    pub(super) fn takes(&self, version: &Version) -> bool {
        self.0.iter().any(|bounds| bounds.take(version))
    }
}

impl FromStr for Range {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let sets = text.split("||").map(Bounds::parse);
        sets.collect::<Option<Vec<Bounds>>>()
            .map(Range)
            .ok_or_else(|| {
                Error::usage(format!(
                    "--semver wants a range such as '^1.4', '1.x' or '>=1.2 <2', not '{text}'"
                ))
            })
    }
}

impl Bounds {
    fn parse(text: &str) -> Option<Self> {
        let mut bounds = Bounds {
            intervals: Vec::new(),
            suffix: String::new(),
        };
        let is_space = |c: char| c == ',' || c.is_whitespace();
        let mut rest = text.trim_matches(is_space);
        while !rest.is_empty() {
            let operator = rest.find(|c| !"^~=<>".contains(c))?;
            let (operator, tail) = rest.split_at(operator);
            let tail = tail.trim_start();
            let (word, tail) = tail.split_at(tail.find(is_space).unwrap_or(tail.len()));
            bounds.add(operator, word)?;
            rest = tail.trim_start_matches(is_space);
        }
        (!bounds.intervals.is_empty()).then_some(bounds)
    }

    /// `None` if this is no bound, or names another suffix than one before.
    fn add(&mut self, operator: &str, word: &str) -> Option<()> {
        let (version, suffix) = word.split_once('-').unwrap_or((word, ""));
        if !suffix.is_empty() {
            if !self.suffix.is_empty() && self.suffix != suffix {
                return None;
            }
            self.suffix = suffix.to_owned();
        }
        self.intervals
            .push(Interval::of(operator, &partial(version)?)?);
        Some(())
    }

    fn take(&self, version: &Version) -> bool {
        let holds = |Interval(from, to): &Interval| {
            version.numbers >= *from && to.as_ref().is_none_or(|to| version.numbers < *to)
        };
        (self.suffix == "*" || self.suffix == version.suffix) && self.intervals.iter().all(holds)
    }
}

impl Interval {
    fn of(operator: &str, version: &[u64]) -> Option<Self> {
        let Some(last) = version.len().checked_sub(1) else {
            // Nothing is above or below all versions.
            let is_open = matches!(operator, "" | "=" | "^" | "~" | ">=" | "<=");
            return is_open.then_some(Interval(Vec::new(), None));
        };
        let from = trimmed(version.to_vec());
        let below = |place| Some(after(version, place));
        let significant = version.iter().position(|number| *number > 0);
        Some(match operator {
            "" | "=" => Interval(from, below(last)),
            "^" => Interval(from, below(significant.unwrap_or(last))),
            "~" => Interval(from, below(last.min(1))),
            ">=" => Interval(from, None),
            ">" => Interval(after(version, last), None),
            "<" => Interval(Vec::new(), Some(from)),
            "<=" => Interval(Vec::new(), below(last)),
            _ => return None,
        })
    }
}

/// The numbers before the first that may be anything: `1.x` is 1, `*` is none.
fn partial(text: &str) -> Option<Vec<u64>> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let mut parts = text.split('.');
    let is_any = |part: &str| matches!(part, "x" | "X" | "*");
    let mut numbers = Vec::new();
    for part in parts.by_ref().take_while(|part| !is_any(part)) {
        numbers.push(part.parse().ok()?);
    }
    parts.all(is_any).then_some(numbers)
}

/// The first version behind all that begin with the numbers up to this place.
fn after(version: &[u64], place: usize) -> Vec<u64> {
    let mut next = version[..=place].to_vec();
    next[place] = next[place].saturating_add(1);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_npms() {
        for (range, inside, outside) in [
            (
                "^1.4",
                "1.4 1.4.1 1.9 v1.4.0.1",
                "1.3.9 2 2.0.0 1.4-alpine 1.5.0-rc1 latest",
            ),
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
            (
                "^1.4-alpine",
                "1.4-alpine 1.5.1-alpine",
                "1.4 1.5-slim 2-alpine",
            ),
            ("^1.4-*", "1.4 1.5-slim 1.6rc1", "2-slim"),
            (">=1.4-alpine <2", "1.4-alpine", "1.4"),
        ] {
            let takes = range.parse::<Range>().unwrap();
            let takes = |tag| Version::parse(tag).is_some_and(|version| takes.takes(&version));
            inside
                .split(' ')
                .for_each(|tag| assert!(takes(tag), "{range} takes {tag}"));
            outside
                .split(' ')
                .for_each(|tag| assert!(!takes(tag), "{range} leaves {tag}"));
        }
    }

    #[test]
    fn a_malformed_range_is_a_usage_error() {
        for range in [
            "", "abc", "^", "1..2", "1.x.2", "!1", "=>1", "1 - 2", "1 ||", "<*", "1-a 2-b",
        ] {
            assert!(range.parse::<Range>().is_err(), "{range}");
        }
    }
}
