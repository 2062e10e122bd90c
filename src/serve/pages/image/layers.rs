//! The layers, drawn to scale, and the steps that made them.

use maud::{Markup, html};
use serde_json::Value;

use super::super::parts;
use super::super::visit::Subject;

pub(super) fn section(subject: &Subject, layers: &Value) -> Markup {
    let answer = subject.answer("layers");
    let layers = parts::list(layers);
    let largest = layers.iter().filter_map(|layer| layer["size"].as_u64()).max();
    html! {
        section aria-labelledby="layers" {
            (parts::heading("layers", "Layers", &answer))
            table.layers {
                caption.hidden { "Layers, the lowest first" }
                thead {
                    tr {
                        th scope="col" { "#" }
                        th scope="col" { "Made by" }
                        th scope="col" .number { "Size" }
                        th scope="col" { "Digest" }
                    }
                }
                tbody {
                    @for (n, layer) in layers.iter().take(parts::MOST).enumerate() {
                        @let number = (n + 1).to_string();
                        tr {
                            th scope="row" { (number) }
                            td { (parts::made(layer, largest)) }
                            td.number { (parts::size(&layer["size"])) }
                            td {
                                a href=(subject.link("/files", &[("layer", &number)])) {
                                    (parts::digest(parts::text(&layer["digest"])))
                                }
                            }
                        }
                    }
                }
            }
            (parts::more(layers.len().saturating_sub(parts::MOST), Some(&answer)))
        }
    }
}

pub(super) fn history(subject: &Subject, history: &Value) -> Markup {
    let answer = subject.answer("history");
    let steps = parts::list(history);
    html! {
        @if !steps.is_empty() {
            section aria-labelledby="history" {
                (parts::heading("history", "History", &answer))
                table.history {
                    caption.hidden { "Steps of the build" }
                    thead {
                        tr {
                            th scope="col" { "#" }
                            th scope="col" { "Step" }
                            th scope="col" { "Created" }
                        }
                    }
                    tbody {
                        @for (n, step) in steps.iter().take(parts::MOST).enumerate() {
                            tr {
                                th scope="row" { (n + 1) }
                                td {
                                    (parts::step(&created_by(step)))
                                    @if step["empty_layer"] == true { span.dim { "no layer" } }
                                }
                                td { (parts::day(&step["created"])) }
                            }
                        }
                    }
                }
                (parts::more(steps.len().saturating_sub(parts::MOST), Some(&answer)))
            }
        }
    }
}

/// In schema 1 the words of the command are the step.
fn created_by(step: &Value) -> Value {
    let words: Vec<&str> = parts::strings(&step["container_config"]["Cmd"]).collect();
    if words.is_empty() { step["created_by"].clone() } else { words.join(" ").into() }
}
