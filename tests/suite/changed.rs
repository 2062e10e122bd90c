//! `changed` remembers images and says which are new.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Output, Registry, Tool};

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
        let why = "seen.json: this is no file that --state has written";
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
