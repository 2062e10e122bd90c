//! The JSON that `--raw` shows.

use serde_json::{Map, Value};

use super::{Child, Node};
use crate::content::{Descriptor, ManifestKind};
use crate::platform::Platform;

pub(super) fn of(name: &str, node: &Node, is_expanded: bool) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), name.into());
    object.insert("digest".to_owned(), node.document.digest().to_string().into());
    if let Some(platform) = node.config.as_ref().and_then(|it| Platform::read(it.json())) {
        object.insert("os".to_owned(), platform.os.into());
        object.insert("architecture".to_owned(), platform.architecture.into());
    }
    object.extend(body(node, is_expanded));
    object.into()
}

/// The manifest, in which descriptors are replaced by what they point to.
fn body(node: &Node, is_expanded: bool) -> Map<String, Value> {
    let mut object = match node.document.json() {
        Value::Object(object) => object.clone(),
        _ => Map::new(),
    };
    if node.document.kind() == ManifestKind::Index {
        let children = node.children.iter();
        let children = children.map(|(entry, child)| listed(entry, child, is_expanded));
        object.insert("manifests".to_owned(), children.collect());
    }
    if let (true, Some(config)) = (is_expanded, &node.config) {
        object.insert("config".to_owned(), config.json().clone());
    }
    object
}

/// The manifest with the fields of its entry in the index.
fn listed(entry: &Descriptor, child: &Child, is_expanded: bool) -> Value {
    let Child::Node(node) = child else {
        return entry.json.clone();
    };
    let mut object = Map::new();
    for name in ["digest", "size", "platform"] {
        if let Some(value) = entry.json.get(name) {
            object.insert(name.to_owned(), value.clone());
        }
    }
    object.extend(body(node, is_expanded));
    for (name, value) in entry.json["annotations"].as_object().into_iter().flatten() {
        let annotations = object.entry("annotations").or_insert_with(|| Map::new().into());
        if let Value::Object(annotations) = annotations {
            annotations.entry(name).or_insert_with(|| value.clone());
        }
    }
    object.into()
}
