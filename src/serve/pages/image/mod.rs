//! An image on one platform: what it runs, what it is made of, and how to ask for the same.

mod config;
mod layers;
mod related;
mod summary;

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Page, trail};
use super::visit::{Subject, Visit, short};
use super::{link, parts};
use crate::error::{Kind, Result};
use crate::platform::Platform;
use crate::reference::Transport;
use crate::text;

/// What the sections of the page are about.
struct Facts {
    subject: Subject,
    /// The answer of `platforms`.
    listed: Value,
    manifest: Value,
    digest: Result<Value>,
    config: Result<Value>,
    layers: Result<Value>,
    history: Result<Value>,
    annotations: Result<Value>,
    attestations: Result<Value>,
}

pub(super) fn page(visit: &Visit) -> Result<Page> {
    let facts = facts(visit)?;
    let subject = &facts.subject;
    let tag = short(&subject.reference);
    let main = html! {
        h1 {
            (subject.reference.transport)
            @if !tag.is_empty() { span.tag { ":" (tag) } }
        }
        (platforms(&facts))
        div.columns {
            div.content {
                (commands(subject, &visit.base()))
                (parts::of(&facts.config, |it| config::section(subject, it)))
                (parts::of(&facts.layers, |it| layers::section(subject, it)))
                (parts::of(&facts.config, |it| config::labels(subject, it)))
                (parts::of(&facts.annotations, |it| related::annotations(subject, it)))
                (parts::of(&facts.history, |it| layers::history(subject, it)))
                (parts::of(&facts.attestations, |it| related::attestations(subject, it)))
                (related::documents(&facts))
            }
            (summary::section(&facts))
        }
    };
    let trail = trail(&subject.reference, None);
    Ok(Page { trail, image: subject.image.clone(), ..Page::new(&subject.image, main) })
}

fn facts(visit: &Visit) -> Result<Facts> {
    let mut subject = Subject::of(visit)?;
    let listed = visit.ask("platforms", &[("image", &subject.image)])?;
    let manifest = match visit.ask("manifest", &subject.parameters()) {
        // There is none for the usual platform.
        Err(error) if error.kind() == Kind::NotFound && subject.platform.is_empty() => {
            let first = known(&listed).into_iter().next().ok_or(error)?;
            subject.platform = first.to_string();
            visit.ask("manifest", &subject.parameters())?
        }
        manifest => manifest?,
    };
    let parameters = subject.parameters();
    // Most of what follows needs the configuration, which is so asked for once.
    let config = visit.ask("config", &parameters);
    let commands = ["digest", "layers", "history", "annotations", "attestations"];
    let answers = visit.ask_all(&commands.map(|command| (command, &*parameters)));
    let answers: [_; 5] = answers.try_into().expect("each has an answer");
    let [digest, layers, history, annotations, attestations] = answers;
    Ok(Facts {
        subject,
        listed,
        manifest,
        digest,
        config,
        layers,
        history,
        annotations,
        attestations,
    })
}

/// The platforms of the index, without what is for none.
fn known(listed: &Value) -> Vec<Platform> {
    let all = parts::list(&listed["archlist"]).iter().filter_map(Platform::read);
    all.filter(|platform| !platform.is_unknown()).collect()
}

/// Links to the same page for each platform.
fn platforms(facts: &Facts) -> Markup {
    let Facts { subject, listed, config, .. } = facts;
    let known = known(listed);
    let shown = config.as_ref().ok().and_then(Platform::read);
    // A configuration seldom says the variant that the index has.
    let is_shown = |it: &Platform| match &shown {
        _ if !subject.platform.is_empty() => it.to_string() == subject.platform,
        Some(shown) => {
            let is_variant = shown.variant.is_none() || shown.variant == it.variant;
            is_variant && shown.os == it.os && shown.architecture == it.architecture
        }
        None => false,
    };
    let current = known.iter().position(is_shown);
    html! {
        @if known.len() > 1 {
            nav.platforms aria-label="Platforms" {
                ul {
                    @for (n, platform) in known.iter().take(parts::MOST).enumerate() {
                        @let name = platform.to_string();
                        @let link = [("image", &*subject.image), ("platform", &name)];
                        @let mark = (current == Some(n)).then_some("page");
                        li { a aria-current=[mark] href=(link::to("/image", &link)) { (name) } }
                    }
                }
                (parts::more(known.len().saturating_sub(parts::MOST), None))
            }
        }
    }
}

fn commands(subject: &Subject, base: &str) -> Markup {
    let mut commands = Vec::new();
    if let Transport::Registry(_) = subject.reference.transport {
        let mut words = vec!["docker", "pull"];
        if !subject.platform.is_empty() {
            words.extend(["--platform", &subject.platform]);
        }
        words.push(&subject.image);
        commands.push(("docker", text::words(&words)));
    }
    commands.extend(parts::same(subject, "config", base));
    html! {
        section aria-labelledby="commands" {
            h2 #commands { "Commands" }
            (parts::commands(&commands))
        }
    }
}
