//! `docker-registry sbom IMAGE...` and `docker-registry provenance IMAGE...`

use std::collections::BTreeSet;

use super::{Answer, Command, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec};
use crate::attestation::{self, Attestation, Predicate};
use crate::cli::Value;
use crate::text::Text;

static TYPE: Flag = Flag::new("type", Value::Text("TYPE"), "The predicate type, or a part of it")
    .about("Needed where there are several types: `spdx`, `cyclonedx`, `provenance/v1`. A document that has none is chosen by its media type.");

pub(super) static SBOM: Command = Command {
    spec: Spec {
        name: "sbom",
        operand: Operand::Images,
        help: "Print the SBOM of an image",
        about: "The SPDX or CycloneDX document itself, without the in-toto statement and the DSSE envelope around it, from BuildKit's attestations, referrers, or cosign's tags. Its digest has been verified, its signature has not. Of several of one type the first one that `attestations` lists is printed. If there is none: exit 3, and what there is instead.",
        flags: &[&TYPE],
        examples: &[
            (
                "docker-registry sbom -q '.packages[].name' docker/buildx-bin",
                "the names of all packages",
            ),
            ("docker-registry sbom --type cyclonedx example.com/app", "the CycloneDX document"),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, invocation| print(image, invocation, "SBOM", Attestation::is_sbom)),
};

pub(super) static PROVENANCE: Command = Command {
    spec: Spec {
        name: "provenance",
        operand: Operand::Images,
        help: "Print how an image was built",
        about: "The SLSA provenance itself, version 0.2 or 1, without the in-toto statement and the DSSE envelope around it, from BuildKit's attestations, referrers, or cosign's tags. Its digest has been verified, its signature has not. Of several of one type the first one that `attestations` lists is printed. If there is none: exit 3, and what there is instead.",
        flags: &[&TYPE],
        examples: &[
            ("docker-registry provenance docker/buildx-bin", "builder, source, parameters"),
            (
                "docker-registry provenance --type v1 -q .buildDefinition.externalParameters example.com/app",
                "what the build was given",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, invocation| {
        print(image, invocation, "provenance", Attestation::is_provenance)
    }),
};

fn print(
    image: &Image,
    invocation: &Invocation,
    what: &str,
    is_wanted: fn(&Attestation) -> bool,
) -> Result<Answer> {
    let there = attestation::all(image)?;
    let wanted = invocation.args.text(&TYPE);
    let mut fitting = there.iter().filter(|it| match wanted {
        Some(kind) => is_of_type(it, kind),
        None => is_wanted(it),
    });
    let Some(first) = fitting.next() else {
        let of_type = wanted.map(|kind| format!(" of type {kind}")).unwrap_or_default();
        let error = Error::new(Kind::NotFound, format!("no {what}{of_type}"));
        return Err(match &there[..] {
            [] => error.hint("nothing is attached to the image"),
            there => error.hint(format!("available: {}", names(there))),
        });
    };
    if let Some(other) = fitting.find(|it| it.predicate_type != first.predicate_type) {
        let message = format!("several types: {}", names([first, other]));
        return Err(Error::new(Kind::NotFound, message).hint("choose one with --type TYPE"));
    }
    Ok(match attestation::predicate(image, first)? {
        Predicate::Json(json) => Answer::json_text(json),
        Predicate::Text(text) => {
            Answer::text(Text::from(text.clone()).without_line_end(), text.into())
        }
    })
}

fn is_of_type(attestation: &Attestation, wanted: &str) -> bool {
    let kind = attestation.predicate_type.as_ref().unwrap_or(&attestation.blob.media_type);
    kind.to_lowercase().contains(&wanted.to_lowercase())
}

/// What they are about, each once.
fn names<'a>(attestations: impl IntoIterator<Item = &'a Attestation>) -> String {
    let kinds = attestations
        .into_iter()
        .map(|it| it.predicate_type.as_ref().unwrap_or(&it.blob.media_type).as_str());
    Vec::from_iter(kinds.collect::<BTreeSet<_>>()).join(", ")
}
