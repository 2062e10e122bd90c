//! `docker-registry platforms IMAGE...`: mquery's report.

use serde_json::{Value, json};

use super::{Answer, Command, Image, Invocation, Operand, Result, Run, Spec};
use crate::content::ManifestKind;
use crate::platform::Platform;

pub(super) static COMMAND: Command = Command {
    spec: Spec {
        name: "platforms",
        operand: Operand::Images,
        help: "List the platforms of an image",
        about: "The same report as mquery's, byte for byte. With `--json` mquery's fields: `{imagename, digest, mediatype, islist, archlist, cachets}`, where `archlist` is an array of `{architecture, os, os.version, os.features, variant}` without what is not known, and `cachets` is the time of the answer in seconds since 1970. Attestations of BuildKit are left out.

If an entry of the index has no platform, mquery crashes; here the platform is read from the image's configuration, and what has none is `unknown/unknown`. Indexes in indexes are opened.",
        examples: &[
            ("docker-registry platforms ubuntu:18.04", "a report to read"),
            (
                "docker-registry platforms -q '.archlist[].architecture' ubuntu",
                "one architecture per line",
            ),
        ],
        is_immutable: true,
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let top = image.top_manifest()?;
    let (digest, media_type) = (top.digest().to_string(), top.media_type());
    let is_list = top.kind() == ManifestKind::Index;
    let listed = image.platforms()?;
    let mut platforms = listed.images.iter().map(|(platform, _)| platform);
    let json = json!({
        "imagename": image.text(),
        "digest": digest,
        "mediatype": media_type,
        "islist": is_list,
        "archlist": platforms.clone().map(Platform::json).collect::<Value>(),
        "cachets": (invocation.now)(),
    });
    let yes = if is_list { "Yes" } else { "No" };
    let mut text = format!(
        "Image: {} (digest: {digest})\n * Manifest List: {yes} (Image type: {media_type})\n",
        image.text(),
    );
    if is_list {
        text += " * Supported platforms:\n";
        text.extend(platforms.map(|platform| format!("   - {}\n", named(platform))));
    } else if let Some(Platform { os, architecture, .. }) = platforms.next() {
        text += &format!(" * Supports: {os}/{architecture}\n");
    }
    Ok(Answer::text(text, json).failures(listed.missing))
}

/// `OS/ARCH[/VARIANT]`, for Windows with its version, which decides what can run.
fn named(platform: &Platform) -> String {
    let os_version = platform.os_version.clone().filter(|_| platform.os == "windows");
    Platform { os_version, ..platform.clone() }.to_string()
}
