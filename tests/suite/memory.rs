//! A run stays under 100 MB whatever registries answer; lists of names may have what they weigh.

#![cfg(target_os = "linux")]

use std::time::Duration;

use serde_json::json;

use crate::harness::{Image, Output, Registry, Response, Tool, sha256};

const MOST: usize = 100_000_000;

/// Runs it in no more memory than this.
#[track_caller]
fn within(most: usize, tool: &Tool) -> Output {
    // Megabytes of JSON take their time where nothing is optimized.
    let (output, peak) = tool.clone().limit(Duration::from_secs(120)).measured();
    let megabytes = peak / 1_000_000;
    assert!(peak <= most, "{megabytes} MB:\n{}", output.messages());
    output
}

/// A list of one page, with so many bytes of this thing, over and over.
fn page(before: &str, item: &str, length: usize, behind: &str) -> String {
    let items = vec![item; length / (item.len() + 1)].join(",");
    format!("{before}[{items}]{behind}")
}

/// A registry with one answer.
fn answering(path: &str, body: &str) -> Registry {
    let registry = Registry::start();
    registry.answer("GET", path, Response::new(200).body(body));
    registry
}

const TAGS: &str = "/v2/a/tags/list*";

#[test]
fn a_page_of_600_000_names_takes_what_they_weigh() {
    let names: Vec<String> = (0..600_000).map(|n| format!("\"v1.0.{n}-a\"")).collect();
    let names = names.join(",");
    for (path, key, command) in [
        (TAGS, "tags", "tags"),
        ("/v2/_catalog*", "repositories", "catalog"),
    ] {
        let body = format!("{{\"name\":\"a\",\"{key}\":[{names}]}}");
        let registry = answering(path, &body);
        let operand = match command {
            "tags" => registry.image("a"),
            _ => registry.host(),
        };
        let asked = Tool::new().args([command, &operand]);
        let output = within(MOST + names.len(), &asked).status(0).stderr("");
        assert!(output.text() == format!("[{names}]\n"));
    }
}

#[test]
fn names_are_in_memory_once_from_pages_to_output() {
    // Longer than those of most repositories, so that they outweigh all else.
    let name = |n: usize| format!("\"v{n:06}-{}\"", "x".repeat(90));
    let registry = Registry::start();
    for page in (0..100).rev() {
        let names: Vec<String> = (page * 1000..(page + 1) * 1000).map(name).collect();
        let answer = Response::new(200).body(format!("{{\"tags\":[{}]}}", names.join(",")));
        let next = format!("</v2/a/tags/list?page={}>; rel=\"next\"", page + 1);
        let (target, answer) = match page {
            0 => ("/v2/a/tags/list".to_owned(), answer.header("Link", next)),
            99 => ("/v2/a/tags/list?page=99".to_owned(), answer),
            _ => (
                format!("/v2/a/tags/list?page={page}"),
                answer.header("Link", next),
            ),
        };
        registry.answer("GET", &target, answer);
    }
    Image::new("linux/amd64").push_to(&registry, "b", "v1");
    for options in [&["--no-cache"][..], &[]] {
        let asked = |name| {
            Tool::new()
                .arg("tags")
                .args(options)
                .arg(registry.image(name))
        };
        let (_, least) = asked("b").measured();
        let (output, most) = asked("a").measured();
        let length = output.status(0).stderr("").stdout.len();
        assert_eq!(length, 100_000 * (name(0).len() + 1) + 2);
        let times = (most - least) as f64 / length as f64;
        assert!(times < 1.25, "{times} times the names");
    }
}

#[test]
fn what_stands_beside_the_names_takes_no_memory() {
    for item in ["[]", "{\"a\":0}"] {
        let body = page("{\"x\":", item, 8 << 20, ",\"tags\":[\"a\"]}");
        let registry = answering(TAGS, &body);
        let asked = Tool::new().args(["tags", &registry.image("a")]);
        within(MOST, &asked).success("[\"a\"]\n");
    }
}

/// A text of so many bytes that is an object with this thing over and over.
fn document(head: &str, item: &str, length: usize) -> String {
    page(&format!("{{{head}\"x\":"), item, length, "}")
}

/// A registry with so many images whose configuration is one of these; its images.
fn configured(count: usize, config: impl Fn(usize) -> String) -> (Registry, Vec<String>) {
    let registry = Registry::start();
    let image = Image::new("linux/amd64");
    let names = (0..count).map(|n| {
        let config = config(n);
        let descriptor = json!({
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": registry.blob("a", config.clone()),
            "size": config.len(),
        });
        let image = image.clone().in_manifest("config", descriptor);
        image.push_to(&registry, "a", &format!("v{n}"));
        registry.image(&format!("a:v{n}"))
    });
    let names = names.collect();
    (registry, names)
}

