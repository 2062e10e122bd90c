//! A manifest list or index as bytes: the same as manifest-tool writes, so that the digest is the
//! same.
//!
//! That is Go's JSON: members in the order of the structs of docker/distribution and of image-spec,
//! two spaces of indentation, annotations sorted, `<`, `>` and `&` escaped, no newline at the end.

use std::collections::BTreeMap;

use serde_json::{Value, json};

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
}

/// The index of these entries.
pub(super) fn bytes(
    kind: IndexKind,
    entries: &[Descriptor],
    annotations: &[(String, String)],
) -> Vec<u8> {
    let annotations: BTreeMap<_, _> = annotations.iter().cloned().collect();
    let index = object([
        ("schemaVersion", json!(2)),
        ("mediaType", kind.media_type().into()),
        ("manifests", entries.iter().map(|entry| descriptor(kind, entry)).collect()),
        ("annotations", json!(annotations)),
    ]);
    // These characters occur only in strings, where Go escapes them.
    let escaped = [
        ("<", r"\u003c"),
        (">", r"\u003e"),
        ("&", r"\u0026"),
        ("\u{2028}", r"\u2028"),
        ("\u{2029}", r"\u2029"),
    ];
    let text =
        escaped.iter().fold(format!("{index:#}"), |text, (c, escape)| text.replace(c, escape));
    text.into_bytes()
}

fn descriptor(kind: IndexKind, entry: &Descriptor) -> Value {
    let annotations = entry.json["annotations"].as_object();
    // Sorted, as Go writes a map.
    let annotations: BTreeMap<_, _> = annotations.into_iter().flatten().collect();
    let media_type = ("mediaType", json!(entry.media_type));
    let digest = ("digest", json!(entry.digest.to_string()));
    let size = ("size", json!(entry.size));
    let annotations = ("annotations", json!(annotations));
    let platform = ("platform", entry.platform.as_ref().map(Platform::json).into());
    let given = |name| (name, entry.json[name].clone());
    match kind {
        IndexKind::Docker => object([media_type, size, digest, annotations, platform]),
        IndexKind::Oci => object([
            media_type,
            digest,
            size,
            given("urls"),
            annotations,
            given("data"),
            platform,
            given("artifactType"),
        ]),
    }
}

/// Without what is empty.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let empty = [Value::Null, json!([]), json!({})];
    let members = members.into_iter().filter(|(_, value)| !empty.contains(value));
    members.map(|(name, value)| (name.to_owned(), value)).collect()
}
