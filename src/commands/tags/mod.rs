//! `docker-registry tags IMAGE...`

pub(super) mod semver;
pub(super) use std::cmp::Reverse;

use jiff::Timestamp;

use super::{
    Answer, Args, Command, During, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec,
};
use crate::cli::Value;
use crate::memory;
use crate::query::Pattern;
use crate::reference::TagOrDigest;
use semver::{Range, Version};

static SORT: Flag = Flag::new("sort", Value::Choice(&["semver", "name", "created"]), "Sort by version, by name or by age")
    .about("Default: the order of the registry. Versions and dates: the newest first; tags that are no version or have no date come last. `created` reads the configuration of each tag's image.");

static MATCH: Flag = Flag::new("match", Value::Text("REGEX"), "Only tags that match the regular expression")
    .about("The match may be anywhere in the tag, unless `^` and `$` say where. If the option is given several times, one match is enough.");
static EXCLUDE: Flag =
    Flag::new("exclude", Value::Text("REGEX"), "No tags that match the regular expression")
        .about("If the option is given several times, one match is enough to leave a tag out.");
static SEMVER: Flag = Flag::new("semver", Value::Text("RANGE"), "Only versions in the range, such as ^1.4 or '>=1.2 <2'")
    .about("As in npm: `1.4`, `1.x`, `^1.4`, `~1.4`, `=`, `>`, `>=`, `<`, `<=`. Of bounds with a space or a comma between them all must hold; of those with `||` between them one. A version with fewer numbers stands for all versions that begin with it: `<=1.4` includes 1.4.2.

A version with a suffix, such as `-rc1` or `-alpine`, is in a range only if the range has the same suffix: `^1.4-alpine`. `^1.4-*` allows any suffix, and none.");
static NO_ARTIFACTS: Flag =
    Flag::switch("no-artifacts", "Leave out tags of signatures, attestations and SBOMs")
        .about("Their names are made from a digest: `sha256-…`, `sha256-….sig`, `.att`, `.sbom`.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "tags",
        operand: Operand::Images,
        help: "List the tags of a repository",
        about: "All pages, in the order of the registry, as a JSON array on one line. A tag in IMAGE is ignored.

With `IMAGE@DIGEST`: only the tags that lead to this digest, either as the index or as the manifest for a platform. This takes a request for each tag that the other options leave.

A version is one or more numbers separated by dots, with or without `v` before them and a suffix such as `-alpine` or `rc1` after them: `1`, `v1.2`, `18.04`, `1.2.3-alpine`. A missing number is 0. A version with a suffix comes before the same version without one.",
        flags: &[&SORT, &MATCH, &EXCLUDE, &SEMVER, &NO_ARTIFACTS],
        examples: &[
            ("docker-registry tags ubuntu", "all tags of Docker Hub's library/ubuntu"),
            ("docker-registry tags -q '.[]' localhost:5000/app", "one tag per line"),
            (
                "docker-registry tags --semver '^3.18' --sort semver -q '.[0]' alpine",
                "the newest 3.x from 3.18 on",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let selects = selection(invocation.args)?;
    let mut taken = image.source.tags()?;
    if [&MATCH, &EXCLUDE, &SEMVER, &NO_ARTIFACTS].iter().any(|flag| invocation.args.has(flag)) {
        let tags = taken.iter();
        let tags = tags.filter_map(|tag| selects(tag).map(|it| it.then_some(tag)).transpose());
        taken = tags.collect::<Result<_>>()?;
    }
    let is_digest = matches!(image.reference.at, TagOrDigest::Digest { .. });
    if !is_digest && invocation.args.text(&SORT).is_none() {
        return Ok(Answer::list(taken));
    }
    let mut tags: Vec<&str> = taken.iter().collect();
    if let TagOrDigest::Digest { digest, .. } = &image.reference.at {
        let led = each(image, tags, |image| image.leads_to(digest))?;
        let led = led.into_iter();
        tags = led.filter_map(|(tag, leads)| leads.then_some(tag)).collect();
    }
    match invocation.args.text(&SORT) {
        Some("semver") => tags.sort_by_cached_key(newest_first),
        Some("created") => {
            let mut dated = each(image, tags, created)?;
            dated.sort_by_key(|(_, created)| Reverse(*created));
            tags = dated.into_iter().map(|(tag, _)| tag).collect();
        }
        Some(_) => tags.sort(),
        None => {}
    }
    Ok(Answer::list(tags.into_iter().collect()))
}

/// Whether a tag is listed. `Kind::Usage` if a pattern or the range is malformed; `Kind::Local` for a
/// pattern that takes too long.
fn selection(args: &Args) -> Result<impl Fn(&str) -> Result<bool>> {
    let patterns = |flag| args.texts(flag).map(Pattern::compile).collect::<Result<Vec<_>>>();
    let (matching, excluded) = (patterns(&MATCH)?, patterns(&EXCLUDE)?);
    let range = args.text(&SEMVER).map(str::parse::<Range>).transpose()?;
    Ok(move |tag: &str| {
        let in_range = |range: &Range| Version::parse(tag).is_some_and(|it| range.takes(&it));
        Ok((matching.is_empty() || any(&matching, tag)?)
            && !any(&excluded, tag)?
            && range.as_ref().is_none_or(in_range)
            && !(args.has(&NO_ARTIFACTS) && is_artifact(tag)))
    })
}

/// The result of `ask` for each tag, in parallel.
fn each<'a, T: Send>(
    image: &Image,
    tags: Vec<&'a str>,
    ask: impl Fn(&Image) -> Result<T> + Sync,
) -> Result<Vec<(&'a str, T)>> {
    let images = tags.into_iter().map(|tag| {
        let image = image.at(TagOrDigest::Tag(tag.to_owned()));
        (tag, image)
    });
    image.pool.all(images.collect(), |(tag, image)| {
        let said = memory::passing(|| {
            let image = image;
            ask(&image)
        });
        Ok((tag, said.during(format_args!("tag {tag}"))?))
    })
}

/// Of two equal versions the one with more numbers comes first, as in diun.
fn newest_first<'a>(tag: &&'a str) -> impl Ord + use<'a> {
    let version = Version::parse(tag);
    let numbers = version.as_ref().map_or(0, |_| tag.matches('.').count());
    (Reverse(version), Reverse(numbers), *tag)
}

/// `None` if there is no image for the platform, or it has no date.
fn created(image: &Image) -> Result<Option<Timestamp>> {
    match super::created(image) {
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        created => created,
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
