//! Completions for fish 3 and later.

use super::{Offer, fill, names, valued};
use crate::cli::{Cli, Flag, Operand, Spec};

pub(super) fn script(cli: &Cli) -> String {
    let commands = cli.specs().map(|spec| {
        let help = quoted(spec.help);
        format!(
            "complete -c @NAME@ -n 'not __@ID@_command >/dev/null' -a {} -d {help}",
            spec.name
        )
    });
    let global = cli.global_flags().map(|flag| option(flag, None));
    let own = cli
        .specs()
        .flat_map(|spec| spec.flags.iter().map(move |flag| option(flag, Some(spec))));
    let operands = cli.specs().filter_map(|spec| operand(cli, spec));
    fill(
        include_str!("complete.fish"),
        cli,
        &[
            ("@VALUED@", &valued(cli)),
            ("@NAMES@", &names(cli)),
            ("@COMMANDS@", &lines(commands)),
            ("@OPTIONS@", &lines(global.chain(own))),
            ("@OPERANDS@", &lines(operands)),
        ],
    )
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn option(flag: &Flag, spec: Option<&Spec>) -> String {
    let condition = spec.map(|spec| format!(" -n '__@ID@_in {}'", spec.name));
    let short = flag.short.map(|letter| format!(" -s {letter}"));
    let value = match Offer::value(flag.value) {
        _ if flag.value.is_switch() => String::new(),
        Offer::Unknown => " -x".to_owned(),
        offer => format!(" {}", candidates(offer)),
    };
    format!(
        "complete -c @NAME@{}{} -l {}{value} -d {}",
        condition.unwrap_or_default(),
        short.unwrap_or_default(),
        flag.name,
        quoted(flag.help)
    )
}

fn operand(cli: &Cli, spec: &Spec) -> Option<String> {
    let candidates = match Offer::operand(cli, spec.operand) {
        Offer::Unknown => return None,
        offer => candidates(offer),
    };
    let first = format!(
        "complete -c @NAME@ -n '__@ID@_in {}' {candidates}",
        spec.name
    );
    let Operand::Forms(forms) = spec.operand else {
        return Some(first);
    };
    let with_file = forms.iter().filter(|form| form.file.is_some());
    let further = with_file.map(|form| {
        format!(
            "complete -c @NAME@ -n '__@ID@_in {}; and contains -- {} (commandline -opc)' -F",
            spec.name, form.word
        )
    });
    Some(lines(std::iter::once(first).chain(further)))
}

fn candidates(offer: Offer) -> String {
    match offer {
        Offer::Unknown => String::new(),
        Offer::Words(words) => format!("-x -a '{}'", words.join(" ")),
        Offer::Files => "-r -F".to_owned(),
        Offer::Directories => "-x -a '(__fish_complete_directories)'".to_owned(),
        Offer::Images => "-x -a '(__@ID@_images)'".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
