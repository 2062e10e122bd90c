//! `docker-registry manifestlist IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "manifestlist",
        operand: Operand::Images,
        help: "Print the manifest list or OCI index of an image",
        about: "If the image has none: exit 3, and the message names the platform and the digest that do exist.",
        examples: &[
            ("docker-registry manifestlist ubuntu:18.04", "the images that the tag leads to"),
            ("docker-registry manifestlist -q '.manifests[].digest' ubuntu", "their digests"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Repository(|image, _| Ok(Answer::content(image.index()?.clone()))),
};
