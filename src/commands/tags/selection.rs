//! Which tags are listed.

use super::semver::{Range, Version};
use crate::cli::{Args, Flag, Value};
use crate::error::Result;
use crate::query::Pattern;

pub(super) static MATCH: Flag = Flag::new("match", Value::Text("REGEX"), "Only tags that match the regular expression")
    .about("The match may be anywhere in the tag, unless `^` and `$` say where. If the option is given several times, one match is enough.");
pub(super) static EXCLUDE: Flag =
    Flag::new("exclude", Value::Text("REGEX"), "No tags that match the regular expression")
        .about("If the option is given several times, one match is enough to leave a tag out.");
pub(super) static SEMVER: Flag = Flag::new("semver", Value::Text("RANGE"), "Only versions in the range, such as ^1.4 or '>=1.2 <2'")
    .about("As in npm: `1.4`, `1.x`, `^1.4`, `~1.4`, `=`, `>`, `>=`, `<`, `<=`. Of bounds with a space or a comma between them all must hold; of those with `||` between them one. A version with fewer numbers stands for all versions that begin with it: `<=1.4` includes 1.4.2.

A version with a suffix, such as `-rc1` or `-alpine`, is in a range only if the range has the same suffix: `^1.4-alpine`. `^1.4-*` allows any suffix, and none.");
pub(super) static NO_ARTIFACTS: Flag =
    Flag::switch("no-artifacts", "Leave out tags of signatures, attestations and SBOMs")
        .about("Their names are made from a digest: `sha256-…`, `sha256-….sig`, `.att`, `.sbom`.");

pub(super) struct Selection {
    matching: Vec<Pattern>,
    excluded: Vec<Pattern>,
    range: Option<Range>,
    without_artifacts: bool,
}

impl Selection {
    /// `Kind::Usage` if a pattern or the range is malformed.
    pub(super) fn of(args: &Args) -> Result<Self> {
        let patterns = |flag| {
            let compiled = args.texts(flag).map(Pattern::compile);
            compiled.collect::<Result<Vec<Pattern>>>()
        };
        Ok(Selection {
            matching: patterns(&MATCH)?,
            excluded: patterns(&EXCLUDE)?,
            range: args.text(&SEMVER).map(str::parse).transpose()?,
            without_artifacts: args.has(&NO_ARTIFACTS),
        })
    }

    /// `Kind::Local` for a pattern that takes too long.
    pub(super) fn takes(&self, tag: &str) -> Result<bool> {
        let in_range =
            |range: &Range| Version::parse(tag).is_some_and(|version| range.takes(&version));
        Ok((self.matching.is_empty() || any(&self.matching, tag)?)
            && !any(&self.excluded, tag)?
            && self.range.as_ref().is_none_or(in_range)
            && !(self.without_artifacts && is_artifact(tag)))
    }
}

fn any(patterns: &[Pattern], tag: &str) -> Result<bool> {
    for pattern in patterns {
        if pattern.matches(tag)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The fallback tag of referrers (distribution-spec, "Referrers Tag Schema"), and cosign's tags.
fn is_artifact(tag: &str) -> bool {
    let (name, extension) = tag.split_once('.').unwrap_or((tag, ""));
    let hex = name.strip_prefix("sha256-").or(name.strip_prefix("sha512-"));
    let is_digest = |hex: &str| hex.len() >= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    hex.is_some_and(is_digest) && ["", "sig", "att", "sbom"].contains(&extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_artifacts_are_named_after_a_digest() {
        let hex = "0".repeat(64);
        for extension in ["", ".sig", ".att", ".sbom"] {
            assert!(is_artifact(&format!("sha256-{hex}{extension}")), "{extension}");
        }
        for tag in [
            "latest".to_owned(),
            "sha256-0123".to_owned(),
            format!("sha256-{hex}.tar"),
            format!("md5-{hex}"),
            format!("sha256-{}", "g".repeat(64)),
        ] {
            assert!(!is_artifact(&tag), "{tag}");
        }
    }
}
