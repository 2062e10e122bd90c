//! `docker-registry config IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "config",
        operand: Operand::Images,
        help: "Print the configuration of an image",
        about: "What `docker inspect` shows after a pull: environment, entrypoint, labels, history and the digests of the unpacked layers.",
        examples: &[
            ("docker-registry config ubuntu:18.04", "the whole configuration"),
            (
                "docker-registry config -q '.config.Env[]' ubuntu",
                "the environment, one variable per line",
            ),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, _| Ok(Answer::content(image.config()?.clone()))),
};
