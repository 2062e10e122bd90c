//! How the house is built: who may use whom, and what has one home only.
//!
//! Tests, comments and what `#[cfg(test)]` declares do not count.

mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use source::{Source, sources};

/// A module may use those in rows below its own. A file or folder right below `src` is a module.
const ROWS: [&[&str]; 14] = [
    &["main"],
    &["serve"],
    &["driver"],
    &["commands"],
    &["hooks"],
    &[
        "assembly",
        "attestation",
        "context",
        "download",
        "filesystem",
    ],
    &[
        "answer",
        "cli",
        "image",
        "output",
        "progress",
        "query",
        "readahead",
    ],
    &["source"],
    &["compression", "header_limit", "state"],
    &["content"],
    &["platform", "reference"],
    &[
        "digest", "encoding", "file", "json", "machine", "parallel", "secret", "terminal", "text",
    ],
    &["memory", "names"],
    &["error"],
];

/// The sources, which do not use one another; `source/sources.rs` brings them together.
const SOURCES: [&str; 4] = ["cache", "layout", "mirrors", "registry"];

/// What a dependency is called in code, and the file or folder that names it, or the few that do; `-`
/// is where only the features of a crate are wanted.
const HOMES: &[(&str, &str, &str)] = &[
    ("base64", "base64", "encoding"),
    ("bytes", "bytes", "query"),
    ("fancy-regex", "fancy_regex", "query/regex"),
    ("flate2", "flate2", "compression"),
    ("hifijson", "hifijson", "query/values"),
    ("httparse", "httparse", "serve/http"),
    ("httpdate", "httpdate", "serve/http|source/registry/retry"),
    ("jaq-core", "jaq_core", "query"),
    ("jaq-json", "jaq_json", "query"),
    ("jaq-std", "jaq_std", "query"),
    (
        "jiff",
        "jiff",
        "commands|filesystem/table|output/table|serve/metrics",
    ),
    ("lexopt", "lexopt", "cli/parse"),
    // Files have owners, and the heap its shape, only where the system says so.
    ("libc", "libc", "file|machine"),
    ("maud", "maud", "serve/pages"),
    (
        "percent-encoding",
        "percent_encoding",
        "serve|source/registry",
    ),
    // Its features say how much of Unicode regular expressions know.
    ("regex-automata", "regex_automata", "-"),
    // rustls has a module of this name.
    (
        "ring",
        "ring",
        "attestation/public_key|source/registry/transport/tls",
    ),
    ("rpassword", "rpassword", "context/registry"),
    ("rustix", "rustix", "machine"),
    ("rustls", "rustls", "source/registry/transport/tls"),
    (
        "rustls-native-certs",
        "rustls_native_certs",
        "source/registry/transport/tls",
    ),
    ("rustls-webpki", "webpki", "source/registry/transport/tls"),
    ("ruzstd", "ruzstd", "compression"),
    ("saphyr", "saphyr", "assembly/spec"),
    ("saphyr-parser", "saphyr_parser", "assembly/spec"),
    // JSON is what the program is about.
    ("serde_json", "serde_json", ""),
    ("sha2", "sha2", "digest"),
    ("shlex", "shlex", "context"),
    ("signal-hook", "signal_hook", "machine"),
    ("strsim", "strsim", "cli/closest"),
    ("tar", "tar", "filesystem|source/layout/tarball"),
    ("tempfile", "tempfile", "file"),
    ("toml", "toml", "source/mirrors"),
    ("unicode-width", "unicode_width", "text"),
    ("ureq", "ureq", "serve/lambda|source/registry/transport"),
    (
        "webpki-roots",
        "webpki_roots",
        "source/registry/transport/tls",
    ),
];

/// Parts of the standard library, and the files or folders that may name them.
const SURROUNDINGS: [(&str, &[&str]); 16] = [
    ("env::args", &["main"]),
    ("env::current_dir", &["context"]),
    ("env::home_dir", &["context"]),
    ("env::temp_dir", &["context"]),
    ("env::var", &["context"]),
    ("eprint!", &[]),
    ("eprintln!", &[]),
    (
        "io::stderr",
        &["error", "progress", "source/registry/trace", "terminal"],
    ),
    ("io::stdin", &["terminal"]),
    ("io::stdout", &["output"]),
    ("print!", &[]),
    ("println!", &[]),
    ("process::exit", &["driver", "query/limits"]),
    // Limits of memory and depth have one home; a string has neither.
    ("serde_json::from_", &["json", "output/layout"]),
    // How long something takes is not what time it is.
    (
        "Instant::now",
        &[
            "driver/wait",
            "progress",
            "readahead",
            "serve",
            "source/registry",
        ],
    ),
    ("SystemTime::now", &["context"]),
];

