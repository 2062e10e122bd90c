//! `docker-registry verifytool IMAGE`

use std::io;

use serde_json::json;

use super::{
    Answer, Command, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::compression;
use crate::content::ManifestKind;
use crate::digest::{Digest, Verified};
use crate::image::Layer;
use crate::readahead::Readahead;

static LAYERS: Flag =
    Flag::switch("layers", "Also download every layer and check it and its diff ID")
        .about("Nothing is written to disk.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "verifytool",
        operand: Operand::Images,
        help: "Recompute the digests of an image and compare them",
        about: "One line for each test: `PASSED`, `FAILED`, or `SKIPPED` if there is nothing to compare. Exit 6 if a test failed; what is listed but missing has failed. With `--json`: an array of `{test, passed, why}`, where `passed` is null for skipped tests.",
        flags: &[&LAYERS],
        examples: &[
            (
                "docker-registry verifytool ubuntu:18.04",
                "PASSED manifest digest test, PASSED config digest test",
            ),
            (
                "docker-registry verifytool --layers --platform all ubuntu",
                "every byte of every platform",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let mut report = Report::default();
    // Every fetch compares the content with its digest; here the result becomes a line.
    match image.digest() {
        // If the image itself does not exist, that is an error; if something below it is missing, a
        // test has failed.
        Err(error) if error.kind() == Kind::NotFound => return Err(error),
        Err(error) => report.test("manifest digest", Err::<(), _>(error))?,
        Ok(_) => report.test("manifest digest", image.manifest())?,
    }
    if report.has_passed() {
        test_config(image, &mut report)?;
    }
    if report.has_passed() && invocation.args.has(&LAYERS) {
        let diff_ids = image.diff_ids()?;
        for (i, layer) in image.layers()?.iter().enumerate() {
            test_layer(image, layer, diff_ids.get(i), &mut report)?;
        }
    }
    Ok(report.answer())
}

fn test_config(image: &Image, report: &mut Report) -> Result<()> {
    const NAME: &str = "config digest";
    let manifest = image.manifest()?;
    if manifest.kind() == ManifestKind::Manifest && manifest.config()?.is_none() {
        return image.config().map(drop);
    }
    if manifest.kind() == ManifestKind::Schema1 {
        report.skip(NAME, "a schema 1 manifest contains its configuration");
        return Ok(());
    }
    report.test(NAME, image.config())
}

fn test_layer(
    image: &Image,
    layer: &Layer,
    diff_id: Option<&Digest>,
    report: &mut Report,
) -> Result<()> {
    let name = format!("layer {}", layer.digest);
    let content = || {
        let blob = image.source().blob(&layer.digest, 0)?;
        Ok::<_, Error>(Verified::new(
            Readahead::start(blob.reader)?,
            layer.digest.clone(),
            layer.size,
        ))
    };
    let Some(diff_id) = diff_id else {
        return report.test(&format!("{name} digest"), drained(content()?));
    };
    let unpacked = content().and_then(|content| Ok(compression::unpacked(content)?.1));
    let unpacked = unpacked.and_then(|tar| drained(Verified::new(tar, diff_id.clone(), None)));
    report.test(&format!("{name} diff ID"), unpacked)
}

/// Reads to the end, where the digest is compared.
fn drained(mut content: impl io::Read) -> Result<()> {
    Ok(io::copy(&mut content, &mut io::sink()).map(drop)?)
}

#[derive(Default)]
struct Report {
    tests: Vec<(String, Outcome)>,
}

/// The result of a test, with the reason if it did not pass.
enum Outcome {
    Passed,
    Failed(String),
    /// There was nothing to compare.
    Skipped(&'static str),
}

impl Report {
    /// What is listed but missing has failed. Errors that say nothing about the content, such as an
    /// unreachable registry, are returned.
    fn test<T>(&mut self, name: &str, outcome: Result<T>) -> Result<()> {
        let outcome = match outcome {
            Ok(_) => Outcome::Passed,
            Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::NotFound) => {
                let text = error.to_string();
                Outcome::Failed(text.lines().next().unwrap_or_default().to_owned())
            }
            Err(error) => return Err(error),
        };
        self.tests.push((name.to_owned(), outcome));
        Ok(())
    }

    fn skip(&mut self, name: &str, why: &'static str) {
        self.tests.push((name.to_owned(), Outcome::Skipped(why)));
    }

    fn has_passed(&self) -> bool {
        let mut outcomes = self.tests.iter().map(|(_, outcome)| outcome);
        !outcomes.any(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    fn answer(self) -> Answer {
        let line = |(name, outcome): &(String, Outcome)| match outcome {
            Outcome::Passed => format!("PASSED {name} test"),
            Outcome::Failed(why) => format!("FAILED {name} test: {why}"),
            Outcome::Skipped(why) => format!("SKIPPED {name} test: {why}"),
        };
        let text = self.tests.iter().map(line).collect::<Vec<_>>().join("\n");
        let entry = |(name, outcome): &(String, Outcome)| {
            let (passed, why) = match outcome {
                Outcome::Passed => (Some(true), None),
                Outcome::Failed(why) => (Some(false), Some(why.as_str())),
                Outcome::Skipped(why) => (None, Some(*why)),
            };
            json!({"test": name, "passed": passed, "why": why})
        };
        let json = self.tests.iter().map(entry).collect();
        let verdict = if self.has_passed() { Verdict::Yes } else { Verdict::Corrupt };
        Answer::text(text, json).verdict(verdict)
    }
}
