//! `docker-registry testregistry HOST/REPOSITORY`

use serde_json::{Map, Value, json};

mod conformance;
mod sample;

use super::{
    Answer, Command, During, Error, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::reference::Repository;
use conformance::{CheckResult, Conformance, conformance};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "testregistry",
        operand: Operand::Repository,
        help: "Test what a registry supports",
        about: "Pushes tiny images for s390x, ppc64le, arm64 and amd64, combines them into a manifest list and an OCI index, and reads everything back. Then tries mounting blobs between repositories (into one with `-mount` behind its name), HEAD, the digest header, pages, the referrers API, ranges of blobs, and deletion, which also cleans up. The tags are named `docker-registry-test-…`; blobs are left to the registry's garbage collection. Exit 8 if the registry does not accept both manifest lists and OCI indexes, 6 if it does not return what was pushed. With `--json`: `{repository, lists: {supported, why}, …, left}`.",
        examples: &[
            ("docker-registry testregistry localhost:5000/test", "a table of what works"),
            (
                "docker-registry testregistry -q .referrers.supported localhost:5000/test",
                "true or false",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(invocation: &Invocation) -> Result<Answer> {
    let repository: Repository = invocation.args.operands()[0].parse()?;
    let open = |repository: &_| invocation.sources.repository(repository);
    let conformance = conformance(&repository, invocation.pool, &open);
    invocation.sources.forget(&repository, &[]);
    let conformance = conformance.during(&repository)?;
    let (text, json) = (table(&repository, &conformance), json(&repository, &conformance));
    Ok(Answer::text(text, json).verdict(verdict(&conformance.results)))
}

fn table(repository: &Repository, conformance: &Conformance) -> String {
    let mut lines = vec![repository.to_string()];
    for CheckResult { feature, why_not } in &conformance.results {
        lines.push(match why_not {
            None => format!("{feature:14} yes"),
            Some(error) => format!("{feature:14} no   {error}"),
        });
    }
    if !conformance.left.is_empty() {
        lines.push(format!("{:14} {}", "left", conformance.left.join(", ")));
    }
    lines.join("\n")
}

fn json(repository: &Repository, conformance: &Conformance) -> Value {
    let mut json = Map::new();
    json.insert("repository".into(), repository.to_string().into());
    for CheckResult { feature, why_not } in &conformance.results {
        let name = match *feature {
            "digest header" => "digestHeader",
            feature => feature,
        };
        let why = why_not.as_ref().map(Error::to_string);
        let result = json!({"supported": why.is_none(), "why": why});
        json.insert(name.into(), result);
    }
    json.insert("left".into(), json!(conformance.left));
    json.into()
}

fn verdict(results: &[CheckResult]) -> Verdict {
    let mut failed = results.iter().filter(|result| result.why_not.is_some());
    let is_corrupt = |result: &CheckResult| {
        let kind = result.why_not.as_ref().map(Error::kind);
        kind == Some(Kind::Corrupt)
    };
    if failed.clone().any(is_corrupt) {
        return Verdict::Corrupt;
    }
    match failed.any(|result| matches!(result.feature, "lists" | "indexes")) {
        true => Verdict::No,
        false => Verdict::Yes,
    }
}
