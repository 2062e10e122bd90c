//! `docker-registry manifestlist IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "manifestlist",
        operand: Operand::Images,
        help: "Print the manifest list or OCI index of an image",
        about: "If the image has none: exit 3, and the message names the platform and the digest that do exist.",
        examples: &[
            Example {
                command: "docker-registry manifestlist ubuntu:18.04",
                shows: "the images that the tag leads to",
            },
            Example {
                command: "docker-registry manifestlist -q '.manifests[].digest' ubuntu",
                shows: "their digests",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::document(image.index()?.clone()))
}
