//! `docker-registry layers IMAGE...`

use serde_json::{Value, json};

use super::{Command, Run};
use crate::answer::Answer;
use crate::cli::{Args, Example, Operand, Spec};
use crate::error::Result;
use crate::image::Image;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "layers",
        operand: Operand::Images,
        help: "List the layers of an image",
        about: "Joins manifest, configuration and history: an array of `{digest, size, mediaType, diffId, created, createdBy}`, the lowest layer first. What the image does not say is null.",
        examples: &[
            Example {
                command: "docker-registry layers ubuntu",
                shows: "all layers",
            },
            Example {
                command: "docker-registry layers -q 'map(.size) | add' ubuntu",
                shows: "their size together",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Args) -> Result<Answer> {
    let layers = image.layers()?;
    let config = image.config_json()?;
    // Steps that only changed the configuration left no layer.
    let steps = config["history"].as_array().into_iter().flatten();
    let mut steps = steps.filter(|step| step["empty_layer"] != true);
    let described = layers.iter().enumerate().map(|(i, layer)| {
        let step = steps.next().unwrap_or(&Value::Null);
        json!({
            "digest": layer.digest.to_string(),
            "size": layer.size,
            "mediaType": layer.media_type,
            "diffId": config["rootfs"]["diff_ids"][i],
            "created": step["created"],
            "createdBy": step["created_by"],
        })
    });
    Ok(Answer::value(described.collect()))
}
