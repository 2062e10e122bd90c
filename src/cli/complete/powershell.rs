//! Completions for PowerShell 5 and later.

use super::{Offer, fill, spellings};
use crate::cli::{Cli, Flag, Operand, Spec};

pub(super) fn script(cli: &Cli) -> String {
    let commands = cli
        .specs()
        .map(|spec| result(spec.name, "ParameterValue", spec.help, 8));
    let global = cli.global_flags().map(|flag| option(flag, 8));
    let own = cli.specs().filter(|spec| !spec.flags.is_empty()).map(own);
    let operands = cli.specs().filter_map(|spec| {
        let offer = words(Offer::operand(cli, spec.operand))?;
        let offer = match spec.operand {
            Operand::Forms(_) => format!("if ($previous -ceq '{}') {{ {offer} }}", spec.name),
            _ => offer,
        };
        Some(format!("            '{}' {{ {offer} }}", spec.name))
    });
    fill(
        include_str!("complete.ps1"),
        cli,
        &[
            ("@COMMANDS@", &lines(commands)),
            ("@VALUES@", &values(cli)),
            ("@GLOBAL@", &lines(global)),
            ("@OWN@", &lines(own)),
            ("@OPERANDS@", &lines(operands)),
        ],
    )
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn values(cli: &Cli) -> String {
    let valued = cli.flags().filter(|flag| !flag.value.is_switch());
    lines(valued.flat_map(|flag| {
        let offer = words(Offer::value(flag.value)).unwrap_or_else(|| "''".to_owned());
        let cases = spellings(flag).into_iter();
        cases.map(move |spelling| format!("        '{spelling}' {{ {offer} }}"))
    }))
}

fn own(spec: &Spec) -> String {
    let options = spec.flags.iter().map(|flag| option(flag, 16));
    format!(
        "            '{}' {{\n{}\n            }}",
        spec.name,
        lines(options)
    )
}

fn option(flag: &Flag, indent: usize) -> String {
    let results = spellings(flag);
    lines(
        results
            .iter()
            .map(|name| result(name, "ParameterName", flag.help, indent)),
    )
}

fn result(name: &str, kind: &str, help: &str, indent: usize) -> String {
    let (space, help) = (" ".repeat(indent), quoted(help));
    format!(
        "{space}[CompletionResult]::new('{name}', '{name}', [CompletionResultType]::{kind}, {help})"
    )
}

/// The candidates as an expression, `None` if PowerShell is to offer files.
fn words(offer: Offer) -> Option<String> {
    match offer {
        Offer::Unknown | Offer::Files | Offer::Directories => None,
        Offer::Words(words) => Some(words.into_iter().map(quoted).collect::<Vec<_>>().join(", ")),
        Offer::Images => Some("$images".to_owned()),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
