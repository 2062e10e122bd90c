//! jq's order of values, made total: Rust's sort may panic on an order that contradicts itself,
//! as NaN and integers beyond 2^53 beside floats would make it.

use std::cmp::Ordering;

use jaq_json::{Map, Num, Val};

use super::values::float;

pub(super) fn compare(a: &Val, b: &Val) -> Ordering {
    match (a, b) {
        (Val::Num(_), Val::Num(_)) => numbers(a, b),
        (Val::BStr(a) | Val::TStr(a), Val::BStr(b) | Val::TStr(b)) => a.cmp(b),
        (Val::Arr(a), Val::Arr(b)) => lexical(a, b),
        (Val::Obj(a), Val::Obj(b)) => objects(a, b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// Item by item, the shorter first.
pub(super) fn lexical(a: &[Val], b: &[Val]) -> Ordering {
    let mut pairs = a.iter().zip(b).map(|(a, b)| compare(a, b));
    pairs.find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// First the sets of keys, then the values key by key.
fn objects(a: &Map, b: &Map) -> Ordering {
    let sorted = |map: &Map| {
        let mut entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        entries.sort_by(|(a, _), (b, _)| compare(a, b));
        entries.into_iter().unzip::<_, _, Vec<_>, Vec<_>>()
    };
    let ((a_keys, a), (b_keys, b)) = (sorted(a), sorted(b));
    lexical(&a_keys, &b_keys).then_with(|| lexical(&a, &b))
}

/// NaN is below every number. Equal floats may stand for different integers; among those a float
/// comes first.
fn numbers(a: &Val, b: &Val) -> Ordering {
    let (x, y) = (float(a), float(b));
    match (x.is_nan(), y.is_nan()) {
        (false, false) => {}
        (x_nan, y_nan) => return y_nan.cmp(&x_nan),
    }
    let rough = x.partial_cmp(&y).unwrap_or(Ordering::Equal);
    rough.then_with(|| match (a, b) {
        // A difference of big integers may be small and is kept as a big one all the same.
        (
            Val::Num(a @ (Num::Int(_) | Num::BigInt(_))),
            Val::Num(b @ (Num::Int(_) | Num::BigInt(_))),
        ) => a.cmp(b),
        _ if x.abs() < (1u64 << 53) as f64 => Ordering::Equal,
        (Val::Num(Num::Int(_) | Num::BigInt(_)), _) => Ordering::Greater,
        (_, Val::Num(Num::Int(_) | Num::BigInt(_))) => Ordering::Less,
        _ => Ordering::Equal,
    })
}

fn rank(value: &Val) -> u8 {
    match value {
        Val::Null => 0,
        Val::Bool(false) => 1,
        Val::Bool(true) => 2,
        Val::Num(_) => 3,
        Val::BStr(_) | Val::TStr(_) => 4,
        Val::Arr(_) => 5,
        Val::Obj(_) => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_never_contradicts_itself() {
        let big = 1isize << 53;
        let mut values: Vec<Val> = Vec::new();
        for i in 0..40 {
            values.push(Val::from(f64::NAN));
            values.push(Val::from(big + i % 3));
            values.push(Val::from(big as f64));
            values.push(Val::from(-(i as f64)));
            let far = Val::Num(Num::from_str_radix("9223372036854775808", 10).unwrap());
            values.push((far - Val::from(isize::MAX - i % 3)).unwrap());
        }
        for a in &values {
            for b in &values {
                assert_eq!(compare(a, b), compare(b, a).reverse(), "{a} {b}");
                for c in values.iter().step_by(7) {
                    let (ab, bc) = (compare(a, b), compare(b, c));
                    assert!(ab.is_gt() || bc.is_gt() || compare(a, c).is_le(), "{a} {b} {c}");
                }
            }
        }
        values.sort_by(compare);
        assert!(float(&values[0]).is_nan());
    }
}
