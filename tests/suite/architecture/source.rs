//! The source text, as far as the laws of architecture are about it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// One file: its path below `src` without `.rs`, and its code.
pub struct Source {
    pub path: String,
    code: String,
}

impl Source {
    /// The file or folder right below `src`.
    pub fn module(&self) -> &str {
        self.path
            .split('/')
            .next()
            .expect("a path has a first part")
    }

    pub fn is_in(&self, home: &str) -> bool {
        let rest = self.path.strip_prefix(home);
        rest.is_some_and(|rest| home.is_empty() || rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether the code has this path, not as the end of a longer name.
    pub fn names(&self, path: &str) -> bool {
        let mut ends = self
            .code
            .match_indices(path)
            .map(|(at, _)| &self.code[..at]);
        ends.any(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    }

    /// What follows `prefix`, which ends in `::`: a name, or names in braces.
    pub fn names_after(&self, prefix: &str) -> BTreeSet<&str> {
        let rests = self.code.split(prefix).skip(1);
        rests.flat_map(first_names).collect()
    }
}

/// The first name of a path, or of each path in braces.
fn first_names(path: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = |path: &str| path.find(|c| !is_name(c)).unwrap_or(path.len());
    let Some(braced) = path.strip_prefix('{') else {
        return vec![&path[..name(path)]];
    };
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (at, c) in braced.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                let item = braced[start..at].trim();
                found.push(&item[..name(item)]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

/// All files of `src` but those that only tests have.
pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut open, mut sources, mut of_tests) = (vec![root.clone()], Vec::new(), Vec::new());
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let declared = text.split("#[cfg(test)]\nmod ").skip(1);
            let declared = declared.filter_map(|rest| rest.split_once(';'));
            let beside = path.parent().unwrap();
            of_tests.extend(declared.map(|(name, _)| beside.join(name)));
            sources.push((path, code(&text)));
        }
    }
    let source = |(path, code): (PathBuf, String)| {
        let path = path.with_extension("");
        let is_of_tests = of_tests.contains(&path);
        let path = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (!is_of_tests).then_some(Source { path, code })
    };
    sources.into_iter().filter_map(source).collect()
}

/// The text without comments and without its tests, which stand at the end.
fn code(text: &str) -> String {
    let (mut code, mut is_test) = (String::new(), false);
    for line in text.lines() {
        if is_test && line.ends_with("mod tests {") {
            break;
        }
        is_test = line == "#[cfg(test)]";
        if !line.trim_start().starts_with("//") {
            code += line;
            code.push('\n');
        }
    }
    code
}

#[test]
fn paths_are_read_from_code() {
    assert_eq!(first_names("cli::{Args, Spec};"), ["cli"]);
    assert_eq!(
        first_names("{cli::{Args, Spec}, error::Result, image};"),
        ["cli", "error", "image"]
    );
    let text =
        "use a;\n// crate::b\n    /// crate::c\n#[cfg(test)]\npub(super) mod tests {\n    d\n}\n";
    assert_eq!(code(text), "use a;\n#[cfg(test)]\n");
    let source = Source {
        path: "query/stack".to_owned(),
        code: "libc::x rustls_tar::y".to_owned(),
    };
    assert!(source.is_in("query") && source.is_in("query/stack") && source.is_in(""));
    assert!(!source.is_in("que") && !source.is_in("query/stack/deep"));
    assert!(source.names("libc::") && !source.names("tar::"));
}
