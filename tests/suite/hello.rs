//! `tests/fixtures/hello`, a layout with one small program's images, equals what is made here.
//!
//! `BLESS=1 cargo test --test suite hello` writes it anew. Its tags:
//!
//! - `latest`: an OCI index, version 1.1.0: linux/amd64 with an attestation, linux/arm64/v8,
//!   linux/arm/v7, windows/amd64;
//! - `1.0`: a Docker manifest list, version 1.0.0: linux/amd64, linux/arm64/v8;
//! - `amd64`: the image for linux/amd64 that `latest` leads to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{Image, Index, Layout};

#[test]
fn hello_is_what_the_suite_makes() {
    let made = tempfile::tempdir().unwrap();
    make(made.path());
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hello");
    if std::env::var_os("BLESS").is_some() {
        fs::remove_dir_all(&fixture).ok();
        make(&fixture);
    }
    let (made, there) = (files(made.path()), files(&fixture));
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&there));
    let differs = made.iter().find(|(name, bytes)| there[*name] != **bytes);
    assert_eq!(
        differs.map(|(name, _)| name),
        None,
        "BLESS=1 writes it anew"
    );
}

/// The layout, with the same bytes on every machine.
pub fn make(path: &Path) {
    let layout = Layout::create(path);
    let amd64 = image("linux/amd64", "1.1.0").oci();
    let latest = Index::new()
        .image(amd64.clone())
        .attestation()
        .image(image("linux/arm64/v8", "1.1.0").oci())
        .image(image("linux/arm/v7", "1.1.0").oci())
        .image(image("windows/amd64:10.0.20348.2113", "1.1.0").oci())
        .oci();
    latest.push_to(&layout, "hello", "latest");
    let old = Index::new()
        .image(image("linux/amd64", "1.0.0"))
        .image(image("linux/arm64/v8", "1.0.0"));
    old.push_to(&layout, "hello", "1.0");
    amd64.push_to(&layout, "hello", "amd64");
}

/// Hello for one platform: a base that all of an operating system share, and the program.
fn image(platform: &str, version: &str) -> Image {
    let image = match platform.starts_with("windows") {
        false => Image::new(platform)
            .layer("etc/os-release", b"ID=hello\nNAME=\"Hello Linux\"\n")
            .layer("hello", &program("#!/bin/sh\necho", platform, version)),
        true => Image::new(platform)
            .layer("License.txt", b"Hello Windows is free to use.\n")
            .layer("hello.cmd", &program("@echo", platform, version)),
    };
    let source = "https://example.com/hello";
    image
        .label("maintainer", "hello@example.com")
        .label("org.opencontainers.image.title", "hello")
        .label("org.opencontainers.image.version", version)
        .label("org.opencontainers.image.source", source)
        .label("org.opencontainers.image.licenses", "Apache-2.0")
        .label("org.opencontainers.image.created", "2026-01-02T03:04:05Z")
        .in_config("author", json!("Hello <hello@example.com>"))
}

fn program(echo: &str, platform: &str, version: &str) -> Vec<u8> {
    format!("{echo} hello {version} for {platform}\n").into_bytes()
}

/// All files below a directory, by path.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(directory).unwrap().to_owned();
                    found.insert(name, fs::read(&path).unwrap());
                }
            }
        }
    }
    found
}
