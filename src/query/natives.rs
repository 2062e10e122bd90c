//! Built-in functions that a definition in jq cannot express. Names that begin with `!` are put
//! into filters by `rewrite`, those with `_` are for the prelude; the others are jq's own.

use jaq_core::box_iter::box_once;
use jaq_core::native::{self, Fun, bome, run, v};
use jaq_core::{Bind, Exn, RunPtr, ValXs};
use jaq_json::Val;

use super::arithmetic::{add, divide, multiply, negate, remainder, subtract};
use super::closures::{grouped, keyed, replaced, sorted, update, with_paths};
use super::functions::{
    compact, contains, decoded, delete_paths, encoded, from_json, has, implode, instant, key, list,
    path_of, string, to_json, to_number,
};
use super::session::{Filters, Session};
use super::values::{integer, kind, quoted, text};
use super::{bases, paths, regex};
use crate::encoding;

type Values<'a> = ValXs<'a, Val>;

pub(super) fn all() -> impl Iterator<Item = Fun<Filters>> {
    // What reads the environment, or makes bytes that are not text.
    const LEFT_OUT: [&str; 2] = ["env", "tobytes"];
    // What the prelude guards, which calls it with a `_` before its name.
    const GUARDED: [(&str, &str); 14] = [
        ("bsearch", "_bsearch"),
        ("gmtime", "_gmtime"),
        ("limit", "_limit"),
        ("localtime", "_localtime"),
        ("ltrim", "_ltrim"),
        ("mktime", "_mktime"),
        ("range", "_range"),
        ("rtrim", "_rtrim"),
        ("skip", "_skip"),
        ("strflocaltime", "_strflocaltime"),
        ("strftime", "_strftime"),
        ("strptime", "_strptime"),
        ("trim", "_trim"),
        ("utf8bytelength", "_utf8bytelength"),
    ];
    let theirs = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(|(name, ..)| !LEFT_OUT.contains(name))
        .map(|(name, arguments, native)| {
            let guarded = GUARDED.iter().find(|(theirs, _)| *theirs == name);
            (guarded.map_or(name, |(_, ours)| ours), arguments, native)
        });
    let plain = simple().into_iter().chain(taking_one()).chain(taking_filters());
    plain.map(run::<Filters>).chain(with_paths()).chain(theirs)
}

fn simple() -> Vec<native::Filter<RunPtr<Filters>>> {
    vec![
        // jaq says otherwise why what is no number cannot be negated.
        ("!neg", v(0), |cv| bome(negate(cv.1))),
        // jaq's objects take any value for a key.
        ("!key", v(0), |cv| bome(key(cv.1))),
        // jaq finds numbers among the keys of an object.
        ("!list", v(0), |cv| bome(list(cv.1))),
        // The end of a slice that is left out; jaq has none in an object.
        ("!null", v(0), |_| bome(Ok(Val::Null))),
        // jaq prints numbers otherwise.
        ("!text", v(0), |cv| bome(string(cv.1))),
        ("_tostring", v(0), |cv| bome(string(cv.1))),
        ("_tojson", v(0), |cv| bome(to_json(&cv.1))),
        ("_tonumber", v(0), |cv| bome(to_number(cv.1))),
        ("_fromjson", v(0), |cv| bome(from_json(&cv.1))),
        ("_nan", v(0), |_| bome(Ok(Val::from(f64::NAN)))),
        ("_infinite", v(0), |_| bome(Ok(Val::from(f64::INFINITY)))),
        ("_type", v(0), |cv| bome(Ok(Val::from(kind(&cv.1).to_owned())))),
        ("_quoted", v(0), |cv| bome(Ok(Val::from(quoted(&cv.1))))),
        ("_sort", v(0), |cv| bome(sorted(cv.1))),
        ("_implode", v(0), |cv| bome(implode(&cv.1))),
        ("_base64d", v(0), |cv| {
            bome(decoded(&cv.1, "valid base64 data", |bytes| {
                encoding::decode(text(bytes).trim_end_matches('='))
            }))
        }),
        ("_base32", v(0), |cv| bome(encoded(&cv.1, bases::to_base32))),
        ("_urid", v(0), |cv| bome(decoded(&cv.1, "a valid uri encoding", bases::from_percent))),
        ("debug_empty", v(0), |cv| {
            let line = format!("[\"DEBUG:\",{}]\n", compact(&cv.1));
            noted(cv.0.data(), &line)
        }),
        ("stderr_empty", v(0), |cv| noted(cv.0.data(), &compact(&cv.1))),
    ]
}

fn taking_one() -> Vec<native::Filter<RunPtr<Filters>>> {
    /// A native of the input and one argument.
    macro_rules! with {
        ($function:expr) => {
            |mut cv| {
                let argument = cv.0.pop_var();
                bome($function(cv.1, argument))
            }
        };
    }
    vec![
        // jaq divides to floats and by zero, and limits no length; its messages are others.
        ("!add", v(1), with!(add)),
        ("!subtract", v(1), with!(subtract)),
        ("!multiply", v(1), with!(multiply)),
        ("!divide", v(1), with!(divide)),
        ("!remainder", v(1), with!(remainder)),
        ("_has", v(1), with!(has)),
        ("_contains", v(1), with!(|a, b| contains(&a, &b).map(Val::from))),
        ("_instant", v(1), with!(|time, name| instant(time, &name))),
        ("_delpaths", v(1), with!(delete_paths)),
        ("_setpath", v(2), |mut cv| {
            let (new, path) = (cv.0.pop_var(), cv.0.pop_var());
            bome(path_of(path).and_then(|path| paths::set(cv.1, &path, new)))
        }),
        ("_matches", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            bome(regex::matches(&cv.0.data().expressions, &cv.1, &pattern, &flags))
        }),
        ("_test", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            let known = &cv.0.data().expressions;
            bome(regex::test(known, &cv.1, &pattern, &flags))
        }),
        ("_pieces", v(2), |mut cv| {
            let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
            bome(regex::pieces(&cv.0.data().expressions, &cv.1, &pattern, &flags))
        }),
        ("_halt_error", v(1), |mut cv| {
            let code = integer(&cv.0.pop_var()).unwrap_or(5) as i32;
            let message = match &cv.1 {
                Val::TStr(bytes) => text(bytes).trim_end().to_owned(),
                value => compact(value),
            };
            cv.0.data().halted.replace(Some(message));
            box_once(Err(Exn::halt(code)))
        }),
    ]
}

fn taking_filters() -> Vec<native::Filter<RunPtr<Filters>>> {
    let one = || -> Box<[Bind]> { [Bind::Fun(())].into() };
    vec![
        // jaq updates as it finds the paths, so that nothing missing is made.
        ("!update", [Bind::Fun(()), Bind::Fun(())].into(), |cv| box_once(update(cv))),
        ("_sort_by", one(), |cv| {
            box_once(keyed(cv).map(|pairs| pairs.into_iter().map(|(_, item)| item).collect()))
        }),
        ("_replaced", one(), |cv| match replaced(cv) {
            Ok(strings) => Box::new(strings.into_iter().map(Ok)),
            Err(exception) => box_once(Err(exception)),
        }),
        ("_group_by", one(), |cv| box_once(keyed(cv).map(grouped))),
    ]
}

fn noted<'a>(session: &Session, line: &str) -> Values<'a> {
    match session.note(line) {
        true => Box::new(std::iter::empty()),
        false => box_once(Err(Exn::halt(0))),
    }
}
