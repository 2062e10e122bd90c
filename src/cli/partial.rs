//! A command line that is still being written, as completions see it.

use std::ffi::OsString;

use super::args::Args;
use super::tokens::{Token, Tokens};
use super::{Cli, Flag, Spec};

/// What is known of it so far. What is wrong is left out: it may not be what will be run.
pub(crate) struct PartialCommandLine {
    /// `None` if the command is what comes next.
    pub(crate) command: Option<&'static Spec>,
    /// Options and operands before the word that is being written.
    pub(crate) args: Args,
    /// The option whose value that word is.
    pub(crate) expects: Option<&'static Flag>,
    /// Whether `--` stands before it.
    pub(crate) is_past_options: bool,
}

impl PartialCommandLine {
    /// `words` are those between the program's name and the word that is being written.
    pub(crate) fn read(cli: &Cli, words: &[OsString]) -> PartialCommandLine {
        let mut read = PartialCommandLine {
            command: None,
            args: Args { given: Vec::new(), operands: Vec::new() },
            expects: None,
            is_past_options: words.iter().any(|word| word == "--"),
        };
        let mut tokens = Tokens::of(cli, words);
        while let Ok(Some(token)) = tokens.next() {
            let flag = match token {
                Token::Word(word) => {
                    read.operand(cli, word);
                    continue;
                }
                Token::Option(_, Some(flag)) => flag,
                Token::Option(_, None) => continue,
            };
            let mut is_missing = false;
            let value = flag.value.read("", || {
                let word = tokens.value();
                is_missing |= word.is_none();
                word
            });
            read.expects = is_missing.then_some(flag);
            read.args.given.extend(value.ok().map(|value| (flag, value)));
        }
        read
    }

    pub(crate) fn args(&self) -> &Args {
        &self.args
    }

    fn operand(&mut self, cli: &Cli, word: OsString) {
        let word = word.to_string_lossy().into_owned();
        match self.command {
            None => self.command = cli.command(&word),
            Some(_) => self.args.operands.push(word),
        }
    }
}
