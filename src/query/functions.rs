//! Built-in functions from values to values.

use jaq_json::{Error, Val};

use super::arithmetic::cannot;
use super::values::{float, kind, number, quoted, text};
use super::{paths, print, values};
use crate::json;

type Answer = Result<Val, Error>;

/// For messages and notes, where a value too deep to print is cut short.
pub(super) fn compact(value: &Val) -> String {
    let mut out = Vec::new();
    match print::json(&mut out, value) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(print::TooDeep) => print::quotation(value),
    }
}

pub(super) fn to_json(value: &Val) -> Answer {
    let mut out = Vec::new();
    print::json(&mut out, value)
        .map_err(|print::TooDeep| Error::str("nested too deeply to be printed"))?;
    Ok(Val::utf8_str(out))
}

pub(super) fn string(value: Val) -> Answer {
    match value {
        Val::TStr(_) => Ok(value),
        value => to_json(&value),
    }
}

pub(super) fn from_json(input: &Val) -> Answer {
    let Val::TStr(bytes) = input else {
        return Err(Error::str(format!("{} cannot be parsed as JSON", quoted(input))));
    };
    let bytes = bytes.trim_ascii();
    if bytes.eq_ignore_ascii_case(b"nan") {
        return Ok(Val::from(f64::NAN));
    }
    json::parse(bytes).map(|json| values::value(&json)).map_err(|fault| {
        let quote: String = text(bytes).chars().take(40).collect();
        Error::str(format!("{fault} (while parsing '{quote}')"))
    })
}

pub(super) fn key(value: Val) -> Answer {
    match value {
        Val::TStr(_) => Ok(value),
        value => Err(Error::str(format!("Object keys must be strings, not {}", quoted(&value)))),
    }
}

/// What `as [$a, $b]` takes apart; jaq would look for numbers among the keys of an object.
pub(super) fn list(value: Val) -> Answer {
    match value {
        Val::Obj(_) => Err(Error::str("Cannot index object with number")),
        value => Ok(value),
    }
}

pub(super) fn has(value: Val, key: Val) -> Answer {
    Ok(Val::from(match (&value, &key) {
        (Val::Obj(map), Val::TStr(_)) => map.contains_key(&key),
        (Val::Arr(items), Val::Num(_)) => (0.0..items.len() as f64).contains(&float(&key)),
        _ => {
            let message = format!("Cannot check whether {} has a {} key", kind(&value), kind(&key));
            return Err(Error::str(message));
        }
    }))
}

pub(super) fn contains(a: &Val, b: &Val) -> Result<bool, Error> {
    match (a, b) {
        (Val::Obj(map), Val::Obj(wanted)) => wanted.iter().try_fold(true, |all, (key, wanted)| {
            let found = map.get(key).map(|value| contains(value, wanted)).transpose()?;
            Ok(all && found == Some(true))
        }),
        (Val::Arr(items), Val::Arr(wanted)) => wanted.iter().try_fold(true, |all, wanted| {
            let found =
                |item| kind(item) == kind(wanted) && contains(item, wanted).is_ok_and(|c| c);
            Ok(all && items.iter().any(found))
        }),
        (Val::TStr(string), Val::TStr(wanted)) => Ok(text(string).contains(&*text(wanted))),
        (a, b) if kind(a) == kind(b) => Ok(a == b),
        (a, b) => Err(cannot(a, b, "have their containment checked")),
    }
}

pub(super) fn path_of(path: Val) -> Result<Vec<Val>, Error> {
    match path {
        Val::Arr(path) => Ok(path.to_vec()),
        _ => Err(Error::str("Path must be specified as an array")),
    }
}

pub(super) fn delete_paths(value: Val, all: Val) -> Answer {
    let Val::Arr(all) = all else {
        return Err(Error::str("Paths must be specified as an array"));
    };
    let all: Result<Vec<_>, _> = all.iter().cloned().map(path_of).collect();
    paths::delete(value, all?)
}

/// What is no character becomes U+FFFD.
pub(super) fn implode(value: &Val) -> Answer {
    let Val::Arr(codes) = value else {
        return Err(Error::str("implode input must be an array"));
    };
    let character = |code: &Val| match float(code) {
        code if code.is_nan() => None,
        code if code < 0.0 => Some(char::REPLACEMENT_CHARACTER),
        code => Some(char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER)),
    };
    let cannot = |code| {
        let message = "can't be imploded, unicode codepoint needs to be numeric";
        Error::str(format!("{} {message}", quoted(code)))
    };
    let characters = codes.iter().map(|code| character(code).ok_or_else(|| cannot(code)));
    characters.collect::<Result<String, Error>>().map(Val::from)
}

/// A time within the years that jaq can compute with; missing fields of a broken-down one are
/// zero. `name` is whoever wants it.
pub(super) fn instant(value: Val, name: &Val) -> Answer {
    let no_time = |why: &str| Err(Error::str(format!("{} {why}", quoted(&value))));
    match &value {
        Val::Arr(fields) => {
            if !fields.iter().all(|field| matches!(field, Val::Num(_))) {
                let Val::TStr(name) = name else {
                    return no_time("is no time");
                };
                let message = format!("{} requires parsed datetime inputs", text(name));
                return Err(Error::str(message));
            }
            if !fields.get(1).is_none_or(|month| (0.0..12.0).contains(&float(month))) {
                return no_time("has no month from 0 to 11");
            }
            let missing = [0usize, 0, 1, 0, 0, 0].into_iter().map(Val::from);
            Ok(fields.iter().cloned().chain(missing.skip(fields.len())).collect())
        }
        Val::Num(_) if !(-377_705_023_201.0..=253_402_207_200.0).contains(&float(&value)) => {
            no_time("is no time between the years -9999 and 9999")
        }
        _ => Ok(value),
    }
}

/// As jq's number literals, so that leading zeros are fine; what JSON would write so stays so.
pub(super) fn to_number(value: Val) -> Answer {
    let cannot = |value| {
        let message = format!("{} cannot be parsed as a number", quoted(value));
        Err(Error::str(message))
    };
    let Val::TStr(bytes) = &value else {
        return match value {
            Val::Num(_) => Ok(value),
            value => cannot(&value),
        };
    };
    if let Ok(json @ serde_json::Value::Number(_)) = json::parse(bytes) {
        return Ok(values::value(&json));
    }
    let digits = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    match text(bytes).parse::<f64>() {
        Ok(float) if bytes.iter().all(digits) => Ok(number(float)),
        _ => cannot(&value),
    }
}

pub(super) fn encoded(value: &Val, encode: fn(&[u8]) -> String) -> Answer {
    match string(value.clone())? {
        Val::TStr(bytes) => Ok(Val::from(encode(&bytes))),
        value => Ok(value),
    }
}

/// What comes out and is not UTF-8 is replaced.
pub(super) fn decoded(value: &Val, what: &str, decode: fn(&[u8]) -> Option<Vec<u8>>) -> Answer {
    let text_of = string(value.clone())?;
    let decoded = match &text_of {
        Val::TStr(bytes) => decode(bytes),
        _ => None,
    };
    match decoded {
        Some(bytes) => Ok(Val::from(text(&bytes).into_owned())),
        None => Err(Error::str(format!("{} is not {what}", quoted(value)))),
    }
}

/// The word of a run-time error, as the message has it.
pub(super) fn message(error: Error) -> String {
    match error.into_val() {
        Val::TStr(bytes) => text(&bytes).into_owned(),
        Val::Null => "null (null) not a string".to_owned(),
        value => format!("{} (not a string)", print::quotation(&value)),
    }
}
