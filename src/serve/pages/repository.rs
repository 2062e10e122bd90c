//! The tags of a repository.

use std::time::Duration;

use maud::{Markup, html};
use serde_json::Value;

use super::frame::{Page, start};
use super::visit::{Visit, answered};
use super::{link, parts};
use crate::error::{Error, Result};
use crate::reference::Reference;

/// How many tags a page has.
const EACH: usize = 50;

/// The most tags whose dates are asked for to sort by them.
const DATED: usize = 200;

/// How long a page waits for what tags lead to.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// What tags are sorted by, how `tags --sort` calls it, and how a visitor does. By their dates they
/// are sorted here.
const ORDERS: [(&str, &str, &str); 3] =
    [("version", "semver", "Version"), ("name", "name", "Name"), ("created", "semver", "Date")];

/// What a tag leads to.
enum Facts {
    /// The registry has been asked.
    Pending,
    Known(Value),
    Missing(Error),
}

/// Which tags are shown.
struct Listing<'a> {
    /// The repository, as visitors write it.
    name: String,
    order: &'static str,
    filter: &'a str,
}

impl Listing<'_> {
    fn link(&self, order: &str, page: &str) -> String {
        let parameters =
            [("name", &*self.name), ("sort", order), ("filter", self.filter), ("page", page)];
        link::to("/repository", &parameters)
    }
}

pub(super) fn page(visit: &Visit) -> Result<Page> {
    let reference: Reference = visit.wanted("name")?.parse()?;
    let wanted = visit.given("sort");
    let (order, sort, _) = ORDERS.into_iter().find(|row| row.0 == wanted).unwrap_or(ORDERS[0]);
    let name = reference.transport.to_string();
    let answer = visit.ask("tags", &[("image", &name), ("sort", sort), ("no-artifacts", "1")])?;
    let filter = visit.given("filter");
    let lower = filter.to_lowercase();
    let mut tags: Vec<&str> = parts::strings(&answer).collect();
    tags.retain(|tag| tag.to_lowercase().contains(&lower));
    let count = tags.len();
    let is_dated = order == "created" && count <= DATED;
    let pages = count.div_ceil(EACH).max(1);
    let page = visit.page().min(pages);
    let skipped = (page - 1) * EACH;
    if !is_dated {
        tags = tags.into_iter().skip(skipped).take(EACH).collect();
    }
    let mut rows: Vec<_> = facts(visit, &name, &tags).into_iter().zip(&tags).collect();
    if is_dated {
        rows.sort_by(|(one, _), (other, _)| created(other).cmp(created(one)));
        rows = rows.into_iter().skip(skipped).take(EACH).collect();
    }
    let is_pending = rows.iter().any(|(facts, _)| matches!(facts, Facts::Pending));
    let listing = Listing { name, order, filter };
    let here = listing.link(order, &page.to_string());
    let others = [("name", &*listing.name), ("sort", order)];
    let main = html! {
        h1 { (listing.name) }
        (parts::filter("/repository", "Filter the tags", filter, &others))
        div #list {
            p.count role="status" {
                (parts::number(count)) @if count == 1 { " tag" } @else { " tags" }
            }
            (orders(&listing))
            @if order == "created" && !is_dated {
                p.note {
                    "Filter to at most " (DATED) " tags to sort them by date. "
                    "These are sorted by version."
                }
            }
            @if is_pending {
                p #pending .note {
                    "The registry has not said everything yet. " a href=(here) { "Ask again" }
                }
            }
            @if rows.is_empty() { p { "No tag matches." } } @else { (table(&listing, &rows)) }
            (parts::pager(page, pages, |page| listing.link(order, page)))
        }
    };
    let image = listing.name.clone();
    let trail = vec![start(), (image.clone(), None)];
    Ok(Page { trail, image, is_pending, ..Page::new(&listing.name, main) })
}

fn orders(listing: &Listing) -> Markup {
    html! {
        nav.orders aria-label="Order" {
            span { "Sort by" }
            @for (order, _, title) in ORDERS {
                @let current = (order == listing.order).then_some("true");
                a aria-current=[current] href=(listing.link(order, "")) { (title) }
            }
        }
    }
}

/// What the tags lead to, asked for side by side.
fn facts(visit: &Visit, name: &str, tags: &[&str]) -> Vec<Facts> {
    let question = |tag: &&str| {
        let pairs = [("image", name), ("tag", tag), ("long", "1")];
        pairs.map(|(name, value)| (name, value.to_owned())).to_vec()
    };
    let replies = visit.ask_soon("tags", tags.iter().map(question).collect(), PATIENCE);
    let facts = replies.into_iter().map(|reply| match reply.map(|reply| answered(&reply)) {
        None => Facts::Pending,
        Some(Ok(answer)) => Facts::Known(answer[0].clone()),
        Some(Err(error)) => Facts::Missing(error),
    });
    facts.collect()
}

/// As text, whose order is that of the times as long as all are written in UTC.
fn created(facts: &Facts) -> &str {
    match facts {
        Facts::Known(facts) => parts::text(&facts["created"]),
        _ => "",
    }
}

fn table(listing: &Listing, rows: &[(Facts, &&str)]) -> Markup {
    html! {
        table.tags {
            caption.hidden { "Tags of " (listing.name) }
            thead {
                tr {
                    th scope="col" { "Tag" }
                    th scope="col" { "Digest" }
                    th scope="col" { "Platforms" }
                    th scope="col" .number { "Size" }
                    th scope="col" { "Created" }
                }
            }
            tbody { @for (facts, tag) in rows { (row(&listing.name, tag, facts)) } }
        }
    }
}

fn row(name: &str, tag: &str, facts: &Facts) -> Markup {
    let image = format!("{name}:{tag}");
    let pending = matches!(facts, Facts::Pending).then_some("");
    html! {
        tr id={ "tag-" (tag) } data-pending=[pending] {
            th scope="row" { a href=(link::to("/image", &[("image", &image)])) { (tag) } }
            @match facts {
                Facts::Known(facts) => {
                    td data-label="Digest" { (parts::digest(parts::text(&facts["digest"]))) }
                    td data-label="Platforms" { (platforms(&facts["platforms"])) }
                    td.number data-label="Size" { (parts::size(&facts["size"])) }
                    td data-label="Created" { (parts::day(&facts["created"])) }
                }
                Facts::Pending => td.dim colspan="4" data-label="" { "asked for …" },
                Facts::Missing(error) => td.dim colspan="4" data-label="" { (error) },
            }
        }
    }
}

/// The first few, and how many more.
fn platforms(platforms: &Value) -> Markup {
    const FEW: usize = 4;
    let all: Vec<&str> = parts::strings(platforms).collect();
    let shown = if all.len() > FEW + 1 { FEW } else { all.len() };
    let (few, rest) = all.split_at(shown);
    html! {
        @if few.is_empty() { (parts::nothing("none")) }
        @for (n, platform) in few.iter().enumerate() {
            @if n > 0 { ", " }
            span.word { (platform) }
        }
        @if !rest.is_empty() {
            " " span.dim title=(rest.join(", ")) { "and " (rest.len()) " more" }
        }
    }
}
