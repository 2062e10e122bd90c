//! Built-in functions from values to values.

use jaq_json::{Error, Val};

use super::print;
use super::values::{float, kind, number, parsed, quoted, text};
use crate::{encoding, json};

type Answer = Result<Val, Error>;

fn wrong<T>(value: &Val, why: &str) -> Result<T, Error> {
    Err(Error::str(format!("{} {why}", quoted(value))))
}

pub(super) fn is_iterable(value: &Val) -> Result<(), Error> {
    match value {
        Val::Arr(_) | Val::Obj(_) => Ok(()),
        Val::Null => Err(Error::str("Cannot iterate over null")),
        value => Err(Error::str(format!("Cannot iterate over {}", quoted(value)))),
    }
}

pub(super) fn is_key(value: &Val) -> Result<(), Error> {
    match value {
        Val::TStr(_) => Ok(()),
        value => Err(Error::str(format!("Object keys must be strings, not {}", quoted(value)))),
    }
}

/// What `as [$a, $b]` takes apart; jaq would look for numbers among the keys of an object.
pub(super) fn is_list(value: &Val) -> Result<(), Error> {
    match value {
        Val::Obj(_) => Err(Error::str("Cannot index object with number")),
        _ => Ok(()),
    }
}

pub(super) fn to_json(value: &Val) -> Answer {
    let mut out = Vec::new();
    match print::json(&mut out, value) {
        Ok(()) => Ok(Val::utf8_str(out)),
        Err(_) => Err(Error::str("nested too deeply to be printed")),
    }
}

pub(super) fn to_text(value: Val) -> Answer {
    match value {
        Val::TStr(_) => Ok(value),
        value => to_json(&value),
    }
}

pub(super) fn from_json(input: &Val) -> Answer {
    let Val::TStr(bytes) = input else {
        return wrong(input, "cannot be parsed as JSON");
    };
    let bytes = bytes.slice_ref(bytes.trim_ascii());
    if bytes.eq_ignore_ascii_case(b"nan") {
        return Ok(Val::from(f64::NAN));
    }
    json::check(&bytes).and_then(|()| parsed(&bytes)).map_err(|fault| {
        let quote: String = text(&bytes).chars().take(40).collect();
        Error::str(format!("{fault} (while parsing '{quote}')"))
    })
}

/// As jq's number literals, so that leading zeros are fine; what JSON would write so stays so.
pub(super) fn to_number(value: Val) -> Answer {
    let Val::TStr(bytes) = &value else {
        return match value {
            Val::Num(_) => Ok(value),
            value => wrong(&value, "cannot be parsed as a number"),
        };
    };
    let is_number = bytes.iter().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte));
    match text(bytes).parse::<f64>() {
        Ok(float) if is_number => Ok(parsed(bytes).unwrap_or_else(|_| number(float))),
        _ => wrong(&value, "cannot be parsed as a number"),
    }
}

pub(super) fn has(value: &Val, key: &Val) -> Answer {
    match (value, key) {
        (Val::Obj(map), Val::TStr(_)) => Ok(Val::from(map.contains_key(key))),
        (Val::Arr(items), Val::Num(_)) => {
            Ok(Val::from((0.0..items.len() as f64).contains(&float(key))))
        }
        _ => {
            let message = format!("Cannot check whether {} has a {} key", kind(value), kind(key));
            Err(Error::str(message))
        }
    }
}

/// Null for what is not base64; what comes out and is not UTF-8 is replaced.
pub(super) fn base64d(value: &Val) -> Val {
    let Val::TStr(bytes) = value else {
        return Val::Null;
    };
    let decoded = encoding::decode(text(bytes).trim_end_matches('='));
    decoded.map_or(Val::Null, |bytes| Val::from(text(&bytes).into_owned()))
}

/// The word of a run-time error, as the message has it.
pub(super) fn message(error: Error) -> String {
    match error.into_val() {
        Val::TStr(bytes) => text(&bytes).into_owned(),
        Val::Null => "null (null) not a string".to_owned(),
        value => format!("{} (not a string)", print::quotation(&value)),
    }
}
