//! Image references: where the image is and which one it is (distribution/reference).

mod repository;

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;

use repository::{shown, tag_fault, too_long};

use crate::digest::Digest;
use crate::error::{During, Error, Result};

pub(crate) use repository::{Host, Repository, is_repository, is_tag, split_port};

/// No reference is longer: a path of 4,096 bytes with the longest tag and digest.
const LONGEST: usize = 4400;

/// A parsed image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) transport: Transport,
    pub(crate) at: TagOrDigest,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// A repository of a registry.
    Registry(Repository),
    /// A directory in OCI image-layout form.
    Layout(PathBuf),
    /// A tar of an OCI image layout.
    OciArchive(PathBuf),
    /// What `docker save` writes.
    DockerArchive(PathBuf),
}

impl Transport {
    /// Whether it is an archive on standard input, called `-`, and perhaps a repository of it.
    pub(crate) fn is_stdin(&self) -> bool {
        let (Transport::OciArchive(path) | Transport::DockerArchive(path)) = self else {
            return false;
        };
        path.to_str().is_some_and(|path| path == "-" || path.starts_with("-:"))
    }
}

impl Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Transport::Registry(repository) => repository.fmt(f),
            Transport::Layout(path) => write!(f, "oci:{}", path.display()),
            Transport::OciArchive(path) => write!(f, "oci-archive:{}", path.display()),
            Transport::DockerArchive(path) => write!(f, "docker-archive:{}", path.display()),
        }
    }
}

/// Which image of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagOrDigest {
    /// A layout's or an archive's only image, or the one that is tagged `latest`.
    Only,
    Tag(String),
    /// The digest decides; the tag that stood before it stays in messages.
    Digest {
        digest: Digest,
        tag: Option<String>,
    },
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let image = shown(text);
        Reference::read(text, &image).during(format_args!("image '{image}'"))
    }
}

impl Reference {
    /// `image` is the text as messages show it.
    fn read(text: &str, image: &str) -> Result<Self> {
        const EXPECTED: &str = "expected [HOST/]NAME[:TAG][@DIGEST]";
        if text.len() > LONGEST {
            return Err(Error::usage(too_long(text, LONGEST)));
        }
        match image.split_once(':') {
            Some(("oci-layout" | "ocidir", path)) => {
                let path = path.trim_start_matches("//");
                return Err(Error::usage(EXPECTED).hint(format!("write it oci:{path}")));
            }
            Some((word @ ("dir" | "docker-daemon" | "containers-storage"), _)) => {
                let why = format!("images of {word}: are not read here");
                let hint = "registries, oci:PATH, oci-archive:FILE and docker-archive:FILE are";
                return Err(Error::usage(why).hint(hint));
            }
            _ => {}
        }
        if let Some((scheme, rest)) = image.split_once("://") {
            return Err(match scheme {
                "docker" => {
                    let hint = format!("write it without docker://: {rest}");
                    Error::usage(EXPECTED).hint(hint)
                }
                _ => Error::usage(format!("{EXPECTED}, not a URL")).hint(format!("try {rest}")),
            });
        }
        if text.parse::<Digest>().is_ok() {
            let hint = format!("write the repository before it: NAME@{text}");
            return Err(Error::usage("a digest alone is not an image").hint(hint));
        }
        let (rest, digest) = match text.rsplit_once('@') {
            Some((rest, digest)) => (rest, Some(read_digest(digest, image)?)),
            None => (text, None),
        };
        let (transport, tag) = match rest.split_once(':') {
            Some(("oci", path)) => path_and_tag(path, Transport::Layout)?,
            Some(("oci-archive", path)) => path_and_tag(path, Transport::OciArchive)?,
            Some(("docker-archive", path)) => path_and_tag(path, Transport::DockerArchive)?,
            _ => repository_and_tag(rest)?,
        };
        let at = match (digest, tag, &transport) {
            (Some(digest), tag, _) => TagOrDigest::Digest { digest, tag },
            (None, Some(tag), _) => TagOrDigest::Tag(tag),
            (None, None, Transport::Registry(_)) => TagOrDigest::Tag("latest".to_owned()),
            (None, None, _) => TagOrDigest::Only,
        };
        Ok(Reference { transport, at })
    }
}

