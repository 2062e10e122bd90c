//! Which platforms exist: those that Go, and so every container engine, can be built for.

use crate::platform::Platform;

/// `go tool dist list`, by operating system.
const SYSTEMS: [(&str, &str); 15] = [
    ("aix", "ppc64"),
    ("android", "386 amd64 arm arm64"),
    ("darwin", "386 amd64 arm arm64"),
    ("dragonfly", "amd64"),
    ("freebsd", "386 amd64 arm arm64 riscv64"),
    ("illumos", "amd64"),
    ("ios", "amd64 arm64"),
    ("js", "wasm"),
    (
        "linux",
        "386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x",
    ),
    ("netbsd", "386 amd64 arm arm64"),
    ("openbsd", "386 amd64 arm arm64 mips64 ppc64 riscv64"),
    ("plan9", "386 amd64 arm"),
    ("solaris", "amd64"),
    ("wasip1", "wasm"),
    ("windows", "386 amd64 arm arm64"),
];

/// The variants of architectures that have some: image-spec's table, and Go's `GOAMD64` and `GOARM64`.
const VARIANTS: [(&str, &str); 3] = [
    ("arm", "v5 v6 v7 v8"),
    ("arm64", "v8 v8.1 v8.2 v8.3 v8.4 v8.5 v8.6 v8.7 v8.8 v8.9 v9 v9.1 v9.2 v9.3 v9.4 v9.5"),
    ("amd64", "v1 v2 v3 v4"),
];

/// Whether Go can build for the platform.
pub(super) fn exists(platform: &Platform) -> bool {
    let runs = has(&SYSTEMS, &platform.os, &platform.architecture);
    let variant = platform.variant.as_deref();
    runs && variant.is_none_or(|variant| has(&VARIANTS, &platform.architecture, variant))
}

fn has(table: &[(&str, &str)], key: &str, word: &str) -> bool {
    let row = table.iter().find(|(name, _)| *name == key);
    row.is_some_and(|(_, words)| words.split(' ').any(|other| other == word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::PlatformMatcher;

    #[test]
    fn only_what_exists_does() {
        for (text, expected) in [
            ("linux/amd64", true),
            ("linux/arm/v5", true),
            ("linux/arm64/v8", true),
            ("windows/amd64:10.0.17763", true),
            ("linux/ppc64le", true),
            ("linux/amd64/v7", false),
            ("linux/s390x/v8", false),
            ("linux/wasm", false),
            ("plan9/s390x", false),
            ("linux/bogus", false),
            ("bogus/amd64", false),
        ] {
            let wanted: PlatformMatcher = text.parse().unwrap();
            let platform = Platform {
                os: wanted.os.unwrap_or_default(),
                architecture: wanted.architecture.unwrap_or_default(),
                variant: wanted.variant,
                ..Platform::default()
            };
            assert_eq!(exists(&platform), expected, "{text}");
        }
        assert!(!exists(&Platform::default()));
    }
}
