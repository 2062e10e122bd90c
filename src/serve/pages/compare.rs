//! Two images side by side.

use std::collections::HashSet;

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Page, start};
use super::visit::{Subject, Visit};
use super::{link, parts};
use crate::error::Result;

/// Two images, and what tells them apart.
struct Pair {
    images: [Subject; 2],
    layers: [Value; 2],
    /// The answer of `diff`.
    diff: Value,
}

pub(super) fn page(visit: &Visit) -> Result<Page> {
    let [left, right] = ["left", "right"].map(|name| visit.given(name));
    let platform = visit.given("platform");
    let pair = match left.is_empty() || right.is_empty() {
        true => None,
        false => Some(pair(visit, [left, right], platform)?),
    };
    let title = match &pair {
        Some(_) => format!("{left} and {right}"),
        None => "Compare images".to_owned(),
    };
    let main = html! {
        h1 { "Compare images" }
        form.compare action="/compare" {
            (field("left", "One image", left, "ubuntu:22.04"))
            (field("right", "The other", right, "ubuntu:24.04"))
            (field("platform", "Platform", platform, "the usual one"))
            button { "Compare" }
        }
        @if let Some(pair) = &pair { (differences(visit, pair)) }
    };
    Ok(Page { trail: vec![start(), ("Compare".to_owned(), None)], ..Page::new(title, main) })
}

fn field(name: &str, label: &str, value: &str, example: &str) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) placeholder=(example)
                required[name != "platform"] autocomplete="off" autocapitalize="none"
                spellcheck="false";
        }
    }
}

/// The parameters of a question about both.
fn both(images: &[Subject; 2]) -> Vec<(&str, &str)> {
    let [one, other] = images;
    [("image", &*one.image)].into_iter().chain(other.parameters()).collect()
}

fn pair(visit: &Visit, names: [&str; 2], platform: &str) -> Result<Pair> {
    let images = [Subject::named(names[0], platform)?, Subject::named(names[1], platform)?];
    let (diff, [one, other]) = (both(&images), images.each_ref().map(Subject::parameters));
    let answers = visit.ask_all(&[("diff", &diff), ("layers", &one), ("layers", &other)]);
    let answers = answers.into_iter().collect::<Result<Vec<Value>>>()?;
    let [diff, one, other] = answers.try_into().expect("each has an answer");
    Ok(Pair { images, layers: [one, other], diff })
}

fn differences(visit: &Visit, pair: &Pair) -> Markup {
    let Pair { images, diff, .. } = pair;
    let more = [("left", &*images[0].image), ("right", &images[1].image), ("files", "1")];
    let more = [&more[..], &[("platform", &*images[0].platform)]].concat();
    html! {
        @if diff.as_object().is_none_or(|it| it.is_empty()) { p.note { "They are the same." } }
        (configuration(pair))
        @for (id, title) in [("env", "Environment"), ("labels", "Labels")] {
            @if !diff[id].is_null() {
                section aria-labelledby=(id) {
                    h2 id=(id) { (title) }
                    (changes(title, images, &diff[id], value))
                }
            }
        }
        (layers(pair))
        section aria-labelledby="files" {
            h2 #files { "Files" }
            @if visit.given("files") == "1" {
                (parts::of(&visit.ask("diff", &[&both(images), &[("files", "1")][..]].concat()),
                    |diff| changes("Files", images, &diff["files"], file)))
            } @else {
                p { a href=(link::to("/compare", &more)) { "Compare the files too" }
                    ", for which every layer is read." }
            }
        }
    }
}

/// The head of a table whose last two columns are the images.
fn head(what: &str, images: &[Subject; 2]) -> Markup {
    html! {
        thead {
            tr {
                th scope="col" { (what) }
                @for image in images {
                    th scope="col" { a href=(image.link("/image", &[])) { (image.image) } }
                }
            }
        }
    }
}

