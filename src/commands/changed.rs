//! `docker-registry changed IMAGE...`: diun's question.

use serde_json::{Value, json};

use super::{Answer, Command, Error, Flag, Image, Invocation, Operand, Result, Run, Spec, Verdict};
use crate::cli;
use crate::content::ManifestKind;
use crate::platform::Platform;
use crate::reference::{TagOrDigest, Transport};
use crate::state::State;

static STATE: Flag = Flag::new("state", cli::Value::Path, "Compare with the state in FILE, and update it")
    .about("A JSON file. It is created if it is missing, and always replaced as a whole. `FILE.lock` beside it lets several processes use FILE without losing entries. An answer is saved after it has been printed: if a full disk, a filter that fails or Ctrl-C prevents that, the next run prints it again. After a run that is killed, the next one may repeat what was printed in its last second. FILE is a file or a link to one of the same owner; a device or a FIFO is refused.");

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "changed",
        operand: Operand::Images,
        help: "Check whether an image has changed",
        about: "With `--state`: whether the image has changed since the last time, for the platform. Prints `{name, tag, mimeType, digest, created, dockerVersion, labels, layers, platform, status}` as diun does, with the status `new`, `update` or `unchanged`; exit 0 for new and update, 8 for unchanged. As long as the tag leads to the same digest, this takes one request. If an index has changed, only its entry for the platform counts. Each platform has its own entry in the state. A name with a tag and a digest is saved with both; the digest decides, which diun drops.

Without `--state`, for `IMAGE:TAG@DIGEST`: whether the tag still leads to the digest, either as the index or as the manifest for a platform. Prints `{name, tag, mimeType, digest, pinned, status}`, where `digest` is what the tag leads to now; exit 0 for update, 8 for unchanged.

With several images or platforms: exit 0 if any of them is new or updated, 8 if none is.",
        flags: &[&STATE],
        examples: &[
            (
                "docker-registry changed --state seen.json ubuntu && make",
                "build when there is a new Ubuntu",
            ),
            (
                "docker-registry changed --state seen.json --images images.txt -q 'select(.status != \"unchanged\") | .name + \":\" + .tag'",
                "the names of the new and updated images",
            ),
            (
                "docker-registry changed debian:12@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                "whether a pinned base image is outdated",
            ),
        ],
        ..Spec::DEFAULT
    },
    run: Run::Image(run),
};

/// The key of an entry that is saved but not printed: the digest of the platform's manifest.
const MANIFEST: &str = "manifest";

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let Some(path) = invocation.args.path(&STATE) else {
        return pinned(image);
    };
    let state = State::at(path, invocation.timeout);
    let key = format!("{}{}", name(image), image.reference.at);
    let platform = image.platform_name();
    let before = state.get(&key, &platform)?;
    let digest = image.resolved()?.digest.to_string();
    if let Some(before) = &before
        && before["digest"] == *digest
    {
        return Ok(answer(before.clone(), "unchanged"));
    }
    let after = described(image)?;
    let entry = state.entry(key, platform, after.clone())?;
    // Of two indexes only the manifests for the platform count.
    let is_index = |it: &Value| {
        ManifestKind::of(it["mimeType"].as_str().unwrap_or_default()) == ManifestKind::Index
    };
    let status = match &before {
        None => "new",
        Some(before)
            if is_index(before) && is_index(&after) && before[MANIFEST] == after[MANIFEST] =>
        {
            "unchanged"
        }
        Some(_) => "update",
    };
    Ok(answer(after, status).entries(vec![entry]))
}

/// The entry for the state file.
fn described(image: &Image) -> Result<Value> {
    let top = image.top_manifest()?;
    let config = image.config_json()?;
    let layers = image.layers()?.into_iter();
    Ok(json!({
        "name": name(image),
        "tag": image.reference.at.tag(),
        "mimeType": top.media_type(),
        "digest": top.digest().to_string(),
        "created": config["created"],
        "dockerVersion": config["docker_version"],
        "labels": config["config"]["Labels"],
        "layers": layers.map(|layer| layer.digest.to_string()).collect::<Value>(),
        "platform": Platform::read(config).map(|platform| platform.to_string()),
        MANIFEST: image.digest()?.to_string(),
    }))
}

fn answer(mut entry: Value, status: &str) -> Answer {
    if let Some(entry) = entry.as_object_mut() {
        entry.shift_remove(MANIFEST);
    }
    entry["status"] = status.into();
    let verdict = if status == "unchanged" { Verdict::No } else { Verdict::Yes };
    Answer::value(entry).verdict(verdict)
}

/// Whether the tag still leads to the digest after it.
fn pinned(image: &Image) -> Result<Answer> {
    let (TagOrDigest::Digest { digest, .. }, Some(image)) = (&image.reference.at, image.tagged())
    else {
        let message = "changed wants --state FILE, or an image with a tag and a digest";
        return Err(Error::usage(message));
    };
    let status = if image.leads_to(digest)? { "unchanged" } else { "update" };
    let now = image.resolved()?;
    let entry = json!({
        "name": name(&image),
        "tag": image.reference.at.tag(),
        "mimeType": now.media_type,
        "digest": now.digest.to_string(),
        "pinned": digest.to_string(),
    });
    Ok(answer(entry, status))
}

/// Whatever the user left out: `docker.io/library/ubuntu`.
fn name(image: &Image) -> String {
    match &image.reference.transport {
        Transport::Registry(repository) => format!("{}/{}", repository.host, repository.name),
        place => place.to_string(),
    }
}
