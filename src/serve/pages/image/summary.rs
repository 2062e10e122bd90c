//! What is known of an image in a few words.

use maud::{Markup, html};
use serde_json::Value;

use super::super::{link, parts};
use super::Facts;
use crate::platform::Platform;

/// The labels of image-spec's annotations.md that are shown, and how a visitor calls them.
const WORDS: [(&str, &str); 3] = [
    ("org.opencontainers.image.version", "Version"),
    ("org.opencontainers.image.licenses", "License"),
    ("org.opencontainers.image.vendor", "Vendor"),
];
const ADDRESSES: [(&str, &str); 3] = [
    ("org.opencontainers.image.source", "Source"),
    ("org.opencontainers.image.url", "Home page"),
    ("org.opencontainers.image.documentation", "Documentation"),
];

pub(super) fn section(facts: &Facts) -> Markup {
    let Facts { subject, listed, manifest, digest, config, layers, .. } = facts;
    let config = config.as_ref().unwrap_or(&Value::Null);
    let layers = layers.as_ref().map(parts::list);
    let size = |layers: &[Value]| layers.iter().map(|it| it["size"].as_u64()).sum::<Option<u64>>();
    let repository = subject.reference.transport.to_string();
    let compared = [("left", &*subject.image), ("platform", &subject.platform)];
    html! {
        aside aria-label="Summary" {
            dl.facts {
                @if let Ok(layers) = layers {
                    (fact("Download", parts::size(&size(layers).into())))
                    (fact("Layers", html! { (layers.len()) }))
                }
                (fact("Created", parts::day(&config["created"])))
                @if let Some(platform) = Platform::read(config) {
                    (fact("Platform", html! { (platform) }))
                }
                (said("Author", &config["author"]))
                @for (name, title) in WORDS { (said(title, &config["config"]["Labels"][name])) }
                @for (name, title) in ADDRESSES {
                    @let value = parts::text(&config["config"]["Labels"][name]);
                    @if link::outside(name, value).is_some() {
                        (fact(title, parts::linked(name, value)))
                    }
                }
                @if listed["islist"] == true {
                    (fact("Index", parts::digest(parts::text(&listed["digest"]))))
                }
                @if let Ok(digest) = digest {
                    (fact("Manifest", parts::digest(parts::text(digest))))
                }
                @if let Some(id) = manifest["config"]["digest"].as_str() {
                    (fact("Image ID", parts::digest(id)))
                }
            }
            ul.actions {
                li { a href=(subject.link("/files", &[])) { "Browse the files" } }
                li { a href=(link::to("/repository", &[("name", &repository)])) { "All tags" } }
                li { a href=(link::to("/compare", &compared)) { "Compare with another image" } }
            }
        }
    }
}

fn fact(title: &str, value: Markup) -> Markup {
    html! { div { dt { (title) } dd { (value) } } }
}

fn said(title: &str, value: &Value) -> Markup {
    match parts::text(value) {
        "" => Markup::default(),
        text => fact(title, parts::long(text)),
    }
}
