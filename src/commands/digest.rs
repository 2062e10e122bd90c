//! `docker-registry digest IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "digest",
        operand: Operand::Images,
        help: "Print the digest of an image on one platform",
        about: "The digest of the platform's manifest. It identifies the image in the registry without a tag and a platform.",
        examples: &[
            Example {
                command: "docker-registry digest --platform linux/arm64 ubuntu:18.04",
                shows: "sha256:…",
            },
            Example {
                command: "docker-registry digest --platform all ubuntu",
                shows: "the digest for every platform",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::word(image.printed_digest()?))
}
