//! The pictures of README: made with `BLESS=1`, and small.

use std::fs;
use std::path::Path;

use base64::Engine;

use super::driver::Browser;
use super::{page, scene};
use crate::harness::program;

/// The most that one may have, in bytes.
const MOST: u64 = 150_000;

/// Their names, what they show, and how high they are.
const PICTURES: [(&str, &str, u32); 3] = [
    ("repository", "/repository?name=ubuntu", 800),
    ("image", "/image?image=sphinxdoc/sphinx:8.2.3", 1300),
    (
        "compare",
        "/compare?left=sphinxdoc/sphinx:8.2.3&right=sphinxdoc/sphinx:8.0.2",
        1000,
    ),
];

#[test]
fn pictures_are_small() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    if std::env::var_os("BLESS").is_some() {
        take(&docs);
    }
    for (name, ..) in PICTURES {
        let size = fs::metadata(docs.join(format!("{name}.png")))
            .expect(name)
            .len();
        assert!(size < MOST, "docs/{name}.png has {size} bytes");
    }
}

fn take(docs: &Path) {
    let (Some(browser), Some(pngquant)) =
        (Browser::start(), program("/usr/bin/pngquant", "pngquant"))
    else {
        return;
    };
    let (scene, proxy) = scene::hub();
    let served = scene.serve_as_hub(&proxy);
    fs::create_dir_all(docs).unwrap();
    for (name, target, height) in PICTURES {
        browser.prefer(if name == "compare" { "dark" } else { "light" });
        browser.resize(1100, height, 1.25);
        browser.open(&page(&served, target));
        assert_eq!(browser.console(), [""; 0]);
        let picture = base64::prelude::BASE64_STANDARD
            .decode(browser.screenshot())
            .unwrap();
        let small = pngquant
            .again(["--strip", "--speed=1", "64", "-"])
            .stdin(picture)
            .run();
        fs::write(docs.join(format!("{name}.png")), small.status(0).stdout).unwrap();
    }
}
