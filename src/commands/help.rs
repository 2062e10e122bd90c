//! `docker-registry help [COMMAND]`

use super::{Command, Run};
use crate::cli::{Example, Operand, Spec};

/// The parser answers it, for it is the same as `--help`.
pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "help",
        operand: Operand::Command,
        help: "Show the help of a command",
        global: false,
        examples: &[
            Example {
                command: "docker-registry help labels",
                shows: "what docker-registry labels --help shows",
            },
            Example { command: "docker-registry help", shows: "all commands" },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(|_| unreachable!("the parser answers help")),
};
