//! What stands beside an image: annotations, attestations, and the documents that digests are of.

use maud::{Markup, html};
use serde_json::Value;

use super::super::parts;
use super::super::visit::Subject;
use super::{Facts, config};

const LEVELS: [(&str, &str); 3] = [
    ("index", "Of the index"),
    ("descriptor", "Of its entry in the index"),
    ("manifest", "Of the manifest"),
];

pub(super) fn annotations(subject: &Subject, annotations: &Value) -> Markup {
    let of = |level: &str| annotations[level].as_object().filter(|pairs| !pairs.is_empty());
    html! {
        @if LEVELS.iter().any(|(level, _)| of(level).is_some()) {
            section aria-labelledby="annotations" {
                (parts::heading("annotations", "Annotations", &subject.answer("annotations")))
                @for (level, caption) in LEVELS {
                    @if let Some(pairs) = of(level) {
                        (parts::pairs(caption, ["Name", "Value"], config::texts(pairs)))
                    }
                }
            }
        }
    }
}

pub(super) fn attestations(subject: &Subject, attestations: &Value) -> Markup {
    let all = parts::list(attestations);
    let is_one = |words: &[&str]| {
        let kinds = all.iter().map(|it| parts::text(&it["predicateType"]).to_lowercase());
        let mut found = kinds.filter(|kind| words.iter().any(|word| kind.contains(word)));
        found.next().is_some()
    };
    let document = |what: &str| subject.link("/document", &[("what", what)]);
    html! {
        @if !all.is_empty() {
            section aria-labelledby="attestations" {
                (parts::heading("attestations", "Attestations", &subject.answer("attestations")))
                table {
                    caption.hidden { "Attestations" }
                    thead {
                        tr {
                            th scope="col" { "About" }
                            th scope="col" { "Kept by" }
                            th scope="col" { "Digest" }
                            th scope="col" .number { "Size" }
                        }
                    }
                    tbody { @for it in all.iter().take(parts::MOST) { (attestation(it)) } }
                }
                (parts::more(all.len().saturating_sub(parts::MOST), None))
                p.links {
                    @if is_one(&["spdx", "cyclonedx"]) { a href=(document("sbom")) { "The SBOM" } }
                    @if is_one(&["provenance"]) {
                        a href=(document("provenance")) { "The provenance" }
                    }
                }
            }
        }
    }
}

fn attestation(it: &Value) -> Markup {
    let kind = it["predicateType"].as_str().unwrap_or(parts::text(&it["mediaType"]));
    html! {
        tr {
            th scope="row" { (parts::long(kind)) }
            td data-label="Kept by" { (parts::text(&it["store"])) }
            td data-label="Digest" { (parts::digest(parts::text(&it["digest"]))) }
            td.number data-label="Size" { (parts::size(&it["size"])) }
        }
    }
}

pub(super) fn documents(facts: &Facts) -> Markup {
    let Facts { subject, listed, manifest, digest, .. } = facts;
    let digest = digest.as_ref().unwrap_or(&Value::Null);
    let config = &manifest["config"];
    let is_listed = listed["islist"] == true;
    let media_type = if is_listed { &manifest["mediaType"] } else { &listed["mediatype"] };
    let documents = [
        ("manifestlist", "Index", &listed["mediatype"], &listed["digest"]),
        ("manifest", "Manifest", media_type, digest),
        ("config", "Configuration", &config["mediaType"], &config["digest"]),
    ];
    let there = documents.into_iter().filter(|(what, ..)| match *what {
        "manifestlist" => is_listed,
        "config" => config.is_object(),
        _ => true,
    });
    html! {
        section aria-labelledby="documents" {
            h2 #documents { "Documents" }
            table {
                caption.hidden { "Documents, as the registry has them" }
                thead {
                    tr {
                        th scope="col" { "Document" }
                        th scope="col" { "Media type" }
                        th scope="col" { "Digest" }
                        th scope="col" { "Bytes" }
                    }
                }
                tbody {
                    @for (what, title, media_type, digest) in there {
                        tr {
                            th scope="row" {
                                a href=(subject.link("/document", &[("what", what)])) { (title) }
                            }
                            td data-label="Media type" { (parts::long(parts::text(media_type))) }
                            td data-label="Digest" { code data-copy="" { (parts::text(digest)) } }
                            td data-label="Bytes" {
                                a href={ (subject.answer(what)) "&raw=1" } {
                                    "as served" span.hidden { ": " (title) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
