//! `docker-registry config IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "config",
        operand: Operand::Images,
        help: "Print the configuration of an image",
        about: "What `docker inspect` shows after a pull: environment, entrypoint, labels, history and the digests of the unpacked layers.",
        examples: &[
            Example {
                command: "docker-registry config ubuntu:18.04",
                shows: "the whole configuration",
            },
            Example {
                command: "docker-registry config -q '.config.Env[]' ubuntu",
                shows: "the environment, one variable per line",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::document(image.config()?.clone()))
}
