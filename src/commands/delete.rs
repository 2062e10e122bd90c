//! `docker-registry delete IMAGE`

use std::collections::HashSet;

use serde_json::json;

use super::{
    Answer, Command, During, Error, Flag, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::digest::Digest;
use crate::error::say;
use crate::names::Names;
use crate::parallel::Pool;
use crate::reference::{Reference, TagOrDigest, Transport};
use crate::source::{Registry, Source};
use crate::terminal;

static YES: Flag =
    Flag::switch("yes", "Delete without asking").about("Required if there is no terminal.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "delete",
        operand: Operand::Image,
        help: "Delete a manifest and its tags",
        about: "Registries delete by digest: first the digest of the tag is looked up. Before the question the other tags that lead to it are looked for, one request for each tag of the repository, and all are named. With `--yes` nobody waits for that: the tags that went are named afterwards, by what the list of tags has lost. Tags that still exist afterwards are named too: exit 1. When an index is deleted, its images stay. Layers stay until the registry's garbage collection. If the question is answered with no: exit 8.",
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
    let Transport::Registry(repository) = &reference.transport else {
        return Err(Error::usage(format!("{text}: delete is for images in a registry")));
    };
    if !invocation.args.has(&YES) && !terminal::is_attended() {
        return Err(Error::usage("delete needs --yes where there is no terminal"));
    }
    let registry = invocation.sources.repository(repository)?;
    let digest = registry.resolve(&reference.at).during(text)?.digest;
    let image = format!("{repository}@{digest}");
    let manifest = Manifest { registry: &registry, digest: &digest, pool: invocation.pool };
    let mut tags = match &reference.at {
        TagOrDigest::Tag(tag) => vec![tag.clone()],
        _ => Vec::new(),
    };
    let listed = manifest.listed().during(text)?;
    let is_asked = !invocation.args.has(&YES);
    if is_asked {
        let others =
            listed.iter().flat_map(Names::iter).filter(|tag| !tags.iter().any(|it| it == tag));
        let others = others.map(str::to_owned).collect();
        tags.extend(manifest.led_by(others).during(text)?);
        tags.sort();
        let none = if tags.is_empty() && listed.is_some() { ", which has no tag" } else { "" };
        let what = sentence(&image, &tags, &listed);
        if !terminal::confirm(&format!("delete {what}{none}?"))? {
            let json = json!({"digest": null, "tags": [], "left": []});
            return Ok(Answer::text("nothing deleted", json).verdict(Verdict::No));
        }
    } else {
        say(&format!("docker-registry: deleting {image} and every tag that leads to it"));
    }
    registry.delete_manifest(&digest).during(text)?;
    invocation.sources.forget(repository, std::slice::from_ref(&digest));
    if let (false, Some(listed)) = (is_asked, &listed) {
        tags.extend(manifest.lost(listed).during(text)?);
        tags.sort();
        tags.dedup();
    }
    let mut left = manifest.led_by(tags.clone()).during(text)?;
    // crane's and CUE's registries delete what is under the digest and leave the tags as they are.
    if let (false, false, Some(listed)) = (is_asked, left.is_empty(), &listed) {
        left = manifest.led_by(listed.iter().map(str::to_owned).collect()).during(text)?;
    }
    tags.retain(|tag| !left.contains(tag));
    let json = json!({"digest": digest.to_string(), "tags": tags, "left": left});
    let answer = Answer::text(format!("deleted {}", sentence(&image, &tags, &listed)), json);
    let exist = match left.len() {
        0 => return Ok(answer),
        1 => "exists",
        _ => "exist",
    };
    let failure = Error::new(Kind::Protocol, format!("{text}: {} still {exist}", named(&left)));
    Ok(answer.failures(vec![failure]))
}

/// What is deleted.
struct Manifest<'a> {
    registry: &'a Registry,
    digest: &'a Digest,
    pool: &'a Pool,
}

impl Manifest<'_> {
    /// All tags of the repository. `None`: distribution answers 404 for a repository that has
    /// manifests but no tags.
    fn listed(&self) -> Result<Option<Names>> {
        match self.registry.tags() {
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            listed => listed.map(Some),
        }
    }

    /// Those of the tags that are not listed any more.
    fn lost(&self, before: &Names) -> Result<Vec<String>> {
        let after = self.listed()?;
        let after: HashSet<&str> = after.iter().flat_map(Names::iter).collect();
        Ok(before.iter().filter(|tag| !after.contains(tag)).map(str::to_owned).collect())
    }

    /// Those of the tags that lead to it.
    fn led_by(&self, tags: Vec<String>) -> Result<Vec<String>> {
        let leads_here = |tag: String| match self.registry.resolve(&TagOrDigest::Tag(tag.clone())) {
            Ok(resolved) => Ok((resolved.digest == *self.digest).then_some(tag)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        Ok(self.pool.all(tags, leads_here)?.into_iter().flatten().collect())
    }
}

fn sentence(image: &str, tags: &[String], listed: &Option<Names>) -> String {
    let tags = if tags.is_empty() { String::new() } else { format!(" and {}", named(tags)) };
    let unless = if listed.is_none() { " (the registry lists no tags)" } else { "" };
    format!("{image}{tags}{unless}")
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
