//! `docker-registry labels IMAGE...`

use serde_json::{Map, Value};

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "labels",
        operand: Operand::Images,
        help: "Print the labels of an image",
        about: "An object of names and values; `{}` if there are none, or if it is an artifact and not an image.",
        examples: &[
            ("docker-registry labels sphinxdoc/sphinx:4.4.0", "all labels"),
            (
                "docker-registry labels -eq '.maintainer' ubuntu",
                "one label; exit 8 if it is missing",
            ),
        ],
        is_immutable: true,
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
