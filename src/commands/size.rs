//! `docker-registry size IMAGE...`

use serde_json::json;

use super::saving::{self, NO_PROGRESS};
use super::{Answer, Command, Flag, Image, Invocation, Operand, Result, Run, Spec};
use crate::filesystem::Filesystem;
use crate::memory;

static UNPACKED: Flag = Flag::switch("unpacked", "Also add up the files, which reads the layers")
    .about("A layer in eStargz or zstd:chunked form has a table of its files, which is enough. What a layer holds is remembered under its digest. Files that a layer above replaces or removes count too, as they do on disk.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "size",
        operand: Operand::Images,
        help: "Print the size of an image",
        about: "`{compressed, unpacked, layers}`: the bytes of all layers as the registry keeps them, which is what a pull downloads, the bytes of all files in them, which is what it writes, and how many layers there are. `unpacked` is null without `--unpacked`, and `compressed` for an image of schema 1, whose manifest names no sizes.",
        flags: &[&UNPACKED, &NO_PROGRESS],
        examples: &[
            ("docker-registry size -q .compressed ubuntu", "the bytes that a pull downloads"),
            ("docker-registry size --platform all ubuntu", "the size for every platform"),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let layers = image.layers()?;
    let compressed: Option<u64> = layers.iter().map(|layer| layer.size).sum();
    let mut unpacked = None;
    if invocation.args.has(&UNPACKED) {
        unpacked = Some(saving::with_progress(invocation, |progress| {
            memory::passing(|| Filesystem::of(image, progress)?.unpacked())
        })?);
    }
    let layers = layers.len();
    Ok(Answer::value(json!({"compressed": compressed, "unpacked": unpacked, "layers": layers})))
}
