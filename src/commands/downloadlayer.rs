//! `docker-registry downloadlayer IMAGE@DIGEST`

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::saving::{self, FORCE, NO_PROGRESS, OUTPUT};
use super::{
    Answer, Command, During, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec,
};
use crate::answer::Body;
use crate::cli::Value;
use crate::digest::Digest;
use crate::download::{Download, Layer, Target};
use crate::output::Output;
use crate::progress::Progress;
use crate::reference::TagOrDigest;

static ALL: Flag = Flag::new("all", Value::Directory, "Download all layers of an image into DIR")
    .about("IMAGE then names an image, whose layers for the platform are downloaded.");

static DECOMPRESS: Flag = Flag::switch("decompress", "Write the uncompressed tar")
    .about("For gzip and zstd. The tar is compared with the layer's diff ID if the image is known: with `IMAGE:TAG@DIGEST` and with `--all`.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "downloadlayer",
        operand: Operand::Layer,
        help: "Download and verify one layer, or all layers",
        about: "The digest is one that `layers` or `manifest` shows, not one from the configuration. The file gets its name only when it is complete, verified and on the disk; until then it is named after the digest, with `.part` behind it, and the next run continues an interrupted download. A file that already has the right content is not downloaded again; one that has other content and is not empty is not touched. To stdout, the end of the layer is written only if its digest is right.",
        flags: &[&OUTPUT, &ALL, &DECOMPRESS, &FORCE, &NO_PROGRESS],
        examples: &[
            (
                "docker-registry downloadlayer ubuntu@sha256:…",
                "layer downloaded to file './sha256:….tgz'",
            ),
            (
                "docker-registry downloadlayer -o - ubuntu@sha256:… | tar -tz",
                "the files in the layer",
            ),
            (
                "docker-registry downloadlayer --all layers --decompress ubuntu:18.04",
                "the tars of an image, in the directory layers",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    saving::with_progress(invocation, |progress| downloaded(image, invocation, progress))
}

fn downloaded(image: &Image, invocation: &Invocation, progress: &Progress) -> Result<Answer> {
    let (args, source) = (invocation.args, &*image.source);
    let (unpack, force) = (args.has(&DECOMPRESS), args.has(&FORCE));
    let timeout = invocation.timeout;
    let download = |layer| Download { source, layer, unpack, force, timeout, progress };
    match (args.path(&ALL), args.path(&OUTPUT), &image.reference.at) {
        (Some(_), Some(_), _) => {
            Err(Error::usage("--all cannot be used with --output, which is one file"))
        }
        (Some(directory), None, _) => {
            let mut layers = layers(image, unpack)?;
            let mut seen = HashSet::new();
            layers.retain(|layer| seen.insert(layer.digest.clone()));
            progress.expect(layers.iter().map(|layer| layer.size).sum());
            fs::create_dir_all(directory).during(directory.display())?;
            let target = Target::Directory(directory.to_owned());
            let saved = image.pool.all(layers, |layer| saved(&download(layer), &target))?;
            let (lines, entries): (Vec<String>, Vec<Json>) = saved.into_iter().unzip();
            Ok(Answer::text(lines.join("\n"), entries.into()))
        }
        (None, path, TagOrDigest::Digest { digest, .. }) => {
            let download = download(layer(image, digest, unpack)?);
            one(&download, path).map_err(|error| match error.kind() {
                Kind::NotFound => {
                    error.hint("the command 'layers' shows the digests of an image's layers")
                }
                _ => error,
            })
        }
        (None, ..) => {
            Err(Error::usage("downloadlayer wants one layer, IMAGE@DIGEST, or --all DIR")
                .hint("the command 'layers' shows the digests"))
        }
    }
}

fn one(download: &Download, path: Option<&Path>) -> Result<Answer> {
    let target = match path {
        Some(path) if saving::is_stdout(path) => {
            let mut out = Output::raw();
            let written = download.to_stream(&mut out);
            // Nobody waits for the rest if the reader has gone.
            return if out.is_closed() { Ok(()) } else { written }.map(|()| Body::Nothing.into());
        }
        // A device or a FIFO is written to and never replaced.
        Some(path) if saving::is_device(path) => {
            let mut out = File::options().write(true).open(path).during(path.display())?;
            return download.to_stream(&mut out).map(|()| Body::Nothing.into());
        }
        Some(path) => Target::file(path)?,
        None => Target::Directory("".into()),
    };
    let (line, entry) = saved(download, &target)?;
    Ok(Answer::text(line, entry))
}

/// Downloads to a file and says to which, in words and in JSON.
fn saved(download: &Download, target: &Target) -> Result<(String, Json)> {
    let saved = download.to_file(target)?;
    let (file, digest) = (shown(&saved.path), download.layer.digest.to_string());
    let line = match saved.is_new {
        true => format!("layer downloaded to file '{file}'"),
        false => format!("layer is already in file '{file}'"),
    };
    Ok((line, json!({"file": file, "digest": digest, "size": saved.size})))
}

/// As other programs take it: tar reads `sha256:…` as a file on a host.
fn shown(path: &Path) -> String {
    let path = path.display().to_string();
    let is_host = cfg!(unix) && path.split('/').next().is_some_and(|first| first.contains(':'));
    if is_host { format!("./{path}") } else { path }
}

/// The layer; with its diff ID if the tar is to be unpacked and the image is known.
fn layer(image: &Image, digest: &Digest, unpack: bool) -> Result<Layer> {
    let Some(tagged) = image.tagged().filter(|_| unpack) else {
        return Ok(Layer { digest: digest.clone(), size: None, diff_id: None });
    };
    let mut layers = layers(&tagged, unpack)?.into_iter();
    layers.find(|layer| layer.digest == *digest).ok_or_else(|| {
        let message = format!("the image for the platform has no layer {digest}");
        Error::new(Kind::NotFound, message).hint("without the tag the diff ID is not compared")
    })
}

fn layers(image: &Image, unpack: bool) -> Result<Vec<Layer>> {
    let diff_ids = if unpack { image.diff_ids()? } else { Vec::new() };
    let mut diff_ids = diff_ids.into_iter();
    let layers = image.layers()?.into_iter();
    let known =
        layers.map(|it| Layer { digest: it.digest, size: it.size, diff_id: diff_ids.next() });
    Ok(known.collect())
}
