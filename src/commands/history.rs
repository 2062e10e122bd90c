//! `docker-registry history IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "history",
        operand: Operand::Images,
        help: "Print how an image was built",
        about: "The configuration's history, oldest step first. For a schema 1 image: what it says about each layer, newest first.",
        examples: &[
            Example { command: "docker-registry history ubuntu", shows: "every step" },
            Example {
                command: "docker-registry history -q '.[].created_by' ubuntu",
                shows: "the commands alone",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::value(image.history()?))
}
