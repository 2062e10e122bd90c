//! `docker-registry base IMAGE...`: has the image's base moved?

use serde_json::json;

use super::{
    Answer, Command, During, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec,
    Verdict, created,
};
use crate::cli;
use crate::digest::Digest;
use crate::reference::{Reference, TagOrDigest};

/// The names of image-spec's annotations, which builders use for labels too.
const NAME: &str = "org.opencontainers.image.base.name";
const DIGEST: &str = "org.opencontainers.image.base.digest";

static BASE: Flag =
    Flag::new("base", cli::Value::Text("IMAGE"), "The base image, whatever the image says");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "base",
        operand: Operand::Images,
        help: "Check whether the base of an image has moved",
        about: "Which image it was built from is said by its annotations or labels `org.opencontainers.image.base.name` and `.digest`, or by `--base`. Prints `{name, digest, current, status, sharedLayers}`: the digest of the base when the image was built, or null, the digest that its name leads to now, and how many layers, counted from the lowest, the image has in common with that.

The status is `current` if the image has all layers of what the name leads to now, for its platform. It is `outdated` if it does not, and `unrelated` if the layers show that it was not built from that base at all: it lacks layers of the digest that it names or, where no digest is known, it has no layer of the base although it is younger. It is `unknown` if nothing names the base. Exit 0 for `outdated`, 8 for the others, as with `changed`.

A base that an image of a public registry or of a file names is not asked for at an internal address, and `--user`, `--insecure`, `--cert` and `--plain-http` are not for another registry than the image's; `--base` may be anywhere.",
        flags: &[&BASE],
        examples: &[
            ("docker-registry base example.com/app && make", "build again if the base has moved"),
            (
                "docker-registry base --base debian:12 -q .status example.com/app",
                "current, outdated or unrelated",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let (name, known) = match invocation.args.text(&BASE) {
        Some(name) => (Some(name.to_owned()), None),
        None => named(image)?,
    };
    let Some(name) = name else {
        let answer = json!({"name": null, "digest": known.map(|it| it.to_string()), "current": null,
            "status": "unknown", "sharedLayers": null});
        return Ok(Answer::value(answer).verdict(Verdict::No));
    };
    let about = format!("base {name}");
    let opened = if invocation.args.has(&BASE) {
        let reference: Reference = name.parse().during(&about)?;
        invocation.sources.open(&reference).map(|source| (reference, source))
    } else {
        name.parse::<Reference>()
            // Not a usage error: the name is the registry's.
            .map_err(|error| Error::new(Kind::Protocol, error.to_string()))
            .and_then(|it| {
                Ok((it.clone(), invocation.sources.led(&image.reference.transport, &it)?))
            })
            .map_err(|error| match error.kind() {
                Kind::Protocol => error.hint("'--base IMAGE' may be anywhere"),
                _ => error,
            })
    };
    let (reference, source) = opened.during(&about)?;
    let base = image.elsewhere(&name, reference, source)?;
    compared(image, &base, known).during(&about)
}

/// The base that the image names, and its digest at that time.
fn named(image: &Image) -> Result<(Option<String>, Option<Digest>)> {
    let annotations = &image.manifest()?.json()["annotations"];
    let said = match annotations[NAME].is_string() {
        true => annotations,
        false => &image.config_json()?["config"]["Labels"],
    };
    let text = |key: &str| said[key].as_str().filter(|text| !text.is_empty());
    let digest = text(DIGEST).map(|text| {
        text.parse().map_err(|_| Error::new(Kind::Protocol, format!("{DIGEST} is '{text}'")))
    });
    Ok((text(NAME).map(str::to_owned), digest.transpose()?))
}

fn compared(image: &Image, base: &Image, known: Option<Digest>) -> Result<Answer> {
    let current = base.resolved()?.digest.clone();
    let (shared, all) = shared(image, base)?;
    let status = match &known {
        _ if shared == all && all > 0 => "current",
        Some(known) if !stood_on(image, base, known)? => "unrelated",
        Some(_) => "outdated",
        None if shared > 0 || created(image)? < created(base)? => "outdated",
        None => "unrelated",
    };
    let verdict = if status == "outdated" { Verdict::Yes } else { Verdict::No };
    let answer = json!({
        "name": base.text(),
        "digest": known.map(|it| it.to_string()),
        "current": current.to_string(),
        "status": status,
        "sharedLayers": shared,
    });
    Ok(Answer::value(answer).verdict(verdict))
}

/// How many of the base's layers, the lowest first, are the image's too, and how many it has.
fn shared(image: &Image, base: &Image) -> Result<(usize, usize)> {
    let (layers, below) = (image.diff_ids()?, base.diff_ids()?);
    let pairs = layers.iter().zip(&below);
    Ok((pairs.take_while(|(layer, below)| layer == below).count(), below.len()))
}

/// Whether the image has all layers that the base had at that digest. Where that is gone, the image
/// is believed.
fn stood_on(image: &Image, base: &Image, known: &Digest) -> Result<bool> {
    let then = base.at(TagOrDigest::Digest { digest: known.clone(), tag: None });
    match shared(image, &then) {
        Ok((shared, all)) => Ok(shared == all),
        Err(error) if error.kind() == Kind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
