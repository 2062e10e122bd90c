//! What an object or an array holds, as it is written.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};

/// The members of an object; of several with one key the last counts.
pub(crate) fn members(bytes: &[u8]) -> Result<BTreeMap<String, &[u8]>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_slice(bytes).map_err(corrupt)?;
    Ok(members.into_iter().map(|(key, value)| (key, value.get().as_bytes())).collect())
}

/// The items of an array.
pub(crate) fn items(bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let items: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(corrupt)?;
    Ok(items.into_iter().map(|item| item.get().as_bytes()).collect())
}

fn corrupt(error: serde_json::Error) -> Error {
    Error::new(Kind::Corrupt, error.to_string())
}
