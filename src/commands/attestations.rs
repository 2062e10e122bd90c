//! `docker-registry attestations IMAGE...`

use serde_json::{Value, json};

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};
use crate::attestation::{self, Attestation};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "attestations",
        operand: Operand::Images,
        help: "List SBOMs, provenance and what else is attested",
        about: "An array of `{predicateType, mediaType, store, digest, size, platform}`: of what BuildKit put into the index (store `buildkit`), of what names the image as its subject (`referrers`), and of cosign's tags `sha256-….att` and `.sbom` (`cosign`). `platform` is null for what is about the index and not about the image for one platform. Signatures are not checked, neither here nor by `sbom` and `provenance`.",
        examples: &[
            ("docker-registry attestations docker/buildx-bin", "all for this machine's platform"),
            (
                "docker-registry attestations -q '.[].predicateType' docker/buildx-bin",
                "what they are about",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    let attestations = attestation::all(image)?;
    let platform = image.platform().map(|platform| platform.to_string());
    let described = attestations.iter().map(|it: &Attestation| -> Value {
        json!({
            "predicateType": it.predicate_type,
            "mediaType": it.blob.media_type,
            "store": it.store,
            "digest": it.blob.digest.to_string(),
            "size": it.blob.size,
            "platform": platform.as_ref().filter(|_| it.is_for_platform),
        })
    });
    Ok(Answer::value(described.collect()))
}
