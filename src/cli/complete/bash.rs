//! Completions for bash 3.2 and later, without the package bash-completion.

use super::{Offer, arguments, fill, spellings};
use crate::cli::{Cli, Flag, Spec};

pub(super) fn script(cli: &Cli) -> String {
    let valued = cli.flags().filter(|flag| !flag.value.is_switch());
    let options: Vec<String> = valued.map(option_case).collect();
    let commands: Vec<String> = cli.specs().map(|spec| command_case(cli, spec)).collect();
    let names: Vec<&str> = cli.specs().map(|spec| spec.name).collect();
    fill(
        include_str!("complete.bash"),
        cli,
        &[
            ("@OPTIONS@", &options.join("\n")),
            ("@COMMANDS@", &commands.join("\n")),
            ("@GLOBAL@", &words(cli.global_flags())),
            ("@NAMES@", &names.join(" ")),
        ],
    )
}

fn option_case(flag: &Flag) -> String {
    let spellings = spellings(flag).join(" | ");
    let takes = arguments(flag.value);
    let offer = offer(Offer::value(flag.value));
    format!("    {spellings}) takes={takes} offer='{offer}' ;;")
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
