//! `docker-registry tags IMAGE...`

mod facts;
pub(super) mod semver;

use std::cmp::Reverse;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::{
    Answer, Args, Command, During, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec,
};
use crate::cli::{Value, duration};
use crate::digest::Digest;
use crate::error::say;
use crate::memory;
use crate::names::Names;
use crate::parallel::lock;
use crate::progress::{Progress, ProgressStyle};
use crate::query::Pattern;
use crate::reference::{TagOrDigest, Transport, is_tag};
use facts::{Facts, Found, Known};
use semver::{Range, Version};

static SORT: Flag = Flag::new("sort", Value::Choice(&["semver", "name", "created"]), "Sort by version, by name or by age")
    .about("Default: the order of the registry. Versions and dates: the newest first; tags that are no version or have no date come last. `created` is what `--long` calls so, and takes the same requests.");
static LONG: Flag = Flag::switch("long", "Print what each tag leads to, not only its name")
    .about("An array of `{tag, digest, mediaType, platforms, size, created}`. `digest` and `mediaType` are those of the index, if there is one, and `platforms` all that it lists. `size` is what a pull for the platform downloads, null if there is no image for it.

`created` is the annotation `org.opencontainers.image.created` of the index or else of the manifest, or the label of that name, or what the configuration says: where builds are reproducible, the time of the commit stands there and the configuration has 1970 or none.

Takes a HEAD for each tag that the other options leave, and for each digest the manifest, the one for the platform and its configuration, once. A tag that leads nowhere is reported on stderr and by the exit code.");
static NEWER_THAN: Flag = Flag::new("newer-than", AGE, "Only tags of images created after that")
    .about("So long ago, or at that time: `12h`, `30d`, `2026-01-31` (UTC) or `2026-01-31T12:00:00+01:00`. By the `created` of `--long`; tags without it are left out.");
static OLDER_THAN: Flag = Flag::new("older-than", AGE, "Only tags of images created before that")
    .about("As with `--newer-than`.");

const AGE: Value = Value::Text("DURATION|DATE");

static MATCH: Flag = Flag::new("match", Value::Text("REGEX"), "Only tags that match the regular expression")
    .repeated().about("The match may be anywhere in the tag, unless `^` and `$` say where. If the option is given several times, one match is enough.");
static EXCLUDE: Flag =
    Flag::new("exclude", Value::Text("REGEX"), "No tags that match the regular expression")
        .repeated()
        .about("If the option is given several times, one match is enough to leave a tag out.");
static SEMVER: Flag = Flag::new("semver", Value::Text("RANGE"), "Only versions in the range, such as ^1.4 or '>=1.2 <2'")
    .about("As in npm: `1.4`, `1.x`, `^1.4`, `~1.4`, `=`, `>`, `>=`, `<`, `<=`. Of bounds with a space or a comma between them all must hold; of those with `||` between them one. A version with fewer numbers stands for all versions that begin with it: `<=1.4` includes 1.4.2. `1.2 - 1.4` is `>=1.2 <=1.4`.

A version with a suffix, such as `-rc1` or `-alpine`, is in a range only if the range has the same suffix: `^1.4-alpine`. `^1.4-*` allows any suffix, and none. If only suffixes keep all tags out, their number is said on stderr.");
static TAG: Flag = Flag::new("tag", Value::Text("TAG"), "Only this tag, without asking for the list")
    .about("If the option is given several times, each of them. A tag that leads nowhere is reported on stderr and by the exit code.");
static NO_ARTIFACTS: Flag =
    Flag::switch("no-artifacts", "Leave out tags of signatures, attestations and SBOMs")
        .about("Their names are made from a digest: `sha256-…`, `sha256-….sig`, `.att`, `.sbom`.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "tags",
        operand: Operand::Images,
        help: "List the tags of a repository",
        about: "All pages, in the order of the registry, as a JSON array on one line; with `--long` an object for each tag. A tag in IMAGE is ignored.

With `IMAGE@DIGEST`: only the tags that lead to this digest, either as the index or as the manifest for a platform. This takes a request for each tag that the other options leave.

A version is one or more numbers separated by dots, with or without `v` before them and a suffix such as `-alpine` or `rc1` after them: `1`, `v1.2`, `18.04`, `1.2.3-alpine`. A missing number is 0. A version with a suffix comes before the same version without one.",
        flags: &[
            &LONG,
            &SORT,
            &MATCH,
            &EXCLUDE,
            &SEMVER,
            &TAG,
            &NO_ARTIFACTS,
            &NEWER_THAN,
            &OLDER_THAN,
        ],
        examples: &[
            ("docker-registry tags ubuntu", "all tags of Docker Hub's library/ubuntu"),
            ("docker-registry tags -q '.[]' localhost:5000/app", "one tag per line"),
            (
                "docker-registry tags --semver '^3.18' --sort semver -q '.[0]' alpine",
                "the newest 3.x from 3.18 on",
            ),
            (
                "docker-registry tags --older-than 90d --exclude '^v' -q '.[]' localhost:5000/app",
                "what might be deleted",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let args = invocation.args;
    refuse_registry(image)?;
    let (selects, order) = (selection(args, args.text(&SEMVER))?, args.text(&SORT));
    let [after, before] = [&NEWER_THAN, &OLDER_THAN].map(|flag| moment(args, flag, invocation.now));
    let (after, before) = (after?, before?);
    let is_named = args.has(&TAG);
    let mut names = if is_named { named(args)? } else { image.source.tags()? };
    if [&MATCH, &EXCLUDE, &SEMVER, &NO_ARTIFACTS].iter().any(|flag| args.has(flag)) {
        let taken =
            names.iter().filter_map(|tag| selects(tag).map(|it| it.then_some(tag)).transpose());
        let taken = taken.collect::<Result<Names>>()?;
        if taken.iter().next().is_none() {
            name_left_out(&names, image.text(), args);
        }
        names = taken;
    }
    let wanted = match &image.reference.at {
        TagOrDigest::Digest { digest, .. } => Some(digest),
        _ => None,
    };
    let is_long = args.has(&LONG);
    let is_dated = order == Some("created") || after.is_some() || before.is_some();
    let is_asked = wanted.is_some() || is_long || is_dated || is_named;
    if order.is_none() && !is_asked {
        return Ok(Answer::list(names));
    }
    let mut tags: Vec<&str> = names.iter().collect();
    match order {
        Some("semver") => tags.sort_by_cached_key(newest_first),
        Some("name") => tags.sort(),
        _ => {}
    }
    if !is_asked {
        return Ok(Answer::list(tags.into_iter().collect()));
    }
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for (tag, found) in asked(image, invocation, tags, wanted, is_long || is_dated)? {
        match found {
            Ok(Some((digest, facts))) => rows.push(Row { tag, digest, facts }),
            Err(error) if is_long || is_named => failures.push(error),
            // It is listed, and has no date.
            Err(_) if wanted.is_none() => rows.push(Row { tag, ..Row::default() }),
            _ => {}
        }
    }
    rows.retain(|row| {
        let is_after = |limit| row.facts.created() > Some(limit);
        let is_before = |limit| row.facts.created().is_some_and(|created| created < limit);
        after.is_none_or(is_after) && before.is_none_or(is_before)
    });
    if order == Some("created") {
        rows.sort_by_cached_key(|row| Reverse(row.facts.created()));
    }
    let answer = match is_long {
        true => {
            let lines = rows.iter().map(|row| row.facts.line(row.tag, &row.digest));
            Answer::json_text(format!("[{}]", lines.collect::<Vec<_>>().join(",")))
        }
        false => Answer::list(rows.iter().map(|row| row.tag).collect()),
    };
    Ok(answer.failures(failures))
}

/// The tags of `--tag`. `Kind::Usage` if one is none.
fn named(args: &Args) -> Result<Names> {
    let named = args.texts(&TAG).map(|tag| match is_tag(tag) {
        true => Ok(tag),
        false => Err(Error::usage(format!("--tag wants a tag, not '{tag}'"))),
    });
    named.collect()
}

/// A tag and what it leads to.
#[derive(Default)]
struct Row<'a> {
    tag: &'a str,
    digest: String,
    facts: Arc<Facts>,
}

/// What is known of each tag, or that it leads nowhere. Any other failure ends it.
fn asked<'a>(
    image: &Image,
    invocation: &Invocation,
    tags: Vec<&'a str>,
    wanted: Option<&Digest>,
    is_needed: bool,
) -> Result<Vec<(&'a str, Result<Found>)>> {
    let style = match invocation.is_alone {
        true => invocation.progress,
        false => ProgressStyle::Silent,
    };
    let (known, progress) = (Known::default(), Progress::of_tags(style, tags.len()));
    let repository = Mutex::new(image.at(TagOrDigest::Only));
    let found = image.pool.all(tags, |tag| {
        let found = memory::passing(|| {
            let image = lock(&repository).at(TagOrDigest::Tag(tag.to_owned()));
            known.of(&image, wanted, is_needed)
        });
        progress.advance(1);
        match found.during(format_args!("tag {tag}")) {
            Err(error) if error.kind() != Kind::NotFound => Err(error),
            found => Ok((tag, found)),
        }
    });
    progress.finish();
    found
}

/// The time that the option means. `Kind::Usage` if it is none.
fn moment(args: &Args, flag: &Flag, now: fn() -> u64) -> Result<Option<Timestamp>> {
    let read = |text: &str| {
        let ago = |duration| {
            let now = Timestamp::from_second(now().try_into().ok()?).ok()?;
            now.checked_sub(duration).ok()
        };
        let date = || text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok();
        duration(text).map_or_else(date, ago).ok_or_else(|| {
            let such = "a duration such as 30d or a date such as 2026-01-31";
            Error::usage(format!("--{} wants {such}, not '{text}'", flag.name))
        })
    };
    args.text(flag).map(read).transpose()
}

/// By docker's rule `ghcr.io` and `localhost:5000` are images of Docker Hub, which nobody means.
fn refuse_registry(image: &Image) -> Result<()> {
    let name = image.text().split(['@', ':']).next().unwrap_or_default();
    let is_registry = matches!(image.reference.transport, Transport::Registry(_))
        && !image.text().contains('/')
        && (name == "localhost" || name.contains('.'));
    if !is_registry {
        return Ok(());
    }
    let text = image.text();
    Err(Error::usage("expected a repository, not only a registry").hint(format!(
        "'docker-registry catalog {text}' lists its repositories; docker.io/library/{text} is one of Docker Hub"
    )))
}

/// Whether a tag is listed. `Kind::Usage` if a pattern or the range is malformed; `Kind::Local` for a
/// pattern that takes too long.
fn selection<'a>(
    args: &'a Args,
    range: Option<&str>,
) -> Result<impl Fn(&str) -> Result<bool> + use<'a>> {
    let patterns = |flag| args.texts(flag).map(Pattern::compile).collect::<Result<Vec<_>>>();
    let (matching, excluded) = (patterns(&MATCH)?, patterns(&EXCLUDE)?);
    let range = range.map(str::parse::<Range>).transpose()?;
    Ok(move |tag: &str| {
        let in_range = |range: &Range| Version::parse(tag).is_some_and(|it| range.takes(&it));
        Ok((matching.is_empty() || any(&matching, tag)?)
            && !any(&excluded, tag)?
            && range.as_ref().is_none_or(in_range)
            && !(args.has(&NO_ARTIFACTS) && Digest::is_in_tag(tag)))
    })
}

/// Says how many versions only their suffix keeps out.
fn name_left_out(all: &Names, image: &str, args: &Args) {
    let Some(range) = args.text(&SEMVER).map(|range| format!("{range}-*")) else { return };
    let Ok(selects) = selection(args, Some(&range)) else { return };
    let count = all.iter().filter(|tag| selects(tag).unwrap_or_default()).count();
    if count > 0 {
        say(&format!("docker-registry: {image}: versions with suffixes were left out: {count}"));
        say(&format!("hint: --semver '{range}' takes them too"));
    }
}

/// Of two equal versions the one with more numbers comes first, as in diun.
fn newest_first<'a>(tag: &&'a str) -> impl Ord + use<'a> {
    let version = Version::parse(tag);
    let numbers = version.as_ref().map_or(0, |_| tag.matches('.').count());
    (Reverse(version), Reverse(numbers), *tag)
}

fn any(patterns: &[Pattern], tag: &str) -> Result<bool> {
    for pattern in patterns {
        if pattern.matches(tag)? {
            return Ok(true);
        }
    }
    Ok(false)
}
