//! Which of the names that exist was probably meant: the only user of strsim.

use crate::error::Error;

/// Asks in a hint whether `PREFIX` and the name closest to `word` was meant, if there is one.
pub(super) fn suggest<'a>(
    error: Error,
    word: &str,
    names: impl Iterator<Item = &'a str>,
    prefix: &str,
) -> Error {
    match closest(word, names) {
        Some(name) => error.hint(format!("did you mean '{prefix}{name}'?")),
        None => error,
    }
}

/// The name closest to `word` by typing errors, else the shortest that it begins.
fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, names).into_iter().next()
}

/// All that may be meant, the closest first: those that `word` begins come after the others.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let tolerated = (length / 3).clamp(1, 3);
    let mut near: Vec<_> = names
        .filter_map(|name| {
            // Swaps of neighbours count as one error.
            let errors = strsim::osa_distance(&word, name);
            let mistyped = errors <= tolerated && errors < length;
            let begun = length > 1 && name.starts_with(&word);
            (mistyped || begun).then_some((!mistyped, errors, name))
        })
        .collect();
    near.sort();
    near.into_iter().map(|(.., name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_found() {
        let names = ["tags", "manifest", "manifestlist", "id", "verifytool", "config"];
        for (word, meant) in [
            ("manifests", Some("manifest")),
            ("manifest-list", Some("manifestlist")),
            ("manif", Some("manifest")),
            ("tasg", Some("tags")),
            ("TAGS", Some("tags")),
            ("verify", Some("verifytool")),
            ("confgi", Some("config")),
            ("di", Some("id")),
            ("x", None),
            ("", None),
            ("ubuntu", None),
        ] {
            assert_eq!(closest(word, names.into_iter()), meant, "{word}");
        }
    }
}
