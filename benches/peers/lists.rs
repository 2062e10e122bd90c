//! Long lists of tags, from the test suite's own registry: over HTTP, since crane follows no HTTPS link
//! on loopback.

use std::fs;

use serde_json::json;

use crate::contest::Contender;
use crate::harness::{Registry, Response};
use crate::scene::Scene;

const TAGS: usize = 100_000;
const PAGE: usize = 1000;

/// In bytes of JSON; two pages of half of it, since a page has a limit.
const LONG: usize = 50_000_000;

pub struct Lists<'a> {
    scene: &'a Scene,
    registry: Registry,
}

impl<'a> Lists<'a> {
    pub fn set(scene: &'a Scene) -> Self {
        let registry = Registry::start();
        let tags: Vec<String> = (0..TAGS).map(|n| format!("v{n:06}")).collect();
        serve(&registry, "many", tags.chunks(PAGE));
        let tag = |n| format!("v{n:07}-{}", "x".repeat(50));
        let long: Vec<String> = (0..LONG / tag(0).len()).map(tag).collect();
        serve(&registry, "long", long.chunks(long.len() / 2 + 1));
        fs::write(scene.at("tags.json"), json!(long).to_string()).expect("a list of tags");
        Lists { scene, registry }
    }

    pub fn pages(&self) -> Vec<Contender<'_>> {
        let (host, there) = (self.registry.host(), self.registry.image("many"));
        let mut all = vec![self.scene.ours("", &format!("tags --no-cache {there}"))];
        all.extend(self.scene.peers(&[
            &format!("crane ls {there}"),
            &format!("regctl --host reg={host},tls=disabled tag ls {there}"),
            &format!("skopeo list-tags --tls-verify=false docker://{there}"),
            &format!("oras repo tags --plain-http {there}"),
        ]));
        self.scene.beside(all)
    }

    /// jq has the list in a file, we have to fetch it.
    pub fn filter(&self) -> Vec<Contender<'_>> {
        const FILTER: &str =
            "map(select(endswith(\"7-x\")|not)|ltrimstr(\"v\")[0:7])|unique|length";
        let line = format!("tags --no-cache {}", self.registry.image("long"));
        let mut ours = self.scene.ours("", &line);
        ours.command.args(["--jq", FILTER]);
        let mut all = vec![ours];
        for mut jq in self.scene.peers(&["jq", "jaq", "gojq"]) {
            jq.command.args([FILTER, &self.scene.at("tags.json")]);
            all.push(jq);
        }
        self.scene.beside(all)
    }
}

/// Pages of tags that are made beforehand.
fn serve<'a>(registry: &Registry, name: &str, pages: impl ExactSizeIterator<Item = &'a [String]>) {
    let path = format!("/v2/{name}/tags/list");
    let last = pages.len() - 1;
    let pages = pages.enumerate().map(|(i, tags)| {
        let response = Response::new(200).json(&json!({"name": name, "tags": tags}));
        let next = format!("<{path}?page={}>; rel=\"next\"", i + 1);
        match i < last {
            true => response.header("Link", next),
            false => response,
        }
    });
    let pages: Vec<Response> = pages.collect();
    // The first of several that fit is given: whatever is asked for but a later page is the first one.
    for (i, page) in pages.iter().enumerate().skip(1) {
        let target = format!("{path}?page={i}");
        registry.answer("GET", &target, page.clone());
    }
    registry.answer("GET", &path, pages[0].clone());
}
