//! What a configuration says of how the image runs.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::super::parts;
use super::super::visit::Subject;
use crate::text;

pub(super) fn section(subject: &Subject, config: &Value) -> Markup {
    let run = &config["config"];
    let rows = [
        ("Entry point", words(&run["Entrypoint"])),
        ("Command", words(&run["Cmd"])),
        ("User", said(&run["User"])),
        ("Working directory", said(&run["WorkingDir"])),
        ("Ports", names(&run["ExposedPorts"])),
        ("Volumes", names(&run["Volumes"])),
        ("Stop signal", said(&run["StopSignal"])),
        ("Health check", words(&run["Healthcheck"]["Test"])),
        ("Shell", words(&run["Shell"])),
        ("On build", Some(parts::strings(&run["OnBuild"]).collect::<Vec<_>>().join("\n"))),
    ];
    let rows = rows.into_iter().filter_map(|(title, value)| Some((title, value?)));
    let env: Vec<&str> = parts::strings(&run["Env"]).collect();
    let env = env.iter().map(|it| it.split_once('=').unwrap_or((it, "")));
    html! {
        section aria-labelledby="config" {
            (parts::heading("config", "Configuration", &subject.answer("config")))
            dl.run {
                @for (title, value) in rows.filter(|(_, value)| !value.is_empty()) {
                    dt { (title) } dd { code { (parts::long(&value)) } }
                }
            }
            @if env.len() > 0 { (parts::pairs("Environment", ["Variable", "Value"], env)) }
        }
    }
}

pub(super) fn labels(subject: &Subject, config: &Value) -> Markup {
    let labels = config["config"]["Labels"].as_object().filter(|labels| !labels.is_empty());
    html! {
        @if let Some(labels) = labels {
            section aria-labelledby="labels" {
                (parts::heading("labels", "Labels", &subject.answer("labels")))
                (parts::pairs("What the image says of itself", ["Name", "Value"], texts(labels)))
            }
        }
    }
}

/// The members whose value is text.
pub(super) fn texts(pairs: &Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    pairs.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
}

fn said(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A list of words as a shell would read them; a text as it is.
fn words(value: &Value) -> Option<String> {
    let words: Vec<&str> = parts::strings(value).collect();
    if words.is_empty() { said(value) } else { Some(text::words(&words)) }
}

/// The names of an object's members.
fn names(value: &Value) -> Option<String> {
    let names: Vec<&str> = value.as_object()?.keys().map(String::as_str).collect();
    Some(names.join(", "))
}
