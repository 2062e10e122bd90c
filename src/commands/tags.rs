//! `docker-registry tags IMAGE...`

use super::{Command, Run};
use crate::answer::Answer;
use crate::cli::{Args, Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "tags",
        operand: Operand::Images,
        help: "List the tags of a repository",
        about: "All pages, in the order of the registry, as a JSON array on one line. A tag in IMAGE is ignored.",
        examples: &[
            Example {
                command: "docker-registry tags ubuntu",
                shows: "all tags of Docker Hub's library/ubuntu",
            },
            Example {
                command: "docker-registry tags -q '.[]' localhost:5000/app",
                shows: "one tag per line",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, _: &Args) -> Result<Answer> {
    Ok(Answer::line(image.source().tags()?.into()))
}
