//! `docker-registry delete IMAGE`

use serde_json::json;

use super::{
    Answer, Command, During, Error, Flag, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::error::say;
use crate::reference::{Reference, TagOrDigest, Transport};
use crate::source::Source;
use crate::terminal;

static YES: Flag =
    Flag::switch("yes", "Delete without asking").about("Required if there is no terminal.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "delete",
        operand: Operand::Image,
        help: "Delete a manifest and its tags",
        about: "Registries delete by digest: first the digest of the tag is looked up, then the other tags that lead to it, and all are named before anything is deleted. Tags that still exist afterwards are named too: exit 1. When an index is deleted, its images stay. Layers stay until the registry's garbage collection. If the question is answered with no: exit 8.",
        flags: &[&YES],
        examples: &[
            (
                "docker-registry delete localhost:5000/app:old",
                "names the tags and asks before deleting",
            ),
            ("docker-registry delete --yes localhost:5000/app@sha256:…", "deletes without asking"),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(invocation: &Invocation) -> Result<Answer> {
    let text = &invocation.args.operands()[0];
    let reference: Reference = text.parse()?;
    let Transport::Registry(repository) = &reference.place else {
        return Err(Error::usage(format!("{text}: delete is for images in a registry")));
    };
    if !invocation.args.has(&YES) && !terminal::is_attended() {
        return Err(Error::usage("delete needs --yes where there is no terminal"));
    }
    let registry = invocation.sources.repository(repository)?;
    let digest = registry.resolve(&reference.at).during(text)?.digest;
    let image = format!("{repository}@{digest}");
    let leading_here = |tags: Vec<String>| -> Result<Vec<String>> {
        let leads_here = |tag: String| match registry.resolve(&TagOrDigest::Tag(tag.clone())) {
            Ok(resolved) => Ok((resolved.digest == digest).then_some(tag)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let tags = invocation.pool.all(tags, leads_here).during(text)?;
        Ok(tags.into_iter().flatten().collect())
    };
    let mut tags = match &reference.at {
        TagOrDigest::Tag(tag) => vec![tag.clone()],
        _ => Vec::new(),
    };
    let what = match registry.tags() {
        // distribution answers 404 for a repository that has manifests but no tags.
        Err(error) if error.kind() == Kind::NotFound => {
            sentence(&image, &tags) + " (the registry lists no tags)"
        }
        all => {
            let all = all.during(text)?;
            let others = all.iter().map(str::to_owned).filter(|tag| !tags.contains(tag));
            tags.extend(leading_here(others.collect())?);
            tags.sort();
            if tags.is_empty() {
                image.clone() + ", which has no tag"
            } else {
                sentence(&image, &tags)
            }
        }
    };
    if invocation.args.has(&YES) {
        say(&format!("docker-registry: deleting {what}"));
    } else if !terminal::confirm(&format!("delete {what}?"))? {
        let json = json!({"digest": null, "tags": [], "left": []});
        return Ok(Answer::text("nothing deleted", json).verdict(Verdict::No));
    }
    registry.delete_manifest(&digest).during(text)?;
    invocation.sources.forget(repository, std::slice::from_ref(&digest));
    // crane's and CUE's registries delete what is under the digest and leave the tags as they are.
    let left = leading_here(tags.clone())?;
    tags.retain(|tag| !left.contains(tag));
    let json = json!({"digest": digest.to_string(), "tags": tags, "left": left});
    if left.is_empty() {
        return Ok(Answer::text(format!("deleted {what}"), json));
    }
    let exist = if left.len() == 1 { "exists" } else { "exist" };
    let failure = Error::new(Kind::Protocol, format!("{text}: {} still {exist}", named(&left)));
    let answer = Answer::text(format!("deleted {}", sentence(&image, &tags)), json);
    Ok(answer.failures(vec![failure]))
}

fn sentence(image: &str, tags: &[String]) -> String {
    if tags.is_empty() { image.to_owned() } else { format!("{image} and {}", named(tags)) }
}

/// `the tag a` or `the tags a, b and c`
fn named(tags: &[String]) -> String {
    match tags {
        [tags @ .., last] if !tags.is_empty() => {
            format!("the tags {} and {last}", tags.join(", "))
        }
        tags => format!("the tag {}", tags.concat()),
    }
}
