//! `docker-registry delete IMAGE`

use serde_json::json;

use super::{Command, Run};
use crate::answer::{Answer, Verdict};
use crate::cli::{Args, Example, Flag, Operand, Spec};
use crate::context::Context;
use crate::digest::Digest;
use crate::error::{During, Error, Kind, Result, say};
use crate::reference::{At, Place, Reference};
use crate::source::{Registry, Source};

static YES: Flag = Flag {
    name: "yes",
    help: "Delete without asking",
    about: "Needed where there is no terminal.",
    ..Flag::DEFAULT
};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "delete",
        operand: Operand::Image,
        help: "Delete a manifest, and with it its tags",
        about: "Registries delete by digest: what a tag leads to is looked up first, then which other tags lead there, and all are named before anything is deleted. Of an index the images below it stay. Layers stay until the registry collects its garbage. Answering no to the question is exit 8.",
        flags: &[&YES],
        examples: &[
            Example {
                command: "docker-registry delete localhost:5000/app:old",
                shows: "which tags would go, and a question",
            },
            Example {
                command: "docker-registry delete --yes localhost:5000/app@sha256:…",
                shows: "deletes without asking",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(context: &Context, args: &Args) -> Result<Answer> {
    let text = &args.operands()[0];
    let reference: Reference = text.parse()?;
    let Place::Registry(repository) = &reference.place else {
        return Err(Error::usage(format!(
            "{text}: delete is for images in a registry"
        )));
    };
    if !args.has(&YES) && !context.is_attended() {
        return Err(Error::usage(
            "delete wants --yes where there is no terminal",
        ));
    }
    let registry = context.repository(repository)?;
    let digest = registry.resolve(&reference.at).during(text)?.digest;
    let tags = tags(context, &registry, &digest).during(text)?;
    let what = sentence(&format!("{repository}@{digest}"), &tags);
    if args.has(&YES) {
        say(&format!("docker-registry: deleting {what}"));
    } else if !context.confirm(&format!("delete {what}?"))? {
        return Ok(answer("nothing deleted", None, &[]).verdict(Verdict::No));
    }
    registry.delete_manifest(&digest).during(text)?;
    context.forget(repository, std::slice::from_ref(&digest));
    let text = format!("deleted {what}");
    Ok(answer(&text, Some(&digest), &tags))
}

/// The tags that lead to the digest.
fn tags(context: &Context, registry: &Registry, digest: &Digest) -> Result<Vec<String>> {
    let all = match registry.tags() {
        // A repository may have manifests and no tags.
        Err(error) if error.kind() == Kind::NotFound => Vec::new(),
        tags => tags?,
    };
    let leads_here = |tag: String| match registry.resolve(&At::Tag(tag.clone())) {
        Ok(resolved) => Ok((resolved.digest == *digest).then_some(tag)),
        // Somebody else has deleted it meanwhile.
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let tags = context.pool.all(all, leads_here)?;
    Ok(tags.into_iter().flatten().collect())
}

fn sentence(image: &str, tags: &[String]) -> String {
    match tags {
        [] => format!("{image}, which has no tag"),
        [tag] => format!("{image} and the tag {tag}"),
        [tags @ .., last] => format!("{image} and the tags {} and {last}", tags.join(", ")),
    }
}

fn answer(text: &str, digest: Option<&Digest>, tags: &[String]) -> Answer {
    let digest = digest.map(Digest::to_string);
    Answer::text(text, json!({"digest": digest, "tags": tags}))
}
