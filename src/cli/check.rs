//! Whether options and operands are those of the command.

use std::ptr;

use super::args::Args;
use super::closest::suggest;
use super::{Cli, Operand, Spec, Value};
use crate::error::{Error, Result, without_user};

/// Refuses an option of another command.
pub(super) fn check_flags(cli: &Cli, spec: &Spec, args: &Args) -> Result<()> {
    for &(flag, _) in &args.given {
        if !spec.has(flag) && !cli.global_flags().any(|other| ptr::eq(other, flag)) {
            let owners =
                cli.specs().filter(|spec| spec.has(flag)).map(|spec| format!("'{}'", spec.name));
            let owners = owners.collect::<Vec<_>>().join(" and ");
            let (option, name) = (flag.name, spec.name);
            return Err(Error::usage(format!("--{option} belongs to {owners}, not to '{name}'")));
        }
        let takes_images = matches!(spec.operand, Operand::Images | Operand::ImageFile { .. });
        if flag.value == Value::Images && !takes_images {
            let (option, name, (_, wanted, _)) = (flag.name, spec.name, spec.operand.described());
            return Err(Error::usage(format!("--{option} is not for '{name}', which {wanted}")));
        }
    }
    Ok(())
}

/// 1 if the images stand in a file, which then counts as an operand.
pub(super) fn images_listed(args: &Args) -> usize {
    args.given.iter().any(|(flag, _)| flag.value == Value::Images).into()
}

/// Refuses operands that are missing, too many or of the wrong kind.
pub(super) fn check_operands(cli: &Cli, spec: &Spec, args: &Args) -> Result<()> {
    let (_, wanted, count) = spec.operand.described();
    let words = spec.operand.words();
    // What is too much may be a password after a forgotten -u, and is not repeated.
    let error = match (spec.operand, args.operands()) {
        (Operand::Kind(_), [word]) | (Operand::Forms(_), [word, ..])
            if !words.contains(&word.as_str()) =>
        {
            let shown = without_user(word);
            let error = Error::usage(format!("{} {wanted}, not '{shown}'", spec.name));
            suggest(error, word, words.into_iter(), "")
        }
        (Operand::Forms(forms), [word, files @ ..]) => {
            let file =
                forms.iter().find_map(|form| form.strip_prefix(word.as_str())?.strip_prefix(' '));
            match file {
                Some(file) if files.len() != 1 => {
                    Error::usage(format!("{} {word} wants one {file}", spec.name))
                }
                None if !files.is_empty() => {
                    Error::usage(format!("{} {word} takes no operand", spec.name))
                }
                _ => return Ok(()),
            }
        }
        (_, operands) if count.contains(&(operands.len() + images_listed(args))) => return Ok(()),
        (Operand::None, _) | (_, []) => Error::usage(format!("{} {wanted}", spec.name)),
        (_, operands) => Error::usage(format!("{} {wanted}, not {}", spec.name, operands.len())),
    };
    Err(error.hint(format!("usage: {}", spec.usage(cli))))
}
