//! Copies the program's source, with every item visible to the whole crate.

use std::path::{Path, PathBuf};
use std::{env, fs};

const ITEMS: [&str; 8] = [
    "const ", "enum ", "fn ", "mod ", "static ", "struct ", "trait ", "type ",
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    // `generate` prints the completions.
    for folder in ["src", "completions"] {
        let source = root.join(folder);
        println!("cargo:rerun-if-changed={}", source.display());
        copy(&source, &out.join(folder));
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).expect("a directory for the copy");
    for entry in fs::read_dir(from).expect("the source") {
        let path = entry.expect("a file of the source").path();
        let to = to.join(path.file_name().expect("files have names"));
        if path.is_dir() {
            copy(&path, &to);
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let text = match path.extension().is_some_and(|it| it == "rs") {
            // The root is included into another, which cannot have this module's documentation.
            true => opened(&text, path.ends_with("src/main.rs")),
            false => text,
        };
        fs::write(to, text).expect("room for the copy");
    }
}

/// The text with `pub(crate)` for whatever is less visible.
fn opened(text: &str, is_root: bool) -> String {
    let mut opened = String::new();
    for line in text.lines() {
        if is_root && line.starts_with("//!") {
            continue;
        }
        if ITEMS.iter().any(|item| line.starts_with(item)) {
            opened += "pub(crate) ";
        }
        opened += &visible(line);
        opened.push('\n');
    }
    opened
}

fn visible(line: &str) -> String {
    let line = line.replace("pub(super)", "pub(crate)");
    let Some((before, (_, after))) = line
        .split_once("pub(in ")
        .and_then(|(before, rest)| Some((before, rest.split_once(')')?)))
    else {
        return line;
    };
    format!("{before}pub(crate){after}")
}
