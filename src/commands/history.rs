//! `docker-registry history IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "history",
        operand: Operand::Images,
        help: "Print how an image was built",
        about: "The configuration's history, oldest step first. For a schema 1 image: what it says about each layer, newest first.",
        examples: &[
            ("docker-registry history ubuntu", "every step"),
            ("docker-registry history -q '.[].created_by' ubuntu", "the commands alone"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, _| Ok(Answer::value(image.history()?))),
};
