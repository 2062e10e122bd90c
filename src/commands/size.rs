//! `docker-registry size IMAGE...`

use serde_json::json;

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "size",
        operand: Operand::Images,
        help: "Print the size of an image",
        about: "`{compressed, layers}`: the bytes of all layers as the registry keeps them, which is what a pull downloads, and how many layers there are. `compressed` is null for an image of schema 1, whose manifest names no sizes.",
        examples: &[
            ("docker-registry size -q .compressed ubuntu", "the bytes that a pull downloads"),
            ("docker-registry size --platform all ubuntu", "the size for every platform"),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    let layers = image.layers()?;
    let compressed: Option<u64> = layers.iter().map(|layer| layer.size).sum();
    Ok(Answer::value(json!({"compressed": compressed, "layers": layers.len()})))
}
