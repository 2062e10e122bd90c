//! What the natives need to know of a value.

use std::borrow::Cow;

use jaq_json::{Map, Num, Val, read};
use jaq_std::ValT as _;
use serde_json::Value;

use crate::error::Result;
use crate::json;

/// A number of more digits stays text until something is computed: to read it takes too long.
const DIGITS: usize = 10_000;

/// A document as it is written, straight from its bytes.
pub(super) fn parsed(document: &[u8]) -> Result<Val> {
    let mut digits = document.split(|byte| !byte.is_ascii_digit());
    let is_long = digits.any(|digits| digits.len() > DIGITS);
    if !is_long && let Ok(value) = read::parse_single(document) {
        return Ok(value);
    }
    Ok(value(&json::parse(document)?))
}

pub(super) fn value(json: &Value) -> Val {
    match json {
        Value::Null => Val::Null,
        Value::Bool(truth) => Val::Bool(*truth),
        Value::Number(number) => literal(number.as_str()),
        Value::String(text) => Val::from(text.clone()),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(members) => {
            let members = members.iter().map(|(key, item)| (Val::from(key.clone()), value(item)));
            Val::obj(members.collect::<Map>())
        }
    }
}

/// A number of JSON, which keeps what is written but cannot be an integer.
fn literal(number: &str) -> Val {
    let is_integer = number != "-0" && number.len() <= DIGITS;
    let integer = is_integer.then(|| Num::from_str_radix(number, 10)).flatten();
    Val::Num(integer.unwrap_or_else(|| Num::Dec(number.to_owned().into())))
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
    match value.as_isize() {
        Some(integer) => Some(integer),
        None => {
            let float = value.as_f64()?;
            let whole = float.fract() == 0.0 && float.abs() <= EXACT;
            whole.then_some(float as isize)
        }
    }
}

/// A computed number: an integer where it is one.
pub(super) fn number(float: f64) -> Val {
    let value = Val::from(float);
    match integer(&value) {
        Some(integer) if integer != 0 || float.is_sign_positive() => Val::from(integer),
        _ => value,
    }
}

/// Neither null nor false.
pub(super) fn truth(value: &Val) -> bool {
    !matches!(value, Val::Null | Val::Bool(false))
}
