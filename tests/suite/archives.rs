//! Archives from a pipe.

use std::fs;
use std::path::Path;

use crate::harness::{Image, Layout, Tool, gzip, tar};

/// A layout of two images, in a tar.
fn archive(tool: &Tool) -> Vec<u8> {
    let place = tool.home().join("layout");
    let layout = Layout::create(&place);
    for tag in ["v1", "v2"] {
        Image::new("linux/amd64")
            .label("tag", tag)
            .layer(tag, b"a")
            .push_to(&layout, "", tag);
    }
    let mut files = Vec::new();
    collect(&place, "", &mut files);
    let files: Vec<_> = files
        .iter()
        .map(|(name, bytes)| (&**name, &**bytes))
        .collect();
    tar(&files)
}

fn collect(directory: &Path, before: &str, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{before}{}", path.file_name().unwrap().to_str().unwrap());
        match path.is_dir() {
            true => collect(&path, &format!("{name}/"), files),
            false => files.push((name, fs::read(&path).unwrap())),
        }
    }
}

#[test]
fn standard_input_is_one_archive_for_all_its_images() {
    let tool = Tool::new();
    let plain = archive(&tool);
    for bytes in [gzip(&plain), plain] {
        let tool = tool.clone().stdin(bytes);
        let [one, two] = ["oci-archive:-:v1", "oci-archive:-:v2"];
        let tags = tool.again(["tags", "oci-archive:-"]).run();
        tags.success("[\"v1\",\"v2\"]\n");
        let labels = tool.again(["labels", "-q", ".tag", one, two]).run();
        labels.success("v1\nv2\n");
        let verified = tool.again(["verifytool", "--layers", "-q", "map(.passed) | all", one]);
        verified.run().success("true\n");
        let differs = tool.again(["diff", "-q", "length > 0", one, two]).run();
        differs.status(8).stdout("true\n").stderr("");
        let listed = tool.clone().file("work/images", format!("{two}\n"));
        let listed = listed.again(["labels", "-q", ".tag", "--images", "images"]);
        listed.run().success("v2\n");
    }
    let left = fs::read_dir(tool.home().join("tmp")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn standard_input_is_read_for_one_thing() {
    let why = "standard input cannot be an archive and something else";
    let archive = "oci-archive:-:v1";
    let tool = Tool::new().stdin("x\n");
    for (args, about) in [
        (&["labels", "--images", "-", archive][..], "--images"),
        (
            &["labels", "--password-stdin", "-u", "me", archive],
            archive,
        ),
        (
            &["labels", "--password-stdin", "-u", "me", archive, "a.b/c"],
            archive,
        ),
        (
            &[
                "diff",
                "--password-stdin",
                "-u",
                "me",
                "a.b/c",
                "docker-archive:-:a/b:1",
            ],
            "docker-archive:-:a/b:1",
        ),
    ] {
        let expected = format!("docker-registry: {about}: {why}\n");
        tool.again(args).run().fails(2, expected);
    }
    let listed = tool
        .clone()
        .stdin(archive)
        .args(["labels", "--images", "-"])
        .run();
    listed.fails(2, format!("docker-registry: {archive}: {why}\n"));
    let terminal = tool.again(["labels", archive]).terminal(&[]);
    let why = "standard input is a terminal, not an archive";
    terminal
        .status(2)
        .stdout(format!("docker-registry: {archive}: {why}\n"));
}
