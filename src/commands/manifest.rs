//! `docker-registry manifest IMAGE...`

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "manifest",
        operand: Operand::Images,
        help: "Print the manifest of an image",
        about: "For the platform that `--platform`, `--os` and `--arch` choose; by default Linux on this machine's architecture. With a digest: that manifest.",
        examples: &[
            Example {
                command: "docker-registry manifest --arch arm64 ubuntu",
                shows: "the manifest of the image for linux/arm64",
            },
            Example {
                command: "docker-registry manifest -q '[.layers[].size] | add' ubuntu",
                shows: "how much a pull downloads",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::document(image.printed_manifest()?.clone()))
}
