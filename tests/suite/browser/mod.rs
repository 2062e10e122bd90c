//! The pages as a person sees them: in a browser.
#![cfg(target_os = "linux")]

mod driver;
mod hostile;
mod pictures;
mod scene;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Fault, Image, Index, Served, gzip, sha256, tar};
use driver::{Browser, ENTER, TAB};
use scene::Scene;

/// An image whose layers are there, for two platforms, with `etc/os-release` and `hello`.
fn small(scene: &Scene) -> String {
    let image = |platform: &str| {
        let image = Image::new(platform).label("maintainer", "somebody").oci();
        let files = [("etc/os-release", &b"ID=small"[..]), ("etc/hosts", b"")];
        let files = tar(&files);
        let image = image.raw_layer(gzip(&files), &sha256(&files), "COPY etc /etc # buildkit");
        image.layer("hello", &[b'x'; 5000])
    };
    let index = Index::new().image(image("linux/amd64"));
    let index = index.image(image("linux/arm64/v8")).oci();
    index.push_to(&**scene, "team/small", "v1");
    let other = image("linux/amd64").label("maintainer", "somebody else");
    let other = other.layer("more", b"more");
    other.push_to(&**scene, "team/small", "v2");
    scene.image("team/small:v1")
}

/// Whether all rows of a list are known.
const KNOWN: &str = "!document.querySelector('[data-pending]')";

/// The address of a page.
fn page(served: &Served, target: &str) -> String {
    format!("http://{}{target}", served.host())
}

/// One page of each kind.
fn pages(image: &str) -> Vec<String> {
    let (repository, _) = image.rsplit_once(':').unwrap();
    let (host, _) = image.split_once('/').unwrap();
    vec![
        "/".to_owned(),
        format!("/catalog?registry={host}"),
        format!("/repository?name={repository}"),
        format!("/image?image={image}"),
        format!("/files?image={image}&path=/etc"),
        format!("/document?image={image}&what=manifest"),
        "/compare".to_owned(),
        format!("/compare?left={image}&right={repository}:v2&platform=linux/amd64&files=1"),
        format!("/image?image={repository}:gone"),
    ]
}

