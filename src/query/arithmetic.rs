//! `+ - * / %` as jq has them: integers stay integers, and there is no dividing by zero.

use jaq_json::{Error, Val};

use super::values::{float, integer, kind, number, quoted};

type Answer = Result<Val, Error>;

/// Strings longer than this are not made: an allocation that fails would abort the process.
const LONGEST: usize = 1 << 28;

fn cannot(a: &Val, b: &Val, what: &str) -> Answer {
    Err(Error::str(format!("{} and {} cannot be {what}", quoted(a), quoted(b))))
}

pub(super) fn negate(value: Val) -> Answer {
    match value {
        Val::Num(_) => -value,
        value => Err(Error::str(format!("{} cannot be negated", quoted(&value)))),
    }
}

pub(super) fn add(a: Val, b: Val) -> Answer {
    match (&a, &b) {
        (Val::TStr(x), Val::TStr(y)) if x.len() + y.len() > LONGEST => {
            Err(Error::str("the string gets too long"))
        }
        (Val::Null, _) | (_, Val::Null) => a + b,
        _ if kind(&a) == kind(&b) && !matches!(a, Val::Bool(_)) => a + b,
        _ => cannot(&a, &b, "added"),
    }
}

pub(super) fn subtract(a: Val, b: Val) -> Answer {
    match (&a, &b) {
        (Val::Num(_), Val::Num(_)) | (Val::Arr(_), Val::Arr(_)) => a - b,
        _ => cannot(&a, &b, "subtracted"),
    }
}

pub(super) fn multiply(a: Val, b: Val) -> Answer {
    match (&a, &b) {
        // A number of millions of digits would never be done.
        (Val::Num(_), Val::Num(_)) if (float(&a) * float(&b)).is_infinite() => {
            Ok(Val::from(float(&a) * float(&b)))
        }
        (Val::Num(_), Val::Num(_)) | (Val::Obj(_), Val::Obj(_)) => a * b,
        (Val::TStr(string), times @ Val::Num(_)) | (times @ Val::Num(_), Val::TStr(string)) => {
            let times = float(times);
            if times.is_nan() || times <= 0.0 {
                return Ok(Val::Null);
            }
            // Half a time is once, as in jq.
            let times = times.max(1.0);
            if times * string.len() as f64 > LONGEST as f64 {
                return Err(Error::str("Repeat string result too long"));
            }
            Ok(Val::utf8_str(string.repeat(times as usize)))
        }
        _ => cannot(&a, &b, "multiplied"),
    }
}

pub(super) fn divide(a: Val, b: Val) -> Answer {
    match (&a, &b) {
        (Val::Num(_), Val::Num(_)) if float(&b) == 0.0 => {
            cannot(&a, &b, "divided because the divisor is zero")
        }
        (Val::Num(_), Val::Num(_)) => Ok(match (integer(&a), integer(&b)) {
            (Some(x), Some(y)) if x.checked_rem(y) == Some(0) => Val::from(x / y),
            _ => number(float(&a) / float(&b)),
        }),
        (Val::TStr(_), Val::TStr(_)) => a / b,
        _ => cannot(&a, &b, "divided"),
    }
}

/// Of whole numbers, cut towards zero; the sign is the dividend's.
pub(super) fn remainder(a: Val, b: Val) -> Answer {
    // The conversion saturates.
    let whole = |value: &Val| integer(value).unwrap_or_else(|| float(value) as isize);
    match (&a, &b) {
        (Val::Num(_), Val::Num(_)) if float(&a).is_nan() || float(&b).is_nan() => {
            Ok(Val::from(f64::NAN))
        }
        (Val::Num(_), Val::Num(_)) if whole(&b) == 0 => {
            cannot(&a, &b, "divided (remainder) because the divisor is zero")
        }
        (Val::Num(_), Val::Num(_)) => Ok(Val::from(whole(&a).checked_rem(whole(&b)).unwrap_or(0))),
        _ => cannot(&a, &b, "divided"),
    }
}
