//! A stranger's filter, run in a process of its own: it may end the process, or be killed.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::Result;
use crate::json;
use crate::machine;
use crate::output::Output;
use crate::query::{self, Query};
use crate::terminal;

/// How much memory it has, in MiB.
const MEMORY: i64 = 256;

/// A tenth of how long it may give no result, where nobody is left who would kill it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Runs the filter that standard input describes, if the arguments say so, and gives the exit code. The
/// first line is `{"filter", "arguments", "image", "platform", "raw"}`; behind it stands the JSON that
/// the filter is for. Each result is a line.
pub(crate) fn filter(arguments: &[OsString]) -> Option<Result<u8>> {
    (arguments == ["__filter"]).then(run)
}

fn run() -> Result<u8> {
    query::allow_memory(MEMORY);
    machine::step_back();
    let mut input = BufReader::new(terminal::stdin()?);
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    let asked = json::parse(&line)?;
    let text = |name: &str| asked[name].as_str();
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
    let arguments = asked["arguments"].as_array().into_iter().flatten().filter_map(pair);
    let arguments: Vec<_> = arguments.collect();
    let query = Query::compile(text("filter").unwrap_or_default(), &arguments, TIMEOUT)?;
    let mut json = Vec::new();
    input.read_to_end(&mut json)?;
    let is_raw = asked["raw"] == true;
    let mut out = Output::raw();
    let mut each = |found: &query::Output| match found {
        query::Output::Text(text) if is_raw => out.string(text),
        query::Output::Text(text) => out.string(&json!(text).to_string()),
        query::Output::Json(json) => out.json(json),
        // Nobody reads it.
        query::Output::Note(_) => Ok(()),
    };
    query.run(json.into(), text("image"), text("platform"), &mut each)?;
    out.flush().map(|()| 0)
}
