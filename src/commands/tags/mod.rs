//! `docker-registry tags IMAGE...`

mod selection;
pub(super) mod semver;
pub(super) mod timestamp;

use std::cmp::Reverse;

use super::{Answer, Command, During, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec};
use crate::cli::Value;
use crate::memory;
use crate::names::Names;
use crate::reference::TagOrDigest;
use selection::{EXCLUDE, MATCH, NO_ARTIFACTS, SEMVER, Selection};
use semver::Version;
use timestamp::Timestamp;

static SORT: Flag = Flag::new("sort", Value::Choice(&["semver", "name", "created"]), "Sort by version, by name or by age")
    .about("Default: the order of the registry. Versions and dates: the newest first; tags that are no version or have no date come last. `created` reads the configuration of each tag's image.");

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
    let selection = Selection::of(invocation.args)?;
    let all = image.source.tags()?;
    let taken = all.iter().filter_map(|tag| {
        let is_taken = selection.takes(tag);
        is_taken.map(|it| it.then_some(tag)).transpose()
    });
    let taken = taken.collect::<Result<Names>>()?;
    drop(all);
    let is_digest = matches!(image.reference.at, TagOrDigest::Digest { .. });
    if !is_digest && invocation.args.text(&SORT).is_none() {
        return Ok(Answer::list(taken.iter()));
    }
    let mut tags: Vec<&str> = taken.iter().collect();
    if let TagOrDigest::Digest { digest, .. } = &image.reference.at {
        let led = each(image, tags, |image| image.leads_to(digest))?;
        let led = led.into_iter();
        tags = led.filter_map(|(tag, leads)| leads.then_some(tag)).collect();
    }
    match invocation.args.text(&SORT) {
        Some("semver") => tags.sort_by_cached_key(|tag| newest_first(tag)),
        Some("created") => {
            let mut dated = each(image, tags, created)?;
            dated.sort_by_key(|(_, created)| Reverse(*created));
            tags = dated.into_iter().map(|(tag, _)| tag).collect();
        }
        Some(_) => tags.sort(),
        None => {}
    }
    Ok(Answer::list(tags.into_iter()))
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
fn newest_first(tag: &str) -> impl Ord + use<> {
    let version = Version::parse(tag);
    let numbers = version.as_ref().map_or(0, |_| tag.matches('.').count());
    (Reverse(version), Reverse(numbers), tag.to_owned())
}

/// `None` if there is no image for the platform, or it has no date.
fn created(image: &Image) -> Result<Option<Timestamp>> {
    match image.config_json() {
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        config => Ok(config?["created"].as_str().and_then(Timestamp::parse)),
    }
}
