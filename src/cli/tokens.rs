//! The words of a command line, told apart: the only user of lexopt.
//!
//! Options stand anywhere, so an option is looked up among those of all commands, those of the
//! first command that is named before all others. Long options cannot be abbreviated: a script that
//! does would break with the next option.

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use super::{Cli, Flag};
use crate::error::{Error, Result};

pub(super) enum Token {
    /// A command or an operand.
    Word(OsString),
    /// An option as it is spelled, `-r` also where it stands in `-vr`; `None` if no command has it.
    Option(String, Option<&'static Flag>),
}

pub(super) struct Tokens {
    parser: Parser,
    flags: Vec<&'static Flag>,
    option: String,
}

impl Tokens {
    pub(super) fn of(cli: &Cli, arguments: &[OsString]) -> Self {
        let mut named = arguments.iter().filter_map(|word| cli.command(word.to_str()?));
        let own = named.next().map_or(&[][..], |spec| spec.flags);
        Tokens {
            parser: Parser::from_args(arguments),
            flags: own.iter().copied().chain(cli.flags()).collect(),
            option: String::new(),
        }
    }

    /// `Kind::Usage` if the option before has a value and takes none.
    pub(super) fn next(&mut self) -> Result<Option<Token>> {
        // The parser's own messages would repeat a value, which may be a secret.
        let argument = self.parser.next();
        let argument =
            argument.map_err(|_| Error::usage(format!("{} takes no value", self.option)))?;
        let (option, flag) = match argument {
            None => return Ok(None),
            Some(Arg::Value(word)) => return Ok(Some(Token::Word(word))),
            Some(Arg::Short(letter)) => {
                (format!("-{letter}"), self.flags.iter().find(|flag| flag.short == Some(letter)))
            }
            Some(Arg::Long(name)) => {
                (format!("--{name}"), self.flags.iter().find(|flag| flag.name == name))
            }
        };
        self.option.clone_from(&option);
        Ok(Some(Token::Option(option, flag.copied())))
    }

    /// A word that belongs to the option before.
    pub(super) fn value(&mut self) -> Option<OsString> {
        self.parser.value().ok()
    }
}
