//! What the table keeps to.

use std::ffi::OsString;
use std::ptr;

use super::help::{full_help, help};
use super::{Cli, Example, Flag, HELP, Spec, VERSION, parse};
use crate::commands::table;

#[test]
fn the_table_keeps_its_laws() {
    let cli = &table();
    options_are_told_apart(cli);
    lines_are_short(cli);
    let specs: Vec<_> = cli.specs().collect();
    for (i, spec) in specs.iter().enumerate() {
        let name = spec.name;
        assert!(specs[..i].iter().all(|other| other.name != name), "{name} stands twice");
        one_line(name, spec.help);
        markup(name, spec.about);
        assert!(spec.examples.len() >= 2, "{name} has fewer than two examples");
        spec.examples.iter().for_each(|example| is_command(cli, example));
    }
    cli.examples.iter().for_each(|example| is_command(cli, example));
    markup("the manual", cli.manual);
}

fn options_are_told_apart(cli: &Cli) {
    let flags: Vec<_> = cli.flags().collect();
    for (i, flag) in flags.iter().enumerate() {
        let name = flag.name;
        one_line(name, flag.help);
        markup(name, flag.about);
        for other in flags[..i].iter().filter(|other| !ptr::eq(**other, *flag)) {
            let together = cli.specs().any(|spec| {
                let has = |flag| belongs(cli, spec, flag);
                has(flag) && has(other)
            });
            assert!(other.name != name || !together, "two options of one command are --{name}");
            let same_letter = flag.short.is_some() && flag.short == other.short;
            assert!(!same_letter, "--{name} and --{} have one letter", other.name);
        }
    }
    for needed in [&HELP, &VERSION].iter().chain(cli.essential) {
        let is_global = cli.global_flags().any(|flag| ptr::eq(flag, *needed));
        assert!(is_global, "--{} is in no group", needed.name);
    }
}

fn belongs(cli: &Cli, spec: &Spec, flag: &Flag) -> bool {
    spec.has(flag) || cli.global_flags().any(|other| ptr::eq(other, flag))
}

fn lines_are_short(cli: &Cli) {
    // 24 lines, of which the shell's prompt is one.
    let lines = help(cli).lines().count();
    assert!(lines < 24, "the first screen has {lines} lines");
    for line in help(cli).lines().chain(full_help(cli).lines()) {
        assert!(line.chars().count() < 80, "too long: {line}");
    }
}

fn one_line(name: &str, help: &str) {
    let is_sentence = help.starts_with(char::is_uppercase) && !help.ends_with('.');
    assert!(is_sentence && !help.contains('`'), "{name}: {help}");
    assert!(help.chars().count() < 60, "{name}: too long: {help}");
}

fn markup(name: &str, text: &str) {
    for paragraph in text.split("\n\n").filter(|text| !text.starts_with("  ")) {
        assert!(paragraph.matches('`').count() % 2 == 0, "{name}: {paragraph}");
    }
}

/// An example is a line that the parser takes, up to a pipe or a redirection.
fn is_command(cli: &Cli, (command, shows): &Example) {
    markup(command, shows);
    let mut words = shlex::split(command).expect(command).into_iter();
    let Some(_) = words.by_ref().find(|word| word == cli.name) else {
        panic!("not about {}: {}", cli.name, command);
    };
    let operators = ["|", ">", "<", "&&", "||", ";"];
    let arguments = words.take_while(|word| !operators.contains(&word.as_str()));
    if let Err(error) = parse(cli, arguments.map(OsString::from)) {
        panic!("{}: {error}", command);
    }
}
