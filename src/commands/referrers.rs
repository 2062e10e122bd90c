//! `docker-registry referrers IMAGE...`

use super::{Command, Run};
use crate::answer::Answer;
use crate::cli::{Args, Example, Flag, Operand, Spec, Value};
use crate::error::Result;
use crate::image::Image;

static ARTIFACT_TYPE: Flag = Flag {
    name: "artifact-type",
    value: Value::Text("TYPE"),
    help: "Only those of this artifact type",
    ..Flag::DEFAULT
};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "referrers",
        operand: Operand::Images,
        help: "List what refers to an image",
        about: "Signatures, SBOMs and the like that name the image as their subject: an array of their descriptors. Registries without the referrers API are asked for the fallback tag.

Of an image with a manifest list those of the list, or with `--platform` those of that platform's manifest.",
        flags: &[&ARTIFACT_TYPE],
        examples: &[
            Example {
                command: "docker-registry referrers example.com/app:1.0",
                shows: "all of them",
            },
            Example {
                command: "docker-registry referrers --artifact-type application/spdx+json -q '.[].digest' example.com/app",
                shows: "where the SBOMs are",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, args: &Args) -> Result<Answer> {
    let artifact_type = args.text(&ARTIFACT_TYPE);
    let referrers = image.source().referrers(&image.subject()?, artifact_type)?;
    let descriptors = referrers.into_iter().map(|referrer| referrer.json);
    Ok(Answer::value(descriptors.collect()))
}
