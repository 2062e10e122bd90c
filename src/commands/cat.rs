//! `docker-registry cat IMAGE PATH`

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek};
use std::path::Path;

use serde_json::json;

use super::saving::{self, FORCE, LAYER, NO_PROGRESS, OUTPUT};
use super::{Answer, Command, During, Error, Image, Invocation, Kind, Operand, Result, Run, Spec};
use crate::answer::Body;
use crate::file::{self, Spool};
use crate::filesystem::Filesystem;
use crate::memory;

/// How large a file may be that is shown as a JSON string.
const JSON: u64 = 8 << 20;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "cat",
        operand: Operand::ImageFile { is_needed: true },
        help: "Print a file in an image",
        about: "Symlinks are followed inside the image. The layers are read from the top one down, and no further than to the one that has or hides the file. Nothing is printed before the layer's digest has been compared: until then a small file waits in memory, a large one in a temporary file without a name. On a terminal control characters are escaped. Of layers in the formats eStargz and zstd:chunked only the table of contents and the file are read, and their digests compared.

Exit 3 if there is no such file. With `--json`, with a filter, for several images and for all platforms the file is a JSON string; it must be UTF-8 then, and have at most 8 MiB. With `--output` a file that has other content and is not empty is not touched.",
        flags: &[&OUTPUT, &FORCE, &LAYER, &NO_PROGRESS],
        examples: &[
            ("docker-registry cat ubuntu /etc/os-release", "which release it is"),
            (
                "docker-registry cat --images images.txt -q '\"\\($image) \\(.)\"' /etc/debian_version",
                "one file of many images",
            ),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let args = invocation.args;
    let path = args.file().expect("the parser has counted");
    let to = args.path(&OUTPUT);
    if to.is_some() && !invocation.is_alone {
        return Err(Error::usage("--output, which is one file, is for one image on one platform"));
    }
    let mut content = saving::with_progress(invocation, |progress| {
        memory::passing(|| {
            let mut filesystem = Filesystem::of(image, progress)?;
            if let Some(layer) = args.text(&LAYER) {
                filesystem = filesystem.only(layer)?;
            }
            filesystem.file(path)
        })
    })?;
    let size = content.stream_position()?;
    content.rewind()?;
    match to {
        Some(to) if saving::is_device(to) && !saving::is_stdout(to) => {
            let mut out = File::options().write(true).open(to).during(to.display())?;
            io::copy(&mut content, &mut out).during(to.display())?;
            Ok(Body::Nothing.into())
        }
        Some(to) if !saving::is_stdout(to) => save(content, size, to, args.has(&FORCE)),
        None if invocation.is_json => text(content, size).during(path),
        _ => Ok(Body::File(content).into()),
    }
}

/// The content as a JSON string.
fn text(content: Spool, size: u64) -> Result<Answer> {
    let why = match size {
        0..=JSON => match io::read_to_string(content) {
            Ok(text) => return Ok(Answer::value(text.into())),
            Err(error) if error.kind() == ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
            Err(error) => return Err(error.into()),
        },
        size => format!("it has {size} bytes, more than {JSON}"),
    };
    let message = format!("the file cannot be a JSON string: {why}");
    Err(Error::new(Kind::Local, message).hint("without a filter or --json its bytes are printed"))
}

/// Puts the content in the place of a file, which is not replaced if it has other content.
fn save(mut content: Spool, size: u64, to: &Path, force: bool) -> Result<Answer> {
    let there = match fs::metadata(to) {
        Ok(metadata) if metadata.is_file() => Some(metadata.len()),
        Ok(_) => return Err(Error::new(Kind::Local, "not a file")).during(to.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).during(to.display()),
    };
    let is_same = there == Some(size) && same(&mut content, File::open(to).during(to.display())?)?;
    // An empty file is what a crash leaves, and may be replaced.
    if there.is_some_and(|there| there > 0) && !is_same && !force {
        let error = Error::new(Kind::Local, "the file exists and has other content");
        return Err(error.hint("--force overwrites it")).during(to.display());
    }
    content.rewind()?;
    if !is_same {
        file::replace_from(to, content).during(to.display())?;
    }
    let name = to.display().to_string();
    let line = match is_same {
        true => format!("file is already in '{name}'"),
        false => format!("file saved in '{name}'"),
    };
    Ok(Answer::text(line, json!({"file": name, "size": size})))
}

fn same(one: &mut impl Read, other: impl Read) -> Result<bool> {
    let (mut one, mut other) = (BufReader::new(one).bytes(), BufReader::new(other).bytes());
    loop {
        match (one.next().transpose()?, other.next().transpose()?) {
            (None, None) => return Ok(true),
            (one, other) if one != other => return Ok(false),
            _ => {}
        }
    }
}
