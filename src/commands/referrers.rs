//! `docker-registry referrers IMAGE...`

use super::{Answer, Command, Flag, Image, Invocation, Operand, Result, Run, Spec};
use crate::cli::Value;

static ARTIFACT_TYPE: Flag =
    Flag::new("artifact-type", Value::Text("TYPE"), "Only artifacts of this type");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "referrers",
        operand: Operand::Images,
        help: "List what refers to an image",
        about: "Signatures, SBOMs and other artifacts that name the image as their subject: an array of their descriptors. If a registry does not have the referrers API, the fallback tag is read.

For an image with an index: what refers to the index, or with `--platform` what refers to that platform's manifest.",
        flags: &[&ARTIFACT_TYPE],
        examples: &[
            ("docker-registry referrers example.com/app:1.0", "all of them"),
            (
                "docker-registry referrers --artifact-type application/spdx+json -q '.[].digest' example.com/app",
                "the digests of the SBOMs",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let artifact_type = invocation.args.text(&ARTIFACT_TYPE);
    let referrers = image.source.referrers(&image.subject()?, artifact_type)?;
    let descriptors = referrers.into_iter().map(|referrer| referrer.json);
    Ok(Answer::value(descriptors.collect()))
}
