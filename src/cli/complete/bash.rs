//! Completions for bash 3.2 and later, without the package bash-completion.

use std::ptr;

use super::{Offer, arguments, fill, names, spellings};
use crate::cli::{Cli, Flag, Spec};

pub(super) fn script(cli: &Cli) -> String {
    let valued = cli.flags().filter(|flag| !flag.value.is_switch());
    let options: Vec<String> = valued.map(|flag| option_case(cli, flag)).collect();
    let commands: Vec<String> = cli.specs().map(|spec| command_case(cli, spec)).collect();
    fill(
        include_str!("complete.bash"),
        cli,
        &[
            ("@OPTIONS@", &options.join("\n")),
            ("@COMMANDS@", &commands.join("\n")),
            ("@GLOBAL@", &words(cli.global_flags())),
            ("@NAMES@", &names(cli)),
        ],
    )
}

fn option_case(cli: &Cli, flag: &Flag) -> String {
    let spellings = spellings(flag).join(" | ");
    let takes = arguments(flag.value);
    let offer = offer(Offer::value(flag.value));
    let guard = match cli.flags().any(|other| is_namesake(flag, other)) {
        true => format!(
            "[[ $command == {} ]] && ",
            owners(cli, flag).join(" || $command == ")
        ),
        false => String::new(),
    };
    format!("    {spellings}) {guard}takes={takes} offer='{offer}' ;;")
}

/// Whether another command has an option of the same name that means something else.
fn is_namesake(flag: &Flag, other: &Flag) -> bool {
    flag.name == other.name && !ptr::eq(flag, other)
}

fn owners(cli: &Cli, flag: &Flag) -> Vec<&'static str> {
    let owns = |spec: &&Spec| spec.flags.iter().any(|own| ptr::eq(*own, flag));
    cli.specs().filter(owns).map(|spec| spec.name).collect()
}

fn command_case(cli: &Cli, spec: &Spec) -> String {
    let first = offer(Offer::operand(cli, spec.operand));
    let further = offer(Offer::further(spec.operand));
    let options = words(spec.flags.iter().copied());
    format!(
        "    {}) offer='{first}' further='{further}' options='{options}' ;;",
        spec.name
    )
}

fn words(flags: impl Iterator<Item = &'static Flag>) -> String {
    let words: Vec<String> = flags.flat_map(spellings).collect();
    words.join(" ")
}

fn offer(offer: Offer) -> String {
    match offer {
        Offer::Unknown => String::new(),
        Offer::Words(words) => words.join(" "),
        Offer::Files => "@files".to_owned(),
        Offer::Directories => "@directories".to_owned(),
        Offer::Images => "@images".to_owned(),
    }
}
