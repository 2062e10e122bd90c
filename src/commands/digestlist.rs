//! `docker-registry digestlist IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "digestlist",
        operand: Operand::Images,
        help: "Print the digest of the manifest list or OCI index",
        about: "The digest that `docker pull` shows, and the one to use to pin an image for all platforms.",
        examples: &[
            Example { command: "docker-registry digestlist ubuntu:18.04", shows: "sha256:…" },
            Example {
                command: "docker-registry digestlist ubuntu debian alpine",
                shows: "one line of JSON for each",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::word(image.index_digest()?))
}
