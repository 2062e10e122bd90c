//! The arguments when docker runs this program as its plugin: `docker registry labels ubuntu`.

use std::ffi::OsString;
use std::path::Path;

use crate::context;
use crate::error::{Error, Result};

/// What follows the program's name in `all`, without what was for docker if docker runs it.
pub(crate) fn arguments(mut all: impl Iterator<Item = OsString>) -> Result<Vec<OsString>> {
    let program = all.next().unwrap_or_default();
    let given: Vec<OsString> = all.collect();
    let stem = Path::new(&program).file_stem().and_then(|stem| stem.to_str());
    match stem.and_then(|stem| stem.strip_prefix("docker-")) {
        Some(name) if context::is_docker_plugin() => without_plugin(given, name),
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
            Some(option) if VALUED.contains(&option) => drop(rest.next()),
            Some(option) if option.starts_with('-') => {}
            _ => break,
        }
    }
    Ok(given)
}

/// Docker's own options whose value is a word of its own.
const VALUED: [&str; 9] = [
    "-c",
    "--context",
    "-H",
    "--host",
    "-l",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
];

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
