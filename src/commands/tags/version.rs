//! Tags read as versions.

use std::cmp::Ordering;

/// Numbers and a suffix, in the order of semver.org's precedence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// Without zeros at the end: 1 and 1.0 are the same.
    pub(super) numbers: Vec<u64>,
    /// What stands behind the numbers, without the hyphen; may be empty.
    pub(super) suffix: String,
}

impl Version {
    /// `None` for a tag that is no version, such as `latest` or `3f2a1b`.
    pub(super) fn parse(tag: &str) -> Option<Self> {
        let (numbers, suffix) = split(tag)?;
        Some(Version {
            numbers: trimmed(numbers),
            suffix: suffix.to_owned(),
        })
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        // The bare version is the one that is out.
        let bare = self.suffix.is_empty().cmp(&other.suffix.is_empty());
        let identifiers = |suffix: &str| Vec::from_iter(suffix.split('.').map(Identifier::of));
        let suffix = || identifiers(&self.suffix).cmp(&identifiers(&other.suffix));
        // What reads the same but is written otherwise, such as `-01`, must not be equal.
        numbers
            .then(bare)
            .then_with(suffix)
            .then_with(|| self.suffix.cmp(&other.suffix))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Identifier {
    fn of(text: &str) -> Self {
        match text.parse() {
            Ok(number) => Identifier::Number(number),
            Err(_) => Identifier::Word(text.to_owned()),
        }
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

/// Without zeros at the end.
pub(super) fn trimmed(mut numbers: Vec<u64>) -> Vec<u64> {
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_other_tags() {
        for tag in [
            "1",
            "v1.2",
            "1.2.3-alpine",
            "18.04",
            "3.13.0rc1",
            "1.2.3.4",
            "2024-01",
        ] {
            assert!(Version::parse(tag).is_some(), "{tag}");
        }
        for tag in [
            "latest",
            "",
            "v",
            "3f2a1b",
            "1..2",
            "1.",
            ".1",
            "1-",
            "99999999999999999999",
        ] {
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
}
