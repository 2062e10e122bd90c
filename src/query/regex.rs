//! Regular expressions: every match as jq describes it.

use std::ops::Range;

use jaq_json::{Error, Map, Val};
use regex_bites::bytes::{Captures, Match, Regex, RegexBuilder};

use super::values::{quoted, text};
use crate::error;

/// A regular expression that is only asked whether it matches.
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// `Kind::Usage` if it is malformed.
    pub(crate) fn compile(pattern: &str) -> error::Result<Self> {
        Regex::new(pattern).map(Pattern).map_err(|why| {
            error::Error::usage(format!("'{pattern}' is no regular expression: {why}"))
        })
    }

    /// Anywhere in the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

/// The matches of `pattern`, an array of match objects; with `g` among the flags all, else one.
pub(super) fn matches(value: &Val, pattern: &Val, flags: &Val) -> Result<Val, Error> {
    let found = find(value, pattern, flags)?;
    Ok(found.into_iter().map(|(_, described)| described).collect())
}

/// The text before the first match, the first match, the text behind it, and so on to the end.
pub(super) fn pieces(value: &Val, pattern: &Val, flags: &Val) -> Result<Val, Error> {
    let found = find(value, pattern, flags)?;
    let Val::TStr(haystack) = value else {
        return Ok(Val::Null);
    };
    let piece = |range: Range<usize>| Val::from(text(&haystack[range]).into_owned());
    let mut pieces = Vec::new();
    let mut at = 0;
    for (place, described) in found {
        pieces.extend([piece(at..place.start), described]);
        at = place.end;
    }
    pieces.push(piece(at..haystack.len()));
    Ok(pieces.into_iter().collect())
}

/// Where each match lies, and how jq describes it.
fn find(value: &Val, pattern: &Val, flags: &Val) -> Result<Vec<(Range<usize>, Val)>, Error> {
    let (Val::TStr(haystack), Val::TStr(pattern)) = (value, pattern) else {
        let wrong = match value {
            Val::TStr(_) => pattern,
            value => value,
        };
        let message = format!("{} cannot be matched, as it is not a string", quoted(wrong));
        return Err(Error::str(message));
    };
    let flags = match flags {
        Val::Null => String::new(),
        Val::TStr(flags) => text(flags).into_owned(),
        flags => return Err(Error::str(format!("{} is not a string", quoted(flags)))),
    };
    let regex = build(&text(pattern), &flags)?;
    let names: Vec<_> = regex.capture_names().collect();
    let mut found = Vec::new();
    // Characters are counted from match to match; from the beginning each time would take too long.
    let (mut counted, mut before) = (0, 0);
    for captures in regex.captures_iter(haystack) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if flags.contains('n') && whole.is_empty() {
            continue;
        }
        before += text(&haystack[counted..whole.start()]).chars().count();
        counted = whole.start();
        found.push((whole.range(), described(whole, before, &captures, &names)));
        if !flags.contains('g') {
            break;
        }
    }
    Ok(found)
}

fn build(pattern: &str, flags: &str) -> Result<Regex, Error> {
    let mut builder = RegexBuilder::new(pattern);
    for flag in flags.chars() {
        match flag {
            // `^` and `$` stand at the ends of the string, which is all that `s` asks for.
            'g' | 'n' | 'l' | 's' => &mut builder,
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            'p' => builder.dot_matches_new_line(true),
            _ => {
                let message = format!("{flags} is not a valid modifier string");
                return Err(Error::str(message));
            }
        };
    }
    builder.build().map_err(|why| {
        Error::str(format!(
            "{pattern} (at offset 0) is not a valid regex: {why}"
        ))
    })
}

/// `before` characters stand before the match.
fn described(whole: Match, before: usize, captures: &Captures, names: &[Option<&str>]) -> Val {
    let mut groups = captures.iter().zip(names).map(|(group, name)| {
        let (offset, length, string) = match group {
            Some(group) => {
                let matched = text(group.as_bytes());
                let within = &whole.as_bytes()[..group.start() - whole.start()];
                let offset = before + text(within).chars().count();
                let length = matched.chars().count();
                (
                    Val::from(offset),
                    Val::from(length),
                    Val::from(matched.into_owned()),
                )
            }
            None => (Val::from(-1isize), Val::from(0isize), Val::Null),
        };
        let mut map = Map::default();
        map.insert(key("offset"), offset);
        map.insert(key("length"), length);
        map.insert(key("string"), string);
        (map, name)
    });
    let mut described = groups.next().map(|(map, _)| map).unwrap_or_default();
    let groups = groups.map(|(mut map, name)| {
        let name = name.map_or(Val::Null, key);
        map.insert(key("name"), name);
        Val::obj(map)
    });
    let groups = groups.collect();
    described.insert(key("captures"), groups);
    Val::obj(described)
}

fn key(name: &str) -> Val {
    Val::from(name.to_owned())
}
