//! The built-in jq: a filter compiled once, run over many documents. The one user of jaq.
//!
//! Over 8 MB of JSON, the largest document there is, a filter takes 0.3 to 0.9 of the time of jq 1.6
//! and 0.9 to 1.3 of its memory; over 46 MB too.

mod arithmetic;
mod closures;
#[cfg(test)]
mod compare;
mod definitions;
mod fault;
mod functions;
mod limits;
mod natives;
mod order;
mod paths;
mod print;
mod regex;
mod rewrite;
mod stack;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use jaq_core::data::{DataT, HasLut};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Lut, ValT, Vars};
use jaq_json::{Map, Val};

use crate::error::{Error, Kind, Result};
use fault::Fault;
use limits::Watch;

pub(crate) use limits::allow_memory;
pub(crate) use regex::Pattern;

/// A compiled filter.
pub(crate) struct Query {
    filter: Filter<Filters>,
    /// Names and values of `--arg`, each name once.
    arguments: Vec<(String, String)>,
    /// A tenth of how long the filter may work for one result.
    timeout: Duration,
}

/// What a filter gives, piece by piece.
pub(crate) enum Output<'a> {
    /// A result that is a string, to be printed bare.
    Text(&'a str),
    /// Any other result: valid, compact JSON.
    Json(&'a [u8]),
    /// What `debug` or `stderr` says, line end included where there is one: for stderr.
    Note(&'a str),
}

/// Takes what a filter gives; an error ends the run.
pub(crate) type Sink<'a> = dyn FnMut(&Output) -> Result<()> + Send + 'a;

/// The kind of filters that we run, for jaq's types.
struct Filters;

impl DataT for Filters {
    type V<'a> = Val;
    type Data<'a> = &'a Session<'a>;
}

impl<'a> HasLut<'a, Filters> for &'a Session<'a> {
    fn lut(&self) -> &'a Lut<Filters> {
        self.lut
    }
}

/// One run of a filter.
struct Session<'a> {
    lut: &'a Lut<Filters>,
    /// Takes results and notes; false if the run has to stop.
    hand_over: &'a dyn Fn(&Output) -> bool,
    /// Why the run has to stop.
    ended: &'a RefCell<Option<Error>>,
    expressions: regex::Compiled,
}

impl Query {
    /// `arguments` are the names and values of `--arg`; of two of one name the first counts, as in
    /// jq. `$image`, `$platform` and `$ENV` are always bound, and may not be bound again. A filter
    /// that gives no result for ten times `timeout` ends the process.
    pub(crate) fn compile(
        filter: &str,
        arguments: &[(String, String)],
        timeout: Duration,
    ) -> Result<Query> {
        let mut named: Vec<(String, String)> = Vec::new();
        for (name, value) in arguments {
            if let "image" | "platform" | "ENV" | "ARGS" | "__loc__" = name.as_str() {
                return Err(Error::usage(format!("--arg {name}: ${name} is bound already")));
            }
            if !named.iter().any(|(known, _)| known == name) {
                named.push((name.clone(), value.clone()));
            }
        }
        let compiled = stack::large(&Watch::new(timeout), || compiled(filter, &named))?;
        let filter = compiled.map_err(|faults| fault::error(filter, faults))?;
        Ok(Query { filter, arguments: named, timeout })
    }

    /// Runs the filter over what is known to be JSON and hands over every result as it comes, on another thread.
    /// Says of the last result whether it is neither null nor false; `None` if there is none.
    ///
    /// `Kind::Local` if the filter fails.
    pub(crate) fn run(
        &self,
        input: Cow<[u8]>,
        image: Option<&str>,
        platform: Option<&str>,
        each: &mut Sink,
    ) -> Result<Option<bool>> {
        let watch = Watch::new(self.timeout);
        let mut each = |output: &Output| watch.taken(|| each(output));
        stack::large(&watch, || {
            let input = values::parsed(&input.into_owned().into())?;
            self.results(input, self.variables(image, platform), &mut each)
        })?
    }

    fn results(&self, input: Val, variables: Vec<Val>, each: &mut Sink) -> Result<Option<bool>> {
        let (each, ended) = (RefCell::new(each), RefCell::new(None));
        let hand_over = |output: &Output| {
            let taken = (*each.borrow_mut())(output);
            taken.map_err(|error| ended.replace(Some(error))).is_ok()
        };
        let (lut, expressions) = (&self.filter.lut, RefCell::default());
        let session = Session { lut, hand_over: &hand_over, ended: &ended, expressions };
        let context = Ctx::<Filters>::new(&session, Vars::new(variables));
        let mut last = None;
        let mut json = Vec::new();
        for result in self.filter.id.run((context, input)) {
            let value = match result.map_err(|exception| exception.get_err()) {
                Ok(value) => value,
                Err(Ok(error)) => return Err(failed(&functions::message(error))),
                Err(Err(_)) => break,
            };
            last = Some(value.as_bool());
            json.clear();
            let went_on = match &value {
                Val::TStr(bytes) => hand_over(&Output::Text(&values::text(bytes))),
                value => {
                    let printed = print::json(&mut json, value);
                    printed.map_err(|_| failed("the result is nested too deeply"))?;
                    hand_over(&Output::Json(&json))
                }
            };
            if !went_on {
                break;
            }
        }
        ended.take().map_or(Ok(last), Err)
    }

    /// In the order of their names in `compiled`.
    fn variables(&self, image: Option<&str>, platform: Option<&str>) -> Vec<Val> {
        let string = |text: &str| Val::from(text.to_owned());
        let optional = |text: Option<&str>| text.map_or(Val::Null, string);
        let named = self.arguments.iter().map(|(name, value)| (string(name), string(value)));
        let all =
            [("positional", Val::Arr(Default::default())), ("named", Val::obj(named.collect()))];
        let all = all.map(|(name, value)| (string(name), value));
        let own = [
            optional(image),
            optional(platform),
            Val::obj(Map::default()),
            Val::obj(all.into_iter().collect()),
        ];
        own.into_iter().chain(self.arguments.iter().map(|(_, value)| string(value))).collect()
    }
}

fn compiled(
    code: &str,
    arguments: &[(String, String)],
) -> std::result::Result<Filter<Filters>, Vec<Fault>> {
    let arena = Arena::default();
    let own = ["$image", "$platform", "$ENV", "$ARGS"].map(str::to_owned);
    let arguments = arguments.iter().map(|(name, _)| format!("${name}"));
    let names: Vec<String> = own.into_iter().chain(arguments).collect();
    let definitions = definitions::with_main(code, fault::parsed(code)?, &arena);
    let main = File { code: definitions::MAIN, path: () };
    let modules = Loader::new(definitions).load(&arena, main).expect("a name is a filter");
    let compiler = Compiler::default().with_funs(natives::all());
    let compiler = compiler.with_global_vars(names.iter().map(String::as_str));
    compiler.compile(modules).map_err(|errors| {
        let errors = errors.into_iter().flat_map(|(_, errors)| errors);
        errors.map(|error| fault::undefined(code, error)).collect()
    })
}

fn failed(why: &str) -> Error {
    /// Messages quote values, which may be long.
    const LONGEST: usize = 500;
    let mut short: String = why.chars().take(LONGEST).collect();
    if short.len() < why.len() {
        short.push_str("...");
    }
    Error::new(Kind::Local, format!("filter: {short}"))
}
