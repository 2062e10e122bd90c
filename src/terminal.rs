//! Whoever sits at the terminal, and what else comes from standard input.

use std::io::{self, IsTerminal, Stdin, Write};
use std::sync::OnceLock;

use crate::error::{Error, Result, printable};

/// Standard input, for what is called `-`. `Kind::Usage` if it is an archive.
pub(crate) fn stdin() -> Result<Stdin> {
    taken(false)
}

/// The same of an archive. `Kind::Usage` if something else comes from it.
pub(crate) fn archive() -> Result<Stdin> {
    match io::stdin().is_terminal() {
        true => Err(Error::usage("standard input is a terminal, not an archive")),
        false => taken(true),
    }
}

fn taken(by_archive: bool) -> Result<Stdin> {
    static BY_ARCHIVE: OnceLock<bool> = OnceLock::new();
    match *BY_ARCHIVE.get_or_init(|| by_archive) == by_archive {
        true => Ok(io::stdin()),
        false => Err(Error::usage("standard input cannot be an archive and something else")),
    }
}

/// Whether there is somebody to ask.
pub(crate) fn is_attended() -> bool {
    io::stdin().is_terminal() && is_seen()
}

/// Whether somebody sees the messages.
pub(crate) fn is_seen() -> bool {
    io::stderr().is_terminal()
}

/// Asks whoever sits at the terminal; everything but yes is no.
pub(crate) fn confirm(question: &str) -> Result<bool> {
    // A registry's tags are part of the question.
    let prompt = printable(question);
    io::stderr().write_all(format!("{prompt} [y/N] ").as_bytes())?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    let answer = answer.trim().to_lowercase();
    Ok(matches!(answer.as_str(), "y" | "yes"))
}
