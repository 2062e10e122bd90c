//! Reading, setting and deleting what stands at a path, as jq's `getpath`, `setpath`, `delpaths`.

use std::ops::Range;

use jaq_core::ValT as _;
use jaq_json::{Error, Map, Rc, Val};

use super::order;
use super::values::{float, integer, kind, quoted, text};

type Result<T> = std::result::Result<T, Error>;

/// The longest array that setting an index may make; a greater index would exhaust the memory.
const LONGEST: f64 = (1 << 26) as f64;

/// `.[key]`; null where nothing stands.
pub(super) fn get(value: Val, key: &Val) -> Result<Val> {
    Ok(match (&value, key) {
        (Val::Null, Val::Null | Val::TStr(_) | Val::Num(_) | Val::Obj(_)) => Val::Null,
        (Val::Arr(items), Val::Num(_)) => match position(key, items.len()) {
            Some(at) => items.get(at).cloned().unwrap_or_default(),
            None => Val::Null,
        },
        (Val::Arr(_), Val::Arr(sought)) if sought.is_empty() => Val::Null,
        (Val::Obj(_), Val::TStr(_)) | (Val::Arr(_), Val::Arr(_)) => value.index(key)?,
        (Val::Arr(items), Val::Obj(slice)) => {
            items[range(slice, items.len())?].iter().cloned().collect()
        }
        (Val::TStr(bytes), Val::Obj(slice)) => {
            let string = text(bytes);
            let range = range(slice, string.chars().count())?;
            Val::from(string.chars().skip(range.start).take(range.len()).collect::<String>())
        }
        _ => return Err(cannot("index", &value, key)),
    })
}

/// What stands at `path`, taken out so that it can be changed without a copy; null stays behind.
pub(super) fn take(mut value: &mut Val, path: &[Val]) -> Result<Val> {
    for (depth, key) in path.iter().enumerate() {
        let inner = match (value, key) {
            (Val::Null, Val::TStr(_) | Val::Num(_) | Val::Obj(_)) => None,
            (Val::Obj(map), Val::TStr(_)) => Rc::make_mut(map).get_mut(key),
            (Val::Arr(items), Val::Num(_)) => {
                let at = position(key, items.len());
                at.and_then(|at| Rc::make_mut(items).get_mut(at))
            }
            (value, _) => return path[depth..].iter().try_fold(value.clone(), get),
        };
        match inner {
            Some(inner) => value = inner,
            None => return Ok(Val::Null),
        }
    }
    Ok(std::mem::take(value))
}

/// `value` with `new` at `path`; objects and arrays on the way are made where null stands.
pub(super) fn set(value: Val, path: &[Val], new: Val) -> Result<Val> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new);
    };
    let value = match (value, key) {
        (Val::Null, Val::TStr(_)) => Val::obj(Map::default()),
        (Val::Null, Val::Num(_) | Val::Obj(_)) => Val::Arr(Default::default()),
        (value, _) => value,
    };
    match (value, key) {
        (Val::Obj(mut map), Val::TStr(_)) => {
            let slot = Rc::make_mut(&mut map);
            let old = slot.get_mut(key).map(std::mem::take).unwrap_or_default();
            slot.insert(key.clone(), set(old, rest, new)?);
            Ok(Val::Obj(map))
        }
        (Val::Arr(mut items), Val::Num(_)) => {
            if float(key).is_nan() {
                return Err(Error::str("Cannot set array element at NaN index"));
            }
            if float(key) > LONGEST {
                return Err(Error::str("Array index too large"));
            }
            let at = position(key, items.len())
                .ok_or_else(|| Error::str("Out of bounds negative array index"))?;
            let slots = Rc::make_mut(&mut items);
            if at >= slots.len() {
                slots.resize(at + 1, Val::Null);
            }
            slots[at] = set(std::mem::take(&mut slots[at]), rest, new)?;
            Ok(Val::Arr(items))
        }
        (Val::Arr(mut items), Val::Obj(slice)) => {
            let range = range(slice, items.len())?;
            let old = items[range.clone()].iter().cloned().collect();
            let Val::Arr(new) = set(old, rest, new)? else {
                let message = "A slice of an array can only be assigned another array";
                return Err(Error::str(message));
            };
            Rc::make_mut(&mut items).splice(range, new.iter().cloned());
            Ok(Val::Arr(items))
        }
        (value, _) => Err(cannot("update", &value, key)),
    }
}

