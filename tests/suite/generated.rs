//! The manual in the repository is what the program generates, and `generate` prints the completions.
//!
//! `BLESS=1 cargo test --test suite generated` writes the manual anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Tool, installed};

/// What `generate` prints.
fn generated(args: &[&str]) -> String {
    let output = Tool::new().arg("generate").args(args).run();
    let output = output.status(0).stderr("");
    output.text().to_owned()
}

/// The manual's pages: one for the program, one for each command, by their file names.
fn pages() -> BTreeMap<PathBuf, String> {
    let main = generated(&["man"]);
    let (_, see_also) = main.split_once("\n.SH SEE ALSO\n").expect("SEE ALSO");
    let command = |line: &str| {
        let name = line.replace('\\', "");
        let name = name.strip_prefix("fBdocker-registry-")?;
        Some(name.split_once("fR(1)")?.0.to_owned())
    };
    let commands: Vec<String> = see_also.lines().filter_map(command).collect();
    assert!(commands.len() > 10, "{see_also}");
    let page = |name: String| {
        let text = generated(&["man", "--page", &name]);
        (format!("docker-registry-{name}.1").into(), text)
    };
    let mut pages: BTreeMap<PathBuf, String> = commands.into_iter().map(page).collect();
    pages.insert("docker-registry.1".into(), main);
    pages
}

/// What `generate` prints for a shell, and the file in the repository.
const COMPLETIONS: [(&str, &str); 4] = [
    ("docker-registry.bash", "bash"),
    ("_docker-registry", "zsh"),
    ("docker-registry.fish", "fish"),
    ("_docker-registry.ps1", "powershell"),
];

/// Compares the files of a directory of the repository, or writes them.
fn holds(directory: &str, expected: &BTreeMap<PathBuf, String>) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    if std::env::var_os("BLESS").is_some() {
        fs::remove_dir_all(&directory).ok();
        fs::create_dir(&directory).unwrap();
        for (name, text) in expected {
            fs::write(directory.join(name), text).unwrap();
        }
    }
    let entries = fs::read_dir(&directory).into_iter().flatten();
    let names = entries.map(|entry| PathBuf::from(entry.unwrap().file_name()));
    let mut names: Vec<PathBuf> = names.collect();
    names.sort();
    let advice = "BLESS=1 cargo test --test suite generated";
    assert_eq!(
        names,
        expected.keys().cloned().collect::<Vec<_>>(),
        "{advice}"
    );
    for (name, text) in expected {
        let path = directory.join(name);
        let there = fs::read_to_string(&path).unwrap();
        let differs = there.lines().zip(text.lines()).position(|(a, b)| a != b);
        assert!(
            there == *text,
            "{}, line {differs:?}: {advice}",
            path.display()
        );
    }
}

#[test]
fn the_manual_is_generated() {
    holds("man", &pages());
}

#[test]
fn the_completions_are_those_of_the_repository() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (name, shell) in COMPLETIONS {
        let text = fs::read_to_string(directory.join(name)).unwrap();
        assert!(generated(&[shell]) == text, "{name}");
    }
}

#[test]
fn the_manual_is_sound() {
    for (program, package, args) in [
        ("/usr/bin/mandoc", "mandoc", &["-T", "lint"][..]),
        ("/usr/bin/groff", "groff", &["-man", "-ww", "-z"]),
    ] {
        if !installed(program, package) {
            continue;
        }
        for (name, page) in pages() {
            let tool = Tool::program(program).args(args).stdin(page);
            let output = tool.run();
            let said = format!("{}{}", output.text(), output.messages());
            assert_eq!(said, "", "{program} about {}", name.display());
        }
    }
}

#[test]
fn the_completions_are_sound() {
    for (name, shell) in [
        ("bash", "/bin/bash"),
        ("zsh", "/usr/bin/zsh"),
        ("fish", "/usr/bin/fish"),
    ] {
        if installed(shell, name) {
            let tool = Tool::program(shell).arg("-n").stdin(generated(&[name]));
            tool.run().success("");
        }
    }
}
