//! Built-in functions that a definition in jq cannot express. Names that begin with `!` are put
//! into filters by `rewrite`, those with `_` are for the prelude; the others are jq's own.

use jaq_core::box_iter::box_once;
use jaq_core::native::{self, Fun, bome, run, v};
use jaq_core::{Bind, Exn, Native, RunPtr};
use jaq_json::{Error, Val};

use super::arithmetic::{add, divide, multiply, negate, remainder, subtract};
use super::closures::{grouped, keyed, replaced, update};
use super::functions::{
    base64d, from_json, has, is_iterable, is_key, is_list, to_json, to_number, to_text,
};
use super::values::{kind, quoted, text};
use super::{Filters, Output, failed, paths, print, regex, stack};

/// What of jaq's reads the environment, or makes bytes that are not text.
const LEFT_OUT: [&str; 2] = ["env", "tobytes"];

/// What of jaq's the prelude guards, which calls it by these names.
const GUARDED: &str = "_bsearch _contains _decode_uri _gmtime _implode _last _limit _localtime \
    _ltrim _mktime _range _rtrim _skip _strflocaltime _strftime _strptime _trim _utf8bytelength";

pub(super) fn all() -> impl Iterator<Item = Fun<Filters>> {
    let theirs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let theirs = theirs.filter(|(name, ..)| !LEFT_OUT.contains(name)).map(|theirs| {
        let guarded = GUARDED.split(' ').find(|guarded| guarded[1..] == *theirs.0);
        (guarded.unwrap_or(theirs.0), theirs.1, theirs.2)
    });
    let plain = simple().into_iter().chain(others()).map(run::<Filters>);
    plain.chain(with_paths()).chain(theirs)
}

/// From the input, and perhaps an argument, to a value.
fn simple() -> Vec<native::Filter<RunPtr<Filters>>> {
    macro_rules! of {
        ($name:literal, $function:expr) => {
            ($name, v(0), |cv| bome($function(cv.1)))
        };
        ($name:literal, $function:expr, 1) => {
            ($name, v(1), |mut cv| {
                let argument = cv.0.pop_var();
                bome($function(cv.1, argument))
            })
        };
    }
    vec![
        // jaq divides to floats and by zero, and limits no length; its messages are others.
        of!("!add", add, 1),
        of!("!subtract", subtract, 1),
        of!("!multiply", multiply, 1),
        of!("!divide", divide, 1),
        of!("!remainder", remainder, 1),
        of!("!negate", negate),
        // The end of a slice that is left out; jaq has none in an object.
        of!("!null", |_| Ok(Val::Null)),
        // jaq prints numbers otherwise.
        of!("!text", to_text),
        of!("_tostring", to_text),
        of!("_tojson", |value| to_json(&value)),
        of!("_tonumber", to_number),
        of!("_fromjson", |value| from_json(&value)),
        of!("_type", |value| Ok(Val::from(kind(&value).to_owned()))),
        of!("_quoted", |value| Ok(Val::from(quoted(&value)))),
        of!("_base64d", |value| Ok(base64d(&value))),
        of!("_has", |value, key| has(&value, &key), 1),
        of!("_delpaths", paths::delete_all, 1),
    ]
}

/// What takes more arguments, filters or the session, or gives more or fewer results than one.
fn others() -> Vec<native::Filter<RunPtr<Filters>>> {
    let one = || -> Box<[Bind]> { [Bind::Fun(())].into() };
    vec![
        ("_setpath", v(2), |mut cv| {
            let (new, path) = (cv.0.pop_var(), cv.0.pop_var());
            bome(paths::items(path, "Path").and_then(|path| paths::set(cv.1, &path, new)))
        }),
        ("_test", v(2), |mut cv| {
            let (flags, re) = (cv.0.pop_var(), cv.0.pop_var());
            bome(regex::test(&cv.0.data().expressions, &cv.1, &re, &flags))
        }),
        ("_pieces", v(2), |mut cv| {
            let (flags, re) = (cv.0.pop_var(), cv.0.pop_var());
            bome(regex::pieces(&cv.0.data().expressions, &cv.1, &re, &flags))
        }),
        ("_replaced", one(), |cv| box_once(replaced(cv))),
        ("_sort_by", one(), |cv| {
            box_once(keyed(cv).map(|pairs| pairs.into_iter().map(|(_, item)| item).collect()))
        }),
        ("_group_by", one(), |cv| box_once(keyed(cv).map(grouped))),
        // jaq updates as it finds the paths, so that nothing missing is made.
        ("!update", [Bind::Fun(()), Bind::Fun(())].into(), |cv| box_once(update(cv))),
        // Says the text that the prelude makes of what `debug` and `stderr` are given.
        ("_note", v(0), |cv| match &cv.1 {
            Val::TStr(line) if !(cv.0.data().hand_over)(&Output::Note(&text(line))) => {
                box_once(Err(Exn::halt(0)))
            }
            _ => Box::new(std::iter::empty()),
        }),
        ("_halt_error", v(0), |cv| {
            let message = match &cv.1 {
                Val::TStr(bytes) => text(bytes),
                value => print::quotation(value).into(),
            };
            cv.0.data().ended.replace(Some(failed(message.trim_end())));
            box_once(Err(Exn::halt(0)))
        }),
    ]
}

/// What leads along paths.
fn with_paths() -> Vec<Fun<Filters>> {
    /// Gives its input, path and all, if it passes the check.
    macro_rules! only {
        ($name:literal, $check:expr) => {{
            let only = Native::<Filters>::new(|cv| bome($check(&cv.1).map(|()| cv.1)));
            let with_paths =
                only.with_paths(|cv| box_once($check(&cv.1.0).map(|()| cv.1).map_err(Exn::from)));
            ($name, v(0), with_paths)
        }};
    }
    let at = Native::<Filters>::new(|mut cv| {
        let key = cv.0.pop_var();
        bome(paths::get(cv.1, &key))
    });
    let at = at.with_paths(|mut cv| {
        let key = cv.0.pop_var();
        let (value, path) = cv.1;
        let found = paths::get(value, &key).map(|found| (found, path.cons(key)));
        box_once(found.map_err(Exn::from))
    });
    vec![
        // jaq takes no slice of null and no fraction, and any value for a key.
        ("!at", v(1), at),
        // jaq's message is another.
        only!("!iterable", is_iterable),
        // jaq's objects take any value for a key.
        only!("!key", is_key),
        // jaq finds numbers among the keys of an object.
        only!("!list", is_list),
        // jaq recurs until the stack ends.
        only!("!depth", |_: &Val| match stack::is_deep() {
            false => Ok(()),
            true => Err(Error::str("recursion without end")),
        }),
    ]
}
