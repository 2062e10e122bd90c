//! The style sheet, the script and the icon, under names that change with what is in them, and
//! robots.txt.

use std::sync::{Arc, LazyLock};

use super::super::http::{Body, Request, Response};
use crate::digest::{Algorithm, Digest};

pub(super) struct Asset {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
    digest: LazyLock<String>,
}

pub(super) static STYLE: Asset = Asset {
    path: "/style.css",
    media_type: "text/css; charset=utf-8",
    text: include_str!("style.css"),
    digest: LazyLock::new(|| digest(STYLE.text)),
};

pub(super) static SCRIPT: Asset = Asset {
    path: "/page.js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("page.js"),
    digest: LazyLock::new(|| digest(SCRIPT.text)),
};

pub(super) static ICON: Asset = Asset {
    path: "/icon.svg",
    media_type: "image/svg+xml",
    text: include_str!("icon.svg"),
    digest: LazyLock::new(|| digest(ICON.text)),
};

static ALL: [&Asset; 4] = [&STYLE, &SCRIPT, &ICON, &ROBOTS];

pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|asset| asset.path)
}

fn digest(text: &str) -> String {
    Digest::of(Algorithm::Sha256, text.as_bytes()).hex()[..16].to_owned()
}

impl Asset {
    pub(super) fn link(&self) -> String {
        format!("{}?{}", self.path, *self.digest)
    }
}

/// What crawlers are asked to leave alone: each of these has registries read layers or documents.
static ROBOTS: Asset = Asset {
    path: "/robots.txt",
    media_type: "text/plain; charset=utf-8",
    text: "User-agent: *\n\
        Disallow: /api/\nDisallow: /compare\nDisallow: /document\nDisallow: /files\n",
    digest: LazyLock::new(String::new),
};

/// Kept for ever by whoever asks under the name that pages use.
pub(super) fn answer(request: &Request) -> Option<Response> {
    let asset = ALL.into_iter().find(|asset| asset.path == request.path)?;
    let mut headers = vec![("Content-Type", asset.media_type.to_owned())];
    if request.query.first().is_some_and(|(digest, _)| *digest == *asset.digest) {
        headers.push(("Cache-Control", "public, max-age=31536000, immutable".to_owned()));
    }
    Some(Response { status: 200, headers, body: Body::Bytes(Arc::from(asset.text.as_bytes())) })
}
