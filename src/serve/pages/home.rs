//! What may be asked for.

use maud::{Markup, html};

use super::frame::{Page, start};
use super::visit::Visit;
use super::{link, parts};
use crate::error::Result;

/// How many repositories a page has.
const EACH: usize = 50;

pub(super) fn page(visit: &Visit) -> Result<Page> {
    let operands = visit.site.operands();
    let example = operands.first().map_or("ghcr.io/owner/name:tag", |operand| operand);
    let label = if visit.site.any() { "Any image" } else { "An image of these" };
    let main = html! {
        h1 { "Container images" }
        p.lead {
            "Tags, platforms, layers, files, SBOMs: what a registry knows of an image, "
            "without pulling it."
        }
        form.big action="/image" {
            label for="any" { (label) }
            div.field {
                input #any name="image" required placeholder=(example) autocomplete="off"
                    autocapitalize="none" spellcheck="false";
                button { "Show" }
            }
        }
        @if !operands.is_empty() {
            h2 { "Served here" }
            ul.cards { @for operand in operands { li { (entrance(operand)) } } }
        }
        @if let [registry] = operands && is_registry(registry) {
            h2 { "Repositories" }
            (parts::of(&repositories(visit, registry), Markup::clone))
        }
    };
    Ok(Page::new("Container images", main))
}

/// Where an operand leads: a registry to its catalog, everything else to its tags.
fn entrance(operand: &str) -> Markup {
    let target = match is_registry(operand) {
        true => link::to("/catalog", &[("registry", operand)]),
        false => link::to("/repository", &[("name", operand)]),
    };
    html! { a href=(target) { (operand) } }
}

fn is_registry(operand: &str) -> bool {
    let is_host = operand.contains(['.', ':']) || operand == "localhost";
    is_host && !operand.contains('/')
}

pub(super) fn catalog(visit: &Visit) -> Result<Page> {
    let registry = visit.wanted("registry")?;
    let main = html! {
        h1 { (registry) }
        (repositories(visit, registry)?)
    };
    Ok(Page { trail: vec![start(), (registry.to_owned(), None)], ..Page::new(registry, main) })
}

fn repositories(visit: &Visit, registry: &str) -> Result<Markup> {
    let answer = visit.ask("catalog", &[("registry", registry)])?;
    let (filter, page) = (visit.given("filter"), visit.page());
    let lower = filter.to_lowercase();
    let all = parts::strings(&answer);
    let names: Vec<&str> = all.filter(|name| name.to_lowercase().contains(&lower)).collect();
    let pages = names.len().div_ceil(EACH).max(1);
    let page = page.min(pages);
    let to = |page: &str| {
        link::to("/catalog", &[("registry", registry), ("filter", filter), ("page", page)])
    };
    let others = [("registry", registry)];
    Ok(html! {
        (parts::filter("/catalog", "Filter the repositories", filter, &others))
        div #list {
            p.count role="status" {
                (parts::number(names.len())) @if names.len() == 1 { " repository" }
                @else { " repositories" }
            }
            ul.cards {
                @for name in names.iter().skip((page - 1) * EACH).take(EACH) {
                    @let repository = format!("{registry}/{name}");
                    li { a href=(link::to("/repository", &[("name", &repository)])) { (name) } }
                }
            }
            (parts::pager(page, pages, to))
        }
    })
}
