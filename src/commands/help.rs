//! `docker-registry help [COMMAND]`

use super::{Command, Operand, Run, Spec};

/// The parser answers it, for it is the same as `--help`.
pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "help",
        operand: Operand::Command,
        help: "Show the help of a command",
        global: false,
        examples: &[
            ("docker-registry help labels", "what docker-registry labels --help shows"),
            ("docker-registry help", "all commands"),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(|_| unreachable!("the parser answers help")),
};