/// The items of a `Path` or of `Paths`, as `what` says.
pub(super) fn items(value: Val, what: &str) -> Result<Vec<Val>> {
    match value {
        Val::Arr(items) => Ok(Rc::unwrap_or_clone(items)),
        _ => Err(Error::str(format!("{what} must be specified as an array"))),
    }
}

pub(super) fn delete_all(value: Val, paths: Val) -> Result<Val> {
    let paths = items(paths, "Paths")?.into_iter().map(|path| items(path, "Path"));
    delete(value, paths.collect::<Result<_>>()?)
}

/// `value` without what stands at the paths, all of them counted before any is deleted.
pub(super) fn delete(value: Val, mut paths: Vec<Vec<Val>>) -> Result<Val> {
    paths.sort_by(|a, b| order::lexical(a, b));
    let paths: Vec<&[Val]> = paths.iter().map(Vec::as_slice).collect();
    without(value, &paths)
}

fn without(mut value: Val, paths: &[&[Val]]) -> Result<Val> {
    let mut leaves = Vec::new();
    let mut inner: Vec<(&Val, Vec<&[Val]>)> = Vec::new();
    for path in paths {
        match path {
            [] => return Ok(Val::Null),
            [key] => leaves.push(key),
            [key, rest @ ..] => match inner.last_mut() {
                Some((last, paths)) if *last == key => paths.push(rest),
                _ => inner.push((key, vec![rest])),
            },
        }
    }
    for (key, paths) in inner {
        let key = std::slice::from_ref(key);
        match take(&mut value, key)? {
            Val::Null => {}
            old => value = set(value, key, without(old, &paths)?)?,
        }
    }
    if leaves.is_empty() { Ok(value) } else { remove(value, &leaves) }
}

fn remove(value: Val, keys: &[&Val]) -> Result<Val> {
    match value {
        Val::Null => Ok(Val::Null),
        Val::Obj(mut map) => {
            for key in keys {
                let Val::TStr(_) = key else {
                    return Err(cannot("delete", &Val::Obj(map), key));
                };
                Rc::make_mut(&mut map).shift_remove(*key);
            }
            Ok(Val::Obj(map))
        }
        Val::Arr(items) => {
            let mut kept = vec![true; items.len()];
            for key in keys {
                let gone = match key {
                    Val::Num(_) => {
                        position(key, items.len()).map_or(0..0, |at| at..at.saturating_add(1))
                    }
                    Val::Obj(slice) => range(slice, items.len())?,
                    key => return Err(cannot("delete", &Val::Arr(items), key)),
                };
                kept.get_mut(gone).unwrap_or_default().fill(false);
            }
            let kept = items.iter().zip(kept).filter(|(_, kept)| *kept);
            Ok(kept.map(|(item, _)| item.clone()).collect())
        }
        value => Err(cannot("delete", &value, keys[0])),
    }
}

/// Where an index counted from either end points; `None` before the beginning and for NaN.
fn position(index: &Val, length: usize) -> Option<usize> {
    let index = float(index).floor();
    let index = if index < 0.0 { index + length as f64 } else { index };
    (index >= 0.0).then_some(index as usize)
}

/// What `{start, end}` takes of a sequence of this length.
fn range(slice: &Map, length: usize) -> Result<Range<usize>> {
    let end = |name: &str, round: fn(f64) -> f64, missing: usize| {
        let number = match slice.get(&Val::from(name.to_owned())) {
            None | Some(Val::Null) => return Ok(missing),
            Some(number @ Val::Num(_)) => number,
            _ => return Err(Error::str("Start and end indices of an array slice must be numbers")),
        };
        let at = round(integer(number).map_or(float(number), |at| at as f64));
        let at = if at < 0.0 { at + length as f64 } else { at };
        Ok(if at.is_nan() { missing } else { at.clamp(0.0, length as f64) as usize })
    };
    let from = end("start", f64::floor, 0)?;
    Ok(from..end("end", f64::ceil, length)?.max(from))
}

fn cannot(what: &str, value: &Val, key: &Val) -> Error {
    let value = kind(value);
    Error::str(match (what, key) {
        ("index" | "update", Val::TStr(_) | Val::Num(_)) => {
            format!("Cannot index {value} with {}", quoted(key))
        }
        ("index", key) => format!("Cannot index {value} with {}", kind(key)),
        ("update", Val::Obj(_)) => format!("Cannot update {value} slices"),
        (what, Val::TStr(name)) => {
            format!("Cannot {what} field at \"{}\" of {value}", text(name))
        }
        (what, key) => format!("Cannot {what} field at {} of {value}", kind(key)),
    })
}