/// Fails with one line for each fault.
#[track_caller]
fn sound(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

#[test]
fn modules_use_only_what_stands_below_them() {
    let mut faults = Vec::new();
    let sources = sources();
    for source in &sources {
        let module = source.module();
        let Some(own) = row(module) else {
            faults.push(format!("src/{module} stands in no row of {}", file!()));
            continue;
        };
        for used in source.names_after("crate::") {
            let is_below = row(used).is_some_and(|row| row > own);
            if used != module && !is_below {
                faults.push(format!(
                    "src/{}.rs uses {used}, which is not below",
                    source.path
                ));
            }
        }
    }
    let modules: BTreeSet<&str> = sources.iter().map(Source::module).collect();
    let rows = ROWS.iter().flat_map(|row| row.iter());
    let gone = rows.filter(|name| !modules.contains(**name));
    faults.extend(gone.map(|name| format!("{name} stands in {} but not in src", file!())));
    sound(faults);
}

#[test]
fn sources_do_not_know_one_another() {
    let mut faults = Vec::new();
    let sources = sources();
    for own in SOURCES {
        for other in SOURCES.into_iter().filter(|other| *other != own) {
            let paths = ["source", "super"].map(|parent| format!("{parent}::{other}"));
            let is_user = |source: &&Source| {
                source.is_in(&format!("source/{own}"))
                    && paths.iter().any(|path| source.names(path))
            };
            let users = sources.iter().filter(is_user);
            faults.extend(users.map(|source| format!("src/{}.rs uses {other}", source.path)));
        }
    }
    sound(faults);
}

#[test]
fn commands_do_not_know_one_another() {
    let sources = sources();
    let is_command =
        |source: &&Source| source.module() == "commands" && source.names("static COMMAND");
    let commands: Vec<&Source> = sources.iter().filter(is_command).collect();
    assert!(commands.len() > 10);
    let name = |source: &Source| source.path.trim_start_matches("commands/").to_owned();
    let names: Vec<String> = commands.iter().map(|source| name(source)).collect();
    let mut faults = Vec::new();
    for source in commands {
        let used = source.names_after("super::");
        let others = names.iter().filter(|other| used.contains(other.as_str()));
        faults.extend(others.map(|other| format!("src/{}.rs uses {other}", source.path)));
    }
    sound(faults);
}

#[test]
fn a_foreign_crate_has_one_home() {
    let mut faults = Vec::new();
    let sources = sources();
    for &(package, name, home) in HOMES {
        let path = format!("{name}::");
        let strangers = sources.iter().filter(|source| {
            !home.split('|').any(|home| source.is_in(home)) && source.names(&path)
        });
        let fault = |source: &Source| {
            format!(
                "src/{}.rs uses {package}, whose home is src/{home}",
                source.path
            )
        };
        faults.extend(strangers.map(fault));
        if home != "-" && !sources.iter().any(|source| source.names(&path)) {
            faults.push(format!("nobody uses {package}"));
        }
    }
    sound(faults);
}

#[test]
fn every_dependency_has_a_home() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let sections = manifest
        .split("\n[")
        .filter_map(|section| section.split_once("]\n"));
    let sections = sections.filter(|(title, _)| {
        title.ends_with("dependencies") && !title.ends_with("dev-dependencies")
    });
    let lines = sections.flat_map(|(_, body)| body.lines());
    let named = lines.filter_map(|line| Some(line.split_once(" =")?.0));
    let named: BTreeSet<&str> = named.collect();
    let listed: BTreeSet<&str> = HOMES.iter().map(|(package, ..)| *package).collect();
    assert_eq!(named, listed, "Cargo.toml and {}", file!());
}

#[test]
fn the_surroundings_are_looked_at_in_few_places() {
    let mut faults = Vec::new();
    let sources = sources();
    for (what, homes) in SURROUNDINGS {
        let is_stranger =
            |source: &&Source| source.names(what) && !homes.iter().any(|home| source.is_in(home));
        let strangers = sources.iter().filter(is_stranger);
        let allowed = match homes {
            [] => "nobody may".to_owned(),
            homes => format!("only {} may", homes.join(", ")),
        };
        faults.extend(
            strangers.map(|source| format!("src/{}.rs has {what}, which {allowed}", source.path)),
        );
    }
    sound(faults);
}

#[test]
fn a_module_says_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let start = |source: &Source| {
        let text = fs::read_to_string(root.join(&source.path).with_extension("rs")).unwrap();
        (!text.starts_with("//! ")).then(|| format!("src/{}.rs starts without //!", source.path))
    };
    sound(sources().iter().filter_map(start).collect());
}