#[test]
fn a_person_comes_from_a_repository_to_the_layers_by_clicking() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::empty();
    let image = small(&scene);
    let served = scene.serve();
    browser.open(&page(&served, "/"));
    browser.follow("team/small");
    assert_eq!(browser.texts("tbody th"), ["v2", "v1"]);
    browser.follow("v1");
    assert_eq!(browser.text("h1"), image);
    assert_eq!(browser.title(), format!("{image} · docker-registry"));
    browser.follow("linux/arm64/v8");
    assert_eq!(browser.text(".platforms [aria-current]"), "linux/arm64/v8");
    assert_eq!(
        browser.texts(".layers .step"),
        ["COPY etc /etc", "COPY hello /"]
    );
    let sizes = browser.texts(".layers td.number");
    assert_eq!(sizes.len(), 2);
    let copy = ".commands dd:first-of-type .copy";
    browser.click(copy);
    // Where a page may not copy, what is to be copied is selected.
    browser.wait(&format!(
        "document.querySelector('{copy}').textContent === 'Copied' \
         || getSelection().toString().startsWith('docker pull ')"
    ));
    // The largest layer's bar is as long as there is room.
    let widths = "[...document.querySelectorAll('.bar rect')].map(it => it.getAttribute('width'))";
    let widths = browser.script(&format!("return {widths}"));
    assert_eq!(widths[1], "100.00");
    browser.click(".layers td a");
    assert_eq!(browser.texts("tbody th"), ["etc/"]);
    browser.follow("etc/");
    assert_eq!(browser.texts("tbody th"), ["hosts", "os-release"]);
    browser.follow("v1");
    browser.follow("Browse the files");
    assert_eq!(browser.texts("tbody th"), ["etc/", "hello"]);
    let file = browser.script("return document.querySelector('[download]').getAttribute('href')");
    let file = served.get(file.as_str().unwrap());
    assert!(file.status == 200 && file.body == [b'x'; 5000]);
    assert_eq!(file.get("Content-Type"), Some("application/octet-stream"));
    browser.follow("v1");
    browser.follow("Manifest");
    assert!(browser.text("pre").contains("\"schemaVersion\": 2"));
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn two_images_stand_side_by_side() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::empty();
    let image = small(&scene);
    let served = scene.serve();
    browser.open(&page(
        &served,
        &format!("/image?image={image}&platform=linux/amd64"),
    ));
    browser.follow("Compare with another image");
    browser.enter("#right", &image.replace(":v1", ":v2"));
    browser.click(".compare button");
    browser.wait("document.querySelector('[aria-labelledby=labels]') != null");
    assert_eq!(
        browser.texts("[aria-labelledby=labels] tbody tr"),
        ["maintainer\tsomebody\tsomebody else"]
    );
    let here = browser.texts(".layers td.word");
    assert_eq!(here, ["both", "both", "both", "both", "this one"]);
    browser.follow("Compare the files too");
    browser.wait("document.querySelector('[aria-labelledby=files] tbody th') != null");
    assert_eq!(browser.texts("[aria-labelledby=files] tbody th"), ["/more"]);
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn what_is_typed_filters_the_tags() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::empty();
    let digest = Image::new("linux/amd64").push(&*scene, "many", None);
    let tags = (0..10_000).map(|n| format!("{}.{}.{}", n / 1000, n / 100 % 10, n % 100));
    scene.tags("many", tags, &digest);
    let served = scene.serve();
    let target = format!("/repository?name={}", scene.image("many"));
    browser.open(&page(&served, &target));
    assert_eq!(browser.text(".count"), "10,000 tags");
    assert_eq!(browser.texts("tbody tr").len(), 50);
    browser.wait(KNOWN);
    assert_eq!(browser.texts("tbody th")[0], "9.9.99");
    browser.enter("#filter", "9.7.1");
    browser.wait("document.querySelector('.count').textContent === '11 tags'");
    assert_eq!(browser.texts("tbody th")[10], "9.7.1");
    assert!(
        browser.url().ends_with("&filter=9.7.1"),
        "{}",
        browser.url()
    );
    browser.follow("Name");
    assert_eq!(browser.texts("tbody th")[0], "9.7.1");
    browser.follow("Date");
    assert_eq!(browser.text(".count"), "11 tags");
    browser.wait(KNOWN);
    // The facts of a page are asked for, and of a digest once.
    let asked = scene.take();
    let manifests = asked
        .iter()
        .filter(|line| line.starts_with("HEAD /v2/many/manifests/"));
    assert_eq!(manifests.count(), 61, "{asked:#?}");
    browser.open(&page(&served, &(target + "&page=200")));
    assert_eq!(browser.texts("tbody th")[49], "0.0.0");
    browser.follow("Previous");
    assert_eq!(browser.text(".pager span"), "Page 199 of 200");
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn rows_that_take_long_are_filled_in() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::empty();
    let image = small(&scene);
    let slow = Fault::Slow(150, Duration::from_secs(1));
    scene
        .fail("/v2/team/small/manifests/sha256:*", slow)
        .always();
    let served = scene.serve();
    let (repository, _) = image.rsplit_once(':').unwrap();
    let address = page(&served, &format!("/repository?name={repository}"));
    browser.open(&address);
    assert_eq!(browser.texts("[data-pending]").len(), 2);
    browser.wait(KNOWN);
    assert!(browser.text("#tag-v1").contains("linux/arm64/v8"));
    assert_eq!(
        browser.script("return document.querySelector('#pending').hidden"),
        true
    );
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn the_keyboard_is_enough() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::empty();
    let image = small(&scene);
    let served = scene.serve();
    browser.open(&page(&served, "/"));
    browser.press(&TAB.to_string());
    let focused = "document.activeElement";
    assert_eq!(
        browser.script(&format!("return {focused}.textContent")),
        "Skip to the content"
    );
    browser.wait(&format!("{focused}.getBoundingClientRect().top >= 0"));
    browser.press(&format!("{ENTER}{TAB}"));
    assert_eq!(browser.script(&format!("return {focused}.id")), "any");
    browser.press(&format!("{image}{ENTER}"));
    browser.wait("location.pathname === '/image'");
    // Whatever can be clicked comes in its turn, and shows that it has.
    let reachable = "[...document.querySelectorAll('a[href], button, input')]";
    let count = browser
        .script(&format!("return {reachable}.length"))
        .as_u64()
        .unwrap();
    assert!(count > 15, "{count}");
    for n in 0..count {
        browser.press(&TAB.to_string());
        let state = browser.script(&format!(
            "const style = getComputedStyle({focused}); \
             return [{reachable}.indexOf({focused}), style.outlineStyle, parseFloat(style.outlineWidth) >= 2]"
        ));
        assert_eq!(state, json!([n, "solid", true]));
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn a_telephone_shows_all_without_scrolling_sideways() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::popular();
    let image = small(&scene);
    let served = scene.serve();
    browser.resize(380, 800, 1.0);
    let sphinx = scene.image("sphinxdoc/sphinx");
    let more = [
        format!("/repository?name={}", scene.image("library/ubuntu")),
        format!("/image?image={sphinx}:8.2.3"),
        format!("/compare?left={sphinx}:8.2.3&right={sphinx}:8.0.2"),
    ];
    for target in pages(&image).into_iter().chain(more) {
        browser.open(&page(&served, &target));
        // What is hidden from the eye is one pixel wide.
        let wide = browser.script(
            "return [...document.body.querySelectorAll('*')].filter(it => { \
                 const box = it.getBoundingClientRect(); \
                 return box.width > 1 && (box.right > 381 || box.left < -1 || it.scrollWidth > it.clientWidth + 1 && it.clientWidth > 1 && !['INPUT'].includes(it.tagName)); \
             }).map(it => it.outerHTML.slice(0, 200))",
        );
        assert_eq!(wide, json!([]), "{target}");
        let width = browser.script("return document.scrollingElement.scrollWidth");
        assert_eq!(width, 380, "{target}");
    }
}

