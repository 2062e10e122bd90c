//! Whoever sits at the terminal, and what else comes from standard input.

use std::io::{self, IsTerminal, Read, Write};

use crate::error::{Result, printable};

/// Standard input, for the operand or file that is called `-`.
pub(crate) fn stdin() -> impl Read {
    io::stdin()
}

/// Whether there is somebody to ask.
pub(crate) fn is_attended() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
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
