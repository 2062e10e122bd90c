//! The images asked for before, for completions.

use std::collections::BTreeSet;

use crate::cli::Args;
use crate::context;
use crate::reference::{Reference, TagOrDigest};
use crate::source::Namespace;

/// Those that start with `prefix`, in the form in which they do, sorted; from the cache alone.
pub(super) fn images_asked_for(args: &Args, prefix: &str) -> Vec<String> {
    let Some(cache) = context::cache(args) else {
        return Vec::new();
    };
    let keys = cache.keys(Namespace::Tags);
    let images: BTreeSet<String> = keys.iter().filter_map(|key| named(key, prefix)).collect();
    images.into_iter().collect()
}

/// The first of an image's names that starts with `prefix`. Keys are `HOST/NAME:TAG ACCEPT`, of
/// lists of tags `HOST/NAME`.
fn named(key: &str, prefix: &str) -> Option<String> {
    let key = key.split(' ').next().unwrap_or_default();
    let reference: Reference = key.parse().ok()?;
    let is_latest = reference.at == TagOrDigest::Tag("latest".to_owned());
    let short = is_latest.then(|| reference.place.to_string());
    let names = [short, Some(reference.to_string()), Some(key.to_owned())];
    names.into_iter().flatten().find(|name| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_users_name_them() {
        for (key, prefix, expected) in [
            ("docker.io/library/ubuntu:18.04", "", Some("ubuntu:18.04")),
            ("docker.io/library/ubuntu:18.04 a,b", "ub", Some("ubuntu:18.04")),
            ("docker.io/library/ubuntu:latest", "ub", Some("ubuntu")),
            ("docker.io/library/ubuntu:latest", "ubuntu:", Some("ubuntu:latest")),
            ("docker.io/library/ubuntu", "ub", Some("ubuntu")),
            ("docker.io/sphinxdoc/sphinx:4.4.0", "sph", Some("sphinxdoc/sphinx:4.4.0")),
            (
                "docker.io/library/ubuntu:18.04",
                "docker.io/",
                Some("docker.io/library/ubuntu:18.04"),
            ),
            ("localhost:5000/a:v1", "localhost:5", Some("localhost:5000/a:v1")),
            ("example.com/a", "example.com/a", Some("example.com/a")),
            ("docker.io/library/ubuntu:18.04", "alpine", None),
            ("NOT/", "", None),
        ] {
            assert_eq!(named(key, prefix).as_deref(), expected, "{key} {prefix}");
        }
    }
}
