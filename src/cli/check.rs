//! Whether the options and operands given are the command's.

use std::ptr;

use super::args::Args;
use super::closest::closest;
use super::value::enumeration;
use super::{Cli, Flag, Operand, Spec, Value};
use crate::error::{Error, Result};

/// Refuses an option of another command.
pub(super) fn flags(cli: &Cli, spec: &Spec, args: &Args) -> Result<()> {
    for &(flag, _) in &args.given {
        if !cli.global_flags().any(|other| ptr::eq(other, flag)) && !owns(spec, flag) {
            let owners = cli.specs().filter(|spec| owns(spec, flag));
            let owners: Vec<String> = owners.map(|spec| format!("'{}'", spec.name)).collect();
            return Err(Error::usage(format!(
                "--{} belongs to {}, not to '{}'",
                flag.name,
                owners.join(" and "),
                spec.name
            )));
        }
        if matches!(flag.value, Value::Images(_)) && spec.operand != Operand::Images {
            return Err(Error::usage(format!(
                "--{} is not for '{}', which {}",
                flag.name,
                spec.name,
                wanted(spec.operand)
            )));
        }
    }
    Ok(())
}

fn owns(spec: &Spec, flag: &Flag) -> bool {
    spec.flags.iter().any(|own| ptr::eq(*own, flag))
}

/// Refuses operands that are missing, too many or of the wrong kind.
pub(super) fn operands(cli: &Cli, spec: &Spec, args: &Args) -> Result<()> {
    let operands = args.operands();
    let listed = args
        .given
        .iter()
        .any(|(flag, _)| matches!(flag.value, Value::Images(_)));
    let fits = match (spec.operand, operands) {
        (Operand::None | Operand::Command, []) | (Operand::Command, [_]) => true,
        (Operand::Images, operands) => listed || !operands.is_empty(),
        (Operand::Kind(kinds), [kind]) => kinds.contains(&kind.as_str()),
        (Operand::None, [_]) => false,
        (_, operands) => operands.len() == 1,
    };
    if fits {
        return Ok(());
    }
    let what = wanted(spec.operand);
    // What is too much may be a password after a forgotten -u, and is not repeated.
    Err(match (spec.operand, operands) {
        (Operand::Kind(kinds), [kind]) => {
            let error = Error::usage(format!("{} {what}, not '{kind}'", spec.name));
            match closest(kind, kinds.iter().copied()) {
                Some(kind) => error.hint(format!("did you mean '{kind}'?")),
                None => error,
            }
        }
        (Operand::None, _) | (_, []) => Error::usage(format!("{} {what}", spec.name)),
        _ => Error::usage(format!("{} {what}, not {}", spec.name, operands.len())),
    }
    .hint(format!("usage: {}", spec.usage(cli))))
}

/// What a command does with its operands, as the end of a sentence.
fn wanted(operand: Operand) -> String {
    match operand {
        Operand::None => "takes no operand".to_owned(),
        Operand::Image => "wants one image".to_owned(),
        Operand::Images => "wants an image".to_owned(),
        Operand::Layer => "wants one layer, IMAGE@DIGEST".to_owned(),
        Operand::Repository => "wants one repository".to_owned(),
        Operand::Registry => "wants one registry, HOST[:PORT]".to_owned(),
        Operand::Command => "wants one command".to_owned(),
        Operand::Kind(kinds) => format!("wants {}", enumeration(kinds)),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::{demo, parse};
    use std::ffi::OsString;

    #[test]
    fn what_is_not_the_commands_is_refused() {
        for (line, expected) in [
            (
                "labels -o x a",
                "--output belongs to 'downloadlayer' and 'generate', not to 'labels'",
            ),
            (
                "-o x labels a",
                "--output belongs to 'downloadlayer' and 'generate', not to 'labels'",
            ),
            (
                "labels --layers a",
                "--layers belongs to 'verifytool', not to 'labels'",
            ),
            (
                "labels",
                "labels wants an image\nhint: usage: demo labels [OPTION]... IMAGE...",
            ),
            (
                "verifytool a b",
                "verifytool wants one image, not 2\nhint: usage: demo verifytool [OPTION]... IMAGE",
            ),
            (
                "verifytool --images f",
                "--images is not for 'verifytool', which wants one image",
            ),
            (
                "downloadlayer",
                "downloadlayer wants one layer, IMAGE@DIGEST\nhint: usage: demo downloadlayer [OPTION]... IMAGE@DIGEST",
            ),
            (
                "generate",
                "generate wants man, bash or zsh\nhint: usage: demo generate [OPTION]... man|bash|zsh",
            ),
            (
                "generate mann",
                "generate wants man, bash or zsh, not 'mann'\nhint: did you mean 'man'?",
            ),
            (
                "generate man bash",
                "generate wants man, bash or zsh, not 2\nhint: usage: demo generate [OPTION]... man|bash|zsh",
            ),
            (
                "help a b",
                "help wants one command, not 2\nhint: usage: demo help [OPTION]... [COMMAND]",
            ),
        ] {
            let words = line.split_whitespace().map(OsString::from);
            let error = parse(&demo::cli(), words).err().expect(line);
            assert_eq!(error.to_string(), expected, "{line}");
        }
    }

    #[test]
    fn a_list_of_images_stands_for_operands() {
        for line in ["labels --images f", "labels --images f a", "labels a b"] {
            let words = line.split_whitespace().map(OsString::from);
            assert!(parse(&demo::cli(), words).is_ok(), "{line}");
        }
    }
}