#[test]
fn large_documents_are_asked_for_one_after_the_other() {
    let text = format!("\"{}\"", "x".repeat(1 << 20));
    let config = |n: usize| document(&format!("\"n\":{n},"), &text, 8 << 20);
    let (_registry, names) = configured(6, config);
    let asked = |command: &str, jobs: &str| Tool::new().args([command, jobs]).args(&names);
    let labels: String = names
        .iter()
        .map(|name| format!("{}\n", json!({"image": name, "labels": {}})))
        .collect();
    let each = asked("labels", "-j64").arg("--no-cache");
    within(MOST, &each).success(&labels);
    let first = asked("config", "-j8");
    let output = within(MOST, &first).status(0).stderr("");
    assert_eq!(output.text().lines().count(), 6);
    // What is in the cache by now.
    let again = first.again(["labels", "-j8"]).args(&names);
    within(MOST, &again).success(&labels);
}

#[test]
fn documents_of_many_values_are_refused_in_little_memory() {
    let config = |n: usize| document(&format!("\"n\":{n},"), "[]", 1 << 20);
    let (_registry, names) = configured(6, config);
    for jobs in ["-j8", "-j64"] {
        let asked = Tool::new()
            .args(["config", "--no-cache", jobs])
            .args(&names);
        let output = within(MOST, &asked).status(6).stdout("");
        assert_eq!(output.messages().matches("MiB of memory").count(), 6);
    }
}

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[test]
fn an_answer_for_all_platforms_is_limited() {
    let registry = Registry::start();
    let label = "x".repeat(100_000);
    let image = Image::new("linux/amd64").oci().label("x", &label);
    let digest = image.push(&registry, "a", None);
    let entry = |n: usize| {
        let platform = json!({"os": "linux", "architecture": format!("arch{n}")});
        json!({"mediaType": MANIFEST, "digest": digest, "size": 2, "platform": platform})
    };
    let entries: Vec<_> = (0..5_000).map(entry).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
    registry.manifest("a", "v1", INDEX, index.to_string());
    let name = registry.image("a:v1");
    for jobs in ["-j1", "-j64"] {
        let asked = Tool::new().args(["labels", "--platform", "all", jobs, &name]);
        let output = within(MOST, &asked).status(1).stdout("");
        let why = "it would take more than 40 MiB of memory";
        output.stderr(format!("docker-registry: {name}: {why}\n"));
    }
}

#[test]
fn manifests_indexes_and_referrers_are_limited() {
    let registry = Registry::start();
    let digest = sha256("x");
    let entry =
        json!({"mediaType": MANIFEST, "digest": digest, "size": 2, "annotations": {"a": ""}});
    let index = page("{\"manifests\":", &entry.to_string(), 3 << 20, "}");
    let mut names = Vec::new();
    for n in 0..4 {
        let head = format!("\"schemaVersion\":2,\"n\":{n},");
        registry.manifest(
            "a",
            &format!("m{n}"),
            MANIFEST,
            document(&head, "1", 512 << 10),
        );
        let index = index.replacen('{', &format!("{{{head}"), 1);
        registry.manifest("a", &format!("i{n}"), INDEX, index);
        names.push(registry.image(&format!("a:m{n}")));
        names.push(registry.image(&format!("a:i{n}")));
    }
    registry.answer("GET", "/v2/a/referrers/*", Response::new(200).body(index));
    for args in [
        &["manifest", "-j8"][..],
        &["config", "--platform", "all", "-j64"],
        &["platforms", "-j64"],
        &["referrers", "-j64"],
    ] {
        let asked = Tool::new().args(args).arg("--no-cache").args(&names);
        let output = within(MOST, &asked);
        let messages = output.messages();
        assert!(
            messages.contains("need more than 24 MiB of memory"),
            "{messages}"
        );
    }
}

#[test]
fn pages_of_several_repositories_are_read_in_little_memory() {
    let registry = Registry::start();
    let names: Vec<String> = (0..40_000).map(|n| format!("\"v1.0.{n}-a\"")).collect();
    let mut images = Vec::new();
    for n in 0..6 {
        let body = format!("{{\"tags\":[{}]}}", names.join(",")) + &" ".repeat(4 << 20);
        let path = format!("/v2/a{n}/tags/list*");
        registry.answer("GET", &path, Response::new(200).body(body));
        images.push(registry.image(&format!("a{n}")));
    }
    for jobs in ["-j8", "-j64"] {
        let asked = Tool::new().args(["tags", jobs]).args(&images);
        let output = within(MOST, &asked).status(0).stderr("");
        assert_eq!(output.text().lines().count(), 6);
    }
}
