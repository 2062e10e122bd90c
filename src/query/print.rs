//! Value → JSON, always valid and compact.

use std::io::{self, Write as _};

use jaq_json::{Num, Val, write_utf8};

use super::values::text;

/// How deep what is printed may be nested, as in jq 1.7.
const DEEPEST: usize = 10_000;

/// An error if the value is nested more deeply than any reader of JSON accepts.
pub(super) fn json(out: &mut Vec<u8>, value: &Val) -> io::Result<()> {
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

fn nested(out: &mut Vec<u8>, value: &Val, depth: usize) -> io::Result<()> {
    let within = || depth.checked_sub(1).ok_or_else(|| io::Error::other("nested too deeply"));
    match value {
        Val::Null => out.extend(b"null"),
        Val::Bool(truth) => out.extend(if *truth { &b"true"[..] } else { b"false" }),
        Val::Num(Num::Float(float)) => self::float(out, *float),
        // Integers and literals stand as they were written.
        Val::Num(number) => write!(out, "{number}")?,
        Val::BStr(bytes) | Val::TStr(bytes) => {
            let text = text(bytes);
            let bytes = text.as_bytes();
            write_utf8!(out, bytes, |part| out.write_all(part))?;
        }
        Val::Arr(items) => {
            let depth = within()?;
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                out.extend((i > 0).then_some(b','));
                nested(out, item, depth)?;
            }
            out.push(b']');
        }
        Val::Obj(map) => {
            let depth = within()?;
            out.push(b'{');
            for (i, (key, value)) in map.iter().enumerate() {
                out.extend((i > 0).then_some(b','));
                nested(out, key, depth)?;
                out.push(b':');
                nested(out, value, depth)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// The fewest digits that lead back to the number; NaN is null, infinity the greatest number.
fn float(out: &mut Vec<u8>, float: f64) {
    if float.is_nan() {
        return out.extend(b"null");
    }
    let float = float.clamp(f64::MIN, f64::MAX);
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let count = digits.bytes().filter(u8::is_ascii_digit).count() as i32;
    let sign = if exponent < 0 { '-' } else { '+' };
    let text = match (-4..count + 15).contains(&exponent) {
        true => float.to_string(),
        false => format!("{digits}e{sign}{:02}", exponent.abs()),
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
