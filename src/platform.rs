//! Platforms: operating system, architecture and variant, and choosing one from an index.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde_json::{Value, json};

use crate::error::{Error, Result};

/// A platform as an index or a configuration names it (image-spec, image-index.md, `platform`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Platform {
    pub(crate) os: String,
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
    pub(crate) os_version: Option<String>,
    pub(crate) os_features: Vec<String>,
}

impl Platform {
    /// From a descriptor's `platform` or from a configuration, which have the same members.
    /// `None` if neither system nor architecture is said.
    pub(crate) fn read(json: &Value) -> Option<Self> {
        let text = |json: &Value| json.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        let (os, architecture) = (text(&json["os"]), text(&json["architecture"]));
        if os.is_none() && architecture.is_none() {
            return None;
        }
        let features = json["os.features"].as_array().into_iter().flatten();
        Some(Platform {
            os: os.unwrap_or_default(),
            architecture: architecture.unwrap_or_default(),
            variant: text(&json["variant"]),
            os_version: text(&json["os.version"]),
            os_features: features.filter_map(text).collect(),
        })
    }

    /// What [`Platform::read`] reads, without what is not known.
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({"architecture": self.architecture, "os": self.os});
        if let Some(version) = &self.os_version {
            json["os.version"] = version.as_str().into();
        }
        if !self.os_features.is_empty() {
            json["os.features"] = self.os_features.clone().into();
        }
        if let Some(variant) = &self.variant {
            json["variant"] = variant.as_str().into();
        }
        json
    }

    /// `unknown/unknown`: what BuildKit writes for what runs nowhere.
    pub(crate) fn unknown() -> Self {
        let unknown = || "unknown".to_owned();
        Platform { os: unknown(), architecture: unknown(), ..Platform::default() }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

/// `OS/ARCH[/VARIANT][:OSVERSION]`
impl Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if let Some(variant) = &self.variant {
            write!(f, "/{variant}")?;
        }
        if let Some(version) = &self.os_version {
            write!(f, ":{version}")?;
        }
        Ok(())
    }
}

/// The platform that the user chose; `None` is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlatformMatcher {
    pub(crate) os: Option<String>,
    pub(crate) architecture: Option<String>,
    pub(crate) variant: Option<String>,
    pub(crate) os_version: Option<String>,
}

impl PlatformMatcher {
    /// Names the architecture by any of its names; `armhf` and the like name a variant too.
    pub(crate) fn architecture(&mut self, name: &str) {
        let (architecture, variant) = canonical(name);
        self.architecture = Some(architecture.to_owned());
        if let Some(variant) = variant {
            self.variant.get_or_insert(variant.to_owned());
        }
    }

    /// Whether a platform was asked for at all.
    pub(crate) fn is_explicit(&self) -> bool {
        *self != PlatformMatcher::default()
    }

    fn os(&self) -> &str {
        self.os.as_deref().unwrap_or("linux")
    }

    fn machine(&self) -> &str {
        self.architecture.as_deref().unwrap_or_else(|| canonical(std::env::consts::ARCH).0)
    }

