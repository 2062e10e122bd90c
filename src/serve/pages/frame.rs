//! What stands around every page, and what makes it safe to show.

use maud::{DOCTYPE, Markup, html};

use super::visit::{Subject, short};
use super::{assets, link};
use crate::error::{Error, Kind, Result, drives_terminal};
use crate::reference::Reference;
use crate::text;

/// The most that a page has, in bytes.
const LARGEST: usize = 4 << 20;

/// A name, and the page that it leads to.
type Step = (String, Option<String>);

/// What a page is before it is framed.
pub(super) struct Page {
    /// Of the window; the program's name is added.
    pub(super) title: String,
    /// The way to it from the start.
    pub(super) trail: Vec<Step>,
    /// What stands in the field that leads to another image.
    pub(super) image: String,
    pub(super) main: Markup,
    /// Whether something of it is not known yet.
    pub(super) is_pending: bool,
}

impl Page {
    pub(super) fn new(title: impl Into<String>, main: Markup) -> Self {
        let title = title.into();
        Page { title, trail: Vec::new(), image: String::new(), main, is_pending: false }
    }

    /// `Kind::Protocol` if nobody could read all of it.
    pub(super) fn html(&self) -> Result<String> {
        let html = visible(self.framed().into_string() + "\n");
        if html.len() <= LARGEST {
            return Ok(html);
        }
        let size = text::size(html.len() as u64);
        let error = Error::new(Kind::Protocol, format!("the page would have {size}"));
        Err(error.hint("the interface below /api/v1/ gives all of it"))
    }

    fn framed(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    @if self.is_pending {
                        noscript { meta http-equiv="refresh" content="2"; }
                    }
                    title { (self.title) " · docker-registry" }
                    link rel="stylesheet" href=(assets::STYLE.link());
                    link rel="icon" type="image/svg+xml" href=(assets::ICON.link());
                    script defer src=(assets::SCRIPT.link()) {}
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    header.top {
                        div.wide {
                            a.brand href="/" { "docker-registry" }
                            form.search role="search" action="/image" {
                                label.hidden for="image" { "Image" }
                                input #image name="image" value=(self.image) required
                                    placeholder="Image, such as ubuntu:24.04" autocomplete="off"
                                    autocapitalize="none" spellcheck="false";
                                button { "Show" }
                            }
                        }
                    }
                    @if !self.trail.is_empty() {
                        nav.trail aria-label="Where this is" {
                            ol.wide { @for step in &self.trail { li { (linked(step)) } } }
                        }
                    }
                    main #main .wide tabindex="-1" { (self.main) }
                    footer {
                        p.wide {
                            "docker-registry " (env!("CARGO_PKG_VERSION")) " · "
                            a href="/compare" { "Compare images" } " · "
                            a href="/api/openapi.json" { "JSON interface" }
                        }
                    }
                }
            }
        }
    }
}

fn linked((name, target): &Step) -> Markup {
    html! {
        @match target {
            Some(target) => a href=(target) { (name) },
            None => span aria-current="page" { (name) },
        }
    }
}

/// The trail of an image: its repository, itself, and what the page shows of it.
pub(super) fn trail(reference: &Reference, part: Option<(&Subject, &str)>) -> Vec<Step> {
    let repository = reference.transport.to_string();
    let to_repository = link::to("/repository", &[("name", &repository)]);
    let mut trail = vec![start(), (repository, Some(to_repository))];
    let image = short(reference);
    let to_image = part.map(|(subject, _)| subject.link("/image", &[]));
    trail.extend(Some((image, to_image)).filter(|(image, _)| !image.is_empty()));
    trail.extend(part.map(|(_, part)| (part.to_owned(), None)));
    trail
}

pub(super) fn start() -> Step {
    ("All".to_owned(), Some("/".to_owned()))
}

/// The page with control, bidirectional and invisible characters as `\u{…}`: templates have none,
/// so they come from outside, and no template can forget them.
fn visible(page: String) -> String {
    let is_hidden = |c: char| drives_terminal(c) && !matches!(c, '\n' | '\t');
    if !page.contains(is_hidden) {
        return page;
    }
    let mut safe = String::with_capacity(page.len() + 64);
    for c in page.chars() {
        if is_hidden(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_says_stays_text() {
        let hostile =
            "<script>x()</script>\"><img src=x onerror=x()>\u{1b}[2J\u{202e}a\u{200b}&amp;";
        let main = html! { p title=(hostile) { (hostile) } };
        let mut page = Page::new(hostile, main);
        page.image = hostile.to_owned();
        page.trail = vec![start(), (hostile.to_owned(), None)];
        let page = page.html().unwrap();
        assert!(!page.contains("<script>") && !page.contains("<img"), "{page}");
        assert!(!page.contains(['\u{1b}', '\u{202e}', '\u{200b}']), "{page}");
        assert!(page.contains("\\u{1b}[2J\\u{202e}a\\u{200b}&amp;amp;"), "{page}");
        assert!(page.contains("title=\"&lt;script&gt;x()&lt;/script&gt;&quot;&gt;&lt;img"));
    }
    #[test]
    fn a_page_is_no_larger_than_anybody_reads() {
        let main = |bytes: usize| Page::new("a", html! { ("a".repeat(bytes)) });
        assert!(main(1 << 20).html().is_ok());
        assert_eq!(main(LARGEST).html().unwrap_err().kind(), Kind::Protocol);
    }
}
