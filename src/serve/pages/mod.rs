//! Pages for people: views over the answers that programs get, whole without a script.

mod assets;
mod compare;
mod document;
mod files;
mod frame;
mod home;
mod image;
mod link;
mod parts;
mod repository;
mod visit;

use std::sync::Arc;
use std::time::Duration;

use maud::html;

use super::api;
use super::http::{Body, Request, Response};
use super::kept::{Found, Kept};
use super::reply;
use super::site::Site;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, Kind, Result};
use frame::Page;
use visit::Visit;

/// What all pages that are kept may have together, in bytes.
const KEPT: usize = 8 << 20;

/// How long a page is kept at most: the answers behind it are believed for a longer time.
const LIFETIME: Duration = Duration::from_secs(2);

type MakePage = fn(&Visit) -> Result<Page>;

/// The pages, by their paths.
const PAGES: [(&str, MakePage); 7] = [
    ("/", home::page),
    ("/catalog", home::catalog),
    ("/repository", repository::page),
    ("/image", image::page),
    ("/files", files::page),
    ("/document", document::page),
    ("/compare", compare::page),
];

/// Where something is to be seen.
pub(super) fn paths() -> impl Iterator<Item = &'static str> {
    PAGES.into_iter().map(|(path, _)| path).chain(assets::paths())
}

pub(super) struct Pages {
    pub(super) site: Arc<Site>,
    kept: Kept<Rendered>,
}

#[derive(Clone)]
struct Rendered {
    status: u16,
    html: Arc<[u8]>,
    etag: String,
}

impl Pages {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Pages { site, kept: Kept::new(KEPT) }
    }

    /// The page at the request's path, or the one that says that there is none.
    pub(super) fn answer(&self, request: &Request) -> Response {
        if let Some(response) = assets::answer(request) {
            return response;
        }
        let page = PAGES.into_iter().find(|(path, _)| *path == request.path);
        let page = page.map_or(missing as MakePage, |(_, page)| page);
        let visit = Visit { site: &self.site, request };
        // Pages name the address of this server.
        let key = format!("{} {} {:?}", visit.base(), request.path, request.query);
        let Rendered { status, html, etag } = self.kept.get(&key, || {
            let made = page(&visit).and_then(|page| Ok((page.html()?, page.is_pending)));
            let (status, (html, is_pending)) = match made {
                Ok(made) => (200, made),
                Err(error) => (reply::status(error.kind()), (failure(&visit, &error), false)),
            };
            let html: Arc<[u8]> = html.into_bytes().into();
            let etag = format!("\"{}\"", Digest::of(Algorithm::Sha256, &html));
            let most = if is_pending { Duration::ZERO } else { LIFETIME };
            let lifetime = self.site.max_age().min(most);
            Found { bytes: html.len(), value: Rendered { status, html, etag }, lifetime }
        });
        if status == 200 && api::is_known(request, &etag) {
            return Response {
                status: 304,
                headers: vec![("ETag", etag)],
                body: Body::Bytes([].into()),
            };
        }
        let headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned()), ("ETag", etag)];
        Response { status, headers, body: Body::Bytes(html) }
    }
}

fn missing(_: &Visit) -> Result<Page> {
    Err(Error::new(Kind::NotFound, "there is nothing at this address"))
}

/// The page that says what the command line says.
fn failure(visit: &Visit, error: &Error) -> String {
    let title = match reply::status(error.kind()) {
        400 => "That is not a question",
        403 => "Not allowed",
        404 => "Not found",
        429 => "Too many requests",
        504 => "The registry does not answer",
        _ => "That did not work",
    };
    let main = html! { h1 { (title) } (parts::fault(error)) };
    let image = visit.given("image");
    let trail = image.parse().map(|it| frame::trail(&it, None)).unwrap_or_default();
    let page = Page { trail, image: image.to_owned(), ..Page::new(title, main) };
    page.html().unwrap_or_else(|_| title.to_owned())
}
