//! `docker-registry catalog HOST`

use std::collections::HashSet;

use serde_json::Value;

use super::{Answer, Command, During, Error, Flag, Invocation, Kind, Operand, Result, Run, Spec};
use crate::names::Names;
use crate::reference::{Host, Repository};
use crate::source::{Source, Sources};

static TAGS: Flag = Flag::switch("tags", "Print an object of repositories and their tags")
    .about("The tags are asked for in parallel. If a repository's tags cannot be read, this is reported on stderr and by the exit code.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "catalog",
        operand: Operand::Registry,
        help: "List the repositories of a registry",
        about: "All pages, in the order of the registry, as a JSON array on one line. Docker Hub and other public registries do not list their repositories.",
        flags: &[&TAGS],
        examples: &[
            ("docker-registry catalog localhost:5000", "all repositories"),
            (
                "docker-registry catalog --tags -q 'keys[]' localhost:5000",
                "one repository per line",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(invocation: &Invocation) -> Result<Answer> {
    let host: Host = invocation.args.operands()[0].parse()?;
    let hinted = |error: Error| match error.kind() {
        Kind::NotFound | Kind::Denied => error.hint("not every registry lists its repositories"),
        _ => error,
    };
    let names = invocation.sources.catalog(&host).map_err(hinted).during(&host)?;
    if !invocation.args.has(&TAGS) {
        return Ok(Answer::list(names));
    }
    let (mut json, mut failures, mut seen) = (String::from("{"), Vec::new(), HashSet::new());
    invocation.pool.ordered(
        names.iter().filter(|name| seen.insert(*name)),
        |name| {
            let repository = Repository { host: host.clone(), name: name.to_owned() };
            (name, tags(invocation.sources, &repository))
        },
        |(_, tags)| tags.as_ref().map_or(0, String::len),
        |(name, tags)| {
            let comma = if json.len() > 1 { "," } else { "" };
            match tags {
                Ok(tags) => json += &format!("{comma}{}:{tags}", Value::from(name)),
                Err(error) => failures.push(error),
            }
            Ok(())
        },
    )?;
    json.push('}');
    Ok(Answer::json_text(json).failures(failures))
}

/// The repository's tags as a JSON array.
fn tags(sources: &Sources, repository: &Repository) -> Result<String> {
    let tags = match sources.repository(repository)?.tags() {
        // distribution lists repositories whose last tag was deleted, and answers 404 for their
        // tags.
        Err(error) if error.kind() == Kind::NotFound => Names::default(),
        tags => tags.during(repository)?,
    };
    Ok(tags.into_json())
}
