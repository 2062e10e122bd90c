//! `docker-registry catalog HOST`

use serde_json::{Map, Value};

use super::{Command, Run};
use crate::answer::Answer;
use crate::cli::{Args, Example, Flag, Operand, Spec};
use crate::context::Context;
use crate::error::{During, Error, Kind, Result};
use crate::reference::{Host, Repository};
use crate::source::Source;

static TAGS: Flag = Flag {
    name: "tags",
    help: "Print an object of repositories and their tags",
    about: "The tags are asked for in parallel. If a repository's tags cannot be read, this is reported on stderr and by the exit code.",
    ..Flag::DEFAULT
};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "catalog",
        operand: Operand::Registry,
        help: "List the repositories of a registry",
        about: "All pages, in the order of the registry, as a JSON array on one line. Docker Hub and other public registries do not list their repositories.",
        flags: &[&TAGS],
        examples: &[
            Example {
                command: "docker-registry catalog localhost:5000",
                shows: "all repositories",
            },
            Example {
                command: "docker-registry catalog --tags -q 'keys[]' localhost:5000",
                shows: "one repository per line",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(context: &Context, args: &Args) -> Result<Answer> {
    let host: Host = args.operands()[0].parse()?;
    let names = context.catalog(&host).map_err(hinted).during(&host)?;
    if !args.has(&TAGS) {
        return Ok(Answer::line(names.into()));
    }
    let mut object = Map::new();
    let mut failures = Vec::new();
    let work = |name: String| {
        let host = host.clone();
        let repository = Repository { host, name };
        (tags(context, &repository), repository.name)
    };
    context.pool.ordered(
        names.into_iter(),
        work,
        |_| 0,
        |(tags, name)| {
            match tags {
                Ok(tags) => drop(object.insert(name, tags)),
                Err(error) => failures.push(error),
            }
            Ok(())
        },
    )?;
    Ok(Answer::value(object.into()).failures(failures))
}

fn tags(context: &Context, repository: &Repository) -> Result<Value> {
    match context.repository(repository)?.tags() {
        // distribution lists repositories whose last tag was deleted, and does not know their tags.
        Err(error) if error.kind() == Kind::NotFound => Ok(Value::Array(Vec::new())),
        tags => Ok(tags.during(repository)?.into()),
    }
}

fn hinted(error: Error) -> Error {
    match error.kind() {
        Kind::NotFound | Kind::Denied => error.hint("not every registry lists its repositories"),
        _ => error,
    }
}
