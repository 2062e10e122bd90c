//! `docker-registry delete IMAGE`

use std::collections::HashSet;

use serde_json::json;

use super::{
    Answer, Command, During, Error, Flag, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::digest::Digest;
use crate::error::{found, say};
use crate::names::Names;
use crate::parallel::Pool;
use crate::reference::{Reference, Repository, TagOrDigest, Transport};
use crate::source::{Registry, Source};
use crate::terminal;

static YES: Flag =
    Flag::switch("yes", "Delete without asking").about("Required if there is no terminal.");
static TAG: Flag = Flag::switch("tag", "Delete the tag alone and keep the manifest")
    .about("Not all registries can do that: where one refuses, nothing is deleted, exit 1. Afterwards it is looked whether the tag is gone and the manifest is still there: exit 1 if not.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "delete",
        operand: Operand::Image,
        help: "Delete a manifest and its tags",
        about: "Registries delete by digest: first the digest of the tag is looked up. Before the question the other tags that lead to it are looked for, one request for each tag of the repository, and all are named. With `--yes` nobody waits for that: the tags that went are named afterwards, by what the list of tags has lost. Tags that still exist afterwards are named too: exit 1. When an index is deleted, its images stay. Layers stay until the registry's garbage collection. If the question is answered with no: exit 8.",
        flags: &[&YES, &TAG],
        examples: &[
            (
                "docker-registry delete localhost:5000/app:old",
                "names the tags and asks before deleting",
            ),
            ("docker-registry delete --yes localhost:5000/app@sha256:…", "deletes without asking"),
            ("docker-registry delete --tag localhost:5000/app:old", "the tag alone"),
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
    let answer = match (&reference.at, invocation.args.has(&TAG)) {
        (TagOrDigest::Tag(tag), true) => delete_tag(invocation, repository, &registry, tag),
        (_, true) => {
            return Err(Error::usage(format!("{text}: delete --tag wants a tag, not a digest")));
        }
        (at, false) => delete_manifest(invocation, repository, &registry, at),
    };
    let mut answer = answer.during(text)?;
    let failures = std::mem::take(&mut answer.failures).into_iter();
    answer.failures.extend(failures.filter_map(|it| Err::<(), _>(it).during(text).err()));
    Ok(answer)
}

fn delete_manifest(
    invocation: &Invocation,
    repository: &Repository,
    registry: &Registry,
    at: &TagOrDigest,
) -> Result<Answer> {
    let digest = registry.resolve(at)?.digest;
    let image = format!("{repository}@{digest}");
    let manifest = Manifest { registry, digest: &digest, pool: invocation.pool };
    let mut tags = match at {
        TagOrDigest::Tag(tag) => vec![tag.clone()],
        _ => Vec::new(),
    };
    let listed = manifest.listed()?;
    let is_asked = !invocation.args.has(&YES);
    if is_asked {
        let others =
            listed.iter().flat_map(Names::iter).filter(|tag| !tags.iter().any(|it| it == tag));
        let others = others.map(str::to_owned).collect();
        tags.extend(manifest.led_by(others)?);
        tags.sort();
        let none = if tags.is_empty() && listed.is_some() { ", which has no tag" } else { "" };
        if !terminal::confirm(&format!("delete {}{none}?", sentence(&image, &tags, &listed)))? {
            return Ok(nothing());
        }
    } else {
        say(&format!("docker-registry: deleting {image} and every tag that leads to it"));
    }
    registry.delete_manifest(&digest)?;
    invocation.sources.forget(repository, std::slice::from_ref(&digest));
    if let (false, Some(listed)) = (is_asked, &listed) {
        tags.extend(manifest.lost(listed)?);
        tags.sort();
        tags.dedup();
    }
    let mut left = manifest.led_by(tags.clone())?;
    // crane's and CUE's registries delete what is under the digest and leave the tags as they are.
    if let (false, false, Some(listed)) = (is_asked, left.is_empty(), &listed) {
        left = manifest.led_by(listed.iter().map(str::to_owned).collect())?;
    }
    tags.retain(|tag| !left.contains(tag));
    let json = json!({"digest": digest.to_string(), "tags": tags, "left": left});
    let answer = Answer::text(format!("deleted {}", sentence(&image, &tags, &listed)), json);
    Ok(answer.failures(still_there(&left).into_iter().collect()))
}

/// The tag without what it leads to; both are looked at afterwards.
fn delete_tag(
    invocation: &Invocation,
    repository: &Repository,
    registry: &Registry,
    tag: &str,
) -> Result<Answer> {
    let digest = registry.resolve(&TagOrDigest::Tag(tag.to_owned()))?.digest;
    let what = format!("the tag {tag} of {repository}, which leads to {digest}");
    if invocation.args.has(&YES) {
        say(&format!("docker-registry: deleting {what}"));
    } else if !terminal::confirm(&format!("delete {what}?"))? {
        return Ok(nothing());
    }
    registry.delete_tag(tag)?;
    let is_there = |at| match registry.resolve(&at) {
        Err(error) if error.kind() == Kind::NotFound => Ok(false),
        resolved => resolved.map(|_| true),
    };
    let left =
        if is_there(TagOrDigest::Tag(tag.to_owned()))? { vec![tag.to_owned()] } else { Vec::new() };
    let is_kept = is_there(TagOrDigest::Digest { digest: digest.clone(), tag: None })?;
    let gone = (!is_kept).then(|| digest.clone());
    invocation.sources.forget(repository, gone.as_slice());
    let lost = gone.iter().map(|digest| {
        Error::new(Kind::Protocol, format!("the registry has deleted {digest} with the tag"))
    });
    let failures: Vec<Error> = still_there(&left).into_iter().chain(lost).collect();
    let tags = if left.is_empty() { vec![tag] } else { Vec::new() };
    let json = json!({"digest": gone.map(|it| it.to_string()), "tags": tags, "left": left});
    let text =
        if left.is_empty() { format!("deleted {what}") } else { "nothing deleted".to_owned() };
    Ok(Answer::text(text, json).failures(failures))
}

fn nothing() -> Answer {
    let json = json!({"digest": null, "tags": [], "left": []});
    Answer::text("nothing deleted", json).verdict(Verdict::No)
}

/// That these tags exist although they were deleted.
fn still_there(tags: &[String]) -> Option<Error> {
    let exist = match tags.len() {
        0 => return None,
        1 => "exists",
        _ => "exist",
    };
    Some(Error::new(Kind::Protocol, format!("{} still {exist}", named(tags))))
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
        found(self.registry.tags())
    }

    /// Those of the tags that are not listed any more.
    fn lost(&self, before: &Names) -> Result<Vec<String>> {
        let after = self.listed()?;
        let after: HashSet<&str> = after.iter().flat_map(Names::iter).collect();
        Ok(before.iter().filter(|tag| !after.contains(tag)).map(str::to_owned).collect())
    }

    /// Those of the tags that lead to it.
    fn led_by(&self, tags: Vec<String>) -> Result<Vec<String>> {
        let leads_here = |tag: String| {
            let resolved = found(self.registry.resolve(&TagOrDigest::Tag(tag.clone())))?;
            Ok(resolved.filter(|resolved| resolved.digest == *self.digest).map(|_| tag))
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
