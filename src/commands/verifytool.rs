//! `docker-registry verifytool IMAGE`

use std::io;

use serde_json::json;

use super::{Command, Run};
use crate::answer::{Answer, Verdict};
use crate::cli::{Args, Example, Flag, Operand, Spec};
use crate::compression;
use crate::digest::{Digest, Verified};
use crate::document::{Descriptor, Form};
use crate::error::{Error, Kind, Result};
use crate::image::Image;
use crate::readahead::Readahead;

static LAYERS: Flag = Flag {
    name: "layers",
    help: "Download every layer too and check it and its diff ID",
    about: "Nothing is written to disk.",
    ..Flag::DEFAULT
};

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "verifytool",
        operand: Operand::Images,
        help: "Recompute the digests of an image and compare them",
        about: "One line for each test, `PASSED` or `FAILED`; exit 6 if one failed, and what is listed but missing has failed. With `--json`: an array of `{test, passed, why}`.",
        flags: &[&LAYERS],
        examples: &[
            Example {
                command: "docker-registry verifytool ubuntu:18.04",
                shows: "PASSED manifest digest test, PASSED config digest test",
            },
            Example {
                command: "docker-registry verifytool --layers --platform all ubuntu",
                shows: "every byte of every platform",
            },
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, args: &Args) -> Result<Answer> {
    let mut report = Report::default();
    // Whoever fetches a document compares it with its digest; here the outcome becomes a line.
    match image.digest() {
        // What the reference leads to must be there; what is missing below it has failed.
        Err(error) if error.kind() == Kind::NotFound => return Err(error),
        Err(error) => report.test("manifest digest", Err::<(), _>(error))?,
        Ok(_) => report.test("manifest digest", image.manifest())?,
    }
    if report.has_passed() {
        test_config(image, &mut report)?;
    }
    if report.has_passed() && args.has(&LAYERS) {
        let diff_ids = image.diff_ids()?;
        for (i, layer) in image.layers()?.iter().enumerate() {
            test_layer(image, layer, diff_ids.get(i), &mut report)?;
        }
    }
    Ok(report.answer())
}

fn test_config(image: &Image, report: &mut Report) -> Result<()> {
    let manifest = image.manifest()?;
    if manifest.form() == Form::Manifest && manifest.config()?.is_none() {
        return image.config().map(drop);
    }
    report.test("config digest", image.config())
}

fn test_layer(
    image: &Image,
    layer: &Descriptor,
    diff_id: Option<&Digest>,
    report: &mut Report,
) -> Result<()> {
    let name = format!("layer {}", layer.digest);
    let content = || {
        let blob = image.source().blob(&layer.digest, 0)?;
        Ok::<_, Error>(Verified::new(
            Readahead::start(blob.reader),
            layer.digest.clone(),
            Some(layer.size),
        ))
    };
    let Some(diff_id) = diff_id else {
        return report.test(&format!("{name} digest"), drained(content()?));
    };
    let unpacked = content().and_then(|content| Ok(compression::unpacked(content)?.1));
    let unpacked = unpacked.and_then(|tar| drained(Verified::new(tar, diff_id.clone(), None)));
    report.test(&format!("{name} diff ID"), unpacked)
}

/// Reads to the end, where a wrong digest shows.
fn drained(mut content: impl io::Read) -> Result<()> {
    Ok(io::copy(&mut content, &mut io::sink()).map(drop)?)
}

#[derive(Default)]
struct Report {
    /// Name, and why the test failed if it did.
    tests: Vec<(String, Option<String>)>,
}

impl Report {
    /// What is listed and not there has failed. Errors that say nothing about the content, such as a
    /// missing registry, are handed on.
    fn test<T>(&mut self, name: &str, outcome: Result<T>) -> Result<()> {
        let why = match outcome {
            Ok(_) => None,
            Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::NotFound) => {
                let text = error.to_string();
                text.lines().next().map(str::to_owned)
            }
            Err(error) => return Err(error),
        };
        self.tests.push((name.to_owned(), why));
        Ok(())
    }

    fn has_passed(&self) -> bool {
        self.tests.iter().all(|(_, why)| why.is_none())
    }

    fn answer(self) -> Answer {
        let line = |(name, why): &(String, Option<String>)| match why {
            None => format!("PASSED {name} test"),
            Some(why) => format!("FAILED {name} test: {why}"),
        };
        let text = self.tests.iter().map(line).collect::<Vec<_>>().join("\n");
        let entry = |(name, why): &(String, Option<String>)| json!({"test": name, "passed": why.is_none(), "why": why});
        let json = self.tests.iter().map(entry).collect();
        let verdict = if self.has_passed() {
            Verdict::Yes
        } else {
            Verdict::Corrupt
        };
        Answer::text(text, json).verdict(verdict)
    }
}
