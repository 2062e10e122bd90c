//! `docker-registry id IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "id",
        operand: Operand::Images,
        help: "Print the image ID, the digest of the configuration",
        about: "The ID that `docker image ls` shows after a pull.",
        examples: &[
            Example { command: "docker-registry id sphinxdoc/sphinx:4.4.0", shows: "sha256:…" },
            Example {
                command: "docker-registry id --platform all ubuntu",
                shows: "the ID for every platform",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::word(image.config_digest()?))
}
