//! `docker-registry newer IMAGE...`

use std::cmp::Reverse;

use super::tags::semver::Shape;
use super::{Answer, Command, Error, Flag, Image, Invocation, Operand, Result, Run, Spec, Verdict};

static MAJOR: Flag = Flag::switch("major", "Allow any newer version (default)");
static MINOR: Flag = Flag::switch("minor", "Only versions with the same first number");
static PATCH: Flag = Flag::switch("patch", "Only versions with the same first two numbers")
    .about("Of several limits the narrowest counts.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "newer",
        operand: Operand::Images,
        help: "List newer tags of the same shape",
        about: "A JSON array of the tags that are greater than the image's and written like it: as many numbers, the same suffix, and `v` before them or not. `8.4.2-alpine` is followed by `8.4.3-alpine` and `9.0.0-alpine`, not by `8.5-alpine` or `9.0.0`. The newest comes first. If there is none: `[]`, and exit code 8.",
        flags: &[&MAJOR, &MINOR, &PATCH],
        examples: &[
            ("docker-registry newer alpine:3.18.2", "all newer ones"),
            (
                "docker-registry newer --minor -q '.[0]' node:20.11.0-slim",
                "what to update to within 20",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let tag = image.reference.at.tag().unwrap_or_default();
    let Some(current) = Shape::parse(tag) else {
        let message = format!("newer wants a tag that is a version, such as 1.2.3, not '{tag}'");
        return Err(Error::usage(message));
    };
    // How many of the first numbers must be the same.
    let fixed = match (invocation.args.has(&PATCH), invocation.args.has(&MINOR)) {
        (true, _) => 2,
        (_, true) => 1,
        _ => 0,
    };
    let tags = image.source.tags()?;
    let mut newer: Vec<Shape> = tags.iter().filter_map(Shape::parse).collect();
    newer.retain(|version| version.is_newer(&current, fixed));
    newer.sort_by(|a, b| Reverse(a.numbers()).cmp(&Reverse(b.numbers())));
    let verdict = if newer.is_empty() { Verdict::No } else { Verdict::Yes };
    let newer = newer.iter().map(|version| version.tag);
    Ok(Answer::list(newer.collect()).verdict(verdict))
}
