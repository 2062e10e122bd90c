//! Values: read from JSON, and what the natives need to know of them.

use std::borrow::Cow;

use bytes::Bytes;
use hifijson::num::LexWrite as _;
use hifijson::str::LexAlloc as _;
use hifijson::token::{Expect, Lex};
use hifijson::{Error as Fault, SliceLexer};
use jaq_json::{Map, Num, Val};
use jaq_std::ValT as _;

use crate::error::{Error, Kind, Result};
use crate::json;

/// A number of more digits stays text until something is computed: to read it takes too long.
const DIGITS: usize = 10_000;

/// One value as it is written. Its strings are parts of `document`, unless something is escaped.
pub(super) fn parsed(document: &Bytes) -> Result<Val> {
    let read = |next, lexer: &mut SliceLexer| read(next, lexer, document);
    let value = SliceLexer::new(document).exactly_one(Lex::ws_peek, read);
    value.or_else(|fault: Fault| {
        json::parse(document)?;
        Err(Error::new(Kind::Corrupt, format!("not JSON: {fault}")))
    })
}

/// The value that begins with the byte `next`.
fn read(next: u8, lexer: &mut SliceLexer, document: &Bytes) -> std::result::Result<Val, Fault> {
    let string = |lexer: &mut SliceLexer| {
        lexer.discarded().str_string().map(|text| match text {
            Cow::Borrowed(text) => Val::utf8_str(document.slice_ref(text.as_bytes())),
            Cow::Owned(text) => Val::utf8_str(text),
        })
    };
    Ok(match next {
        b'"' => string(lexer)?,
        b'[' => {
            let mut items = Vec::new();
            lexer.discarded().seq(b']', Lex::ws_peek, |next, lexer| {
                items.push(read(next, lexer, document)?);
                Ok::<_, Fault>(())
            })?;
            items.shrink_to_fit();
            Val::Arr(items.into())
        }
        b'{' => {
            let mut members = Map::default();
            lexer.discarded().seq(b'}', Lex::ws_peek, |next, lexer| {
                let key = (next == b'"').then(|| string(lexer)).ok_or(Expect::Value)??;
                lexer.expect(Lex::ws_peek, b':').ok_or(Expect::Colon)?;
                let next = lexer.ws_peek().ok_or(Expect::Value)?;
                members.insert(key, read(next, lexer, document)?);
                Ok::<_, Fault>(())
            })?;
            Val::obj(members)
        }
        b'-' | b'0'..=b'9' => {
            let (text, parts) = lexer.num_string().validated()?;
            // A literal keeps what is written but cannot be an integer.
            let is_integer = parts.is_int() && text != "-0" && text.len() <= DIGITS;
            let integer = is_integer.then(|| Num::from_str_radix(text, 10)).flatten();
            Val::Num(integer.unwrap_or_else(|| Num::Dec(text.to_owned().into())))
        }
        _ => lexer.null_or_bool().ok_or(Expect::Value)?.map_or(Val::Null, Val::Bool),
    })
}

/// Its type, as `type` names it.
pub(super) fn kind(value: &Val) -> &'static str {
    match value {
        Val::Null => "null",
        Val::Bool(_) => "boolean",
        Val::Num(_) => "number",
        Val::BStr(_) | Val::TStr(_) => "string",
        Val::Arr(_) => "array",
        Val::Obj(_) => "object",
    }
}

/// The type and, cut short, the value, as jq's messages quote it.
pub(super) fn quoted(value: &Val) -> String {
    const LONGEST: usize = 29;
    let mut quote = super::print::quotation(value);
    if quote.len() > LONGEST {
        let end = match quote.as_bytes()[0] {
            b'"' => "...\"",
            b'[' => "...]",
            b'{' => "...}",
            _ => "...",
        };
        quote.truncate(quote.floor_char_boundary(LONGEST - end.len()));
        quote.push_str(end);
    }
    format!("{} ({quote})", kind(value))
}

/// A string's text; bytes that are not UTF-8 become U+FFFD.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// A number as jq would compute with it; NaN for anything else.
pub(super) fn float(value: &Val) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// A number that is a machine integer, however it is kept.
pub(super) fn integer(value: &Val) -> Option<isize> {
    /// Up to here every integer is a float of its own.
    const EXACT: f64 = (1u64 << 53) as f64;
    value.as_isize().or_else(|| {
        let float = value.as_f64()?;
        (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as isize)
    })
}

/// A computed number: an integer where it is one.
pub(super) fn number(float: f64) -> Val {
    let value = Val::from(float);
    match integer(&value) {
        Some(integer) if integer != 0 || float.is_sign_positive() => Val::from(integer),
        _ => value,
    }
}
