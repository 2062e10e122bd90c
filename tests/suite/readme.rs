//! The commands in README print what README says.
//!
//! A block fenced as `console` holds commands, each behind `$ `, and below each what it prints. Those
//! that need no network are run: `BLESS=1 cargo test --test suite readme` writes anew what they print.

use std::fs;
use std::path::Path;

use crate::harness::Tool;
use crate::hello;

#[test]
fn readme_shows_what_commands_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let tool = surroundings();
    let (retold, count) = retold(&readme, |command| {
        let command = format!("exec 2>&1\n{command}");
        let output = tool.again(["-c", &command]).run();
        output.text().to_owned()
    });
    assert!(count > 10, "only {count} commands were run");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &retold).unwrap();
        return;
    }
    let line = |text: &str, i: usize| text.lines().nth(i).unwrap_or_default().to_owned();
    let differs = (0..readme.lines().count()).find(|&i| line(&readme, i) != line(&retold, i));
    if let Some(i) = differs {
        let (there, printed) = (line(&readme, i), line(&retold, i));
        let advice = "BLESS=1 cargo test --test suite readme";
        panic!(
            "README.md:{}: says '{there}', not '{printed}': {advice}",
            i + 1
        );
    }
    assert_eq!(readme, retold);
}

/// A shell in a directory like the repository's, with the program in its path.
fn surroundings() -> Tool {
    let tool = Tool::program("/bin/sh");
    let fixtures = tool.work().join("tests/fixtures");
    fs::create_dir_all(&fixtures).unwrap();
    hello::make(&fixtures.join("hello"));
    let program = env!("CARGO_BIN_EXE_docker-registry");
    let link = Tool::program("/bin/ln").args(["-s", program]);
    link.arg(tool.home().join("bin/docker-registry"))
        .run()
        .success("");
    tool
}

/// The text with what each command prints now, and how many were run.
fn retold(readme: &str, run: impl Fn(&str) -> String) -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    let (mut is_console, mut is_replaced) = (false, false);
    for line in readme.split_inclusive('\n') {
        let command = line.strip_prefix("$ ").filter(|_| is_console);
        if line.starts_with("```") {
            is_console = line.trim_end() == "```console";
            is_replaced = false;
        }
        if let Some(command) = command {
            is_replaced = needs_no_network(command);
            text += line;
            if is_replaced {
                count += 1;
                text += &run(command);
            }
        } else if !is_replaced {
            text += line;
        }
    }
    (text, count)
}

fn needs_no_network(command: &str) -> bool {
    let asks_for_help = |word: &str| matches!(word, "help" | "--help" | "-h" | "--version");
    command.contains("oci:tests/fixtures/") || command.split_whitespace().any(asks_for_help)
}

#[test]
fn only_commands_that_need_no_network_are_run() {
    let readme = "```sh\n$ help\n```\n```console\n$ a help\nold\n$ ubuntu\nkept\n```\n$ help\n";
    let (text, count) = retold(readme, |command| format!("ran {command}"));
    let expected = readme.replace("old\n", "ran a help\n");
    assert_eq!((text, count), (expected, 1));
}
