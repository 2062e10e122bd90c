//! `docker-registry testregistry HOST/REPOSITORY`

use serde_json::json;

mod conformance;
mod sample;

use super::{Answer, Command, During, Invocation, Kind, Operand, Result, Run, Spec, Verdict};
use crate::reference::Repository;

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
    let tested = conformance::test(&repository, invocation);
    invocation.sources.forget(&repository, &[]);
    let (results, left) = tested.during(&repository)?;
    let mut lines = vec![repository.to_string()];
    let mut json = json!({"repository": repository.to_string()});
    let mut verdict = Verdict::Yes;
    for (feature, outcome) in results {
        let key = if feature == "digest header" { "digestHeader" } else { feature };
        let Err(error) = outcome else {
            lines.push(format!("{feature:14} yes"));
            json[key] = json!({"supported": true, "why": null});
            continue;
        };
        lines.push(format!("{feature:14} no   {error}"));
        json[key] = json!({"supported": false, "why": error.to_string()});
        if error.kind() == Kind::Corrupt {
            verdict = Verdict::Corrupt;
        } else if matches!(feature, "lists" | "indexes") && verdict == Verdict::Yes {
            verdict = Verdict::No;
        }
    }
    if !left.is_empty() {
        lines.push(format!("{:14} {}", "left", left.join(", ")));
    }
    json["left"] = json!(left);
    Ok(Answer::text(lines.join("\n"), json).verdict(verdict))
}
