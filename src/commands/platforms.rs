//! `docker-registry platforms IMAGE...`: mquery's report.

use serde_json::{Map, Value, json};

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
        ..Spec::DEFAULT
    },
    run: Run::Repository(run),
};

fn run(image: &Image, invocation: &Invocation) -> Result<Answer> {
    let top = image.top_manifest()?;
    let is_list = top.kind() == ManifestKind::Index;
    let listed = image.platforms()?;
    let mut platforms = listed.images.iter().map(|(platform, _)| platform);
    let json = json!({
        "imagename": image.text(),
        "digest": top.digest().to_string(),
        "mediatype": top.media_type(),
        "islist": is_list,
        "archlist": platforms.clone().map(fields).collect::<Value>(),
        "cachets": (invocation.now)(),
    });
    let (digest, media_type) = (top.digest(), top.media_type());
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
    let is_windows = platform.os == "windows";
    let os_version = platform.os_version.clone().filter(|_| is_windows);
    let shown = Platform { os_version, ..platform.clone() };
    shown.to_string()
}

/// As image-spec has them.
fn fields(platform: &Platform) -> Value {
    let mut fields = Map::new();
    let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    add("architecture", platform.architecture.as_str().into());
    add("os", platform.os.as_str().into());
    if let Some(version) = &platform.os_version {
        add("os.version", version.as_str().into());
    }
    if !platform.os_features.is_empty() {
        add("os.features", platform.os_features.clone().into());
    }
    if let Some(variant) = &platform.variant {
        add("variant", variant.as_str().into());
    }
    fields.into()
}
