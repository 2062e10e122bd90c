//! What is wrong with a filter's text, in words and with a caret below the place.

use std::fmt::Write as _;

use jaq_core::compile::Undefined;
use jaq_core::load::{self, lex, parse, span};

use crate::error::{Error, printable};

/// More than this many faults are counted, not shown.
const SHOWN: usize = 5;

pub(super) struct Fault {
    why: String,
    /// Bytes of the filter.
    start: usize,
    end: usize,
}

impl Fault {
    pub(super) fn at(why: impl Into<String>, start: usize, end: usize) -> Self {
        let why = why.into();
        Fault { why, start, end }
    }

    pub(super) fn lexical(code: &str, (expected, found): lex::Error<&str>) -> Self {
        let place = span(code, found);
        let why = match expected {
            lex::Expect::Token => "unexpected character".to_owned(),
            lex::Expect::Delim(open) => {
                let open = span(code, open);
                let why = format!("{} is missing", expected.as_str());
                return Fault::at(why, open.start, open.end);
            }
            expected => format!("expected {}", expected.as_str()),
        };
        let first = found.chars().next().map_or(0, char::len_utf8);
        Fault::at(why, place.start, place.start + first)
    }

    pub(super) fn syntactic(
        code: &str,
        (expected, found): (parse::Expect<&str>, Option<&lex::Token<&str>>),
    ) -> Self {
        let place = match found {
            Some(token) => span(code, token.as_str()),
            None => code.trim_end().len()..code.trim_end().len(),
        };
        let found = match found {
            Some(token) => format!("'{}'", token.as_str().chars().take(20).collect::<String>()),
            None => "the end".to_owned(),
        };
        let why = match expected {
            parse::Expect::Nothing => format!("unexpected {found}"),
            expected => format!("expected {}, found {found}", expected.as_str()),
        };
        Fault::at(why, place.start, place.end)
    }

    pub(super) fn undefined(code: &str, (name, what): (&str, Undefined)) -> Self {
        let place = span(code, name);
        let why = match what {
            Undefined::Filter(_) if matches!(name, "reduce" | "foreach") => {
                format!("wrong number of arguments to {name}")
            }
            Undefined::Filter(arity) => format!("no function {name}/{arity}"),
            what => format!("no {} {name}", what.as_str()),
        };
        Fault::at(why, place.start, place.end)
    }
}

/// All faults, in the order of their places.
pub(super) fn error(code: &str, mut faults: Vec<Fault>) -> Error {
    faults.sort_by_key(|fault| fault.start);
    faults.dedup_by(|a, b| a.start == b.start && a.why == b.why);
    let mut message = "filter: ".to_owned();
    let mut excerpt = Vec::new();
    for (i, fault) in faults.iter().take(SHOWN).enumerate() {
        if i > 0 {
            message.push_str("; ");
        }
        message.push_str(&fault.why);
        excerpt.extend(mark(code, fault));
    }
    if let Some(more @ 1..) = faults.len().checked_sub(SHOWN) {
        let _ = write!(message, "; and {more} more");
    }
    Error::usage(message).excerpt(excerpt)
}

/// The line of the filter, and a line with carets below the place.
fn mark(code: &str, fault: &Fault) -> [String; 2] {
    let line_start = code[..fault.start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = code[fault.start..].find('\n').map_or(code.len(), |at| fault.start + at);
    let (mut from, mut to) = (line_start, line_end);
    // Of a very long line, what is around the place is enough.
    const AROUND: usize = 100;
    if fault.start - from > AROUND {
        from = code.ceil_char_boundary(fault.start - AROUND);
    }
    if to - fault.start > AROUND {
        to = code.floor_char_boundary(fault.start + AROUND);
    }
    let end = fault.end.clamp(fault.start, to);
    let before = shown(&code[from..fault.start]);
    let width = columns(&shown(&code[fault.start..end])).max(1);
    [
        format!("  {before}{}", shown(&code[fault.start..to])),
        format!("  {}{}", " ".repeat(columns(&before)), "^".repeat(width)),
    ]
}

/// As the message shows it, so that the columns agree.
fn shown(text: &str) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = printable(&mut out, text);
    out
}

/// How many columns a terminal needs; East Asian characters and emoji take two, marks none.
fn columns(text: &str) -> usize {
    let width = |c: char| match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    };
    text.chars().map(width).sum()
}

/// Lexes and parses, or says all that is wrong.
pub(super) fn parsed(code: &str) -> Result<parse::Term<&str>, Vec<Fault>> {
    if let Some(at) = too_deep(code) {
        return Err(vec![Fault::at("brackets nested too deeply", at, at + 1)]);
    }
    let lexical =
        |errors: Vec<_>| errors.into_iter().map(|e| Fault::lexical(code, e)).collect::<Vec<_>>();
    let tokens = load::Lexer::new(code).lex().map_err(lexical)?;
    if let Some(lex::Token(word @ ("import" | "include" | "module"), _)) = tokens.first() {
        let place = span(code, word);
        let why = format!("modules are not supported: '{word}'");
        return Err(vec![Fault::at(why, place.start, place.end)]);
    }
    let blank = tokens.is_empty();
    if blank {
        return Ok(parse::Term::Id);
    }
    let syntactic =
        |errors: Vec<_>| errors.into_iter().map(|e| Fault::syntactic(code, e)).collect::<Vec<_>>();
    load::Parser::new(&tokens).parse(|parser| parser.term()).map_err(syntactic)
}

/// The bracket that is one too many. Brackets within strings count too: no filter needs so many.
fn too_deep(code: &str) -> Option<usize> {
    const DEEPEST: usize = 1_000;
    let mut depth = 0usize;
    code.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}
