//! `docker-registry digestlist IMAGE...`

use super::{Answer, Command, Operand, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "digestlist",
        operand: Operand::Images,
        help: "Print the digest of the manifest list or OCI index",
        about: "The digest that `docker pull` shows, and the one to use to pin an image for all platforms. Exit 3 if the tag does not lead to an index; `resolve` prints the digest in both cases, `digest` that of the manifest for one platform.",
        examples: &[
            ("docker-registry digestlist ubuntu:18.04", "sha256:…"),
            ("docker-registry digestlist ubuntu debian alpine", "one line of JSON for each"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Repository(|image, _| Ok(Answer::word(image.index_digest()?))),
};
