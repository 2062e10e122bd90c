//! `docker-registry inspect IMAGE...`: manifest-tool's report.

mod report;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Answer, Command, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec};
use crate::content::{Content, Descriptor, ManifestKind};
use crate::image::Budget;
use crate::parallel::Pool;
use crate::platform::Platform;
use crate::source::Source;

static EXPAND_CONFIG: Flag =
    Flag::switch("expand-config", "Replace the config descriptor by the configuration")
        .about("In the JSON form, which this option implies.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "inspect",
        operand: Operand::Images,
        help: "Show an image with all manifests of its index",
        about: "The report of manifest-tool. With `--raw` its JSON, indented by 4; `--json`, `--jq` and batches use the same JSON.

It also shows what manifest-tool leaves out. Below `manifests` each manifest has the `digest`, the `size` and the `platform` that its entry in the index has, and the annotations of both. `--expand-config` works for indexes too. An index in an index is opened, and its entries are numbered `[2.1]`. If an entry has no platform, it is read from the image's configuration. An image without a tag is `latest`.",
        flags: &[&EXPAND_CONFIG],
        examples: &[
            ("docker-registry inspect ubuntu:18.04", "platforms, digests and layers"),
            (
                "docker-registry inspect --raw --expand-config ubuntu:18.04",
                "manifests and configurations in one JSON document",
            ),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let is_expanded = invocation.args.has(&EXPAND_CONFIG);
    let tree =
        Tree { source: &*image.source, pool: &image.pool, budget: &image.budget, is_expanded };
    let node = tree.node(image.top_manifest()?.clone(), true, 0)?;
    let digest = node.document.digest().to_string();
    let mut json = Map::from_iter([
        ("name".to_owned(), image.text().into()),
        ("digest".to_owned(), digest.into()),
    ]);
    if let Some(platform) = node.platform() {
        json.insert("os".to_owned(), platform.os.into());
        json.insert("architecture".to_owned(), platform.architecture.into());
    }
    json.extend(body(&node, is_expanded));
    let json = Value::from(json);
    let text = match is_expanded || invocation.is_raw {
        true => indented(&json).into(),
        false => report::of(image.text(), &node),
    };
    Ok(Answer::text(text, json))
}

/// A manifest, and what it leads to.
struct Node {
    document: Arc<Content>,
    /// Only for images, and only if it is needed.
    config: Option<Arc<Content>>,
    /// The entries of an index, in its order.
    children: Vec<(Descriptor, Child)>,
}

impl Node {
    /// The configuration's.
    fn platform(&self) -> Option<Platform> {
        Platform::read(self.config.as_ref()?.json())
    }
}

enum Child {
    Node(Node),
    /// Listed, but missing: an index may be copied without some of its images.
    Missing,
    /// Of an unknown media type.
    Unknown,
}

struct Tree<'a> {
    source: &'a dyn Source,
    pool: &'a Pool,
    budget: &'a Budget,
    /// Whether configurations are fetched for all images.
    is_expanded: bool,
}

impl Tree<'_> {
    fn node(&self, document: Arc<Content>, with_config: bool, depth: usize) -> Result<Node> {
        let (mut children, mut config) = (Vec::new(), None);
        if document.kind() == ManifestKind::Index {
            let entries = self.budget.entries_again(&document, depth)?;
            children = self.pool.all(entries, |entry| {
                let child = self.child(&entry, depth)?;
                Ok((entry, child))
            })?;
        } else if with_config {
            config = self.config(&document)?;
        }
        Ok(Node { document, config, children })
    }

    fn child(&self, entry: &Descriptor, depth: usize) -> Result<Child> {
        if ManifestKind::of(&entry.media_type) == ManifestKind::Other {
            return Ok(Child::Unknown);
        }
        let document = match self.budget.manifest(self.source, entry) {
            Err(error) if error.kind() == Kind::NotFound => return Ok(Child::Missing),
            document => document?,
        };
        let with_config = self.is_expanded || entry.platform.is_none();
        self.node(document, with_config, depth + 1).map(Child::Node)
    }

    fn config(&self, manifest: &Content) -> Result<Option<Arc<Content>>> {
        if manifest.kind() == ManifestKind::Schema1 {
            return manifest.v1_compatibility().map(Arc::new).map(Some);
        }
        match manifest.config()? {
            Some(config) if config.is_image_config() => {
                self.budget.content(self.source, &config).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// The manifest, in which descriptors are replaced by what they point to.
fn body(node: &Node, is_expanded: bool) -> Map<String, Value> {
    let mut object = node.document.json().as_object().cloned().unwrap_or_default();
    if node.document.kind() == ManifestKind::Index {
        let children = node.children.iter().map(|(entry, child)| match child {
            Child::Node(node) => listed(entry, node, is_expanded),
            Child::Missing | Child::Unknown => entry.json.clone(),
        });
        object.insert("manifests".to_owned(), children.collect());
    }
    if let (true, Some(config)) = (is_expanded, &node.config) {
        object.insert("config".to_owned(), config.json().clone());
    }
    object
}

/// The manifest with the fields of its entry in the index.
fn listed(entry: &Descriptor, node: &Node, is_expanded: bool) -> Value {
    let said = ["digest", "size", "platform"].into_iter();
    let said = said.filter_map(|name| Some((name.to_owned(), entry.json.get(name)?.clone())));
    let mut object: Map<_, _> = said.chain(body(node, is_expanded)).collect();
    for (name, value) in entry.json["annotations"].as_object().into_iter().flatten() {
        let annotations = object.entry("annotations").or_insert_with(|| json!({}));
        if let Value::Object(annotations) = annotations {
            annotations.entry(name).or_insert_with(|| value.clone());
        }
    }
    object.into()
}

/// By four spaces, as manifest-tool does it.
fn indented(json: &Value) -> String {
    let by_two = format!("{json:#}");
    let lines = by_two.lines().map(|line| {
        let text = line.trim_start();
        format!("{}{text}", "  ".repeat(line.len() - text.len()))
    });
    lines.collect::<Vec<_>>().join("\n")
}
