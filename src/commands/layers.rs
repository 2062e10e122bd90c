//! `docker-registry layers IMAGE...`

use serde_json::{Value, json};

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};
use crate::content::ManifestKind;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "layers",
        operand: Operand::Images,
        help: "List the layers of an image",
        about: "Combines manifest, configuration and history: an array of `{digest, size, mediaType, diffId, created, createdBy}`, the lowest layer first. What the image does not say is null.",
        examples: &[
            ("docker-registry layers ubuntu", "all layers"),
            ("docker-registry layers -t ubuntu", "the same as a table, with bars for their sizes"),
            ("docker-registry layers -q 'map(.size) | add' ubuntu", "their total size"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    let config = image.config_json()?;
    let mut steps = steps(image, config)?.into_iter();
    let layers = image.layers()?.into_iter().enumerate().map(|(i, layer)| {
        let [created, created_by] = steps.next().unwrap_or_default();
        json!({
            "digest": layer.digest.to_string(),
            "size": layer.size,
            "mediaType": layer.media_type,
            "diffId": config["rootfs"]["diff_ids"][i],
            "created": created,
            "createdBy": created_by,
        })
    });
    Ok(Answer::value(layers.collect()))
}

/// When and by what each layer was made, the lowest first.
fn steps(image: &Image, config: &Value) -> Result<Vec<[Value; 2]>> {
    if image.manifest()?.kind() == ManifestKind::Schema1 {
        let history = image.history()?;
        let newest_first = history.as_array().into_iter().flatten();
        // The words of the command, as Docker writes them where it makes a history of schema 1.
        let line = |words: &Vec<Value>| -> String {
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            words.join(" ")
        };
        let made = newest_first.rev().map(|layer| {
            let command = layer["container_config"]["Cmd"].as_array();
            [layer["created"].clone(), command.map(line).into()]
        });
        return Ok(made.collect());
    }
    // Steps that only changed the configuration left no layer.
    let steps = config["history"].as_array().into_iter().flatten();
    let steps = steps.filter(|step| step["empty_layer"] != true);
    Ok(steps.map(|step| [step["created"].clone(), step["created_by"].clone()]).collect())
}
