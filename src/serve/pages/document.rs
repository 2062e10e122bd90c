//! A document of an image, to be read.

use maud::html;

use super::frame::{Page, trail};
use super::parts;
use super::visit::{Subject, Visit};
use crate::error::{Error, Result};

/// How many characters of a document a page shows.
const MOST: usize = 200_000;

/// The commands whose answer is a document.
const DOCUMENTS: [(&str, &str); 5] = [
    ("manifestlist", "Index"),
    ("manifest", "Manifest"),
    ("config", "Configuration"),
    ("sbom", "SBOM"),
    ("provenance", "Provenance"),
];

pub(super) fn page(visit: &Visit) -> Result<Page> {
    let subject = Subject::of(visit)?;
    let what = visit.wanted("what")?;
    let Some((command, title)) = DOCUMENTS.into_iter().find(|(command, _)| *command == what) else {
        let names = DOCUMENTS.map(|(command, _)| command).join(", ");
        return Err(Error::usage(format!("what wants one of {names}, not '{what}'")));
    };
    // The index is the same for all platforms.
    let parameters = match command {
        "manifestlist" => vec![("image", &*subject.image)],
        _ => subject.parameters(),
    };
    let json = format!("{:#}", visit.ask(command, &parameters)?);
    let main = html! {
        h1 { (title) " of " (subject.image) }
        p.links { a href={ (subject.answer(command)) "&raw=1" } { "The bytes as they are served" } }
        (parts::commands(&parts::same(&subject, command, &visit.base())))
        (parts::document(&json, MOST))
    };
    let trail = trail(&subject.reference, Some((&subject, title)));
    let title = format!("{title} of {}", subject.image);
    Ok(Page { trail, image: subject.image.clone(), ..Page::new(title, main) })
}
