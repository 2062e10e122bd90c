//! `docker-registry digest IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "digest",
        operand: Operand::Images,
        help: "Print the digest of an image on one platform",
        about: "The digest of the platform's manifest. It identifies the image in the registry without a tag and a platform. `resolve` and `digestlist` print the digest for all platforms.",
        examples: &[
            ("docker-registry digest --platform linux/arm64 ubuntu:18.04", "sha256:…"),
            ("docker-registry digest --platform all ubuntu", "the digest for every platform"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(|image, _| Ok(Answer::word(image.printed_digest()?))),
};
