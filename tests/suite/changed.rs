//! `changed` remembers images and says which are new.

use serde_json::{Value, json};

use crate::harness::{Fault, Image, Index, Output, Registry, Tool};

fn image(platform: &str, version: &str) -> Image {
    let image = Image::new(platform).label("version", version);
    image.layer("app", version.as_bytes())
}

fn list(amd64: &str, arm64: &str) -> Index {
    let list = Index::new().image(image("linux/amd64", amd64));
    list.image(image("linux/arm64", arm64))
}

fn changed(tool: &Tool, image: &str) -> Output {
    let args = ["changed", "--state", "seen.json", "--arch", "amd64"];
    tool.again(args).arg(image).run()
}

#[track_caller]
fn status(tool: &Tool, image: &str) -> String {
    let output = changed(tool, image);
    let status = output.json()["status"].as_str().unwrap().to_owned();
    let code = if status == "unchanged" { 8 } else { 0 };
    output.status(code).stderr("");
    status
}

#[test]
fn an_image_is_new_then_unchanged_then_updated() {
    let registry = Registry::start();
    let first = list("1", "1");
    first.push_to(&registry, "a", "v1");
    let tool = Tool::new();
    let name = registry.image("a:v1");
    let output = changed(&tool, &name).status(0).stderr("");
    let amd64 = image("linux/amd64", "1");
    let mut expected = json!({
        "name": registry.image("a"),
        "tag": "v1",
        "mimeType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "digest": first.digest(),
        "created": "2026-01-02T03:04:05Z",
        "dockerVersion": null,
        "labels": {"version": "1"},
        "layers": [crate::harness::sha256(&amd64.layers()[0])],
        "platform": "linux/amd64",
        "status": "new",
    });
    assert_eq!(output.json(), expected);
    registry.take();
    let output = changed(&tool, &name).status(8).stderr("");
    expected["status"] = "unchanged".into();
    assert_eq!(output.json(), expected);
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
    list("2", "1").push_to(&registry, "a", "v1");
    assert_eq!(status(&tool, &name), "update");
    assert_eq!(status(&tool, &name), "unchanged");
}

#[test]
fn of_a_list_only_the_entry_for_the_platform_counts() {
    let registry = Registry::start();
    list("1", "1").push_to(&registry, "a", "v1");
    let tool = Tool::new();
    let name = registry.image("a:v1");
    assert_eq!(status(&tool, &name), "new");
    let moved = list("1", "2").push_to(&registry, "a", "v1");
    let output = changed(&tool, &name).status(8).stderr("");
    let json = output.json();
    assert_eq!(
        (&json["status"], &json["digest"]),
        (&json!("unchanged"), &json!(moved))
    );
    // The new digest is remembered: now one request is enough.
    registry.take();
    assert_eq!(status(&tool, &name), "unchanged");
    assert_eq!(registry.take(), ["HEAD /v2/a/manifests/v1"]);
    let arm64 = tool.again(["changed", "--state", "seen.json", "--arch", "arm64", &name]);
    assert_eq!(arm64.run().status(0).json()["status"], "new");
    // A single image is not compared with a list.
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    assert_eq!(status(&tool, &name), "update");
}

#[test]
fn each_platform_is_remembered_for_itself() {
    let registry = Registry::start();
    list("1", "1").push_to(&registry, "a", "v1");
    let tool = Tool::new();
    let all = ["changed", "--state", "seen.json", "--platform", "all", "-r"];
    let all = tool.again(all).args(["-q", "map_values(.status)"]);
    let all = all.arg(registry.image("a:v1"));
    let said = |amd64: &str, arm64: &str| {
        format!("{{\"linux/amd64\":\"{amd64}\",\"linux/arm64\":\"{arm64}\"}}\n")
    };
    all.run().success(said("new", "new"));
    list("1", "2").push_to(&registry, "a", "v1");
    all.run().success(said("unchanged", "update"));
    let output = all.run().status(8).stderr("");
    output.stdout(said("unchanged", "unchanged"));
}

