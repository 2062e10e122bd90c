//! The built-in jq: a filter compiled once, run over many documents. The one user of jaq.

mod arithmetic;
mod bases;
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
mod session;
mod stack;
mod terms;
#[cfg(test)]
mod tests;
mod values;

use std::cell::RefCell;
use std::time::Duration;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use jaq_json::{Map, Val};
use serde_json::Value;

use crate::error::{Error, Kind, Result};
use fault::Fault;
use limits::Watch;
use session::{Filters, Session};

pub(crate) use regex::Pattern;

/// A compiled filter.
pub(crate) struct Query {
    filter: Filter<Filters>,
    arguments: Vec<(String, String)>,
    /// A tenth of how long the filter may work for one result.
    timeout: Duration,
}

/// What a filter is run over.
pub(crate) enum Input<'a> {
    /// Bytes that have been found to be JSON before.
    Document(&'a [u8]),
    Value(&'a Value),
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

impl Query {
    /// `arguments` are the names and values of `--arg`; of two of one name the first counts, as in
    /// jq. `$image`, `$platform` and `$ENV` are always bound, and may not be bound again. A filter
    /// that gives no result for ten times `timeout` ends the process.
    pub(crate) fn compile(
        filter: &str,
        arguments: &[(String, String)],
        timeout: Duration,
    ) -> Result<Query> {
        for (name, _) in arguments {
            if let "image" | "platform" | "ENV" | "ARGS" | "__loc__" = name.as_str() {
                let message = format!("--arg {name}: ${name} is bound already");
                return Err(Error::usage(message));
            }
        }
        let work = || compiled(filter, arguments);
        let compiled = stack::large(Kind::Usage.exit_code().into(), &Watch::new(timeout), work)?;
        Ok(Query {
            filter: compiled.map_err(|faults| fault::error(filter, faults))?,
            arguments: arguments.to_vec(),
            timeout,
        })
    }

    /// Runs the filter over one answer and hands over every result as it comes, on another thread.
    /// Says of the last result whether it is neither null nor false; `None` if there is none.
    ///
    /// `Kind::Local` if the filter fails.
    pub(crate) fn run(
        &self,
        input: Input,
        image: Option<&str>,
        platform: Option<&str>,
        each: &mut Sink,
    ) -> Result<Option<bool>> {
        let watch = Watch::new(self.timeout);
        let mut each = |output: &Output| watch.taken(|| each(output));
        stack::large(Kind::Local.exit_code().into(), &watch, || {
            let input = match input {
                Input::Document(bytes) => values::parsed(bytes)?,
                Input::Value(json) => values::value(json),
            };
            self.results(input, self.variables(image, platform), &mut each)
        })?
    }

    fn results(&self, input: Val, variables: Vec<Val>, each: &mut Sink) -> Result<Option<bool>> {
        let stopped = RefCell::new(None);
        let each = RefCell::new(each);
        let hand_over = |output: &Output| match (*each.borrow_mut())(output) {
            Ok(()) => true,
            Err(error) => {
                stopped.replace(Some(error));
                false
            }
        };
        let notes = |line: &str| hand_over(&Output::Note(line));
        let session = Session {
            lut: &self.filter.lut,
            notes: &notes,
            halted: RefCell::new(None),
            expressions: RefCell::default(),
        };
        let context = Ctx::<Filters>::new(&session, Vars::new(variables));
        let mut last = None;
        let mut json = Vec::new();
        for result in self.filter.id.run((context, input)) {
            let value = match result.map_err(|exception| exception.get_err()) {
                Ok(value) => value,
                Err(Ok(error)) => return Err(failed(&functions::message(error))),
                Err(Err(_)) => break,
            };
            last = Some(values::truth(&value));
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
        match (stopped.take(), session.halted.take()) {
            (Some(error), _) => Err(error),
            (None, Some(message)) => Err(failed(&message)),
            (None, None) => Ok(last),
        }
    }

    /// In the order of `global_names`.
    fn variables(&self, image: Option<&str>, platform: Option<&str>) -> Vec<Val> {
        let string = |text: &str| Val::from(text.to_owned());
        let optional = |text: Option<&str>| text.map_or(Val::Null, string);
        let mut named = Map::default();
        for (name, value) in &self.arguments {
            named.entry(string(name)).or_insert(string(value));
        }
        let mut all = Map::default();
        all.insert(string("positional"), Val::Arr(Default::default()));
        all.insert(string("named"), Val::obj(named));
        let own = [optional(image), optional(platform), Val::obj(Map::default()), Val::obj(all)];
        let arguments = self.arguments.iter().rev().map(|(_, value)| string(value));
        own.into_iter().chain(arguments).collect()
    }
}

/// A name that comes later hides an equal one that comes earlier.
fn global_names(arguments: &[(String, String)]) -> Vec<String> {
    let own = ["$image", "$platform", "$ENV", "$ARGS"].map(str::to_owned);
    let arguments = arguments.iter().rev().map(|(name, _)| format!("${name}"));
    own.into_iter().chain(arguments).collect()
}

fn compiled(
    code: &str,
    arguments: &[(String, String)],
) -> std::result::Result<Filter<Filters>, Vec<Fault>> {
    let arena = Arena::default();
    let names = global_names(arguments);
    let definitions = definitions::with_main(code, fault::parsed(code)?, &arena);
    let main = File { code: definitions::MAIN, path: () };
    let modules = Loader::new(definitions).load(&arena, main).expect("a name is a filter");
    Compiler::default()
        .with_funs(natives::all())
        .with_global_vars(names.iter().map(String::as_str))
        .compile(modules)
        .map_err(|errors| {
            let errors = errors.into_iter().flat_map(|(_, errors)| errors);
            errors.map(|error| Fault::undefined(code, error)).collect()
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
