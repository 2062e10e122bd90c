//! `docker-registry labels IMAGE...`

use serde_json::{Map, Value};

use super::{Command, Invocation, Run};
use crate::answer::Answer;
use crate::cli::{Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "labels",
        operand: Operand::Images,
        help: "Print the labels of an image",
        about: "An object of names and values; `{}` if there are none, or if it is an artifact and not an image.",
        examples: &[
            Example {
                command: "docker-registry labels sphinxdoc/sphinx:4.4.0",
                shows: "all labels",
            },
            Example {
                command: "docker-registry labels -eq '.maintainer' ubuntu",
                shows: "one label; exit 8 if it is missing",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::value(match &image.config_json()?["config"]["Labels"] {
        Value::Null => Value::Object(Map::new()),
        labels => labels.clone(),
    }))
}
