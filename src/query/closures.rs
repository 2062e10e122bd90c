//! Built-in functions that run filters given to them.

use jaq_core::{Cv, Exn};
use jaq_json::{Error, Rc, Val};

use super::arithmetic::add;
use super::values::quoted;
use super::{Filters, order, paths};

type Input<'a> = Cv<'a, Filters>;

/// `paths |= filter`: every path gets the filter's first result, or goes where there is none.
pub(super) fn update<'a>(mut cv: Input<'a>) -> Result<Val, Exn<'a, Val>> {
    let (filter, filter_context) = cv.0.pop_fun();
    let (places, places_context) = cv.0.pop_fun();
    let found = places.paths((places_context, (cv.1.clone(), Default::default())));
    let found: Vec<_> = found.collect::<Result<_, _>>()?;
    let mut value = cv.1;
    let mut gone = Vec::new();
    for (_, path) in found {
        let mut path: Vec<Val> = path.iter().cloned().collect();
        path.reverse();
        let old = paths::take(&mut value, &path)?;
        match filter.run((filter_context.clone(), old)).next() {
            Some(new) => value = paths::set(value, &path, new?)?,
            None => gone.push(path),
        }
    }
    Ok(if gone.is_empty() { value } else { paths::delete(value, gone)? })
}

/// The pieces of a string put together again, with what the filter gives for each match; where it
/// gives several results, the first ones make the first string and so on, as in jq 1.7.
/// There is no string where it gives nothing.
pub(super) fn replaced<'a>(mut cv: Input<'a>) -> Result<Val, Exn<'a, Val>> {
    let (filter, context) = cv.0.pop_fun();
    let (mut strings, mut gap) = (Vec::new(), Val::Null);
    for piece in array(cv.1)? {
        if let Val::TStr(_) = piece {
            gap = piece;
            continue;
        }
        for (i, new) in filter.run((context.clone(), piece)).enumerate() {
            strings.resize(strings.len().max(i + 1), Val::Null);
            strings[i] = add(std::mem::take(&mut strings[i]), add(gap.clone(), new?)?)?;
        }
    }
    Ok(strings.into_iter().map(|string| add(string, gap.clone())).collect::<Result<_, _>>()?)
}

fn array(value: Val) -> Result<Vec<Val>, Error> {
    match value {
        Val::Arr(items) => Ok(Rc::unwrap_or_clone(items)),
        value => {
            let message = format!("{} cannot be sorted, as it is not an array", quoted(&value));
            Err(Error::str(message))
        }
    }
}

type Keyed = Vec<(Vec<Val>, Val)>;

/// The items with all that the filter gives for each, sorted by that.
pub(super) fn keyed<'a>(mut cv: Input<'a>) -> Result<Keyed, Exn<'a, Val>> {
    let (filter, context) = cv.0.pop_fun();
    let mut pairs = Keyed::new();
    for item in array(cv.1)? {
        let key = filter.run((context.clone(), item.clone()));
        pairs.push((key.collect::<Result<_, _>>()?, item));
    }
    pairs.sort_by(|(a, _), (b, _)| order::lexical(a, b));
    Ok(pairs)
}

pub(super) fn grouped(pairs: Keyed) -> Val {
    let groups = pairs.chunk_by(|(a, _), (b, _)| order::lexical(a, b).is_eq());
    groups.map(|group| group.iter().map(|(_, item)| item.clone()).collect()).collect()
}
