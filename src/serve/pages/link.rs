//! Links: to pages of our own, to the interface, and to the few addresses outside that are trusted.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a query as it is, so that images stay readable there.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'@');

/// A path with parameters; those without a value are left out.
pub(super) fn to(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    let mut between = '?';
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        link.push(between);
        link.push_str(name);
        link.push('=');
        link.extend(utf8_percent_encode(value, ESCAPED));
        between = '&';
    }
    link
}

/// The annotations whose value is the address of a page (image-spec, annotations.md).
const ADDRESSES: [&str; 3] = [
    "org.opencontainers.image.url",
    "org.opencontainers.image.source",
    "org.opencontainers.image.documentation",
];

/// Browsers take more, servers seldom do.
const LONGEST: usize = 2_000;

/// The value of a label or an annotation, if it may be linked to: an address of the web that has
/// nothing but what addresses have, and no user before its host, who could pass for another host.
pub(super) fn outside<'a>(name: &str, value: &'a str) -> Option<&'a str> {
    let rest = value.strip_prefix("https://").or(value.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"'<>\\^`{|}".contains(c);
    let is_address = !host.is_empty() && host.chars().all(is_host) && rest.chars().all(is_plain);
    (ADDRESSES.contains(&name) && is_address && value.len() <= LONGEST).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_stays_readable_and_cannot_end() {
        let image = "ghcr.io/a/b:v1@sha256:00";
        assert_eq!(to("/image", &[("image", image)]), format!("/image?image={image}"));
        let link = to("/x", &[("a", "1&b=2#\" <'>\u{202e}+%"), ("none", ""), ("c", "d")]);
        assert_eq!(link, "/x?a=1%26b%3D2%23%22%20%3C%27%3E%E2%80%AE%2B%25&c=d");
        assert_eq!(to("/x", &[]), "/x");
    }

    #[test]
    fn only_addresses_of_the_web_are_linked_to() {
        const SOURCE: &str = "org.opencontainers.image.source";
        for (name, value, is_linked) in [
            (SOURCE, "https://example.com/a?b=c#d", true),
            (SOURCE, "http://[::1]:80", true),
            ("org.opencontainers.image.title", "https://example.com", false),
            ("source", "https://example.com", false),
            (SOURCE, "javascript:alert(1)", false),
            (SOURCE, "HTTPS://example.com", false),
            (SOURCE, "data:text/html,x", false),
            (SOURCE, "//example.com", false),
            (SOURCE, "https:///example.com", false),
            (SOURCE, "https://github.com@evil.example/", false),
            (SOURCE, "https://github.com\\@evil.example/", false),
            (SOURCE, "https://example.com/\" onclick=", false),
            (SOURCE, "https://example.com/\u{202e}", false),
            (SOURCE, "https://examp\u{4c0}e.com/", false),
            (SOURCE, "https://example.com/a b", false),
            (SOURCE, "https://", false),
        ] {
            assert_eq!(outside(name, value).is_some(), is_linked, "{value}");
        }
    }
}
