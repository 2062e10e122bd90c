//! `/mquery?image=NAME`: what mquery's backend answers.

use std::sync::Arc;
use std::time::Duration;

use super::api;
use super::http::{Request, Response};
use super::reply::Reply;
use super::site::Site;
use crate::error::Error;

/// How long mquery's backend keeps an answer.
const MAX_AGE: Duration = Duration::from_secs(3600);

pub(super) fn answer(site: &Site, request: &Request) -> Response {
    let image = request.parameter("image").filter(|image| !image.is_empty());
    let reply = match image {
        Some(image) => site.ask_within(MAX_AGE, "platforms", &[("image", image)]),
        None => Arc::new(Reply::failed(Error::usage("the parameter 'image' is missing"))),
    };
    api::response(&reply, request)
}
