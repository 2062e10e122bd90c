//! Which of the names that exist was probably meant.

/// The name closest to `word` by typing errors, else the shortest that it begins.
pub(super) fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let tolerated = (length / 3).clamp(1, 3);
    names
        .filter_map(|name| {
            let errors = distance(&word, name);
            let mistyped = errors <= tolerated && errors < length;
            let begun = length > 1 && name.starts_with(&word);
            (mistyped || begun).then_some((!mistyped, errors, name))
        })
        .min()
        .map(|(.., name)| name)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_counted() {
        for (a, b, errors) in [
            ("", "", 0),
            ("labels", "labels", 0),
            ("", "tags", 4),
            ("lables", "labels", 1),
            ("label", "labels", 1),
            ("labelss", "labels", 1),
            ("lapels", "labels", 1),
            ("ca", "abc", 3),
            ("digest", "manifest", 4),
        ] {
            assert_eq!(distance(a, b), errors, "{a} {b}");
            assert_eq!(distance(b, a), errors, "{b} {a}");
        }
    }

    #[test]
    fn what_was_meant_is_found() {
        let names = [
            "tags",
            "manifest",
            "manifestlist",
            "id",
            "verifytool",
            "config",
        ];
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
