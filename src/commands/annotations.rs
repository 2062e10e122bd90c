//! `docker-registry annotations IMAGE...`

use serde_json::{Value, json};

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};
use crate::content::ManifestKind;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "annotations",
        operand: Operand::Images,
        help: "Print the annotations of an image",
        about: "`{index, descriptor, manifest}`: the annotations of the index, of its entry for the platform, and of the platform's manifest, each an object that may be empty. `index` and `descriptor` are null for an image without an index. Labels are something else: they stand in the configuration, and `labels` prints them.",
        examples: &[
            ("docker-registry annotations ubuntu", "all, by level"),
            (
                "docker-registry annotations -eq '.manifest.\"org.opencontainers.image.revision\"' ubuntu",
                "one; exit 8 if it is missing",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    let top = image.top_manifest()?;
    let index = (top.kind() == ManifestKind::Index).then(|| of(top.json()));
    let descriptor = image.platform_descriptor()?.map(|entry| of(&entry.json));
    let manifest = of(image.manifest()?.json());
    Ok(Answer::value(json!({"index": index, "descriptor": descriptor, "manifest": manifest})))
}

fn of(json: &Value) -> Value {
    match &json["annotations"] {
        Value::Null => json!({}),
        annotations => annotations.clone(),
    }
}
