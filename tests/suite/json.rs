//! JSON from outside has limits, and comes out as it went in.

use serde_json::json;

use crate::harness::{Image, Layout, Registry, Response, Tool};

/// How deep it is read.
const DEPTH: usize = 1000;

/// An image whose label is nested so deep that its configuration has this depth.
fn nested(depth: usize) -> Image {
    let deep = (0..depth - 3).fold(json!([]), |inner, _| json!([inner]));
    Image::new("linux/amd64").in_config("config", json!({"Labels": deep}))
}

fn text(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn every_command_reads_to_the_same_depth() {
    let registry = Registry::start();
    let tool = Tool::new();
    let layout = Layout::create(&tool.work().join("layout"));
    for (tag, depth) in [("deep", DEPTH), ("deeper", DEPTH + 1)] {
        nested(depth).push_to(&registry, "a", tag);
        nested(depth).push_to(&layout, "", tag);
    }
    let names = |tag: &str| {
        [
            registry.image(&format!("a:{tag}")),
            format!("oci:layout:{tag}"),
        ]
    };
    for command in [
        &["config"][..],
        &["config", "-r"],
        &["config", "-q", "."],
        &["labels", "-r"],
        &["history"],
        &["config", "--platform=all"],
        &["inspect", "--expand-config"],
        &["verifytool"],
        &["platforms", "--json"],
    ] {
        for name in names("deep") {
            let _ = tool.again(command).arg(name).run().status(0).stderr("");
        }
        for name in names("deeper") {
            let output = tool.again(command).arg(name).run();
            let said = output.messages() + output.text();
            assert_eq!(output.code, Some(6), "{command:?}: {said}");
            assert!(said.contains("nested deeper than 1000 levels"), "{said}");
        }
    }
    let [name, layout] = names("deep");
    let labels = tool.again(["labels", "-r", &name]).run();
    labels.success(text(DEPTH - 2) + "\n");
    let diff = tool.again(["diff", "-r", &name, &layout]).run();
    let _ = diff.stderr("");
    let both = tool.again(["config", &name, &layout]).run();
    let _ = both.status(0).stderr("");
}

#[test]
fn what_a_document_becomes_has_a_limit() {
    let registry = Registry::start();
    let kind = Image::new("linux/amd64").media_type();
    for (tag, item) in [("lists", "[]"), ("objects", "{\"a\":0}"), ("numbers", "1")] {
        let items = vec![item; (3 << 20) / (item.len() + 1) - 100].join(",");
        let body = format!("{{\"schemaVersion\":2,\"x\":[{items}]}}");
        registry.manifest("a", tag, kind, body);
        let asked = Tool::new().args(["manifest", "-r", &registry.image(&format!("a:{tag}"))]);
        let output = asked.run().status(6).stdout("");
        let message = output.messages();
        assert!(
            message.contains("need more than 24 MiB of memory"),
            "{message}"
        );
    }
    let items = vec!["[]"; 1 << 18].join(",");
    let page = Response::new(200).body(format!("{{\"tags\":[{items}]}}"));
    registry.answer("GET", "/v2/a/tags/list", page);
    let output = Tool::new().args(["tags", &registry.image("a")]).run();
    let message = output.status(1).stdout("").messages();
    assert!(message.contains("has no list of names 'tags'"), "{message}");
}

#[test]
fn numbers_and_names_stand_as_they_are_written() {
    let registry = Registry::start();
    let digits = "7".repeat(100_000);
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","config":{{"Labels":{{"$serde_json::private::Number":"1","n":{digits},"e":1e+999999999}}}}}}"#
    );
    let kind = "application/vnd.docker.container.image.v1+json";
    let digest = registry.blob("a", config.clone());
    let manifest = json!({
        "schemaVersion": 2,
        "config": {"mediaType": kind, "digest": digest, "size": config.len()},
        "layers": [],
    });
    let media_type = Image::new("linux/amd64").media_type();
    registry.manifest("a", "v1", media_type, manifest.to_string());
    let name = registry.image("a:v1");
    let tool = Tool::new();
    tool.again(["config", "-r", &name]).run().success(&config);
    let labels =
        format!("{{\"$serde_json::private::Number\":\"1\",\"n\":{digits},\"e\":1e+999999999}}\n");
    tool.again(["labels", "-r", &name]).run().success(&labels);
    let all = tool.again(["labels", "-r", "--platform=all", &name]).run();
    all.success(format!("{{\"linux/amd64\":{}}}\n", labels.trim_end()));
    let both = tool.again(["labels", &name, &name]).run().status(0);
    assert_eq!(both.text().lines().count(), 2);
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    let registry = Registry::start();
    let kind = Image::new("linux/amd64").media_type();
    let body = r#"{"schemaVersion":2,"a":"\ud800"}"#;
    registry.manifest("a", "v1", kind, body);
    let asked = Tool::new().args(["manifest", &registry.image("a:v1")]);
    let message = asked.run().status(6).stdout("").messages();
    assert!(message.contains("an escape that is none"), "{message}");
}
