//! A run stays under 100 MB whatever registries answer; lists of names may have what they weigh.

#![cfg(target_os = "linux")]

use crate::harness::{Output, Registry, Response, Tool};

const MOST: usize = 100_000_000;

/// Runs it in no more memory than this.
#[track_caller]
fn within(most: usize, tool: &Tool) -> Output {
    let (output, peak) = tool.measured();
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
fn a_page_of_a_million_names_takes_what_they_weigh() {
    let names: Vec<String> = (0..1_000_000).map(|n| format!("\"v1.0.{n}-a\"")).collect();
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
fn what_stands_beside_the_names_takes_no_memory() {
    for item in ["[]", "{\"a\":0}"] {
        let body = page("{\"x\":", item, 8 << 20, ",\"tags\":[\"a\"]}");
        let registry = answering(TAGS, &body);
        let asked = Tool::new().args(["tags", &registry.image("a")]);
        within(MOST, &asked).success("[\"a\"]\n");
    }
}
