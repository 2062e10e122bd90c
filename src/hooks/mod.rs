//! What other programs ask of this one: docker of its plugins, shells for completions, and this program
//! itself for filters of strangers.
//!
//! The first two ask `__complete` for candidates, docker by itself and shells by the scripts in
//! `completions/`, which know nothing of commands and options.

mod complete;
mod filter;

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;

use crate::cli::{Cli, PartialCommandLine};
use crate::context;
use crate::error::{Error, Result, called_by_docker};

pub(crate) use filter::filter;

/// What follows the program's name in `all`; of `docker registry labels ubuntu`, for which docker
/// runs this program as its plugin, without what was for docker.
pub(crate) fn arguments(mut all: impl Iterator<Item = OsString>) -> Result<Vec<OsString>> {
    let program = all.next().unwrap_or_default();
    let given: Vec<OsString> = all.collect();
    let stem = Path::new(&program).file_stem().and_then(|stem| stem.to_str());
    match stem.and_then(|stem| stem.strip_prefix("docker-")) {
        Some(name) if context::is_docker_plugin() => {
            let count = given.len();
            let left = without_plugin(given, name)?;
            if left.len() < count {
                called_by_docker();
            }
            Ok(left)
        }
        _ => Ok(given),
    }
}

/// Docker passes on all that follows its own name, so its own options too, which are about its
/// daemon. Where the plugin's name does not come first, the variable is a leftover of another plugin.
fn without_plugin(given: Vec<OsString>, name: &str) -> Result<Vec<OsString>> {
    let mut rest = given.iter();
    let mut questions = Vec::new();
    while let Some(word) = rest.next() {
        match word.to_str() {
            Some(word) if word == name => {
                let arguments = questions.into_iter().chain(rest);
                return Ok(arguments.cloned().collect());
            }
            Some("help" | "__complete") => questions.push(word),
            Some(option) if option.split('=').next() == Some("--config") => {
                return Err(Error::usage("docker's --config does not reach its plugins")
                    .hint("use the variable DOCKER_CONFIG"));
            }
            // Docker's own options whose value is a word of its own.
            Some(
                "-c" | "--context" | "-H" | "--host" | "-l" | "--log-level" | "--tlscacert"
                | "--tlscert" | "--tlskey",
            ) => drop(rest.next()),
            Some(option) if option.starts_with('-') => {}
            _ => break,
        }
    }
    Ok(given)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn left(line: &str) -> String {
        let words = line.split_whitespace().map(OsString::from).collect();
        let left = without_plugin(words, "registry").expect(line);
        let left: Vec<String> = left.into_iter().map(|word| word.into_string().unwrap()).collect();
        left.join(" ")
    }

    #[test]
    fn dockers_part_of_the_line_is_dropped() {
        for (line, expected) in [
            ("registry labels registry", "labels registry"),
            ("registry", ""),
            ("registry --help", "--help"),
            ("-D -c remote --host=ssh://a -l debug registry tags -r", "tags -r"),
            ("help registry labels", "help labels"),
            ("__complete registry labels ub", "__complete labels ub"),
            ("-D __complete registry x", "__complete x"),
            ("labels registry", "labels registry"),
            ("labels --config registry", "labels --config registry"),
            ("-r labels a", "-r labels a"),
            ("docker-cli-plugin-metadata", "docker-cli-plugin-metadata"),
        ] {
            assert_eq!(left(line), expected, "{line}");
        }
    }

    #[test]
    fn an_option_that_would_be_lost_is_refused() {
        let words = ["--config", "x", "registry", "tags", "a"].map(OsString::from);
        let error = without_plugin(words.into(), "registry").unwrap_err();
        let expected =
            "docker's --config does not reach its plugins\nhint: use the variable DOCKER_CONFIG";
        assert_eq!(format!("{error:#}"), expected);
    }
}
