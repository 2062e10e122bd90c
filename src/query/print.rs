//! Value → JSON, always valid and compact.

use std::io::Write as _;

use jaq_json::{Num, Val};

use super::values::text;

/// How deep what is printed may be nested, as in jq 1.7.
const DEEPEST: usize = 10_000;

/// The value is nested more deeply than any reader of JSON accepts.
#[derive(Debug)]
pub(super) struct TooDeep;

pub(super) fn json(out: &mut Vec<u8>, value: &Val) -> Result<(), TooDeep> {
    nested(out, value, DEEPEST)
}

/// The value for a message, with `...` for what lies deep.
pub(super) fn quotation(value: &Val) -> String {
    let mut out = Vec::new();
    if nested(&mut out, value, 100).is_err() {
        out.truncate(1000);
        out.extend(b"...");
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn nested(out: &mut Vec<u8>, value: &Val, depth: usize) -> Result<(), TooDeep> {
    match value {
        Val::Null => out.extend(b"null"),
        Val::Bool(true) => out.extend(b"true"),
        Val::Bool(false) => out.extend(b"false"),
        Val::Num(number) => self::number(out, number),
        Val::BStr(bytes) | Val::TStr(bytes) => string(out, &text(bytes)),
        Val::Arr(items) => {
            let depth = depth.checked_sub(1).ok_or(TooDeep)?;
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                nested(out, item, depth)?;
            }
            out.push(b']');
        }
        Val::Obj(map) => {
            let depth = depth.checked_sub(1).ok_or(TooDeep)?;
            out.push(b'{');
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                nested(out, key, depth)?;
                out.push(b':');
                nested(out, value, depth)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// Control characters and DEL as `\u00XX`, as jq has it.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let short = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f | 0x7f => b'u',
            _ => continue,
        };
        out.extend(&text.as_bytes()[plain..at]);
        out.extend([b'\\', short]);
        if short == b'u' {
            out.extend(format!("{byte:04x}").as_bytes());
        }
        plain = at + 1;
    }
    out.extend(&text.as_bytes()[plain..]);
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, number: &Num) {
    match number {
        Num::Float(float) => self::float(out, *float),
        // Integers and literals stand as they were written; a Vec takes every byte.
        number => {
            let _ = write!(out, "{number}");
        }
    }
}

/// The fewest digits that lead back to the number; NaN is null, infinity the greatest number.
fn float(out: &mut Vec<u8>, float: f64) {
    if float.is_nan() {
        return out.extend(b"null");
    }
    let scientific = format!("{:e}", float.clamp(f64::MIN, f64::MAX));
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
    let text = if (-4..count + 15).contains(&exponent) {
        format!("{}", float.clamp(f64::MIN, f64::MAX))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    };
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computed_numbers_stand_as_jq_prints_them() {
        for (float, expected) in [
            (3.0, "3"),
            (-0.0, "-0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000"),
            (1e17, "1e+17"),
            (12345678901234567890.0, "12345678901234567000"),
            (1e-5, "1e-05"),
            (1.234e-5, "1.234e-05"),
            (0.0001, "0.0001"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-1.7976931348623157e+308"),
            (f64::NAN, "null"),
        ] {
            let mut out = Vec::new();
            json(&mut out, &Val::from(float)).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        let mut out = Vec::new();
        json(&mut out, &Val::from("\u{1}\u{7f}\n\"\\é\u{1b}".to_owned())).unwrap();
        assert_eq!(out, "\"\\u0001\\u007f\\n\\\"\\\\é\\u001b\"".as_bytes());
    }
}