    /// The position of the best match; of equal ones the first. `None` if nothing matches.
    pub(crate) fn best<'a>(
        &self,
        offered: impl IntoIterator<Item = &'a Platform>,
    ) -> Option<usize> {
        let ranked = offered.into_iter().enumerate().filter_map(|(i, platform)| {
            let fits =
                platform.os == self.os() && canonical(&platform.architecture).0 == self.machine();
            let rank = self.rank(platform).filter(|_| fits && self.version_fits(platform))?;
            Some((rank, i))
        });
        ranked.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, i)| i)
    }

    /// Whether the platform of a single image matches in the fields that the user chose.
    pub(crate) fn accepts(&self, platform: &Platform) -> bool {
        let same = |wanted: &Option<String>, is| wanted.as_deref().is_none_or(|it| it == is);
        same(&self.os, &*platform.os)
            && same(&self.architecture, canonical(&platform.architecture).0)
            && self.version_fits(platform)
            && (self.variant.is_none() || self.rank(platform).is_some())
    }

    /// By whole components: `10.0.17763` fits `10.0.17763.5122`.
    fn version_fits(&self, platform: &Platform) -> bool {
        let version = platform.os_version.as_deref().unwrap_or_default();
        self.os_version.as_deref().is_none_or(|wanted| {
            let rest = version.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// How well the variant fits, higher is better; `None` if it does not.
    fn rank(&self, platform: &Platform) -> Option<i32> {
        let architecture = canonical(&platform.architecture).0;
        let offered = level(architecture, platform.variant.as_deref());
        let Some(wanted) = &self.variant else {
            // The variant that every machine of the architecture runs, else the lowest one.
            let (offered, usual) = (offered?, level(architecture, None)?);
            return Some(if offered <= usual { offered } else { -offered });
        };
        match (level(architecture, Some(wanted)), offered, &platform.variant) {
            (Some(wanted), Some(offered), _) => (offered <= wanted).then_some(offered),
            (_, _, Some(variant)) => (variant == wanted).then_some(1),
            (_, _, None) => Some(0),
        }
    }
}

/// What runs where the platform's image runs: of Windows any revision of its build, the fourth
/// component of a version.
impl From<&Platform> for PlatformMatcher {
    fn from(platform: &Platform) -> Self {
        let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let build = |version: &String| version.split('.').take(3).collect::<Vec<_>>().join(".");
        let mut matcher = PlatformMatcher {
            os: said(&platform.os),
            variant: platform.variant.clone(),
            os_version: platform.os_version.as_ref().map(build),
            ..PlatformMatcher::default()
        };
        if let Some(architecture) = said(&platform.architecture) {
            matcher.architecture(&architecture);
        }
        matcher
    }
}

impl FromStr for PlatformMatcher {
    type Err = Error;

    /// `OS/ARCH[/VARIANT][:OSVERSION]`; a lone word is a system if it is one, else an architecture.
    fn from_str(text: &str) -> Result<Self> {
        if text == "local" {
            let os = match std::env::consts::OS {
                "macos" => "darwin",
                os => os,
            };
            return format!("{os}/{}", std::env::consts::ARCH).parse();
        }
        let (names, version) = match text.split_once(':') {
            Some((names, version)) => (names, Some(version)),
            None => (text, None),
        };
        let parts: Vec<&str> = names.split('/').collect();
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let sound = |part: &&str| !part.is_empty() && part.chars().all(word);
        if parts.len() > 3 || !parts.iter().chain(&version).all(sound) {
            return Err(Error::usage(format!(
                "--platform wants OS/ARCH[/VARIANT][:OSVERSION], local or all, not '{text}'"
            )));
        }
        let mut wanted = PlatformMatcher {
            os_version: version.map(str::to_owned),
            ..PlatformMatcher::default()
        };
        match parts[..] {
            [os] if is_os(os) => wanted.os = Some(os.to_lowercase()),
            [architecture] => wanted.architecture(architecture),
            [os, architecture, ref variant @ ..] => {
                wanted.variant = variant.first().map(|variant| (*variant).to_owned());
                wanted.os = Some(os.to_lowercase());
                wanted.architecture(architecture);
            }
            [] => {}
        }
        Ok(wanted)
    }
}

/// In the form of `--platform`, with the defaults.
impl Display for PlatformMatcher {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let platform = Platform {
            os: self.os().to_owned(),
            architecture: self.machine().to_owned(),
            variant: self.variant.clone(),
            os_version: self.os_version.clone(),
            os_features: Vec::new(),
        };
        platform.fmt(f)
    }
}

fn is_os(name: &str) -> bool {
    const SYSTEMS: [&str; 10] = [
        "linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris", "aix", "android",
        "wasi",
    ];
    SYSTEMS.contains(&name.to_lowercase().as_str())
}

/// Go's name of an architecture, and the variant that a name such as `armhf` implies.
fn canonical(name: &str) -> (&str, Option<&'static str>) {
    match name {
        "x86_64" | "x86-64" => ("amd64", None),
        "aarch64" => ("arm64", None),
        "i386" | "i686" | "x86" => ("386", None),
        "armhf" | "armv7" | "armv7l" => ("arm", Some("v7")),
        "armel" | "armv6" | "armv6l" => ("arm", Some("v6")),
        "powerpc64le" => ("ppc64le", None),
        "loongarch64" => ("loong64", None),
        name => (name, None),
    }
}

/// A variant as a number that can be compared, in tenths: `v7` is 70, `v8.1` is 81. Without a
/// variant: the architecture's default. `None` for names without an order, such as `power9`.
fn level(architecture: &str, variant: Option<&str>) -> Option<i32> {
    let usual = match architecture {
        "arm" => "v7",
        "arm64" => "v8",
        "amd64" => "v1",
        _ => return variant.is_none().then_some(0),
    };
    let variant = variant.unwrap_or(usual);
    let digits = variant.strip_prefix('v').unwrap_or(variant);
    let (major, minor) = digits.split_once('.').unwrap_or((digits, "0"));
    Some(i32::from(major.parse::<u8>().ok()?) * 10 + i32::from(minor.parse::<u8>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        let PlatformMatcher { os, architecture, variant, os_version } = text.parse().unwrap();
        let (os, architecture) = (os.unwrap(), architecture.unwrap());
        Platform { os, architecture, variant, os_version, os_features: Vec::new() }
    }

    /// Asserts which of the offered platforms is chosen, if any.
    fn chosen(wanted: &str, offered: &[&str], expected: Option<&str>) {
        let platforms: Vec<Platform> = offered.iter().map(|text| platform(text)).collect();
        let best = wanted.parse::<PlatformMatcher>().unwrap().best(&platforms).map(|i| offered[i]);
        assert_eq!(best, expected, "{wanted} from {offered:?}");
    }

    #[test]
    fn arm_without_a_variant_is_the_best_of_v7_v6_v5() {
        chosen(
            "linux/arm",
            &["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"],
            Some("linux/arm/v7"),
        );
        chosen("linux/arm", &["linux/arm/v5", "linux/arm/v6"], Some("linux/arm/v6"));
        chosen("linux/arm", &["linux/arm/v8", "linux/arm/v5"], Some("linux/arm/v5"));
        chosen("linux/armhf", &["linux/arm/v5", "linux/arm/v7"], Some("linux/arm/v7"));
        chosen("linux/armel", &["linux/arm/v5", "linux/arm/v7"], Some("linux/arm/v5"));
    }

    #[test]
    fn a_variant_matches_the_highest_one_not_above_it() {
        chosen(
            "linux/arm/v6",
            &["linux/arm/v5", "linux/arm/v7", "linux/arm/v6"],
            Some("linux/arm/v6"),
        );
        chosen("linux/arm/v6", &["linux/arm/v7"], None);
        chosen(
            "linux/amd64/v3",
            &["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"],
            Some("linux/amd64/v2"),
        );
        chosen("linux/amd64", &["linux/amd64/v3", "linux/amd64"], Some("linux/amd64"));
        chosen("linux/amd64", &["linux/amd64/v3", "linux/amd64/v2"], Some("linux/amd64/v2"));
        chosen(
            "linux/ppc64le/power9",
            &["linux/ppc64le/power8", "linux/ppc64le"],
            Some("linux/ppc64le"),
        );
    }

    #[test]
    fn arm64_is_arm64_v8() {
        chosen("linux/arm64", &["linux/arm64/v8"], Some("linux/arm64/v8"));
        chosen("linux/arm64/v8", &["linux/arm64"], Some("linux/arm64"));
        chosen("linux/aarch64", &["linux/amd64", "linux/arm64/v8"], Some("linux/arm64/v8"));
        chosen("linux/arm64/v8", &["linux/arm64/v9"], None);
    }

    #[test]
    fn a_version_matches_by_its_components() {
        let offered = ["windows/amd64:10.0.20348.1", "windows/amd64:10.0.17763.5122"];
        chosen("windows/amd64:10.0.17763", &offered, Some(offered[1]));
        chosen("windows/amd64:10.0.1776", &offered, None);
        chosen("windows/amd64", &offered, Some(offered[0]));
    }

    #[test]
    fn the_one_platform_of_an_image_is_held_only_against_what_was_asked() {
        let windows = platform("windows/amd64:10.0.17763.5122");
        let accepts = |text: &str| text.parse::<PlatformMatcher>().unwrap().accepts(&windows);
        assert!(PlatformMatcher::default().accepts(&windows));
        assert!(accepts("x86_64") && accepts("windows") && accepts("windows/amd64:10.0"));
        assert!(!accepts("linux/amd64") && !accepts("arm64") && !accepts("windows/amd64:11"));
    }

    #[test]
    fn a_malformed_platform_is_a_usage_error() {
        for text in
            ["", "/", "linux/", "linux/amd64/v1/x", "linux/amd64:", "li nux/amd64", "linux//v7"]
        {
            assert!(text.parse::<PlatformMatcher>().is_err(), "{text}");
        }
    }
}
