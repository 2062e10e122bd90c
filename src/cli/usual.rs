//! Options that the environment has for every run, before those of the command line.

use std::ffi::OsString;
use std::ptr;

use super::parse::CommandLine;
use super::{Args, Cli, Flag, HELP, VERSION, Value};
use crate::error::{Error, Kind, Result};

/// The variable that holds them, as messages name it.
pub(crate) const USUAL: &str = "DOCKER_REGISTRY_OPTIONS";

impl Args {
    /// With the variable's words before what was given, except for options in whose place one was
    /// given. `Kind::Usage` for what is no option of all commands.
    pub(crate) fn after(mut self, cli: &Cli, words: &[OsString]) -> Result<Args> {
        let CommandLine { args: mut usual, error, .. } = CommandLine::read(cli, words);
        if let Some(error) = error {
            return Err(error);
        }
        let is_allowed = |flag: &Flag| {
            let is_global = cli.global_flags().any(|it| ptr::eq(it, flag));
            is_global
                && ![HELP.name, VERSION.name].contains(&flag.name)
                && flag.value != Value::Images
        };
        let refused = usual.given.iter().find(|(flag, _)| !is_allowed(flag));
        let refused = refused.map(|(flag, _)| format!("--{}", flag.name));
        let is_operand = !usual.operands.is_empty();
        // An operand may be a password, and is not repeated.
        if let Some(what) = refused.or(is_operand.then(|| "an operand".to_owned())) {
            let error = Error::usage(format!("{what} may not stand there"));
            return Err(error.hint("only options of all commands may"));
        }
        usual.given.retain(|(flag, words)| {
            // Of pairs each name is an option of its own.
            let length = usize::from(matches!(flag.value, Value::Pair(..)));
            let mut given = self.given.iter();
            !given
                .any(|(it, own)| cli.replaces(it, flag) && own.get(..length) == words.get(..length))
        });
        self.usual = usual.given.len();
        self.given.splice(..0, usual.given);
        Ok(self)
    }

    /// The variable's options, of those that hold secrets only the names; `None` without any.
    pub(crate) fn usual(&self) -> Option<String> {
        let words = self.given[..self.usual].iter().flat_map(|(flag, words)| {
            let hidden = matches!(flag.value, Value::Secret(_) | Value::Pair(..));
            let words = words.iter().map(|word| word.to_string_lossy().into_owned());
            let shown = if hidden { vec!["…".to_owned()] } else { words.collect() };
            [format!("--{}", flag.name)].into_iter().chain(shown)
        });
        (self.usual > 0).then(|| words.collect::<Vec<_>>().join(" "))
    }

    /// Names the variable's options in an error that may be about them.
    pub(crate) fn hinted(&self, error: Error) -> Error {
        match self.usual() {
            Some(usual) if error.kind() == Kind::Usage => {
                error.hint(format!("{USUAL} adds {usual}"))
            }
            _ => error,
        }
    }
}
