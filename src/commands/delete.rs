//! `docker-registry delete IMAGE`

use serde_json::json;

use super::{
    Answer, Command, During, Error, Flag, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::digest::Digest;
use crate::error::say;
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
    let seen = Tagged { registry: &registry, digest: &digest, pool: invocation.pool };
    let tags = seen.tags(&reference.at).during(text)?;
    let what = match tags {
        Tags::Unlisted(ref known) => sentence(&image, known) + " (the registry lists no tags)",
        Tags::Listed(ref all) if all.is_empty() => format!("{image}, which has no tag"),
        Tags::Listed(ref all) => sentence(&image, all),
    };
    if invocation.args.has(&YES) {
        say(&format!("docker-registry: deleting {what}"));
    } else if !terminal::confirm(&format!("delete {what}?"))? {
        return Ok(answer("nothing deleted", None, &[], &[]).verdict(Verdict::No));
    }
    registry.delete_manifest(&digest).during(text)?;
    invocation.sources.forget(repository, std::slice::from_ref(&digest));
    // crane's and CUE's registries delete what is under the digest and leave the tags as they are.
    let left = seen.leading_here(tags.names().to_vec()).during(text)?;
    if left.is_empty() {
        let said = format!("deleted {what}");
        return Ok(answer(&said, Some(&digest), tags.names(), &left));
    }
    let gone = tags.names().iter().filter(|tag| !left.contains(tag));
    let gone: Vec<String> = gone.cloned().collect();
    let said = format!("deleted {}", sentence(&image, &gone));
    let message = match &left[..] {
        [tag] => format!("the tag {tag} still exists"),
        tags => format!("the tags {} still exist", enumerated(tags)),
    };
    let failure = Err::<(), _>(Error::new(Kind::Protocol, message)).during(text);
    let answer = answer(&said, Some(&digest), &gone, &left);
    Ok(answer.failures(failure.err().into_iter().collect()))
}

/// The tags that lead to the digest.
enum Tags {
    Listed(Vec<String>),
    /// The tag that was named, for a registry that lists no tags.
    Unlisted(Vec<String>),
}

impl Tags {
    fn names(&self) -> &[String] {
        match self {
            Tags::Listed(names) | Tags::Unlisted(names) => names,
        }
    }
}

/// Finds the tags that lead to a manifest.
struct Tagged<'a> {
    registry: &'a Registry,
    digest: &'a Digest,
    pool: &'a Pool,
}

impl Tagged<'_> {
    /// The tags that lead to the manifest which was found at `at`.
    fn tags(&self, at: &TagOrDigest) -> Result<Tags> {
        let named = match at {
            TagOrDigest::Tag(tag) => vec![tag.clone()],
            _ => Vec::new(),
        };
        let all = match self.registry.tags() {
            // distribution answers 404 for a repository that has manifests but no tags.
            Err(error) if error.kind() == Kind::NotFound => return Ok(Tags::Unlisted(named)),
            tags => tags?,
        };
        let is_other = |tag: &str| named.iter().all(|named| named != tag);
        let all = all.iter().filter(|tag| is_other(tag)).map(str::to_owned);
        let others = self.leading_here(all.collect())?;
        let mut tags = [named, others].concat();
        tags.sort();
        Ok(Tags::Listed(tags))
    }

    /// Those of the tags that lead to the manifest.
    fn leading_here(&self, tags: Vec<String>) -> Result<Vec<String>> {
        let leads_here = |tag: String| match self.registry.resolve(&TagOrDigest::Tag(tag.clone())) {
            Ok(resolved) => Ok((resolved.digest == *self.digest).then_some(tag)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let tags = self.pool.all(tags, leads_here)?;
        Ok(tags.into_iter().flatten().collect())
    }
}

fn sentence(image: &str, tags: &[String]) -> String {
    match tags {
        [] => image.to_owned(),
        [tag] => format!("{image} and the tag {tag}"),
        tags => format!("{image} and the tags {}", enumerated(tags)),
    }
}

fn enumerated(tags: &[String]) -> String {
    match tags {
        [tags @ .., last] if !tags.is_empty() => format!("{} and {last}", tags.join(", ")),
        tags => tags.concat(),
    }
}

fn answer(text: &str, digest: Option<&Digest>, tags: &[String], left: &[String]) -> Answer {
    let digest = digest.map(Digest::to_string);
    let json = json!({"digest": digest, "tags": tags, "left": left});
    Answer::text(text, json)
}