#[test]
fn who_prefers_it_sees_dark_pages() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let served = scene::empty().serve();
    let light = |browser: &Browser| {
        let color = browser.script("return getComputedStyle(document.body).backgroundColor");
        let color = color
            .as_str()
            .unwrap()
            .trim_start_matches("rgb(")
            .to_owned();
        color.split(',').next().unwrap().parse::<u8>().unwrap()
    };
    browser.prefer("light");
    browser.open(&page(&served, "/compare"));
    assert!(light(&browser) > 200);
    browser.prefer("dark");
    assert!(light(&browser) < 50);
}

#[test]
fn axe_finds_nothing() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/axe/axe_playwright_python/axe.min.js"
    );
    let (Some(browser), Ok(axe)) = (Browser::start(), fs::read_to_string(path)) else {
        let must = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!must, "{path} or Chromium is not there: run tests/run");
        println!("skipped: {path} is not there; tests/run gets it");
        return;
    };
    let scene = scene::popular();
    let image = small(&scene);
    let served = scene.serve();
    let sphinx = format!("/image?image={}:8.2.3", scene.image("sphinxdoc/sphinx"));
    for target in pages(&image).into_iter().chain([sphinx]) {
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            browser.open(&page(&served, &target));
            browser.script(&axe);
            let found = browser.script_async(
                "axe.run(document, {resultTypes: ['violations', 'incomplete']}).then(found => arguments[1]( \
                    found.violations.map(it => [it.id, it.nodes.map(node => node.html)])))",
                &Value::Null,
            );
            assert_eq!(found, json!([]), "{target} {scheme}");
        }
    }
}

/// Waits, without the help of a script, until the page is so.
fn wait_for(browser: &Browser, is_so: impl Fn(&str) -> bool) {
    let start = Instant::now();
    while !is_so(&browser.source()) {
        assert!(start.elapsed().as_secs() < 20, "{}", browser.source());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn without_scripts_everything_is_there() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::popular();
    let image = small(&scene);
    let served = scene.serve();
    let is_known = |html: &str| !html.contains("data-pending");
    let seen = |target: &str, scripts: bool| {
        browser.allow_scripts(scripts);
        browser.open(&page(&served, target));
        wait_for(&browser, is_known);
        let text = browser.text("body");
        // The buttons are the script's.
        text.replace("Copy", "").replace("\n\n", "\n")
    };
    for target in pages(&image) {
        let without = seen(&target, false);
        assert!(!without.is_empty());
        assert_eq!(without, seen(&target, true), "{target}");
    }
    browser.allow_scripts(false);
    // What the script does while one types, the button does.
    let ubuntu = format!("/repository?name={}", scene.image("library/ubuntu"));
    browser.open(&page(&served, &ubuntu));
    wait_for(&browser, is_known);
    browser.enter("#filter", "noble");
    browser.click(".filter button");
    wait_for(&browser, |html| html.contains(">2 tags<"));
    // What is not known yet comes when the page asks again by itself.
    let slow = Fault::Slow(300, Duration::from_secs(1));
    scene
        .fail("/v2/library/ubuntu/manifests/sha256:*", slow)
        .always();
    let plucky = format!("{ubuntu}&filter=plucky");
    browser.open(&page(&served, &plucky));
    wait_for(&browser, |html| {
        html.contains("tag-plucky") && is_known(html)
    });
    assert!(browser.text("#tag-plucky").contains("linux/amd64"));
}
