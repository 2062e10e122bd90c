//! Reading, setting and deleting what stands at a path, as jq's `getpath`, `setpath`, `delpaths`.

use jaq_json::{Error, Map, Val};

use super::order;
use super::values::{float, integer, kind, quoted, text};

type Result<T> = std::result::Result<T, Error>;

/// The longest array that setting an index may make; a greater index would exhaust the memory.
const LONGEST: f64 = (1 << 26) as f64;

/// `.[key]`; null where nothing stands.
pub(super) fn get(value: Val, key: &Val) -> Result<Val> {
    Ok(match (&value, key) {
        (Val::Null, Val::Null | Val::TStr(_) | Val::Num(_) | Val::Obj(_)) => Val::Null,
        (Val::Obj(map), Val::TStr(_)) => map.get(key).cloned().unwrap_or_default(),
        (Val::Arr(items), Val::Num(_)) => match position(key, items.len()) {
            Some(at) => items.get(at).cloned().unwrap_or_default(),
            None => Val::Null,
        },
        (Val::Arr(items), Val::Arr(sought)) if !sought.is_empty() => {
            let windows = items.windows(sought.len()).enumerate();
            let found = windows.filter(|(_, window)| *window == sought.as_slice());
            found.map(|(at, _)| Val::from(at)).collect()
        }
        (Val::Arr(_), Val::Arr(_)) => Val::Null,
        (Val::Arr(items), Val::Obj(slice)) => {
            let (from, to) = range(slice, items.len())?;
            items[from..to].iter().cloned().collect()
        }
        (Val::TStr(bytes), Val::Obj(slice)) => {
            let string = text(bytes);
            let (from, to) = range(slice, string.chars().count())?;
            Val::from(string.chars().skip(from).take(to - from).collect::<String>())
        }
        _ => return Err(cannot("index", &value, key)),
    })
}

/// What stands at `path`, taken out so that it can be changed without a copy; null stays behind.
pub(super) fn take(mut value: &mut Val, path: &[Val]) -> Result<Val> {
    for (depth, key) in path.iter().enumerate() {
        value = match (value, key) {
            (Val::Null, Val::TStr(_) | Val::Num(_) | Val::Obj(_)) => return Ok(Val::Null),
            (Val::Obj(map), Val::TStr(_)) => match jaq_json::Rc::make_mut(map).get_mut(key) {
                Some(inner) => inner,
                None => return Ok(Val::Null),
            },
            (Val::Arr(items), Val::Num(_)) => {
                let at = position(key, items.len());
                match at.and_then(|at| jaq_json::Rc::make_mut(items).get_mut(at)) {
                    Some(inner) => inner,
                    None => return Ok(Val::Null),
                }
            }
            (value, _) => {
                let rest = &path[depth..];
                return rest.iter().try_fold(value.clone(), get);
            }
        };
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
            let slot = jaq_json::Rc::make_mut(&mut map);
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
            let slots = jaq_json::Rc::make_mut(&mut items);
            if at >= slots.len() {
                slots.resize(at + 1, Val::Null);
            }
            slots[at] = set(std::mem::take(&mut slots[at]), rest, new)?;
            Ok(Val::Arr(items))
        }
        (Val::Arr(mut items), Val::Obj(slice)) => {
            let (from, to) = range(slice, items.len())?;
            let Val::Arr(new) = set(items[from..to].iter().cloned().collect(), rest, new)? else {
                let message = "A slice of an array can only be assigned another array";
                return Err(Error::str(message));
            };
            jaq_json::Rc::make_mut(&mut items).splice(from..to, new.iter().cloned());
            Ok(Val::Arr(items))
        }
        (value, _) => Err(cannot("update", &value, key)),
    }
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
    if leaves.is_empty() {
        return Ok(value);
    }
    remove(value, &leaves)
}

fn remove(value: Val, keys: &[&Val]) -> Result<Val> {
    match value {
        Val::Null => Ok(Val::Null),
        Val::Obj(mut map) => {
            let slots = jaq_json::Rc::make_mut(&mut map);
            for key in keys {
                let Val::TStr(_) = key else {
                    return Err(cannot("delete", &Val::Obj(map), key));
                };
                slots.shift_remove(*key);
            }
            Ok(Val::Obj(map))
        }
        Val::Arr(items) => {
            let mut gone = vec![false; items.len()];
            for key in keys {
                match key {
                    Val::Num(_) => {
                        let at = position(key, items.len());
                        if let Some(slot) = at.and_then(|at| gone.get_mut(at)) {
                            *slot = true;
                        }
                    }
                    Val::Obj(slice) => {
                        let (from, to) = range(slice, items.len())?;
                        gone[from..to].fill(true);
                    }
                    key => return Err(cannot("delete", &Val::Arr(items), key)),
                }
            }
            let kept = items.iter().zip(gone).filter(|(_, gone)| !gone);
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

/// The ends of `{start, end}` within a sequence of this length.
fn range(slice: &Map, length: usize) -> Result<(usize, usize)> {
    let end = |name: &str, round: fn(f64) -> f64, missing: usize| match slice
        .get(&Val::from(name.to_owned()))
    {
        None | Some(Val::Null) => Ok(missing),
        Some(number @ Val::Num(_)) if float(number).is_nan() => Ok(missing),
        Some(number @ Val::Num(_)) => {
            let at = match integer(number) {
                Some(at) => at as f64,
                None => round(float(number)),
            };
            let at = if at < 0.0 { at + length as f64 } else { at };
            Ok(at.clamp(0.0, length as f64) as usize)
        }
        Some(_) => Err(Error::str("Start and end indices of an array slice must be numbers")),
    };
    let from = end("start", f64::floor, 0)?;
    let to = end("end", f64::ceil, length)?;
    Ok((from, to.max(from)))
}

fn cannot(what: &str, value: &Val, key: &Val) -> Error {
    let value = kind(value);
    Error::str(match (what, key) {
        ("index", Val::TStr(_) | Val::Num(_)) => {
            format!("Cannot index {value} with {}", quoted(key))
        }
        ("index", key) => format!("Cannot index {value} with {}", kind(key)),
        ("update", Val::Num(_) | Val::TStr(_)) => {
            format!("Cannot index {value} with {}", quoted(key))
        }
        ("update", Val::Obj(_)) => format!("Cannot update {value} slices"),
        (what, Val::TStr(name)) => {
            format!("Cannot {what} field at \"{}\" of {value}", text(name))
        }
        (what, key) => format!("Cannot {what} field at {} of {value}", kind(key)),
    })
}
