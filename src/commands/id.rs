//! `docker-registry id IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "id",
        operand: Operand::Images,
        help: "Print the image ID, the digest of the configuration",
        about: "The ID that `docker image ls` shows after a pull.",
        examples: &[
            ("docker-registry id sphinxdoc/sphinx:4.4.0", "sha256:…"),
            ("docker-registry id --platform all ubuntu", "the ID for every platform"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, _| Ok(Answer::word(image.config_digest()?))),
};
