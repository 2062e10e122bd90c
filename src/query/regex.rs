//! Regular expressions: every match as jq describes it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;

use fancy_regex::{Captures, Match, Regex, RegexBuilder};
use jaq_json::{Error, Rc, Val};

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
            let message = format!("'{}' on '{text}': {why}", self.0.as_str());
            error::Error::new(error::Kind::Local, message)
        })
    }
}

/// What a run of a filter has compiled, with pattern and flags.
pub(super) type Compiled = RefCell<Vec<(String, String, Rc<Regex>)>>;

/// Whether it matches anywhere.
pub(super) fn test(known: &Compiled, value: &Val, re: &Val, flags: &Val) -> Result<Val, Error> {
    let (haystack, flags, regex) = prepared(known, value, re, flags)?;
    if flags.contains('n') {
        return Ok(Val::from(found(&haystack, &flags, &regex)?.len() > 1));
    }
    regex.is_match(&*haystack).map(Val::from).map_err(Error::str)
}

/// The text before the first match, the first match, the text behind it, and so on to the end;
/// with `g` among the flags all matches, else one.
pub(super) fn pieces(known: &Compiled, value: &Val, re: &Val, flags: &Val) -> Result<Val, Error> {
    let (haystack, flags, regex) = prepared(known, value, re, flags)?;
    Ok(found(&haystack, &flags, &regex)?.into_iter().collect())
}

type Prepared<'a> = (Cow<'a, str>, Cow<'a, str>, Rc<Regex>);

/// The text, the flags and the expression.
fn prepared<'a>(
    known: &Compiled,
    value: &'a Val,
    re: &Val,
    flags: &'a Val,
) -> Result<Prepared<'a>, Error> {
    /// So many are kept; a filter that makes up more starts over.
    const KEPT: usize = 20;
    let (Val::TStr(haystack), Val::TStr(pattern)) = (value, re) else {
        let wrong = if matches!(value, Val::TStr(_)) { re } else { value };
        let message = format!("{} cannot be matched, as it is not a string", quoted(wrong));
        return Err(Error::str(message));
    };
    let (haystack, pattern) = (text(haystack), text(pattern));
    let flags = match flags {
        Val::Null => "".into(),
        Val::TStr(flags) => text(flags),
        flags => return Err(Error::str(format!("{} is not a string", quoted(flags)))),
    };
    let mut known = known.borrow_mut();
    if let Some((.., regex)) = known.iter().find(|(p, f, _)| *p == pattern && *f == flags) {
        return Ok((haystack, flags, regex.clone()));
    }
    if !flags.chars().all(|flag| "gnlsixp".contains(flag)) {
        return Err(Error::str(format!("{flags} is not a valid modifier string")));
    }
    let regex = Rc::new(build(&pattern, &flags).map_err(|why| {
        Error::str(format!("{pattern} (at offset 0) is not a valid regex: {why}"))
    })?);
    if known.len() == KEPT {
        known.clear();
    }
    known.push((pattern.into_owned(), flags.to_string(), regex.clone()));
    Ok((haystack, flags, regex))
}

fn build(pattern: &str, flags: &str) -> Result<Regex, String> {
    /// What POSIX classes mean for jq, which the crate takes for ASCII.
    const CLASSES: [(&str, &str); 7] = [
        ("[:alnum:]", r"\p{L}\p{M}\p{Nd}"),
        ("[:alpha:]", r"\p{L}\p{M}"),
        ("[:digit:]", r"\d"),
        ("[:lower:]", r"\p{Ll}"),
        ("[:space:]", r"\s"),
        ("[:upper:]", r"\p{Lu}"),
        ("[:word:]", r"\w"),
    ];
    let pattern = pattern.to_owned();
    let unicode = CLASSES.iter().fold(pattern, |re, (class, meaning)| re.replace(class, meaning));
    // `^` and `$` stand at the ends of the string, which is all that `s` asks for.
    let regex = RegexBuilder::new(&unicode)
        .case_insensitive(flags.contains('i'))
        .ignore_whitespace(flags.contains('x'))
        .dot_matches_new_line(flags.contains('p'))
        .build();
    regex.map_err(|why| why.to_string().replacen("Parsing", "parsing", 1))
}

fn found(haystack: &str, flags: &str, regex: &Regex) -> Result<Vec<Val>, Error> {
    let (is_global, skips_empty) = (flags.contains('g'), flags.contains('n'));
    let names: Vec<_> = regex.capture_names().collect();
    let mut pieces = Vec::new();
    // Characters are counted from match to match; from the beginning each time would take too long.
    let (mut from, mut end, mut counted, mut before) = (0, 0, 0, 0);
    while from <= haystack.len() {
        let captures = regex.captures_from_pos(haystack, from).map_err(Error::str)?;
        let Some((captures, whole)) = captures.as_ref().and_then(|all| Some((all, all.get(0)?)))
        else {
            break;
        };
        from = whole.end();
        if whole.range().is_empty() {
            from += haystack[from..].chars().next().map_or(1, char::len_utf8);
            if skips_empty {
                continue;
            }
        }
        before += haystack[counted..whole.start()].chars().count();
        counted = whole.start();
        pieces.push(string(&haystack[end..whole.start()]));
        pieces.push(described(haystack, whole, before, captures, &names));
        end = whole.end();
        if !is_global {
            break;
        }
    }
    pieces.push(string(&haystack[end..]));
    Ok(pieces)
}

/// `before` characters stand before the match.
fn described(
    haystack: &str,
    whole: Match,
    before: usize,
    captures: &Captures<str>,
    names: &[Option<&str>],
) -> Val {
    let count = |range: Range<usize>| haystack[range].chars().count();
    // Look-around may capture what lies before the match.
    let offset = |start| match start < whole.start() {
        true => before - count(start..whole.start()),
        false => before + count(whole.start()..start),
    };
    let fields = |group: Option<Match>| {
        let number = |of: &dyn Fn(Match) -> usize, missing: isize| {
            group.map_or(Val::from(missing), |group| Val::from(of(group)))
        };
        [
            ("offset", number(&|group| offset(group.start()), -1)),
            ("length", number(&|group| count(group.range()), 0)),
            ("string", group.map_or(Val::Null, |group| string(group.as_str()))),
        ]
    };
    let groups = captures.iter().zip(names).skip(1).map(|(group, name)| {
        let name = name.map_or(Val::Null, string);
        object(fields(group).into_iter().chain([("name", name)]))
    });
    let captures = ("captures", groups.collect());
    object(fields(Some(whole)).into_iter().chain([captures]))
}

fn object<'a>(fields: impl Iterator<Item = (&'a str, Val)>) -> Val {
    Val::obj(fields.map(|(name, value)| (string(name), value)).collect())
}

fn string(text: &str) -> Val {
    Val::from(text.to_owned())
}
