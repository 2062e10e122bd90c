//! `docker-registry generate KIND`

use serde_json::Value as Json;

use super::{Answer, Command, Error, Flag, Invocation, Operand, Result, Run, Spec};
use crate::cli::{self, Value};
use crate::hooks;

static PAGE: Flag = Flag::new("page", Value::Text("COMMAND"), "With man: the page of this command");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "generate",
        operand: Operand::Kind(&["man", "bash", "zsh", "fish", "powershell"]),
        help: "Print the man page or a shell's completions",
        flags: &[&PAGE],
        global: false,
        examples: &[
            (
                "docker-registry generate bash > /etc/bash_completion.d/docker-registry",
                "completes commands, options and platforms in bash",
            ),
            ("docker-registry generate man --page labels | man -l -", "the manual of one command"),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Alone(run),
};

fn run(invocation: &Invocation) -> Result<Answer> {
    let table = super::table();
    let text = match (invocation.args.operands()[0].as_str(), invocation.args.text(&PAGE)) {
        ("man", None) => cli::man(&table),
        ("man", Some(name)) => {
            let unknown = || Error::usage(format!("--page wants a command, not '{name}'"));
            cli::man_page(&table, table.command(name).ok_or_else(unknown)?)
        }
        (_, Some(_)) => return Err(Error::usage("--page is for man only")),
        (shell, None) => {
            let script = hooks::script(shell).expect("the parser knows only these");
            script.to_owned()
        }
    };
    let text = text.trim_end_matches('\n').to_owned();
    Ok(Answer::text(text.clone(), Json::from(text)))
}
