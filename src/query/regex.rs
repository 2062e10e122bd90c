//! Regular expressions: every match as jq describes it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use fancy_regex::{Captures, Match, Regex, RegexBuilder};
use jaq_json::{Error, Map, Rc, Val};

use super::values::{quoted, text};
use crate::error;

/// A regular expression that is only asked whether it matches.
pub(crate) struct Pattern(Regex);

impl Pattern {
    /// `Kind::Usage` if it is malformed.
    pub(crate) fn compile(pattern: &str) -> error::Result<Self> {
        build(pattern, "").map(Pattern).map_err(|why| {
            error::Error::usage(format!("'{pattern}' is no regular expression: {why}"))
        })
    }

    /// Anywhere in the text. `Kind::Local` where that would take too long to say.
    pub(crate) fn matches(&self, text: &str) -> error::Result<bool> {
        self.0.is_match(text).map_err(|why| {
            let pattern = self.0.as_str();
            let message = format!("'{pattern}' on '{text}': {why}");
            error::Error::new(error::Kind::Local, message)
        })
    }
}

/// What a run of a filter has compiled, with pattern and flags.
pub(super) type Compiled = RefCell<Vec<(Vec<u8>, String, Rc<Regex>)>>;

/// So many are kept; a filter that makes up more starts over.
const KEPT: usize = 20;

/// The matches of `pattern`, an array of match objects; with `g` among the flags all, else one.
pub(super) fn matches(
    known: &Compiled,
    value: &Val,
    pattern: &Val,
    flags: &Val,
) -> Result<Val, Error> {
    let found = find(known, value, pattern, flags)?;
    Ok(found.into_iter().map(|(_, described)| described).collect())
}

/// The text before the first match, the first match, the text behind it, and so on to the end.
pub(super) fn pieces(
    known: &Compiled,
    value: &Val,
    pattern: &Val,
    flags: &Val,
) -> Result<Val, Error> {
    let found = find(known, value, pattern, flags)?;
    let Val::TStr(haystack) = value else {
        return Ok(Val::Null);
    };
    let haystack = text(haystack);
    let piece = |range: Range<usize>| Val::from(haystack[range].to_owned());
    let mut pieces = Vec::new();
    let mut at = 0;
    for (place, described) in found {
        pieces.extend([piece(at..place.start), described]);
        at = place.end;
    }
    pieces.push(piece(at..haystack.len()));
    Ok(pieces.into_iter().collect())
}

/// Whether it matches anywhere.
pub(super) fn test(
    known: &Compiled,
    value: &Val,
    pattern: &Val,
    flags: &Val,
) -> Result<Val, Error> {
    let (haystack, flags, regex) = prepared(known, value, pattern, flags)?;
    if flags.contains('n') {
        return Ok(Val::from(!find(known, value, pattern, &Val::from(flags))?.is_empty()));
    }
    let matches = regex.is_match(&*haystack);
    matches.map(Val::from).map_err(|why| Error::str(why.to_string()))
}

type Prepared<'a> = (Cow<'a, str>, String, Rc<Regex>);

fn prepared<'a>(
    known: &Compiled,
    value: &'a Val,
    pattern: &Val,
    flags: &Val,
) -> Result<Prepared<'a>, Error> {
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
    let regex = compiled(known, pattern, &flags)?;
    Ok((text(haystack), flags, regex))
}

/// Where each match lies, and how jq describes it.
fn find(
    known: &Compiled,
    value: &Val,
    pattern: &Val,
    flags: &Val,
) -> Result<Vec<(Range<usize>, Val)>, Error> {
    let (haystack, flags, regex) = prepared(known, value, pattern, flags)?;
    let (is_global, skips_empty) = (flags.contains('g'), flags.contains('n'));
    let names: Vec<_> = regex.capture_names().collect();
    let mut found = Vec::new();
    // Characters are counted from match to match; from the beginning each time would take too long.
    let (mut from, mut counted, mut before) = (0, 0, 0);
    while from <= haystack.len() {
        let captures = regex.captures_from_pos(&*haystack, from);
        let Some(captures) = captures.map_err(|why| Error::str(why.to_string()))? else {
            break;
        };
        let Some(whole) = captures.get(0) else {
            break;
        };
        from = whole.end();
        if whole.range().is_empty() {
            let next = haystack[from..].chars().next();
            from += next.map_or(1, char::len_utf8);
        }
        if skips_empty && whole.range().is_empty() {
            continue;
        }
        before += haystack[counted..whole.start()].chars().count();
        counted = whole.start();
        found.push((whole.range(), described(&haystack, whole, before, &captures, &names)));
        if !is_global {
            break;
        }
    }
    Ok(found)
}

fn compiled(known: &Compiled, pattern: &[u8], flags: &str) -> Result<Rc<Regex>, Error> {
    let mut known = known.borrow_mut();
    let is_it = |entry: &&(Vec<u8>, String, Rc<Regex>)| entry.0 == pattern && entry.1 == flags;
    if let Some((.., regex)) = known.iter().find(is_it) {
        return Ok(regex.clone());
    }
    if !flags.chars().all(|flag| "gnlsixp".contains(flag)) {
        let message = format!("{flags} is not a valid modifier string");
        return Err(Error::str(message));
    }
    let source = text(pattern);
    let regex = Rc::new(build(&source, flags).map_err(|why| {
        Error::str(format!("{source} (at offset 0) is not a valid regex: {why}"))
    })?);
    if known.len() == KEPT {
        known.clear();
    }
    known.push((pattern.to_vec(), flags.to_owned(), regex.clone()));
    Ok(regex)
}

/// What POSIX classes mean for jq, which the crate takes for ASCII.
const CLASSES: [(&str, &str); 7] = [
    ("[:alnum:]", r"\p{Alphabetic}\p{Nd}"),
    ("[:alpha:]", r"\p{Alphabetic}"),
    ("[:digit:]", r"\d"),
    ("[:lower:]", r"\p{Lowercase}"),
    ("[:space:]", r"\s"),
    ("[:upper:]", r"\p{Uppercase}"),
    ("[:word:]", r"\w"),
];

fn build(pattern: &str, flags: &str) -> Result<Regex, String> {
    let unicode = CLASSES
        .iter()
        .fold(pattern.to_owned(), |pattern, (class, meaning)| pattern.replace(class, meaning));
    // `^` and `$` stand at the ends of the string, which is all that `s` asks for.
    let regex = RegexBuilder::new(&unicode)
        .case_insensitive(flags.contains('i'))
        .ignore_whitespace(flags.contains('x'))
        .dot_matches_new_line(flags.contains('p'))
        .build();
    regex.map_err(|why| why.to_string().replacen("Parsing", "parsing", 1))
}

/// `before` characters stand before the match.
fn described(
    haystack: &str,
    whole: Match,
    before: usize,
    captures: &Captures<str>,
    names: &[Option<&str>],
) -> Val {
    let mut groups = captures.iter().zip(names).map(|(group, name)| {
        let (offset, length, string) = match group {
            Some(group) => {
                let string = group.as_str();
                // Look-around may capture what lies before the match.
                let offset = match group.start().checked_sub(whole.start()) {
                    Some(within) => before + haystack[whole.start()..][..within].chars().count(),
                    None => haystack[..group.start()].chars().count(),
                };
                let length = string.chars().count();
                (Val::from(offset), Val::from(length), Val::from(string.to_owned()))
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
