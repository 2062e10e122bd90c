//! `docker-registry resolve IMAGE...`

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "resolve",
        operand: Operand::Images,
        help: "Print the digest that a tag leads to",
        about: "The digest of the index or, for an image without one, of the manifest: what `crane digest`, `regctl image digest` and `oras resolve` print, and what pins an image. It takes one HEAD request.

`digestlist` prints it only if it is the digest of an index, and `digest` follows the index to the manifest for one platform.",
        examples: &[
            ("docker-registry resolve ubuntu:18.04", "sha256:…"),
            (
                "docker-registry resolve --wait 5m registry.example.com/app:$VERSION",
                "the same, as soon as it has been pushed",
            ),
            ("docker-registry resolve ubuntu debian alpine", "one line of JSON for each"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, _: &Invocation) -> Result<Answer> {
    Ok(Answer::word(&image.resolved()?.digest))
}
