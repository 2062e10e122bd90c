//! What other programs ask of this one: docker of its plugins, and shells for completions.
//!
//! Both ask `__complete` for candidates, docker by itself and shells by the scripts in
//! `completions/`, which know nothing of commands and options.

mod complete;
mod plugin;
mod recall;

use std::ffi::OsString;

use serde_json::json;

use crate::cli::{Cli, PartialCommandLine};

pub(crate) use plugin::arguments;

/// The script that makes a shell ask; `None` for a shell that is not known.
pub(crate) fn script(shell: &str) -> Option<&'static str> {
    match shell {
        "bash" => Some(include_str!("../../completions/docker-registry.bash")),
        "zsh" => Some(include_str!("../../completions/_docker-registry")),
        "fish" => Some(include_str!("../../completions/docker-registry.fish")),
        "powershell" => Some(include_str!("../../completions/_docker-registry.ps1")),
        _ => None,
    }
}

/// The answer, if the arguments are such a question. It is never an error: whoever asks would show
/// it to somebody who asked for something else.
pub(crate) fn answer(cli: &Cli, arguments: &[OsString]) -> Option<String> {
    let (hook, words) = arguments.split_first()?;
    match hook.to_str()? {
        "docker-cli-plugin-metadata" => Some(metadata(cli)),
        "__complete" => {
            let (word, before) = words.split_last()?;
            let line = PartialCommandLine::read(cli, before);
            let word = word.to_str().unwrap_or_default();
            Some(complete::answer(cli, &line, word))
        }
        _ => None,
    }
}

/// docker/cli, `cli-plugins/metadata`.
fn metadata(cli: &Cli) -> String {
    let metadata = json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "docker-registry",
        "Version": cli.version,
        "ShortDescription": "Look into container registries, without pulling",
        "URL": env!("CARGO_PKG_REPOSITORY"),
    });
    format!("{metadata}\n")
}
