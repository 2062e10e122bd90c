//! A manifest list or index as bytes: the same as manifest-tool writes, so that the digest is the
//! same.
//!
//! That is Go's JSON: members in the order of the structs of docker/distribution and of image-spec,
//! two spaces of indentation, annotations sorted, `<`, `>` and `&` escaped, no newline at the end.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Entry;
use crate::content::{DOCKER_LIST, Descriptor, OCI_INDEX};
use crate::platform::Platform;

/// A Docker manifest list or an OCI index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexKind {
    Docker,
    Oci,
}

impl IndexKind {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            IndexKind::Docker => DOCKER_LIST,
            IndexKind::Oci => OCI_INDEX,
        }
    }

    fn descriptor(self, entry: &Entry) -> Value {
        let descriptor = &entry.descriptor;
        let mut json = Map::new();
        json.insert("mediaType".into(), descriptor.media_type.clone().into());
        let digest = descriptor.digest.to_string();
        match self {
            IndexKind::Docker => {
                json.insert("size".into(), descriptor.size.into());
                json.insert("digest".into(), digest.into());
                put(&mut json, "annotations", annotations_of(descriptor));
            }
            IndexKind::Oci => {
                json.insert("digest".into(), digest.into());
                json.insert("size".into(), descriptor.size.into());
                put(&mut json, "urls", descriptor.json["urls"].clone());
                put(&mut json, "annotations", annotations_of(descriptor));
                put(&mut json, "data", descriptor.json["data"].clone());
            }
        }
        json.insert("platform".into(), platform(&entry.platform));
        if self == IndexKind::Oci {
            let kind = descriptor.json["artifactType"].clone();
            put(&mut json, "artifactType", kind);
        }
        json.into()
    }
}

/// The index of these entries.
pub(super) fn bytes(
    kind: IndexKind,
    entries: &[Entry],
    annotations: &[(String, String)],
) -> Vec<u8> {
    let manifests: Vec<Value> = entries.iter().map(|entry| kind.descriptor(entry)).collect();
    let mut index = Map::new();
    index.insert("schemaVersion".into(), json!(2));
    index.insert("mediaType".into(), kind.media_type().into());
    index.insert("manifests".into(), manifests.into());
    let annotations: BTreeMap<_, _> = annotations.iter().cloned().collect();
    put(&mut index, "annotations", json!(annotations));
    let text = format!("{:#}", Value::from(index));
    // These characters occur only in strings, where Go escapes them.
    let escaped = [
        ("<", r"\u003c"),
        (">", r"\u003e"),
        ("&", r"\u0026"),
        ("\u{2028}", r"\u2028"),
        ("\u{2029}", r"\u2029"),
    ];
    let text =
        escaped.iter().fold(text, |text, (character, escape)| text.replace(character, escape));
    text.into_bytes()
}

fn platform(platform: &Platform) -> Value {
    let mut json = Map::new();
    json.insert("architecture".into(), platform.architecture.clone().into());
    json.insert("os".into(), platform.os.clone().into());
    put(&mut json, "os.version", json!(platform.os_version));
    put(&mut json, "os.features", json!(platform.os_features));
    put(&mut json, "variant", json!(platform.variant));
    json.into()
}

/// Sorted, as Go writes a map.
fn annotations_of(descriptor: &Descriptor) -> Value {
    let annotations = descriptor.json["annotations"].as_object();
    let sorted: BTreeMap<_, _> = annotations.into_iter().flatten().collect();
    json!(sorted)
}

/// Leaves out what is empty.
fn put(json: &mut Map<String, Value>, name: &str, value: Value) {
    let is_empty = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    if !is_empty {
        json.insert(name.to_owned(), value);
    }
}