/// As a user would write it.
impl Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}{}", self.transport, self.at)
    }
}

impl TagOrDigest {
    /// The tag, also the one that stands before a digest.
    pub(crate) fn tag(&self) -> Option<&str> {
        match self {
            TagOrDigest::Only => None,
            TagOrDigest::Tag(tag) => Some(tag),
            TagOrDigest::Digest { tag, .. } => tag.as_deref(),
        }
    }
}

/// `:TAG@DIGEST`, either of which may be missing.
impl Display for TagOrDigest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(tag) = self.tag() {
            write!(f, ":{tag}")?;
        }
        match self {
            TagOrDigest::Digest { digest, .. } => write!(f, "@{digest}"),
            _ => Ok(()),
        }
    }
}

/// A digest is mostly wrong because it was cut short.
fn read_digest(text: &str, image: &str) -> Result<Digest> {
    text.parse().map_err(|error: Error| {
        let hex = text.strip_prefix("sha256").or(text.strip_prefix("sha512"));
        let is_begun = hex
            .map(|hex| hex.strip_prefix(':').unwrap_or(hex))
            .is_some_and(|hex| hex.len() < 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        match image.rsplit_once('@') {
            Some((name, _)) if is_begun => {
                error.hint(format!("the whole digest: 'docker-registry digest {name}'"))
            }
            _ => error,
        }
    })
}

/// The colon that starts a tag stands behind the last slash; the others are ports.
fn repository_and_tag(text: &str) -> Result<(Transport, Option<String>)> {
    let slash = text.rfind('/').map_or(0, |slash| slash + 1);
    let colon = text[slash..].find(':').map_or(text.len(), |colon| slash + colon);
    let (name, tag) = (&text[..colon], text.get(colon + 1..));
    if let Some(tag) = tag
        && let Some(why) = tag_fault(tag)
    {
        let error = Error::usage(why);
        return Err(match tag.split_once(':') {
            Some(("sha256" | "sha512", _)) => {
                error.hint(format!("write a digest after '@': {}@{tag}", shown(name)))
            }
            _ => error,
        });
    }
    Ok((Transport::Registry(name.parse()?), tag.map(str::to_owned)))
}

/// A path may hold colons; only what could be a tag behind the last of them is one.
fn path_and_tag(
    text: &str,
    place: fn(PathBuf) -> Transport,
) -> Result<(Transport, Option<String>)> {
    match text.rsplit_once(':') {
        _ if text.is_empty() => Err(Error::usage("expected a path after the colon")),
        Some((path, tag)) if !path.is_empty() && is_tag(tag) => {
            Ok((place(path.into()), Some(tag.to_owned())))
        }
        _ => Ok((place(text.into()), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::repository::{LONGEST_HOST, LONGEST_NAME, LONGEST_TAG};
    use super::*;
    use crate::error::Kind;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn parsed(text: &str) -> Reference {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn the_first_component_is_a_host_by_dockers_rule() {
        for (text, host, name) in [
            ("ubuntu", "docker.io", "library/ubuntu"),
            ("library/ubuntu:18.04", "docker.io", "library/ubuntu"),
            ("sphinxdoc/sphinx", "docker.io", "sphinxdoc/sphinx"),
            ("docker.io/ubuntu", "docker.io", "library/ubuntu"),
            ("index.docker.io/ubuntu", "docker.io", "library/ubuntu"),
            ("localhost/app", "localhost", "app"),
            ("app/local", "docker.io", "app/local"),
            ("app:5000/x", "app:5000", "x"),
            ("example.com/a/b/c:v1", "example.com", "a/b/c"),
            ("Registry/x", "registry", "x"),
            ("[::1]:5000/x", "[::1]:5000", "x"),
            ("[fe80::1]/a--b__c.d:t", "[fe80::1]", "a--b__c.d"),
        ] {
            let Transport::Registry(repository) = parsed(text).transport else { panic!("{text}") };
            assert_eq!((repository.host.name(), repository.name.as_str()), (host, name), "{text}");
        }
    }

    #[test]
    fn tags_and_digests_are_told_apart() {
        let digest = format!("sha256:{HEX}");
        assert_eq!(parsed("ubuntu").at, TagOrDigest::Tag("latest".into()));
        assert_eq!(parsed("localhost:5000/x").at, TagOrDigest::Tag("latest".into()));
        assert_eq!(parsed("localhost:5000/x:v1").at, TagOrDigest::Tag("v1".into()));
        let at = TagOrDigest::Digest { digest: digest.parse().unwrap(), tag: Some("v1".into()) };
        assert_eq!(parsed(&format!("localhost:5000/x:v1@{digest}")).at, at);
        assert_eq!(parsed(&format!("oci:dir:v1@{digest}")).at, at);
    }

    #[test]
    fn layouts_and_archives_are_paths() {
        let place = |text: &str| parsed(text).transport;
        assert_eq!(parsed("oci:some/dir").at, TagOrDigest::Only);
        assert_eq!(parsed("oci:some/dir:v1").at, TagOrDigest::Tag("v1".into()));
        assert_eq!(place("oci:C:/dir"), Transport::Layout("C:/dir".into()));
        assert_eq!(place("oci-archive:a.tar:v1"), Transport::OciArchive("a.tar".into()));
        assert_eq!(place("docker-archive:a.tar"), Transport::DockerArchive("a.tar".into()));
    }

    #[test]
    fn a_malformed_reference_is_a_usage_error() {
        for text in [
            "",
            ":",
            "/",
            "@",
            "ubuntu:",
            "ubuntu@",
            "\u{212a}/a",
            "ubuntu:.a",
            "ubuntu:a b",
            "Ubuntu",
            "a//b",
            "a/",
            "a..b/c",
            "a___b",
            "-a",
            "a_",
            "ubuntu:v1:v2",
            "example.com:x/a",
            "example.com:99999/a",
            "[::1/a",
            "[x]:1/a",
            "exa_mple.com/a",
            "-a.com/b",
            "https://example.com/a",
            "docker://ubuntu",
            "oci:",
            HEX,
            "ubuntu@sha256:12",
            &format!("ubuntu@sha256:{}", HEX.to_uppercase()),
            &format!("ubuntu:{}", "a".repeat(129)),
            &"a".repeat(300),
            &format!("ubuntu:sha256:{HEX}"),
        ] {
            assert_eq!(text.parse::<Reference>().map_err(|e| e.kind()), Err(Kind::Usage), "{text}");
        }
    }

    #[test]
    fn transports_of_other_programs_are_known() {
        for (text, hint) in [
            ("ocidir://a/b:v1", "write it oci:a/b:v1"),
            ("oci-layout:///a", "write it oci:/a"),
            ("oci-layout:a", "write it oci:a"),
            ("dir:a", "registries, oci:PATH, oci-archive:FILE and docker-archive:FILE are"),
            (
                "docker-daemon:a",
                "registries, oci:PATH, oci-archive:FILE and docker-archive:FILE are",
            ),
            (
                "containers-storage:a:v1",
                "registries, oci:PATH, oci-archive:FILE and docker-archive:FILE are",
            ),
        ] {
            let message = format!("{:#}", text.parse::<Reference>().unwrap_err());
            assert!(message.ends_with(&format!("\nhint: {hint}")), "{message}");
        }
        for text in ["dir", "library/dir:v1", "a.b/ocidir:v1"] {
            assert!(text.parse::<Reference>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_digest_in_the_tags_place_is_pointed_out() {
        let error = format!("ubuntu:sha256:{HEX}").parse::<Reference>().unwrap_err();
        let message = format!("{error:#}");
        let hint = format!("\nhint: write a digest after '@': ubuntu@sha256:{HEX}");
        assert!(message.ends_with(&hint), "{message}");
    }

    #[test]
    fn a_reference_is_shown_as_users_write_it() {
        for text in [
            "ubuntu:18.04",
            "sphinxdoc/sphinx:latest",
            "localhost:5000/x:v1",
            "oci:dir",
            "oci:dir:v1",
        ] {
            assert_eq!(parsed(text).to_string(), text);
        }
        assert_eq!(parsed("docker.io/library/ubuntu").to_string(), "ubuntu:latest");
    }

    /// References by the grammar: every combination of what may go wrong between writing and reading.
    #[test]
    fn what_is_shown_means_the_same_image() {
        let hosts = [
            "",
            "docker.io/",
            "index.docker.io/",
            "DOCKER.io/",
            "docker.io:443/",
            "localhost/",
            "LOCALHOST:5000/",
            "a.b/",
            "Registry/",
            "1A-b/",
            "x:5/",
            "[::1]/",
            "[FE80::1]:80/",
        ];
        let names = [
            "ubuntu",
            "library/ubuntu",
            "library/a/b",
            "a/b",
            "a/library/b",
            "oci",
            "library/oci",
            "oci-archive",
            "docker-archive",
            "library/docker-archive",
            "dir",
            "library/dir",
            "sha256",
            "sha512",
            "library/sha256",
            "localhost",
            "localhost/x",
            "library/localhost",
            "library/localhost/x",
            "a.b/c",
            "library/a.b/c",
            "a.b",
            "library/a.b",
            "docker.io/a",
            "index.docker.io/a",
            "library/library",
            "library",
            "library/library/library",
            "x--y/z__0.w",
            "oci/x",
            &format!("library/{HEX}"),
            &format!("x/{HEX}"),
            &"n".repeat(230),
        ];
        let digest = format!("@sha256:{HEX}");
        let long = format!(":{}", "t".repeat(LONGEST_TAG));
        let hex = format!(":{HEX}");
        let tags = ["", ":latest", ":v1", ":_", &hex, &long];
        let mut count = 0;
        for (host, name) in hosts.iter().flat_map(|host| names.map(|name| (host, name))) {
            for (tag, digest) in tags.iter().flat_map(|tag| ["", &digest].map(|at| (tag, at))) {
                let text = format!("{host}{name}{tag}{digest}");
                let Ok(reference) = text.parse::<Reference>() else {
                    continue;
                };
                let again = parsed(&reference.to_string());
                assert_eq!(again, reference, "{text}: {reference}");
                let Transport::Registry(repository) = &reference.transport else {
                    continue;
                };
                assert_eq!(repository.to_string().parse().as_ref(), Ok(repository), "{text}");
                count += 1;
            }
        }
        assert!(count > 3000, "{count}");
        for path in
            ["a", "a:b:c", ":", ":v1", "a:v1:", "a b", "/x/y.tar:v1", "C:\\x", "@x", "sha256:12"]
        {
            for (kind, end) in ["oci", "oci-archive", "docker-archive"]
                .iter()
                .flat_map(|kind| ["", ":v1", &digest, ":v1@sha256:12"].map(|end| (kind, end)))
            {
                let text = format!("{kind}:{path}{end}");
                let Ok(reference) = text.parse::<Reference>() else {
                    continue;
                };
                assert_eq!(parsed(&reference.to_string()), reference, "{text}");
            }
        }
    }

    #[test]
    fn what_is_as_long_as_it_may_be_is_read() {
        fn ends_at<T: FromStr>(limit: usize, text: impl Fn(usize) -> String) {
            assert_eq!(text(limit).len(), limit);
            assert!(text(limit).parse::<T>().is_ok(), "{limit}");
            assert!(text(limit + 1).parse::<T>().is_err(), "{limit}");
        }
        let filled =
            |head: &str, length: usize| format!("{head}{}", "a".repeat(length - head.len()));
        ends_at::<Reference>(LONGEST, |length| filled("oci:", length));
        ends_at::<Repository>(LONGEST_NAME, |length| filled("a.b/", length));
        ends_at::<Host>(LONGEST_HOST + 6, |length| filled("", length - 6) + ":65535");
        for (length, is_good) in [(LONGEST_NAME, true), (LONGEST_NAME + 1, false)] {
            assert_eq!(is_repository(&"a".repeat(length)), is_good);
        }
        for (length, is_good) in [(LONGEST_TAG, true), (LONGEST_TAG + 1, false)] {
            assert_eq!(is_tag(&"a".repeat(length)), is_good);
        }
        let host = "a".repeat(300).parse::<Host>().unwrap_err().to_string();
        let why = "it has 300 characters; at most 253 are allowed";
        assert!(host.ends_with(why), "{host}");
    }

    #[test]
    fn names_that_a_registry_cannot_have_are_told() {
        for name in ["", "a b", "-a", ".a", "é"] {
            assert!(!is_tag(name) && !is_repository(name), "{name}");
        }
        assert!(is_tag("A-b.c_d") && !is_repository("A-b.c_d"));
        assert!(!is_tag("a/b") && is_repository("a/b"));
        for (name, is_name) in [("cafe", true), (&"n".repeat(64), true), (HEX, false)] {
            assert_eq!(name.parse::<Reference>().is_ok(), is_name, "{name}");
        }
        let deeper = "library/a/b";
        assert_eq!(deeper.parse::<Repository>().unwrap().to_string(), deeper);
    }

    #[test]
    fn hints_say_what_was_meant() {
        let hint = |error: Error| {
            let message = format!("{error:#}");
            let hint = message.split_once("\nhint: ").map(|(_, hint)| hint);
            hint.unwrap_or_default().to_owned()
        };
        for (text, host) in [
            ("https://example.com", "example.com"),
            ("https://example.com/v2/", "example.com"),
            ("example.com/", "example.com"),
            ("example.com:5000/app", "example.com:5000"),
            ("ubuntu:v1", "docker.io"),
            ("a_b", ""),
            ("https://a_b", ""),
        ] {
            let said = hint(text.parse::<Host>().unwrap_err());
            let wanted = Some(host).filter(|host| !host.is_empty());
            let wanted = wanted.map(|host| format!("write only the registry: {host}"));
            assert_eq!(said, wanted.unwrap_or_default(), "{text}");
        }
        let image = |text: &str| hint(text.parse::<Reference>().unwrap_err());
        let whole = "the whole digest: 'docker-registry digest a'";
        for begun in ["sha256:12", "sha256:", "sha512:ab", "sha256"] {
            assert_eq!(image(&format!("a@{begun}")), whole, "{begun}");
        }
        let upper = format!("sha256:{}", HEX.to_uppercase());
        for wrong in ["sha256:xy", "md5:12", "", &upper] {
            assert_eq!(image(&format!("a@{wrong}")), "", "{wrong}");
        }
        let digest = format!("sha256:{HEX}");
        let wanted = format!("write the repository before it: NAME@{digest}");
        assert_eq!(image(&digest), wanted);
        let error = "a@sha256:12".parse::<Reference>().unwrap_err();
        assert!(error.to_string().starts_with("image 'a@sha256:12': "), "{error}");
    }

    #[test]
    fn a_reference_has_an_end() {
        for text in [
            "a/".repeat(24_000),
            "://".repeat(16_000),
            "a://".repeat(12_000),
            "a@".repeat(24_000),
            "a".repeat(48_000),
            "a.".repeat(24_000) + "a/b",
            format!("oci:{}", "a".repeat(48_000)),
        ] {
            let image = text.parse::<Reference>().unwrap_err();
            let host = text.parse::<Host>().unwrap_err();
            for error in [image, host] {
                let message = format!("{error:#}");
                assert!(message.len() < 2000, "{message}");
                assert_eq!(error.kind(), Kind::Usage, "{message}");
            }
        }
    }

    #[test]
    fn no_message_names_a_user() {
        for text in [
            "https://user:swordfish@example.com/x:v1",
            "docker://user:swordfish@example.com/x",
            "user:swordfish@example.com/x",
            "swordfish@example.com/x",
            "user:swordfish@example.com",
            "user:sword/fish@example.com/x",
            "https://user:sword fish@example.com/x",
            "https://user:sw@rdfish@example.com/x@sha256:12",
            &format!("user:sw@rdfish@example.com/x:!@sha256:{HEX}"),
            &format!("user:sw@rdfish@example.com/x:sha256:12@sha256:{HEX}"),
            &format!("user:swordfish@example.com/x@sha256:{HEX}"),
            &format!("user:swor/dfish@example.com/x@sha256:{HEX}"),
        ] {
            let image = text.parse::<Reference>().unwrap_err();
            let host = text.parse::<Host>().unwrap_err();
            let repository = text.parse::<Repository>().unwrap_err();
            for error in [image, host, repository] {
                let message = format!("{error:#}");
                let leaks =
                    message.contains("sw") || message.contains("fish") || message.contains("user");
                assert!(!leaks, "{text}: {message}");
            }
        }
    }
}
