//! What is wrong with a filter's text, in words and with a caret below the place.

use std::fmt::Write as _;
use std::ops::Range;

use jaq_core::compile::Undefined;
use jaq_core::load::{Lexer, Parser, lex, parse, span};

use crate::error::{Error, printable};
use crate::text;

/// Why, and the bytes of the filter that it is about.
pub(super) type Fault = (String, Range<usize>);

/// Lexes and parses, or says all that is wrong.
pub(super) fn parsed(code: &str) -> Result<parse::Term<&str>, Vec<Fault>> {
    if let Some(at) = too_deep(code) {
        return Err(vec![("brackets nested too deeply".to_owned(), at..at + 1)]);
    }
    let tokens = Lexer::new(code).lex().map_err(|errors| {
        errors.into_iter().map(|error| lexical(code, error)).collect::<Vec<_>>()
    })?;
    match tokens.first() {
        None => Ok(parse::Term::Id),
        Some(lex::Token(word @ ("import" | "include" | "module"), _)) => {
            Err(vec![(format!("modules are not supported: '{word}'"), span(code, word))])
        }
        Some(_) => Parser::new(&tokens)
            .parse(|parser| parser.term())
            .map_err(|errors| errors.into_iter().map(|error| syntactic(code, error)).collect()),
    }
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

fn lexical(code: &str, (expected, found): lex::Error<&str>) -> Fault {
    let start = span(code, found).start;
    let first = start..start + found.chars().next().map_or(0, char::len_utf8);
    match expected {
        lex::Expect::Token => ("unexpected character".to_owned(), first),
        lex::Expect::Delim(open) => (format!("{} is missing", expected.as_str()), span(code, open)),
        expected => (format!("expected {}", expected.as_str()), first),
    }
}

fn syntactic(code: &str, (expected, found): parse::TError<&str>) -> Fault {
    let end = code.trim_end().len();
    let (found, place) = found.map_or(("the end".to_owned(), end..end), |token| {
        let word: String = token.as_str().chars().take(20).collect();
        (format!("'{word}'"), span(code, token.as_str()))
    });
    match expected {
        parse::Expect::Nothing => (format!("unexpected {found}"), place),
        expected => (format!("expected {}, found {found}", expected.as_str()), place),
    }
}

pub(super) fn undefined(code: &str, (name, what): (&str, Undefined)) -> Fault {
    let why = match what {
        Undefined::Filter(_) if matches!(name, "reduce" | "foreach") => {
            format!("wrong number of arguments to {name}")
        }
        Undefined::Filter(arity) => format!("no function {name}/{arity}"),
        what => format!("no {} {name}", what.as_str()),
    };
    (why, span(code, name))
}

/// All faults, in the order of their places.
pub(super) fn error(code: &str, mut faults: Vec<Fault>) -> Error {
    /// More than this many faults are counted, not shown.
    const SHOWN: usize = 5;
    faults.sort_by_key(|(_, place)| place.start);
    faults.dedup();
    let shown = &faults[..faults.len().min(SHOWN)];
    let whys: Vec<_> = shown.iter().map(|(why, _)| why.as_str()).collect();
    let mut message = format!("filter: {}", whys.join("; "));
    if faults.len() > SHOWN {
        let _ = write!(message, "; and {} more", faults.len() - SHOWN);
    }
    Error::usage(message).excerpt(shown.iter().flat_map(|(_, place)| marked(code, place)))
}

/// The line of the filter, and a line with carets below the place.
fn marked(code: &str, place: &Range<usize>) -> [String; 2] {
    /// Of a very long line, what is around the place is enough.
    const AROUND: usize = 100;
    let start = place.start;
    let line = code[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = code[start..].find('\n').map_or(code.len(), |at| start + at);
    let from = line.max(code.ceil_char_boundary(start.saturating_sub(AROUND)));
    let to = line_end.min(code.floor_char_boundary(start + AROUND));
    // As the message shows it, so that the columns agree.
    let before = printable(&code[from..start]);
    let width = text::width(&printable(&code[start..place.end.clamp(start, to)])).max(1);
    [
        format!("  {before}{}", printable(&code[start..to])),
        format!("  {}{}", " ".repeat(text::width(&before)), "^".repeat(width)),
    ]
}
