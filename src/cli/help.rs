//! The table as help on a terminal.

use std::ptr;

use super::text::{beside, plain, wrap};
use super::{Cli, Flag, Spec};

/// One screen of 24 lines with the prompt below: the commands and options used most, and what else
/// there is by name.
pub(crate) fn help(cli: &Cli) -> String {
    let width = widest(cli.frequent.iter().map(|spec| spec.name)) + 4;
    let line = |spec: &&Spec| beside(&format!("  {}", spec.name), width, spec.help);
    let lines: String = cli.frequent.iter().map(line).collect();
    let others =
        cli.specs().filter(|spec| !cli.frequent.iter().any(|other| ptr::eq(*other, *spec)));
    let others: Vec<&str> = others.map(|spec| spec.name).collect();
    format!(
        "{}Commands:\n{lines}{}\n{}\n{}",
        top(cli),
        plain(&format!("and {}", others.join(", ")), 2),
        options("Options", cli.essential),
        more(cli)
    )
}

/// The commands and all global options.
pub(crate) fn full_help(cli: &Cli) -> String {
    let mut shown = commands(cli);
    for group in cli.groups {
        shown.push('\n');
        shown.push_str(&options(group.title, group.flags));
    }
    format!("{shown}\n{}", more(cli))
}

pub(crate) fn command_help(cli: &Cli, spec: &Spec) -> String {
    let mut parts = vec![format!("Usage: {}\n", spec.usage(cli)), format!("{}.\n", spec.help)];
    if !spec.about.is_empty() {
        parts.push(plain(spec.about, 0));
    }
    if !spec.flags.is_empty() {
        parts.push(explained("Options", spec.flags));
    }
    if !spec.examples.is_empty() {
        parts.push(examples(spec));
    }
    if spec.global {
        parts.push(global_options(cli));
    }
    parts.join("\n")
}

fn commands(cli: &Cli) -> String {
    let title_width = widest(cli.commands.iter().map(|group| group.title)) + 2;
    let name_width = widest(cli.specs().map(|spec| spec.name)) + 2;
    let mut shown = top(cli);
    for group in &cli.commands {
        let mut title = group.title;
        for spec in &group.specs {
            let left = format!("{title:title_width$}{}", spec.name);
            shown.push_str(&beside(&left, title_width + name_width, spec.help));
            title = "";
        }
    }
    shown
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

/// Options with their one line each.
fn options(title: &str, flags: &[&Flag]) -> String {
    let width = widest(flags.iter().map(|flag| left(flag))) + 2;
    let lines = flags.iter().map(|flag| beside(&left(flag), width, flag.help));
    format!("{title}:\n{}", lines.collect::<String>())
}

/// Options with all that is said of them.
fn explained(title: &str, flags: &[&Flag]) -> String {
    let lines = flags.iter().map(|flag| {
        let about = plain(flag.about, 10);
        format!("  {}\n{}{about}", flag.synopsis(), plain(&format!("{}.", flag.help), 10))
    });
    format!("{title}:\n{}", lines.collect::<String>())
}

/// `  -r, --raw`, or `      --os OS`: the long names stand below each other.
fn left(flag: &Flag) -> String {
    match flag.short {
        Some(_) => format!("  {}", flag.synopsis()),
        None => format!("      {}", flag.synopsis()),
    }
}

fn examples(spec: &Spec) -> String {
    let shown = spec.examples.iter().map(|(command, shows)| {
        let shows = plain(shows, 4);
        format!("  {command}\n{shows}")
    });
    format!("Examples:\n{}", shown.collect::<String>())
}

/// Their names only.
fn global_options(cli: &Cli) -> String {
    let names: Vec<String> = cli.global_flags().map(Flag::synopsis).collect();
    let lines = wrap(names.iter().map(String::as_str), "  ", 77);
    let lines = lines.iter().map(|line| format!("  {line}\n"));
    format!(
        "Options of all commands ('{} --help' explains them):\n{}",
        cli.name,
        lines.collect::<String>()
    )
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
