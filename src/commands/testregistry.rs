//! `docker-registry testregistry HOST/REPOSITORY`

use serde_json::{Map, Value, json};

use super::{Command, Run};
use crate::answer::{Answer, Verdict};
use crate::assembly::{Finding, Trial, trial};
use crate::cli::{Args, Example, Operand, Spec};
use crate::context::Context;
use crate::error::{During, Error, Kind, Result};
use crate::reference::Repository;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "testregistry",
        operand: Operand::Repository,
        help: "Find out what a registry supports, by trying",
        about: "Pushes tiny images for s390x, ppc64le, arm64 and amd64, puts them together as a manifest list and as an OCI index, and reads all of it back; then tries mounting between repositories (to one with `-mount` behind its name), HEAD, the digest header, pages, the referrers API, parts of blobs, and deletion, which also cleans up. Tags are `docker-registry-test-…`; blobs are left to the registry's garbage collection. Exit 8 if the registry does not take lists of both kinds, 6 if it does not give back what it was given. With `--json`: `{repository, lists: {supported, why}, …, left}`.",
        examples: &[
            Example {
                command: "docker-registry testregistry localhost:5000/test",
                shows: "a table of what works",
            },
            Example {
                command: "docker-registry testregistry -q .referrers.supported localhost:5000/test",
                shows: "true or false",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(context: &Context, args: &Args) -> Result<Answer> {
    let repository: Repository = args.operands()[0].parse()?;
    let open = |repository: &_| context.repository(repository);
    let trial = trial(&repository, &context.pool, &open);
    context.forget(&repository, &[]);
    let trial = trial.during(&repository)?;
    let (text, json) = (table(&repository, &trial), json(&repository, &trial));
    Ok(Answer::text(text, json).verdict(verdict(&trial.findings)))
}

fn table(repository: &Repository, trial: &Trial) -> String {
    let mut lines = vec![repository.to_string()];
    for Finding { feature, why_not } in &trial.findings {
        lines.push(match why_not {
            None => format!("{feature:14} yes"),
            Some(error) => format!("{feature:14} no   {error}"),
        });
    }
    if !trial.left.is_empty() {
        lines.push(format!("{:14} {}", "left", trial.left.join(", ")));
    }
    lines.join("\n")
}

fn json(repository: &Repository, trial: &Trial) -> Value {
    let mut json = Map::new();
    json.insert("repository".into(), repository.to_string().into());
    for Finding { feature, why_not } in &trial.findings {
        let name = match *feature {
            "digest header" => "digestHeader",
            feature => feature,
        };
        let why = why_not.as_ref().map(Error::to_string);
        let finding = json!({"supported": why.is_none(), "why": why});
        json.insert(name.into(), finding);
    }
    json.insert("left".into(), json!(trial.left));
    json.into()
}

fn verdict(findings: &[Finding]) -> Verdict {
    let mut failed = findings.iter().filter(|finding| finding.why_not.is_some());
    let is_corrupt = |finding: &Finding| {
        let kind = finding.why_not.as_ref().map(Error::kind);
        kind == Some(Kind::Corrupt)
    };
    if failed.clone().any(is_corrupt) {
        return Verdict::Corrupt;
    }
    match failed.any(|finding| matches!(finding.feature, "lists" | "indexes")) {
        true => Verdict::No,
        false => Verdict::Yes,
    }
}
