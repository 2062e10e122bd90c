//! Built-in functions that run filters given to them, or that lead along paths.

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, bome, v};
use jaq_core::{Bind, Cv, Exn, Native};
use jaq_json::{Error, Rc, Val};

use super::arithmetic::add;
use super::session::Filters;
use super::values::quoted;
use super::{order, paths, stack};

type Input<'a> = Cv<'a, Filters>;

pub(super) fn with_paths() -> Vec<Fun<Filters>> {
    let at = Native::<Filters>::new(|mut cv| {
        let key = cv.0.pop_var();
        bome(paths::get(cv.1, &key))
    })
    .with_paths(|mut cv| {
        let key = cv.0.pop_var();
        let (value, path) = cv.1;
        let found = paths::get(value, &key).map(|found| (found, path.cons(key)));
        box_once(found.map_err(Exn::from))
    });
    let each = Native::<Filters>::new(|cv| match cv.1 {
        Val::Arr(items) => match Rc::try_unwrap(items) {
            Ok(items) => Box::new(items.into_iter().map(Ok)),
            Err(shared) => Box::new((0..shared.len()).map(move |at| Ok(shared[at].clone()))),
        },
        value => match items(value) {
            Ok(items) => Box::new(items.into_iter().map(|(_, item)| Ok(item))),
            Err(error) => bome(Err(error)),
        },
    })
    .with_paths(|cv| {
        let (value, path) = cv.1;
        match items(value) {
            Ok(items) => Box::new(
                items.into_iter().map(move |(key, item)| Ok((item, path.clone().cons(key)))),
            ),
            Err(error) => box_once(Err(Exn::from(error))),
        }
    });
    let last = Native::<Filters>::new(|mut cv| {
        let (filter, context) = cv.0.pop_fun();
        let mut results = filter.run((context, cv.1));
        let last = results.try_fold(None, |_, result| result.map(Some));
        box_once(last.map(Option::unwrap_or_default))
    })
    .with_paths(|mut cv| {
        let (filter, context) = cv.0.pop_fun();
        let mut results = filter.paths((context, cv.1));
        let last = results.try_fold(None, |_, result| result.map(Some));
        let none = || (Val::Null, Default::default());
        box_once(last.map(|last| last.unwrap_or_else(none)))
    });
    let depth = Native::<Filters>::new(|cv| match stack::is_deep() {
        false => box_once(Ok(cv.1)),
        true => bome(Err(Error::str("recursion without end"))),
    })
    .with_paths(|cv| match stack::is_deep() {
        false => box_once(Ok(cv.1)),
        true => box_once(Err(Exn::from(Error::str("recursion without end")))),
    });
    vec![
        // jaq takes no slice of null and no fraction, and any value for a key.
        ("!at", v(1), at),
        // jaq's message is another.
        ("!each", v(0), each),
        // jaq follows every result of an update, jq the last.
        ("!last", [Bind::Fun(())].into(), last),
        // jaq recurs until the stack ends.
        ("!depth", v(0), depth),
    ]
}

fn items(value: Val) -> Result<Vec<(Val, Val)>, Error> {
    match value {
        Val::Arr(items) => {
            let items = Rc::try_unwrap(items).unwrap_or_else(|shared| shared.to_vec());
            Ok(items.into_iter().enumerate().map(|(i, item)| (Val::from(i), item)).collect())
        }
        Val::Obj(map) => {
            let pairs = map.iter().map(|(key, item)| (key.clone(), item.clone()));
            Ok(pairs.collect())
        }
        value => {
            let message = match value {
                Val::Null => "Cannot iterate over null".to_owned(),
                value => format!("Cannot iterate over {}", quoted(&value)),
            };
            Err(Error::str(message))
        }
    }
}

/// `paths |= filter`: every path gets the filter's first result, or goes where there is none.
pub(super) fn update<'a>(mut cv: Input<'a>) -> Result<Val, Exn<'a, Val>> {
    let (filter, filter_context) = cv.0.pop_fun();
    let (places, places_context) = cv.0.pop_fun();
    let found: Vec<Vec<Val>> = places
        .paths((places_context, (cv.1.clone(), Default::default())))
        .map(|result| {
            let mut path: Vec<Val> = result?.1.iter().cloned().collect();
            path.reverse();
            Ok(path)
        })
        .collect::<Result<_, Exn<Val>>>()?;
    let mut value = cv.1;
    let mut gone = Vec::new();
    for path in found {
        let old = paths::take(&mut value, &path)?;
        match filter.run((filter_context.clone(), old)).next() {
            Some(new) => value = paths::set(value, &path, new?)?,
            None => gone.push(path),
        }
    }
    match gone.is_empty() {
        true => Ok(value),
        false => Ok(paths::delete(value, gone)?),
    }
}

/// The pieces of a string put together again, with what the filter gives for each match; where it
/// gives several results, the first ones make the first string and so on, as in jq 1.7.
/// No string comes out where it gives nothing.
pub(super) fn replaced<'a>(mut cv: Input<'a>) -> Result<Vec<Val>, Exn<'a, Val>> {
    let (filter, context) = cv.0.pop_fun();
    let mut strings: Vec<Val> = Vec::new();
    let mut gap = Val::Null;
    for piece in array(cv.1, "replaced")? {
        if let Val::TStr(_) = piece {
            gap = piece;
            continue;
        }
        for (i, new) in filter.run((context.clone(), piece)).enumerate() {
            let new = add(gap.clone(), new?)?;
            match strings.get_mut(i) {
                Some(string) => *string = add(std::mem::take(string), new)?,
                None => strings.push(new),
            }
        }
    }
    let whole = strings.into_iter().map(|string| add(string, gap.clone()));
    Ok(whole.collect::<Result<_, _>>()?)
}

fn array(value: Val, what: &str) -> Result<Vec<Val>, Error> {
    match value {
        Val::Arr(items) => Ok(Rc::try_unwrap(items).unwrap_or_else(|shared| shared.to_vec())),
        value => {
            let message = format!("{} cannot be {what}, as it is not an array", quoted(&value));
            Err(Error::str(message))
        }
    }
}

pub(super) fn sorted(value: Val) -> Result<Val, Error> {
    let mut items = array(value, "sorted")?;
    items.sort_by(order::compare);
    Ok(items.into_iter().collect())
}

type Keyed = Vec<(Vec<Val>, Val)>;

/// The items with all that the filter gives for each, sorted by that.
pub(super) fn keyed<'a>(mut cv: Input<'a>) -> Result<Keyed, Exn<'a, Val>> {
    let (filter, context) = cv.0.pop_fun();
    let mut pairs = Keyed::new();
    for item in array(cv.1, "sorted")? {
        let key = filter.run((context.clone(), item.clone()));
        pairs.push((key.collect::<Result<_, _>>()?, item));
    }
    pairs.sort_by(|(a, _), (b, _)| order::lexical(a, b));
    Ok(pairs)
}

pub(super) fn grouped(pairs: Keyed) -> Val {
    let same = |a: &(Vec<Val>, Val), b: &(Vec<Val>, Val)| order::lexical(&a.0, &b.0).is_eq();
    let groups = pairs.chunk_by(same);
    groups.map(|group| group.iter().map(|(_, item)| item.clone()).collect()).collect()
}
