//! What surrounds the program: workflows, the action, the package. Every name is the same everywhere.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Image, Registry, program};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

#[test]
fn actionlint_is_silent() {
    let path = root().join("target/actionlint/bin/actionlint");
    let Some(actionlint) = program(path.to_str().unwrap(), "none; tests/run gets it") else {
        return;
    };
    for workflow in ["ci", "release"] {
        let file = root().join(format!(".github/workflows/{workflow}.yml"));
        actionlint.again([file]).run().success("");
    }
}

#[test]
fn shellcheck_is_silent() {
    let Some(shellcheck) = program("/usr/bin/shellcheck", "shellcheck") else {
        return;
    };
    for script in [
        "install.sh",
        "tests/run",
        "tests/fuzz/run",
        "tests/mutants",
        ".ci/run",
        ".github/packaging/package",
        ".github/packaging/fill",
        ".github/packaging/debian/postinst",
        ".github/packaging/debian/prerm",
        "docs/at-scale/parallel.sh",
        "docs/ci/any.sh",
    ] {
        shellcheck.again([root().join(script)]).run().success("");
    }
}

#[test]
fn what_a_workflow_is_given_is_never_part_of_a_script() {
    for file in [
        "action.yml",
        ".github/workflows/ci.yml",
        ".github/workflows/release.yml",
    ] {
        let text = text(file);
        let mut scripts = 0;
        for block in text.split(" run: ").skip(1) {
            // A script is the line, or what stands deeper than the step below it.
            let indent = "          ";
            let line = block.lines().next().unwrap();
            let below = block
                .lines()
                .skip(1)
                .take_while(|line| line.starts_with(indent));
            let script = std::iter::once(line).chain(below.filter(|_| line == "|"));
            let script: Vec<&str> = script.collect();
            assert!(!script.concat().contains("${{"), "{file}: {script:#?}");
            scripts += 1;
        }
        assert!(scripts > 2, "{file}: {scripts} scripts");
    }
}

#[test]
fn what_is_released_is_what_is_installed() {
    let targets = |file: &str| -> BTreeSet<String> {
        let text = text(file);
        let words = text
            .split(|c: char| c.is_whitespace() || c == ';')
            .map(str::to_owned);
        let systems = ["-unknown-linux-", "-apple-darwin", "-pc-windows-"];
        let is_target = |word: &String| systems.iter().any(|system| word.contains(system));
        words.filter(is_target).collect()
    };
    assert_eq!(
        targets("install.sh"),
        targets(".github/workflows/release.yml")
    );
    assert_eq!(targets("install.sh").len(), 7);
    for (file, name) in [
        (
            "install.sh",
            "docker-registry-${version:-[0-9][^ ]*}-$target\\.tar\\.gz",
        ),
        (
            ".github/workflows/release.yml",
            "directory=docker-registry-$VERSION-$TARGET\n",
        ),
        (".github/workflows/release.yml", "\"$directory.tar.gz\""),
        (
            "Cargo.toml",
            "/download/v{ version }/docker-registry-{ version }-{ target }.tar.gz",
        ),
        (
            "Cargo.toml",
            "docker-registry-{ version }-{ target }/{ bin }{ binary-ext }",
        ),
    ] {
        assert!(text(file).contains(name), "{file}: {name}");
    }
}

#[test]
fn what_is_fuzzed_is_made_of_the_same_crates() {
    let crates = |file: &str, end: &str| -> String {
        let text = text(file);
        let start = text.find("[dependencies]\n").expect(file);
        let end = text.find(end).expect(file);
        text[start..end].to_owned()
    };
    assert_eq!(
        crates("tests/fuzz/Cargo.toml", "[dependencies.libfuzzer-sys]"),
        crates("Cargo.toml", "[dev-dependencies]"),
        "tests/fuzz/Cargo.toml wants the same"
    );
}

#[test]
fn the_projects_address_is_the_same_everywhere() {
    let repository = env!("CARGO_PKG_REPOSITORY");
    let install = text("install.sh");
    assert!(install.contains(&format!("\nrepository={repository}\n")));
    let project = repository
        .strip_prefix("https://github.com/")
        .expect("GitHub");
    let script = format!("https://raw.githubusercontent.com/{project}/main/install.sh");
    assert!(install.contains(&format!("curl -fsSL {script} | sh\n")));
    let report = format!("<{repository}/security/advisories/new>");
    assert!(text("SECURITY.md").contains(&report));
}

#[test]
fn the_package_holds_what_the_program_is_made_of() {
    let listed = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["package", "--list", "--allow-dirty", "--offline", "--quiet"])
        .output()
        .expect("cargo");
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).unwrap();
    // Written by cargo itself.
    let own = [".cargo_vcs_info.json", "Cargo.toml.orig"];
    let listed: BTreeSet<&str> = listed.lines().filter(|name| !own.contains(name)).collect();
    let mut expected = BTreeSet::new();
    for name in ["src", "man", "completions"] {
        files(&root().join(name), &mut expected);
    }
    for name in [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
    ] {
        expected.insert(name.to_owned());
    }
    let expected: BTreeSet<&str> = expected.iter().map(String::as_str).collect();
    assert_eq!(listed, expected);
}

/// What `cargo install` makes of the package, linked statically.
#[test]
#[cfg(target_os = "linux")]
fn a_release_needs_no_shared_library() {
    let path = root().join("target/static/bin/docker-registry");
    let Some(installed) = program(path.to_str().unwrap(), "none; tests/run makes it") else {
        return;
    };
    let Some(readelf) = program("/usr/bin/readelf", "binutils") else {
        return;
    };
    let output = readelf
        .args(["--dynamic", "--program-headers", "--wide"])
        .arg(&path)
        .run();
    let output = output.status(0).stderr("");
    for mark in ["(NEEDED)", "INTERP"] {
        assert!(!output.text().contains(mark), "{}", output.text());
    }
    let version = format!("docker-registry {}\n", env!("CARGO_PKG_VERSION"));
    installed.again(["--version"]).run().success(version);
    // The name is looked up without the system's library too.
    let registry = Registry::start();
    let image = Image::new("linux/amd64");
    image.push_to(&registry, "a", "v1");
    let name = registry.image("a:v1").replace("127.0.0.1", "localhost");
    installed
        .again(["digest", &name])
        .run()
        .success(format!("{}\n", image.digest()));
}

/// The files below a directory, by their path below the root.
fn files(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            let path = path.strip_prefix(root()).unwrap();
            found.insert(path.to_str().unwrap().to_owned());
        }
    }
}
