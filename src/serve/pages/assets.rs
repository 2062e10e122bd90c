//! The style sheet, the script and the icon, under names that change with what is in them.

use std::sync::{Arc, LazyLock};

use super::super::http::{Body, Response};
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

static ALL: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];

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

/// Kept for ever by whoever asks under the name that pages use.
pub(super) fn answer(path: &str) -> Option<Response> {
    let asset = ALL.into_iter().find(|asset| asset.path == path)?;
    let headers = vec![
        ("Content-Type", asset.media_type.to_owned()),
        ("Cache-Control", "public, max-age=31536000, immutable".to_owned()),
    ];
    Some(Response { status: 200, headers, body: Body::Bytes(Arc::from(asset.text.as_bytes())) })
}
