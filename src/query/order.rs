//! jq's order of values, made total: Rust's sort may panic on an order that contradicts itself,
//! as NaN and integers beyond 2^53 beside floats would make it.

use std::cmp::Ordering;

use jaq_json::{Map, Num, Val};

use super::values::float;

pub(super) fn compare(a: &Val, b: &Val) -> Ordering {
    match (a, b) {
        (Val::Num(x), Val::Num(y)) => numbers(x, y, float(a), float(b)),
        (Val::Arr(a), Val::Arr(b)) => lexical(a, b),
        (Val::Obj(a), Val::Obj(b)) => objects(a, b),
        _ => a.cmp(b),
    }
}

/// Item by item, the shorter first.
pub(super) fn lexical(a: &[Val], b: &[Val]) -> Ordering {
    let mut pairs = a.iter().zip(b).map(|(a, b)| compare(a, b));
    pairs.find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// First the sets of keys, then the values key by key.
fn objects(a: &Map, b: &Map) -> Ordering {
    let sorted = |map: &Map| -> (Vec<Val>, Vec<Val>) {
        let mut members: Vec<_> = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        members.sort_by(|(a, _), (b, _)| compare(a, b));
        members.into_iter().unzip()
    };
    let ((a_keys, a), (b_keys, b)) = (sorted(a), sorted(b));
    lexical(&a_keys, &b_keys).then_with(|| lexical(&a, &b))
}

/// NaN is below every number. Equal floats may stand for different integers; among those a float
/// comes first.
fn numbers(a: &Num, b: &Num, x: f64, y: f64) -> Ordering {
    let is_integer = |number: &Num| matches!(number, Num::Int(_) | Num::BigInt(_));
    let rough = x.partial_cmp(&y).unwrap_or_else(|| y.is_nan().cmp(&x.is_nan()));
    rough.then_with(|| match (is_integer(a), is_integer(b)) {
        // A difference of big integers may be small and is kept as a big one all the same.
        (true, true) => a.cmp(b),
        (a, b) if x.abs() >= (1u64 << 53) as f64 => a.cmp(&b),
        _ => Ordering::Equal,
    })
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
