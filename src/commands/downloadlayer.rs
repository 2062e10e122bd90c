//! `docker-registry downloadlayer IMAGE@DIGEST`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::NamedTempFile;

use super::{Command, Run};
use crate::answer::{Answer, Body};
use crate::cli::{Args, Example, Flag, Operand, Spec, Value};
use crate::compression::Compression;
use crate::digest::{Digest, Verified};
use crate::error::{During, Error, Result};
use crate::image::Image;
use crate::output::Output;
use crate::reference::At;

static OUTPUT: Flag = Flag {
    name: "output",
    short: Some('o'),
    value: Value::Path("FILE"),
    help: "Write to FILE, or to stdout if it is -",
    about: "Default: the digest with `.tgz` behind it, or `.tar.zst` or `.tar` if the bytes say so, in the current directory.",
};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "downloadlayer",
        operand: Operand::Layer,
        help: "Download one layer and verify it",
        about: "The digest is one that `layers` or `manifest` shows, not one of the configuration. The file gets its name only when it is whole and right.",
        flags: &[&OUTPUT],
        examples: &[
            Example {
                command: "docker-registry downloadlayer ubuntu@sha256:…",
                shows: "layer downloaded to file 'sha256:….tgz'",
            },
            Example {
                command: "docker-registry downloadlayer -o - ubuntu@sha256:… | tar -tz",
                shows: "the files in the layer",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

const BLOCK: usize = 256 << 10;

fn run(image: &Image, args: &Args) -> Result<Answer> {
    let At::Digest { digest, .. } = &image.reference().at else {
        let message = "downloadlayer wants one layer, IMAGE@DIGEST";
        return Err(Error::usage(message).hint("the command 'layers' lists the digests"));
    };
    let blob = image.source().blob(digest, 0)?;
    let content = Verified::new(blob.reader, digest.clone(), blob.size);
    match args.path(&OUTPUT) {
        Some(path) if path == Path::new("-") => to_stdout(content),
        path => to_file(content, digest, path.map(Path::to_owned)),
    }
}

/// Holds the last block back until the digest is known: a reader sees wrong content cut short,
/// never whole.
fn to_stdout(mut content: impl Read) -> Result<Answer> {
    let mut out = Output::raw();
    let mut held = Vec::new();
    loop {
        let block = block(&mut content)?;
        let written = out.write_all(&held);
        if out.is_closed() {
            return Ok(Body::Nothing.into());
        }
        written?;
        if block.is_empty() {
            out.flush()?;
            return Ok(Body::Nothing.into());
        }
        held = block;
    }
}

fn to_file(mut content: impl Read, digest: &Digest, path: Option<PathBuf>) -> Result<Answer> {
    let mut held = block(&mut content)?;
    let path = path.unwrap_or_else(|| default_name(digest, Compression::of(&held)));
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file =
        NamedTempFile::new_in(directory.unwrap_or(Path::new("."))).during(path.display())?;
    let mut size = 0;
    while !held.is_empty() {
        file.write_all(&held).during(path.display())?;
        size += held.len();
        held = block(&mut content)?;
    }
    file.persist(&path)
        .map_err(|error| error.error)
        .during(path.display())?;
    let name = path.display().to_string();
    let json = json!({"file": name, "digest": digest.to_string(), "size": size});
    Ok(Answer::text(
        format!("layer downloaded to file '{name}'"),
        json,
    ))
}

/// The next bytes, fewer than a block only at the end.
fn block(content: &mut impl Read) -> Result<Vec<u8>> {
    let mut block = Vec::with_capacity(BLOCK);
    content.take(BLOCK as u64).read_to_end(&mut block)?;
    Ok(block)
}

fn default_name(digest: &Digest, compression: Compression) -> PathBuf {
    let extension = match compression {
        Compression::Gzip => "tgz",
        Compression::Zstd => "tar.zst",
        Compression::None => "tar",
    };
    // A colon is the script's way, but no character of a file's name on Windows.
    let name = format!("{digest}.{extension}");
    PathBuf::from(if cfg!(windows) {
        name.replace(':', "-")
    } else {
        name
    })
}
