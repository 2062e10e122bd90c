//! What other programs ask of this one: docker of its plugins, and shells for completions.

use std::ffi::OsString;

use serde_json::json;

use crate::cli::{self, Cli, Unfinished};
use crate::context;

/// The answer, if the arguments are such a question. It is never an error: whoever asks would show
/// it to somebody who asked for something else.
pub(crate) fn answer(cli: &Cli, arguments: &[OsString]) -> Option<String> {
    let (hook, rest) = arguments.split_first()?;
    let hook = hook.to_str()?;
    if hook == "docker-cli-plugin-metadata" {
        return Some(metadata(cli));
    }
    let is_recall = cli.recall == Some(hook);
    if !is_recall && hook != "__complete" {
        return None;
    }
    let (word, words) = rest
        .split_last()
        .map_or((None, rest), |(word, words)| (Some(word), words));
    let word = word.and_then(|word| word.to_str()).unwrap_or_default();
    let line = Unfinished::read(cli, words);
    let images = |prefix: &str| context::images_asked_for(line.args(), prefix);
    Some(if is_recall {
        images(word).into_iter().map(|image| image + "\n").collect()
    } else {
        cli::candidates(cli, &line, word, images)
    })
}

/// docker/cli, `cli-plugins/metadata`.
fn metadata(cli: &Cli) -> String {
    let metadata = json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "docker-registry",
        "Version": cli.version,
        "ShortDescription": "Ask a container registry, without pulling",
        "URL": env!("CARGO_PKG_REPOSITORY"),
    });
    format!("{metadata}\n")
}
