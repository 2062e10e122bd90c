//! The table as help on a terminal.

use std::ptr;

use super::text::{beside, plain, wrap};
use super::{Cli, Flag, Spec};

/// One screen of 24 lines with the prompt below: the commands and options used most, and what else
/// there is by name.
pub(super) fn help(cli: &Cli) -> String {
    let width = widest(cli.frequent.iter().map(|spec| spec.name)) + 4;
    let line = |spec: &&Spec| beside(&format!("  {}", spec.name), width, spec.help);
    let is_frequent = |spec: &Spec| cli.frequent.iter().any(|other| ptr::eq(*other, spec));
    let others = cli.specs().filter(|spec| !is_frequent(spec)).map(|spec| spec.name);
    let others = format!("and {}", others.collect::<Vec<_>>().join(", "));
    let parts = [
        top(cli),
        "Commands:\n".to_owned(),
        cli.frequent.iter().map(line).collect(),
        plain(&others, 2) + "\n",
        options("Options", cli.essential) + "\n",
        more(cli),
    ];
    parts.concat()
}

/// The commands and all global options.
pub(super) fn full_help(cli: &Cli) -> String {
    let title_width = widest(cli.commands.iter().map(|(title, _)| title)) + 2;
    let width = title_width + widest(cli.specs().map(|spec| spec.name)) + 2;
    let mut shown = top(cli);
    for (title, specs) in &cli.commands {
        let mut title = *title;
        for spec in specs {
            shown += &beside(&format!("{title:title_width$}{}", spec.name), width, spec.help);
            title = "";
        }
    }
    for (title, flags) in cli.groups {
        shown += "\n";
        shown += &options(title, flags);
    }
    shown + "\n" + &more(cli)
}

pub(super) fn command_help(cli: &Cli, spec: &Spec) -> String {
    let mut parts = vec![format!("Usage: {}\n", spec.usage(cli)), format!("{}.\n", spec.help)];
    if !spec.about.is_empty() {
        parts.push(plain(spec.about, 0));
    }
    if !spec.flags.is_empty() {
        let explained = spec.flags.iter().map(|flag| {
            let help = plain(&format!("{}.", flag.help), 10);
            format!("  {}\n{help}{}", flag.synopsis(), plain(flag.about, 10))
        });
        parts.push(format!("Options:\n{}", explained.collect::<String>()));
    }
    let examples = spec.examples.iter();
    let examples = examples.map(|(command, shows)| format!("  {command}\n{}", plain(shows, 4)));
    parts.push(format!("Examples:\n{}", examples.collect::<String>()));
    if spec.global {
        let names: Vec<String> = cli.global_flags().map(Flag::synopsis).collect();
        let lines = wrap(names.iter().map(String::as_str), "  ", 77);
        let lines: String = lines.iter().map(|line| format!("  {line}\n")).collect();
        let title = format!("Options of all commands ('{} --help' explains them)", cli.name);
        parts.push(format!("{title}:\n{lines}"));
    }
    parts.join("\n")
}

fn top(cli: &Cli) -> String {
    format!(
        "{} {}: {}\n\nUsage: {0} [OPTION]... COMMAND [OPTION]... [ARGUMENT]...\n\n",
        cli.name, cli.version, cli.summary
    )
}

fn more(cli: &Cli) -> String {
    format!("'{0} help COMMAND' explains a command, '--help' lists all options.\n", cli.name)
}

/// Options with their one line each, the long names below each other.
fn options(title: &str, flags: &[&Flag]) -> String {
    let left = |flag: &&Flag| match flag.short {
        Some(_) => format!("  {}", flag.synopsis()),
        None => format!("      {}", flag.synopsis()),
    };
    let width = widest(flags.iter().map(left)) + 2;
    let lines = flags.iter().map(|flag| beside(&left(flag), width, flag.help));
    format!("{title}:\n{}", lines.collect::<String>())
}

fn widest(texts: impl Iterator<Item = impl AsRef<str>>) -> usize {
    texts.map(|text| text.as_ref().chars().count()).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::table;

    #[test]
    fn full_help_explains_every_command_and_global_option() {
        let cli = table();
        let shown = full_help(&cli);
        for spec in cli.specs() {
            assert!(shown.contains(&format!(" {} ", spec.name)), "{}", spec.name);
        }
        for flag in cli.global_flags() {
            let name = format!("--{}", flag.name);
            assert!(shown.contains(&name), "{name}");
        }
        let apart = "Platform:\n      --platform PLATFORM  Choose";
        assert!(shown.contains(apart), "{shown}");
    }

    #[test]
    fn a_commands_help_has_its_options_and_examples() {
        let cli = table();
        let help = |name| command_help(&cli, cli.command(name).expect(name));
        assert_eq!(help("generate"), GENERATE);
        let labels = help("labels");
        let global =
            "Options of all commands ('docker-registry --help' explains them):\n  -r, --raw  ";
        assert!(labels.contains(global), "{labels}");
    }

    const GENERATE: &str = r"Usage: docker-registry generate [OPTION]... man|bash|zsh|fish|powershell

Print the man page or a shell's completions.

Options:
  --page COMMAND
          With man: the page of this command.

Examples:
  docker-registry generate bash > /etc/bash_completion.d/docker-registry
    completes commands, options and platforms in bash
  docker-registry generate man --page labels | man -l -
    the manual of one command
";
}
