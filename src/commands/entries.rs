//! What is told of a file in an image.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::content::Layer;
use crate::filesystem::Entry;

/// `{type, mode, uid, gid, size, modified, link, layer}`
pub(super) fn members(entry: &Entry, layers: &[Layer]) -> Map<String, Value> {
    let link = Some(&*entry.link).filter(|link| !link.is_empty());
    let members = [
        ("type", json!(entry.kind.name())),
        ("mode", json!(format!("{:04o}", entry.mode))),
        ("uid", json!(entry.uid)),
        ("gid", json!(entry.gid)),
        ("size", json!(entry.size)),
        ("modified", json!(date(entry))),
        ("link", json!(link)),
        ("layer", json!(layers[entry.layer as usize].digest.to_string())),
    ];
    members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// As RFC 3339 writes it; the last second that it can write if there is no such date.
pub(super) fn date(entry: &Entry) -> String {
    Timestamp::from_second(entry.modified).unwrap_or(Timestamp::MAX).to_string()
}
