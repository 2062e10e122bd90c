//! URLs and headers as traces show them: only what is known to let nobody in.

use super::super::url::Url;

/// The parameters of a query whose values are shown.
const PARAMETERS: &str = "n ns last scope service digest mount from artifactType";

/// The headers of an answer whose values are shown; in lower case.
const HEADERS: &str = "\
    accept-ranges age allow api-version cache-control connection content-disposition \
    content-encoding content-length content-range content-type date docker-content-digest \
    docker-distribution-api-version docker-ratelimit-source etag expires keep-alive \
    last-modified link location oci-chunk-min-length oci-filters-applied oci-subject oci-tag \
    pragma range ratelimit-limit ratelimit-remaining ratelimit-reset retry-after server \
    strict-transport-security transfer-encoding vary via warning www-authenticate";

/// The values of parameters that are not known to be harmless are `…`.
pub(super) fn url(url: &Url) -> String {
    format!("{}{}", url.origin, reference(url.path()))
}

/// The value of a header of an answer; `…` unless the header may be shown.
pub(super) fn header(name: &str, value: &str) -> String {
    if !name.starts_with("x-ratelimit-") && !HEADERS.split(' ').any(|it| it == name) {
        return "…".to_owned();
    }
    // Link and WWW-Authenticate have their URLs in brackets or quotes.
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>');
    value.split_inclusive(ends).map(reference).collect()
}

/// An absolute or relative URL without user, secrets of its query, and fragment; what is no URL stays.
fn reference(text: &str) -> String {
    let bare = text.trim_end_matches(['"', '<', '>']).trim_end();
    let (text, end) = text.split_at(bare.len());
    let (text, fragment) = text.split_once('#').map_or((text, ""), |(text, _)| (text, "#…"));
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    let path = match (path.find("//"), path.rfind('@')) {
        (Some(start), Some(sign)) if start < sign => {
            format!("{}…{}", &path[..start + 2], &path[sign..])
        }
        _ => path.to_owned(),
    };
    let query: String = query.split_inclusive(['?', '&']).map(parameter).collect();
    format!("{path}{query}{fragment}{end}")
}

/// A parameter of a query with the sign that divides it from the next.
fn parameter(text: &str) -> String {
    let (text, sign) = text.split_at(text.trim_end_matches(['?', '&']).len());
    match text.split_once('=') {
        // To some servers `;` divides parameters as well.
        Some((name, value))
            if PARAMETERS.split(' ').any(|it| it == name) && !value.contains(';') =>
        {
            format!("{text}{sign}")
        }
        Some((name, _)) => format!("{name}=…{sign}"),
        None if text.is_empty() => sign.to_owned(),
        None => format!("…{sign}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_parameters_are_shown() {
        for (text, shown) in [
            (
                "https://example.com/v2/a/tags/list?n=1000&last=b",
                "https://example.com/v2/a/tags/list?n=1000&last=b",
            ),
            (
                "https://example.com/token?service=a&scope=repository:a:pull&account=me",
                "https://example.com/token?service=a&scope=repository:a:pull&account=…",
            ),
            (
                "https://store.example.com/x?X-Amz-Signature=ab12&Expires=9&digest=sha256:12",
                "https://store.example.com/x?X-Amz-Signature=…&Expires=…&digest=sha256:12",
            ),
            ("https://example.com/x?ab12", "https://example.com/x?…"),
            ("https://example.com/x?ab12==", "https://example.com/x?ab12=…"),
            ("https://example.com/x?n=1;sig=2", "https://example.com/x?n=…"),
            ("https://example.com/x?N=1&%6e=2", "https://example.com/x?N=…&%6e=…"),
            ("https://example.com/x?", "https://example.com/x?"),
        ] {
            assert_eq!(url(&text.parse().unwrap()), shown);
        }
    }

    #[test]
    fn headers_are_shown_by_name_and_their_urls_without_secrets() {
        for (name, value, shown) in [
            ("content-type", "text/plain", "text/plain"),
            ("x-ratelimit-limit", "100;w=21600", "100;w=21600"),
            ("set-cookie", "a=b", "…"),
            ("authentication-info", "b", "…"),
            ("x-auth-token", "b", "…"),
            ("location", "/v2/x?_state=1", "/v2/x?_state=…"),
            ("location", "//user:pass@h/x#token", "//…@h/x#…"),
            ("location", "https://user:p/ass@h/x?a=b", "https://…@h/x?a=…"),
            ("location", "ftp://h/?secret#a?b", "ftp://h/?…#…"),
            (
                "link",
                "</v2/a/tags/list?n=2&last=b&next_page=ab>; rel=\"next\", <x?y>",
                "</v2/a/tags/list?n=2&last=b&next_page=…>; rel=\"next\", <x?…>",
            ),
            (
                "www-authenticate",
                "Bearer realm=\"https://u:p@h/token?key=ab\",service=\"a\",scope=\"repository:a:pull\"",
                "Bearer realm=\"https://…@h/token?key=…\",service=\"a\",scope=\"repository:a:pull\"",
            ),
        ] {
            assert_eq!(header(name, value), shown);
        }
    }
}
