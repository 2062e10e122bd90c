//! `docker-registry verifytool IMAGE`

use std::io;

use serde_json::{Value, json};

use super::{
    Answer, Command, Error, Flag, Image, Invocation, Kind, Operand, Result, Run, Spec, Verdict,
};
use crate::attestation::{self, PublicKeys};
use crate::compression::{self, UNPACKING};
use crate::content::{Layer, ManifestKind};
use crate::context::{self, PUBLIC_KEY};
use crate::digest::{Digest, Verified};
use crate::readahead::Readahead;
use crate::source::Source;

static LAYERS: Flag =
    Flag::switch("layers", "Also download every layer and check it and its diff ID").about(
        "Nothing is written to disk. A layer that several platforms have is downloaded once, and three are read at a time.",
    );
pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "verifytool",
        operand: Operand::Images,
        help: "Recompute the digests of an image and compare them",
        about: "One line for each test: `PASSED`, `FAILED`, or `SKIPPED` if there is nothing to compare. Exit 6 if a test failed; what is listed but missing has failed. With `--json`: an array of `{test, passed, why}`, where `passed` is null for skipped tests.

With `--public-key`, or `--key` without `--cert`, there is a line for each signature of the image and of its index that cosign made, under the tag `sha256-….sig` or as a referrer: it has passed if the key made it and what it signs is the digest of that manifest. An image without any signature has failed, and so has a signature that another key made, even beside one that has passed. Certificates (keyless signing), transparency logs, and the signatures of attestations are not checked.",
        flags: &[&LAYERS, &PUBLIC_KEY],
        examples: &[
            (
                "docker-registry verifytool ubuntu:18.04",
                "PASSED manifest digest test, PASSED config digest test",
            ),
            (
                "docker-registry verifytool --layers --platform all ubuntu",
                "every byte of every platform",
            ),
            (
                "docker-registry verifytool --public-key cosign.pub example.com/app",
                "also PASSED signature sha256:… test",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let keys = context::public_key(invocation.args).map(PublicKeys::read).transpose()?;
    let mut report = Report::default();
    // Every fetch compares the content with its digest; here the result becomes a line.
    match image.digest() {
        // If the image itself does not exist, that is an error; if something below it is missing, a
        // test has failed.
        Err(error) if error.kind() == Kind::NotFound => return Err(error),
        Err(error) => report.test("manifest digest", Err::<(), _>(error))?,
        Ok(_) => report.test("manifest digest", image.manifest())?,
    }
    let has_manifest = !report.has_failed;
    if has_manifest {
        test_config(image, &mut report)?;
    }
    if !report.has_failed && invocation.args.has(&LAYERS) {
        test_layers(image, &mut report)?;
    }
    if let Some(keys) = keys.filter(|_| has_manifest) {
        test_signatures(image, &keys, &mut report)?;
    }
    let verdict = if report.has_failed { Verdict::Corrupt } else { Verdict::Yes };
    Ok(Answer::text(report.lines.join("\n"), report.json.into()).verdict(verdict))
}

fn test_signatures(image: &Image, keys: &PublicKeys, report: &mut Report) -> Result<()> {
    let signatures = attestation::signatures(image, keys)?;
    if signatures.is_empty() {
        report.add("signature", Some(false), Some("there is none".to_owned()));
    }
    for (digest, outcome) in signatures {
        report.test(&format!("signature {digest}"), outcome)?;
    }
    Ok(())
}

fn test_config(image: &Image, report: &mut Report) -> Result<()> {
    let manifest = image.manifest()?;
    match manifest.kind() {
        ManifestKind::Manifest if manifest.config()?.is_none() => image.config().map(drop),
        ManifestKind::Schema1 => {
            let why = "a schema 1 manifest contains its configuration".to_owned();
            report.add("config digest", None, Some(why));
            Ok(())
        }
        _ => report.test("config digest", image.config()),
    }
}

/// Side by side, and each once, however many platforms have it. What somebody else is at is left for
/// the end, so that nobody waits who could work.
fn test_layers(image: &Image, report: &mut Report) -> Result<()> {
    let (source, budget) = (&*image.source, &*image.budget);
    let mut diff_ids = image.diff_ids()?.into_iter();
    let layers: Vec<_> = image.layers()?.into_iter().map(|it| (it, diff_ids.next())).collect();
    let key = |(layer, diff_id): &(Layer, Option<Digest>)| {
        format!("{} {:?} {diff_id:?}", layer.digest, layer.size)
    };
    let test = |layer| {
        let outcome =
            budget.layers.get(key(layer), || UNPACKING.hold(|| test_layer(source, layer)));
        outcome.as_ref().err().filter(|it| !is_fault(it)).cloned().map_or(Ok(outcome), Err)
    };
    image.pool.all(layers.iter().collect(), |layer| match budget.layers.is_new(key(layer)) {
        true => test(layer).map(drop),
        false => Ok(()),
    })?;
    for layer in &layers {
        let what = if layer.1.is_some() { "diff ID" } else { "digest" };
        report.test(&format!("layer {} {what}", layer.0.digest), test(layer)?)?;
    }
    Ok(())
}

fn test_layer(source: &dyn Source, (layer, diff_id): &(Layer, Option<Digest>)) -> Result<()> {
    let blob = Readahead::start(source.blob(&layer.digest, 0)?.reader)?;
    let content = Verified::new(blob, layer.digest.clone(), layer.size);
    match diff_id {
        Some(diff_id) => {
            let (_, tar) = compression::unpacked(content)?;
            drained(Verified::new(tar, diff_id.clone(), None))
        }
        None => drained(content),
    }
}

/// Reads to the end, where the digest is compared.
fn drained(mut content: impl io::Read) -> Result<()> {
    Ok(io::copy(&mut content, &mut io::sink()).map(drop)?)
}

/// Whether an error speaks against the content.
fn is_fault(error: &Error) -> bool {
    matches!(error.kind(), Kind::Corrupt | Kind::NotFound)
}

/// The tests that were made, as lines and as JSON.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    json: Vec<Value>,
    has_failed: bool,
}

impl Report {
    /// What is listed but missing has failed. Errors that say nothing about the content, such as an
    /// unreachable registry, are returned.
    fn test<T>(&mut self, name: &str, outcome: Result<T>) -> Result<()> {
        match outcome {
            Ok(_) => self.add(name, Some(true), None),
            Err(error) if is_fault(&error) => {
                self.add(name, Some(false), Some(error.to_string()));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// `passed` is `None` if there was nothing to compare; `why` is for tests that did not pass.
    fn add(&mut self, name: &str, passed: Option<bool>, why: Option<String>) {
        let word = match passed {
            Some(true) => "PASSED",
            Some(false) => "FAILED",
            None => "SKIPPED",
        };
        let reason = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        self.lines.push(format!("{word} {name} test{reason}"));
        self.json.push(json!({"test": name, "passed": passed, "why": why}));
        self.has_failed |= passed == Some(false);
    }
}
