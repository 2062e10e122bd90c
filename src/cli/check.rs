//! Whether the options and operands given are the command's.

use std::ptr;

use super::args::Args;
use super::closest::closest;
use super::value::enumeration;
use super::{Cli, Flag, Operand, Spec, Value};
use crate::error::{Error, Result, without_user};

type Form = (&'static str, Option<&'static str>);

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
        if flag.value == Value::Images && spec.operand != Operand::Images {
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
    let listed = args.given.iter().any(|(flag, _)| flag.value == Value::Images);
    let fits = match (spec.operand, operands) {
        (Operand::None | Operand::Command, []) | (Operand::Command, [_]) => true,
        (Operand::Images, operands) => listed || !operands.is_empty(),
        (Operand::Kind(kinds), [kind]) => kinds.contains(&kind.as_str()),
        (Operand::Forms(forms), [word, files @ ..]) => {
            form(forms, word).is_some_and(|form| files.len() == usize::from(form.1.is_some()))
        }
        (Operand::Pair, operands) => operands.len() == 2,
        (Operand::None, [_]) => false,
        (_, operands) => operands.len() == 1,
    };
    if fits {
        return Ok(());
    }
    let what = wanted(spec.operand);
    // What is too much may be a password after a forgotten -u, and is not repeated.
    Err(match (spec.operand, operands) {
        (Operand::Kind(kinds), [kind]) => unknown(spec, &what, kind, kinds),
        (Operand::Forms(forms), [word, ..]) => match form(forms, word) {
            None => unknown(spec, &what, word, &words(forms)),
            Some(form) => {
                let wanted = match form.1 {
                    Some(file) => format!("wants one {file}"),
                    None => "takes no operand".to_owned(),
                };
                Error::usage(format!("{} {word} {wanted}", spec.name))
            }
        },
        (Operand::None, _) | (_, []) => Error::usage(format!("{} {what}", spec.name)),
        _ => Error::usage(format!("{} {what}, not {}", spec.name, operands.len())),
    }
    .hint(format!("usage: {}", spec.usage(cli))))
}

/// An operand that is none of the words that it could be.
fn unknown(spec: &Spec, wanted: &str, word: &str, words: &[&'static str]) -> Error {
    let shown = without_user(word);
    let error = Error::usage(format!("{} {wanted}, not '{shown}'", spec.name));
    match closest(word, words.iter().copied()) {
        Some(word) => error.hint(format!("did you mean '{word}'?")),
        None => error,
    }
}

fn form(forms: &[Form], word: &str) -> Option<Form> {
    forms.iter().copied().find(|form| form.0 == word)
}

fn words(forms: &[Form]) -> Vec<&'static str> {
    forms.iter().map(|form| form.0).collect()
}

/// What a command does with its operands, as the end of a sentence.
fn wanted(operand: Operand) -> String {
    match operand {
        Operand::None => "takes no operand".to_owned(),
        Operand::Image => "wants one image".to_owned(),
        Operand::Images => "wants an image".to_owned(),
        Operand::Pair => "wants two images".to_owned(),
        Operand::Layer => "wants one layer, IMAGE@DIGEST".to_owned(),
        Operand::Repository => "wants one repository".to_owned(),
        Operand::Registry => "wants one registry, HOST[:PORT]".to_owned(),
        Operand::Command => "wants one command".to_owned(),
        Operand::Kind(kinds) => format!("wants {}", enumeration(kinds)),
        Operand::Forms(forms) => format!("wants {}", enumeration(&words(forms))),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::parse;
    use crate::commands::table;
    use std::ffi::OsString;

    #[test]
    fn what_is_not_the_commands_is_refused() {
        for (line, expected) in [
            ("labels -o x a", "--output belongs to 'downloadlayer', not to 'labels'"),
            ("-o x labels a", "--output belongs to 'downloadlayer', not to 'labels'"),
            ("labels --layers a", "--layers belongs to 'verifytool', not to 'labels'"),
            (
                "labels",
                "labels wants an image\nhint: usage: docker-registry labels [OPTION]... IMAGE...",
            ),
            (
                "downloadlayer a b",
                "downloadlayer wants one layer, IMAGE@DIGEST, not 2\nhint: usage: docker-registry downloadlayer [OPTION]... IMAGE@DIGEST",
            ),
            (
                "downloadlayer --images f",
                "--images is not for 'downloadlayer', which wants one layer, IMAGE@DIGEST",
            ),
            (
                "downloadlayer",
                "downloadlayer wants one layer, IMAGE@DIGEST\nhint: usage: docker-registry downloadlayer [OPTION]... IMAGE@DIGEST",
            ),
            (
                "generate",
                "generate wants man, bash, zsh, fish or powershell\nhint: usage: docker-registry generate [OPTION]... man|bash|zsh|fish|powershell",
            ),
            (
                "generate mann",
                "generate wants man, bash, zsh, fish or powershell, not 'mann'\nhint: did you mean 'man'?",
            ),
            (
                "generate man bash",
                "generate wants man, bash, zsh, fish or powershell, not 2\nhint: usage: docker-registry generate [OPTION]... man|bash|zsh|fish|powershell",
            ),
            (
                "help a b",
                "help wants one command, not 2\nhint: usage: docker-registry help [OPTION]... [COMMAND]",
            ),
        ] {
            let words = line.split_whitespace().map(OsString::from);
            let error = parse(&table(), words).err().expect(line);
            assert_eq!(format!("{error:#}"), expected, "{line}");
        }
    }

    #[test]
    fn a_list_of_images_stands_for_operands() {
        for line in ["labels --images f", "labels --images f a", "labels a b"] {
            let words = line.split_whitespace().map(OsString::from);
            assert!(parse(&table(), words).is_ok(), "{line}");
        }
    }

    #[test]
    fn each_form_has_operands_of_its_own() {
        let cli = table();
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        for line in ["push from-args", "push from-spec f"] {
            assert!(parse(&cli, words(line)).is_ok(), "{line}");
        }
        for (line, expected) in [
            (
                "push",
                "push wants from-spec or from-args\nhint: usage: docker-registry push [OPTION]... from-spec FILE|from-args",
            ),
            (
                "push from-spek f",
                "push wants from-spec or from-args, not 'from-spek'\nhint: did you mean 'from-spec'?",
            ),
            (
                "push from-spec",
                "push from-spec wants one FILE\nhint: usage: docker-registry push [OPTION]... from-spec FILE|from-args",
            ),
            (
                "push from-args f",
                "push from-args takes no operand\nhint: usage: docker-registry push [OPTION]... from-spec FILE|from-args",
            ),
        ] {
            let error = parse(&cli, words(line)).err().expect(line);
            assert_eq!(format!("{error:#}"), expected, "{line}");
        }
    }
}
