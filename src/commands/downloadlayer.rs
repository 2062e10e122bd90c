//! `docker-registry downloadlayer IMAGE@DIGEST`

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{
    Answer, Args, Command, During, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec,
};
use crate::answer::Body;
use crate::cli::Value;
use crate::digest::Digest;
use crate::download::{Download, Layer, SavedLayer, Target};
use crate::output::{self, Output};
use crate::progress::{Progress, ProgressStyle};
use crate::reference::TagOrDigest;

static OUTPUT: Flag = Flag::new("output", Value::Path, "Write to FILE; - is stdout")
    .short('o')
    .about("Default: the digest with `.tgz` behind it, or `.tar.zst` or `.tar` if the content is that, in the current directory. A device or a FIFO is written to like stdout. If FILE is a link, the file that it leads to is replaced if it has the same owner.");

static ALL: Flag = Flag::new("all", Value::Directory, "Download all layers of an image into DIR")
    .about("IMAGE then names an image, whose layers for the platform are downloaded.");

static DECOMPRESS: Flag = Flag::switch("decompress", "Write the uncompressed tar")
    .about("For gzip and zstd. The tar is compared with the layer's diff ID if the image is known: with `IMAGE:TAG@DIGEST` and with `--all`.");

static FORCE: Flag = Flag::switch("force", "Overwrite a file that has other content");

static NO_PROGRESS: Flag = Flag::switch("no-progress", "Show no progress")
    .about("By default a longer download shows a bar on a terminal, and with `--verbose` a line for every 10 %.");

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
                "layer downloaded to file 'sha256:….tgz'",
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
    let progress = Progress::new(style(invocation));
    let answer = match (invocation.args.path(&ALL), &image.reference().at) {
        (Some(_), _) if invocation.args.has(&OUTPUT) => {
            Err(Error::usage("--all cannot be used with --output, which is one file"))
        }
        (Some(directory), _) => all(image, directory, invocation, &progress),
        (None, TagOrDigest::Digest { digest, .. }) => one(image, digest, invocation, &progress),
        (None, _) => Err(Error::usage("downloadlayer wants one layer, IMAGE@DIGEST, or --all DIR")
            .hint("the command 'layers' shows the digests")),
    };
    progress.finish();
    answer
}

fn style(invocation: &Invocation) -> ProgressStyle {
    let is_stdout = invocation.args.path(&OUTPUT).is_some_and(is_stdout);
    if invocation.args.has(&NO_PROGRESS) || (is_stdout && output::is_terminal()) {
        ProgressStyle::Silent
    } else if invocation.is_verbose {
        ProgressStyle::Lines
    } else {
        ProgressStyle::automatic()
    }
}

fn one(
    image: &Image,
    digest: &Digest,
    invocation: &Invocation,
    progress: &Progress,
) -> Result<Answer> {
    let download = download(image, layer(image, digest, invocation.args)?, invocation, progress)?;
    let hinted = |error: Error| match error.kind() {
        Kind::NotFound => error.hint("the command 'layers' shows the digests of an image's layers"),
        _ => error,
    };
    match invocation.args.path(&OUTPUT) {
        Some(path) if is_stdout(path) => {
            let mut out = Output::raw();
            let written = download.to_stream(&mut out);
            if !out.is_closed() {
                written.map_err(hinted)?;
            }
            Ok(Body::Nothing.into())
        }
        Some(path) if is_device(path) => {
            let mut out = File::options().write(true).open(path).during(path.display())?;
            download.to_stream(&mut out).map_err(hinted)?;
            Ok(Body::Nothing.into())
        }
        path => {
            let target = match path {
                Some(path) => Target::file(path)?,
                None => Target::Directory("".into()),
            };
            let saved = download.to_file(&target).map_err(hinted)?;
            Ok(Answer::text(line(&saved), entry(digest, &saved)))
        }
    }
}

fn all(
    image: &Image,
    directory: &Path,
    invocation: &Invocation,
    progress: &Progress,
) -> Result<Answer> {
    let mut layers = layers(image, invocation.args)?;
    let mut seen = HashSet::new();
    layers.retain(|layer| seen.insert(layer.digest.clone()));
    progress.expect(layers.iter().map(|layer| layer.size).sum());
    fs::create_dir_all(directory).during(directory.display())?;
    let target = Target::Directory(directory.to_owned());
    let downloads = layers
        .into_iter()
        .map(|layer| download(image, layer, invocation, progress))
        .collect::<Result<_>>()?;
    let saved = image.pool().all(downloads, |download: Download| {
        let saved = download.to_file(&target)?;
        Ok((line(&saved), entry(&download.layer.digest, &saved)))
    })?;
    let (lines, entries): (Vec<String>, Vec<Json>) = saved.into_iter().unzip();
    Ok(Answer::text(lines.join("\n"), entries.into()))
}

fn download<'a>(
    image: &'a Image,
    layer: Layer,
    invocation: &Invocation,
    progress: &'a Progress,
) -> Result<Download<'a>> {
    Ok(Download {
        source: image.source(),
        layer,
        unpack: invocation.args.has(&DECOMPRESS),
        force: invocation.args.has(&FORCE),
        timeout: invocation.timeout,
        progress,
    })
}

/// The layer; with its diff ID if the tar is to be unpacked and the image is known.
fn layer(image: &Image, digest: &Digest, args: &Args) -> Result<Layer> {
    let tagged = image.tagged().filter(|_| args.has(&DECOMPRESS));
    let Some(tagged) = tagged else {
        return Ok(Layer { digest: digest.clone(), size: None, diff_id: None });
    };
    let mut layers = layers(&tagged, args)?.into_iter();
    layers.find(|layer| layer.digest == *digest).ok_or_else(|| {
        let message = format!("the image for the platform has no layer {digest}");
        Error::new(Kind::NotFound, message).hint("without the tag the diff ID is not compared")
    })
}

fn layers(image: &Image, args: &Args) -> Result<Vec<Layer>> {
    let diff_ids = match args.has(&DECOMPRESS) {
        true => image.diff_ids()?,
        false => Vec::new(),
    };
    let layers = image.layers()?.into_iter().enumerate();
    let known = layers.map(|(i, descriptor)| Layer {
        digest: descriptor.digest,
        size: descriptor.size,
        diff_id: diff_ids.get(i).cloned(),
    });
    Ok(known.collect())
}

/// Also by its other names: where stdout is a file, the file must not be replaced.
fn is_stdout(path: &Path) -> bool {
    let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    names.iter().any(|name| path == Path::new(name))
}

/// A device or a FIFO, which is written to and never replaced.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

fn line(saved: &SavedLayer) -> String {
    let name = saved.path.display();
    match saved.is_new {
        true => format!("layer downloaded to file '{name}'"),
        false => format!("layer is already in file '{name}'"),
    }
}

fn entry(digest: &Digest, saved: &SavedLayer) -> Json {
    json!({"file": saved.path.display().to_string(), "digest": digest.to_string(), "size": saved.size})
}