/// What has one value on either side.
fn configuration(pair: &Pair) -> Markup {
    let size = |layers: &Value| -> Value {
        let sizes = parts::list(layers).iter().map(|layer| layer["size"].as_u64());
        sizes.sum::<Option<u64>>().into()
    };
    let all = pair.diff.as_object().into_iter().flatten();
    let single = all.filter(|(_, it)| it.get("from").is_some() || it.get("to").is_some());
    let platforms = &pair.diff["platforms"];
    html! {
        section aria-labelledby="configuration" {
            h2 #configuration { "Configuration" }
            table.sides {
                caption.hidden { "What differs" }
                (head("What", &pair.images))
                tbody {
                    tr {
                        th scope="row" { "Download" }
                        @for layers in &pair.layers { td { (parts::size(&size(layers))) } }
                    }
                    @for (name, change) in single {
                        tr {
                            th scope="row" { (name) }
                            td { (value(&change["from"])) }
                            td { (value(&change["to"])) }
                        }
                    }
                    @if !platforms.is_null() {
                        tr {
                            th scope="row" { "platforms" }
                            td { (value(&platforms["removed"])) }
                            td { (value(&platforms["added"])) }
                        }
                    }
                }
            }
        }
    }
}

/// A value of a configuration.
fn value(value: &Value) -> Markup {
    match value {
        Value::Null => parts::nothing("nothing"),
        Value::String(text) if text.starts_with("sha256:") => parts::digest(text),
        Value::String(text) => parts::long(text),
        Value::Array(items) => {
            let items = items.iter().take(parts::MOST);
            let words = items.map(|it| it.as_str().map_or_else(|| it.to_string(), str::to_owned));
            parts::long(&words.collect::<Vec<_>>().join(" "))
        }
        other => parts::long(&other.to_string()),
    }
}

/// What a path leads to.
fn file(entry: &Value) -> Markup {
    let text = |name: &str| parts::text(&entry[name]);
    match text("type") {
        "" => parts::nothing("not there"),
        "symlink" => html! { "→ " (parts::long(text("link"))) },
        "file" => html! {
            (parts::size(&entry["size"])) ", " code { (text("mode")) } ", "
            (parts::day(&entry["modified"]))
        },
        kind => html! { (kind) ", " code { (text("mode")) } },
    }
}

/// What one side has and the other has not, or has otherwise, by name.
fn changes(what: &str, images: &[Subject; 2], of: &Value, show: fn(&Value) -> Markup) -> Markup {
    let all = |name: &str| of[name].as_object().into_iter().flatten();
    let removed = all("removed").map(|(name, it)| (name, it, &Value::Null));
    let added = all("added").map(|(name, it)| (name, &Value::Null, it));
    let changed = all("changed").map(|(name, it)| (name, &it["from"], &it["to"]));
    let mut rows: Vec<_> = removed.chain(added).chain(changed).collect();
    rows.sort_by_key(|(name, ..)| *name);
    html! {
        @if rows.is_empty() { p { "They are the same." } } @else {
            table.sides {
                caption.hidden { (what) " that differ" }
                (head("Name", images))
                tbody {
                    @for (name, from, to) in rows.iter().take(parts::MOST) {
                        tr {
                            th scope="row" { (parts::long(name)) }
                            td { (show(from)) }
                            td { (show(to)) }
                        }
                    }
                }
            }
            (parts::more(rows.len().saturating_sub(parts::MOST), None))
        }
    }
}

/// The layers of both, drawn to one scale; those that both have stand back.
fn layers(pair: &Pair) -> Markup {
    let sides = pair.layers.each_ref().map(parts::list);
    let sizes = sides.iter().copied().flatten().filter_map(|layer| layer["size"].as_u64());
    let largest = sizes.max();
    let digest = |layer: &'_ Value| parts::text(&layer["digest"]).to_owned();
    let digests = sides.map(|layers| layers.iter().map(digest).collect::<HashSet<String>>());
    html! {
        section aria-labelledby="layers" {
            h2 #layers { "Layers" }
            div.halves {
                @for (n, image) in pair.images.iter().enumerate() {
                    table.layers {
                        caption { (image.image) }
                        thead {
                            tr {
                                th scope="col" { "Made by" }
                                th scope="col" .number { "Size" }
                                th scope="col" { "In" }
                            }
                        }
                        tbody {
                            @for layer in sides[n].iter().take(parts::MOST) {
                                @let is_shared = digests[1 - n].contains(&digest(layer));
                                tr.shared[is_shared] {
                                    td { (parts::made(layer, largest)) }
                                    td.number { (parts::size(&layer["size"])) }
                                    td.word { @if is_shared { "both" } @else { "this one" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
