//! Completions for zsh: a function for `_arguments`, to be loaded or sourced.

use super::{Offer, fill, names, spellings, valued};
use crate::cli::{Cli, Flag, Operand, Spec, Value};

pub(super) fn script(cli: &Cli) -> String {
    let commands = cli.specs().map(|spec| {
        let described = format!("{}:{}", spec.name, spec.help.replace(':', "\\:"));
        format!("        {}\n", quoted(&described))
    });
    let global: Vec<String> = cli.global_flags().map(option).collect();
    let operands: Vec<String> = cli.specs().map(|spec| operands(cli, spec)).collect();
    fill(
        include_str!("complete.zsh"),
        cli,
        &[
            ("@COMMANDS@", commands.collect::<String>().trim_end()),
            ("@GLOBAL@", &global.join("\n")),
            ("@VALUED@", &valued(cli)),
            ("@NAMES@", &names(cli)),
            ("@OPERANDS@", &operands.join("\n")),
        ],
    )
}

/// What `_arguments` is told of a command: options and operands.
fn operands(cli: &Cli, spec: &Spec) -> String {
    let place = match spec.operand {
        Operand::Images | Operand::Pair => "*",
        _ => "1",
    };
    let action = action(&Offer::operand(cli, spec.operand));
    let name = plain(&spec.operand.placeholder());
    let operand = match spec.operand {
        Operand::None => String::new(),
        _ => format!(" '{place}:{name}:{action}'"),
    };
    let further = match spec.operand {
        Operand::Forms(_) => " '2:FILE:_files'",
        _ => "",
    };
    let own = spec
        .flags
        .iter()
        .map(|flag| format!(" \\\n{}", option(flag)));
    format!(
        "    {}) _arguments -s -S $options{}{operand}{further} ;;",
        spec.name,
        own.collect::<String>()
    )
}

/// `'(-o --output)'{-o+,--output=}'[help]:FILE:_files'`
fn option(flag: &Flag) -> String {
    let (after_short, after_long) = match flag.value {
        Value::None | Value::Count | Value::Pair(..) => ("", ""),
        _ => ("+", "="),
    };
    let repeats = match flag.value {
        Value::Count | Value::Text(_) | Value::Pair(..) => "*".to_owned(),
        _ => format!("({})", spellings(flag).join(" ")),
    };
    let long = format!("--{}{after_long}", flag.name);
    let names = match flag.short {
        Some(letter) => format!("{{-{letter}{after_short},{long}}}"),
        None => long,
    };
    let value = match flag.value {
        Value::None | Value::Count => String::new(),
        Value::Pair(name, value) => format!(":{name}: :{value}: "),
        value => {
            let action = action(&Offer::value(value));
            format!(":{}:{action}", plain(&value.placeholder()))
        }
    };
    let explained = quoted(&format!("[{}]{value}", plain(flag.help)));
    format!("        {}{names}{explained}", quoted(&repeats))
}

fn action(offer: &Offer) -> String {
    match offer {
        Offer::Unknown => " ".to_owned(),
        Offer::Words(words) => format!("({})", words.join(" ")),
        Offer::Files => "_files".to_owned(),
        Offer::Directories => "_files -/".to_owned(),
        Offer::Images => "_@ID@_images".to_owned(),
    }
}

/// Without the characters that `_arguments` reads as its own.
fn plain(text: &str) -> String {
    text.replace(':', "\\:")
        .replace('[', "\\[")
        .replace(']', "\\]")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
