//! `docker-registry manifest IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "manifest",
        operand: Operand::Images,
        help: "Print the manifest of an image",
        about: "For the platform that `--platform`, `--os` and `--arch` choose; by default Linux on this machine's architecture. With a digest: that manifest.",
        examples: &[
            (
                "docker-registry manifest --arch arm64 ubuntu",
                "the manifest of the image for linux/arm64",
            ),
            (
                "docker-registry manifest -q '[.layers[].size] | add' ubuntu",
                "how much a pull downloads",
            ),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, _| Ok(Answer::content(image.printed_manifest()?.clone()))),
};