#[test]
fn a_batch_has_changed_if_one_of_it_has() {
    let registry = Registry::start();
    let names: Vec<String> = (0..20)
        .map(|n| registry.image(&format!("a:v{n}")))
        .collect();
    for n in 0..20 {
        image("linux/amd64", &n.to_string()).push_to(&registry, "a", &format!("v{n}"));
    }
    let tool = Tool::new().file("work/images", names.join("\n"));
    let batch = tool.again(["changed", "--state", "seen.json", "--images", "images"]);
    let batch = batch.args(["-q", ".status", "--arch", "amd64"]);
    batch.run().success("new\n".repeat(20));
    batch
        .run()
        .status(8)
        .stdout("unchanged\n".repeat(20))
        .stderr("");
    image("linux/amd64", "x").push_to(&registry, "a", "v0");
    let output = format!("update\n{}", "unchanged\n".repeat(19));
    batch.run().success(output);
    assert_eq!(tool.files(), ["images", "seen.json", "seen.json.lock"]);
}

#[test]
fn several_processes_lose_no_entries() {
    let registry = Registry::start();
    let tool = Tool::new();
    for n in 0..8 {
        let tag = format!("v{n}");
        image("linux/amd64", &tag).push_to(&registry, "a", &tag);
    }
    let start = |n: i32| {
        let name = registry.image(&format!("a:v{n}"));
        let args = ["changed", "--state", "seen.json", "--arch", "amd64", &name];
        tool.again(args).spawn()
    };
    let running = Vec::from_iter((0..8).map(start));
    for process in running {
        process.wait().status(0).stderr("");
    }
    let state = std::fs::read(tool.work().join("seen.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    let images = state["images"].as_object().unwrap();
    assert_eq!(images.len(), 8, "{state}");
}

#[test]
fn a_name_with_tag_and_digest_keeps_both() {
    let registry = Registry::start();
    let digest = image("linux/amd64", "1").push_to(&registry, "a", "v1");
    image("linux/amd64", "2").push_to(&registry, "a", "v1");
    let tool = Tool::new();
    let json = changed(&tool, &registry.image(&format!("a:v1@{digest}")));
    let json = json.status(0).stderr("").json();
    assert_eq!(
        (&json["tag"], &json["digest"]),
        (&json!("v1"), &json!(digest))
    );
    assert_eq!(json["labels"], json!({"version": "1"}));
    assert_eq!(status(&tool, &registry.image("a:v1")), "new");
}

#[test]
fn a_pinned_image_is_compared_with_its_tag() {
    let registry = Registry::start();
    let first = list("1", "1");
    let pinned = first.push_to(&registry, "a", "v1");
    let entry = image("linux/arm64", "1").digest();
    let tool = Tool::new();
    let ask = |digest: &str| {
        let name = registry.image(&format!("a:v1@{digest}"));
        registry.take();
        let output = tool.again(["changed", "--no-cache", "-r", &name]).run();
        (output, registry.take().len())
    };
    let said = |digest: &str, pinned: &str, status: &str| {
        let name = registry.image("a");
        format!(
            "{{\"name\":\"{name}\",\"tag\":\"v1\",\
             \"mimeType\":\"application/vnd.docker.distribution.manifest.list.v2+json\",\
             \"digest\":\"{digest}\",\"pinned\":\"{pinned}\",\"status\":\"{status}\"}}\n"
        )
    };
    let (output, requests) = ask(&pinned);
    output
        .status(8)
        .stdout(said(&pinned, &pinned, "unchanged"))
        .stderr("");
    assert_eq!(requests, 1);
    let (output, requests) = ask(&entry);
    output
        .status(8)
        .stdout(said(&pinned, &entry, "unchanged"))
        .stderr("");
    assert_eq!(requests, 2);
    let moved = list("2", "2").push_to(&registry, "a", "v1");
    let (output, _) = ask(&pinned);
    output.success(said(&moved, &pinned, "update"));
    let (output, _) = ask(&entry);
    output.success(said(&moved, &entry, "update"));
}

#[test]
fn without_anything_to_compare_with_it_is_a_usage_error() {
    for name in [
        "ubuntu",
        "ubuntu:18.04",
        &format!("ubuntu@sha256:{}", "0".repeat(64)),
    ] {
        let why = "changed wants --state FILE, or an image with a tag and a digest";
        let output = Tool::new().args(["changed", name]).run();
        output.fails(2, format!("docker-registry: {name}: {why}\n"));
    }
}

#[test]
fn a_file_of_another_kind_is_left_alone() {
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    for content in ["{\"a\": 1}", "images:", "[]", "{\"images\": {\"a\": 1}}"] {
        let tool = Tool::new().file("work/seen.json", content);
        let why = "seen.json: not a file that --state wrote";
        changed(&tool, &name).fails(1, format!("docker-registry: {name}: {why}\n"));
        let kept = std::fs::read_to_string(tool.work().join("seen.json")).unwrap();
        assert_eq!(kept, content);
    }
    let tool = Tool::new().file("work/seen.json", "\n");
    assert_eq!(status(&tool, &name), "new");
    let missing = tool.again(["changed", "--state", "no/seen.json", &name]);
    let why = "no/seen.json: no such file or directory";
    missing
        .run()
        .fails(1, format!("docker-registry: {name}: {why}\n"));
}

/// A second run has the same to tell as the one that could not.
#[test]
fn what_could_not_be_printed_is_told_again() {
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    image("linux/amd64", "2").push_to(&registry, "a", "v2");
    let names = ["a:v1", "a:v2"].map(|name| registry.image(name));
    for names in [&names[..1], &names] {
        let tool = Tool::new();
        let args = ["changed", "--state", "seen.json", "--arch", "amd64"];
        let changed = tool.again(args).args(names);
        let full = changed.clone().stdout_to("/dev/full").run().status(1);
        assert!(full.messages().contains("standard output: no space left"));
        changed.clone().closed_stdout().run().success("");
        let filtered = changed.clone().args(["-q", ".status, error(\"no\")"]);
        filtered.run().status(1);
        assert!(!tool.work().join("seen.json").exists());
        let status = changed.clone().args(["-q", ".status"]);
        status.run().success("new\n".repeat(names.len()));
        let unchanged = "unchanged\n".repeat(names.len());
        status.run().status(8).stdout(unchanged).stderr("");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_forgets_only_what_was_not_printed() {
    let registry = Registry::start();
    let tags = ["v1", "v2"];
    for tag in tags {
        image("linux/amd64", tag).push_to(&registry, "a", tag);
    }
    let names = tags.map(|tag| registry.image(&format!("a:{tag}")));
    let tool = Tool::new();
    let args = ["changed", "-j1", "--state", "seen.json", "--arch", "amd64"];
    let status = tool.again(args).args(["-q", ".status"]).args(&names);
    registry.fail("/v2/a/manifests/v2", Fault::Stall);
    let mut running = status.spawn();
    // Written within a second, while the other image keeps it waiting.
    while !tool.work().join("seen.json").exists() {
        std::thread::yield_now();
    }
    running.interrupt();
    let output = running.wait();
    assert_eq!((output.code, output.text()), (None, "new\n"));
    status.run().success("unchanged\nnew\n");
}

/// The file is not rewritten for each of many images.
#[cfg(target_os = "linux")]
#[test]
fn a_batch_writes_the_file_a_few_times() {
    const IMAGES: u64 = 200;
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    let digest = image("linux/amd64", "1").digest();
    let name = |n: u64| registry.image(&format!("a:v{n}@{digest}"));
    let mut names: Vec<String> = (0..IMAGES).map(name).collect();
    names.push(registry.image("a:last"));
    registry.fail("/v2/a/manifests/last", Fault::Stall);
    let tool = Tool::new().file("work/images", names.join("\n"));
    let args = ["changed", "--state", "seen.json", "--images", "images"];
    let mut running = tool.again(args).args(["-q", ".status"]).spawn();
    let state = tool.work().join("seen.json");
    let remembered = || {
        let state = std::fs::read(&state).unwrap_or_default();
        let state: Value = serde_json::from_slice(&state).unwrap_or_default();
        state["images"].as_object().map_or(0, |images| images.len())
    };
    while remembered() < IMAGES as usize {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let io = std::fs::read_to_string(format!("/proc/{}/io", running.id())).unwrap();
    running.kill();
    let _ = running.wait();
    let written = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    let written: u64 = written.unwrap().parse().unwrap();
    let size = std::fs::metadata(&state).unwrap().len();
    // Once for each image would be a hundred times its size.
    assert!(written < 20 * size, "{written} bytes for {size}");
}

/// An image that is named twice has one state.
#[test]
fn what_has_just_been_told_is_known() {
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let args = ["changed", "-j1", "--state", "seen.json", "-q", ".status"];
    let twice = Tool::new().args(args).args([&name, &name]);
    let output = twice.run().status(0).stderr("");
    assert!(["new\nnew\n", "new\nunchanged\n"].contains(&output.text()));
    let said = "unchanged\nunchanged\n";
    twice.run().status(8).stdout(said).stderr("");
}

#[cfg(unix)]
#[test]
fn only_a_file_is_replaced_by_the_state() {
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let refused = |tool: &Tool, why: &str| {
        let expected = format!("docker-registry: {name}: seen.json: {why}\n");
        changed(tool, &name).fails(1, expected);
    };
    let tool = Tool::new();
    let at = |name: &str| tool.work().join(name);
    let make = Tool::program("/usr/bin/mkfifo").arg(at("seen.json"));
    make.run().success("");
    refused(&tool, "not a file");
    assert!(
        std::fs::symlink_metadata(at("seen.json"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
    // A link to it is no better.
    std::fs::rename(at("seen.json"), at("fifo")).unwrap();
    symlink("fifo", at("seen.json")).unwrap();
    refused(&tool, "not a file");
    std::fs::remove_file(at("seen.json")).unwrap();
    symlink("nothing", at("seen.json")).unwrap();
    refused(&tool, "a link that leads to nothing");
    // A link to a file stays one, and nobody becomes its owner by running it.
    std::fs::write(at("nothing"), "").unwrap();
    let permissions = std::fs::Permissions::from_mode(0o6750);
    std::fs::set_permissions(at("nothing"), permissions).unwrap();
    assert_eq!(status(&tool, &name), "new");
    assert_eq!(status(&tool, &name), "unchanged");
    assert!(at("seen.json").is_symlink());
    assert_eq!(
        std::fs::metadata(at("nothing")).unwrap().mode() & 0o7777,
        0o750
    );
}

#[cfg(unix)]
#[test]
fn a_lock_is_ours_or_refused() {
    use std::os::unix::fs::symlink;
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let tool = Tool::new().file("work/other", "precious");
    let lock = tool.work().join("seen.json.lock");
    let refused = |why: &str| {
        let expected = format!("docker-registry: {name}: seen.json: {why}\n");
        changed(&tool, &name).fails(1, expected);
        std::fs::remove_file(&lock).unwrap();
    };
    symlink("other", &lock).unwrap();
    refused("a link, not a file");
    std::fs::hard_link(tool.work().join("other"), &lock).unwrap();
    refused("a file with several names");
    let make = Tool::program("/usr/bin/mkfifo").arg(&lock);
    make.run().success("");
    refused("not a file");
    assert_eq!(
        std::fs::read(tool.work().join("other")).unwrap(),
        b"precious"
    );
    assert_eq!(status(&tool, &name), "new");
}

#[test]
fn a_lock_that_is_held_says_by_whom_and_ends() {
    let registry = Registry::start();
    image("linux/amd64", "1").push_to(&registry, "a", "v1");
    let name = registry.image("a:v1");
    let tool = Tool::new().file("work/seen.json.lock", "4711\n");
    let lock = std::fs::File::open(tool.work().join("seen.json.lock")).unwrap();
    lock.lock().unwrap();
    let args = [
        "changed",
        "--state",
        "seen.json",
        "--timeout=1",
        "-q",
        ".status",
    ];
    let why = "seen.json: seen.json.lock: process 4711 has had the lock for 1 s";
    let output = tool.again(args).arg(&name).run().status(1).stdout("new\n");
    output.stderr(format!("docker-registry: {why}\n"));
    drop(lock);
    let again = tool.again(args).arg(&name);
    let running = again.spawn();
    let id = running.id();
    running.wait().success("new\n");
    let named = std::fs::read_to_string(tool.work().join("seen.json.lock")).unwrap();
    assert_eq!(named, format!("{id}\n"));
}

/// Whoever has read what was to be read may go away, while others are still asked for.
#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_forgets_only_what_was_not_printed() {
    let registry = Registry::start();
    for tag in ["v1", "v2"] {
        image("linux/amd64", tag).push_to(&registry, "a", tag);
    }
    registry.fail("/v2/a/manifests/v2", Fault::Stall);
    let names = ["a:v1", "a:v2"].map(|name| registry.image(name));
    let program = env!("CARGO_BIN_EXE_docker-registry");
    let piped = Tool::program("/bin/sh").args(["-c", "\"$@\" | head -n 1", "sh", program]);
    let args = ["changed", "-j1", "--state", "seen.json", "--arch", "amd64"];
    let piped = piped.args(args).args(["-q", ".status"]).args(&names);
    piped.run().success("new\n");
    // The first run may have ended before it asked for the second image.
    registry.forgive();
    let again = Tool::new().args(args).args(["-q", ".status"]).args(&names);
    let seen = std::fs::read(piped.work().join("seen.json")).unwrap();
    let again = again.file("work/seen.json", seen);
    again.run().success("unchanged\nnew\n");
}
