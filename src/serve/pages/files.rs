//! A directory of an image, or of one of its layers.

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Page, trail};
use super::parts;
use super::visit::{Subject, Visit};
use crate::error::Result;

/// Where in an image a visitor is.
struct Place<'a> {
    subject: &'a Subject,
    /// The number of a layer, or empty.
    layer: &'a str,
}

impl Place<'_> {
    fn link(&self, page: &str, path: &str) -> String {
        self.subject.link(page, &[("layer", self.layer), ("path", path)])
    }
}

pub(super) fn page(visit: &Visit) -> Result<Page> {
    let subject = Subject::of(visit)?;
    let place = Place { subject: &subject, layer: visit.given("layer") };
    // With a slash behind it, the last link is followed too.
    let asked = format!("{}/", visit.given("path").trim_end_matches('/'));
    let mut parameters = subject.parameters();
    parameters.extend([("path", &*asked), ("depth", "1")]);
    parameters.extend(Some(("layer", place.layer)).filter(|(_, layer)| !layer.is_empty()));
    let answer = visit.ask("files", &parameters)?;
    let (own, entries) = match parts::list(&answer) {
        // Of a layer alone, the root may have no entry.
        all if asked == "/" && all.first().is_none_or(|it| it["path"] != "/") => {
            (&Value::Null, all)
        }
        [own, inside @ ..] if own["type"] == "directory" => (own, inside),
        all => (&all[0], all),
    };
    let path = own["path"].as_str().unwrap_or("/");
    let mut entries: Vec<&Value> = entries.iter().collect();
    entries.sort_by_key(|entry| entry["type"] != "directory");
    let main = html! {
        h1 {
            "Files of " (subject.image)
            @if !place.layer.is_empty() { span.tag { ", layer " (place.layer) } }
        }
        (way(&place, path))
        (listing(&place, path, &entries))
    };
    let trail = trail(&subject.reference, Some((&subject, "Files")));
    let title = format!("{path} in {}", subject.image);
    Ok(Page { trail, image: subject.image.clone(), ..Page::new(title, main) })
}

/// The directories on the way to a path, each a link.
fn way(place: &Place, path: &str) -> Markup {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    html! {
        nav.way aria-label="Directory" {
            a href=(place.link("/files", "")) { "/" }
            @for (n, name) in names.iter().enumerate() {
                @let to = format!("/{}", names[..=n].join("/"));
                @if n > 0 { span { "/" } }
                a href=(place.link("/files", &to)) { (name) }
            }
        }
    }
}

fn listing(place: &Place, path: &str, entries: &[&Value]) -> Markup {
    html! {
        @if entries.is_empty() { p { "Nothing stands here." } } @else {
            table.files {
                caption.hidden { "What stands in " (path) }
                thead {
                    tr {
                        th scope="col" { "Name" }
                        th scope="col" { "Mode" }
                        th scope="col" { "Owner" }
                        th scope="col" .number { "Size" }
                        th scope="col" { "Modified" }
                        th scope="col" { "Layer" }
                    }
                }
                tbody { @for entry in entries.iter().take(parts::MOST) { (row(place, entry)) } }
            }
        }
        @let all = place.link("/api/v1/files", path);
        (parts::more(entries.len().saturating_sub(parts::MOST), Some(&all)))
    }
}

fn row(place: &Place, entry: &Value) -> Markup {
    let text = |name: &str| parts::text(&entry[name]);
    let (path, kind) = (text("path"), text("type"));
    let name = path.rsplit('/').next().unwrap_or_default();
    html! {
        tr {
            th scope="row" {
                @match kind {
                    "directory" => a href=(place.link("/files", path)) { (name) "/" },
                    "symlink" => {
                        a href=(place.link("/files", path)) { (name) }
                        span.dim { " → " (parts::long(text("link"))) }
                    }
                    "file" if place.layer.is_empty() => {
                        a href={ (place.link("/api/v1/cat", path)) "&raw=1" } download=(name) {
                            (name)
                        }
                    }
                    "file" => (name),
                    kind => { (name) " " span.dim { (kind) } }
                }
            }
            td data-label="Mode" { code { (text("mode")) } }
            td data-label="Owner" { (entry["uid"]) ":" (entry["gid"]) }
            td.number data-label="Size" {
                @if kind == "file" { (parts::size(&entry["size"])) }
                @else { (parts::nothing("none")) }
            }
            td data-label="Modified" { (parts::day(&entry["modified"])) }
            td data-label="Layer" { (parts::digest(text("layer"))) }
        }
    }
}
