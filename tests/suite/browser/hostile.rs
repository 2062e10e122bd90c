//! What a registry may say to whoever reads its pages.

use serde_json::json;

use super::driver::Browser;
use super::{page, scene};
use crate::harness::{Image, gzip, sha256};

const HOSTILE: [&str; 6] = [
    "<script>document.title = 'taken'</script>",
    "\"><img src=x onerror=\"document.title='taken'\">",
    "'><svg/onload=document.title='taken'>",
    "\u{1b}[2J\u{1b}]0;taken\u{7}",
    "\u{202e}txt.exe\u{2066}",
    "</code></pre></title><base href=//evil.example>",
];

#[test]
fn what_a_registry_says_stays_text() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let scene = scene::empty();
    let mut image = Image::new("linux/amd64").oci();
    for text in HOSTILE {
        image = image.label(text, text);
        let tar = crate::harness::tar(&[(text, b"x")]);
        image = image.raw_layer(gzip(&tar), &sha256(&tar), text);
    }
    image = image
        .label(
            "org.opencontainers.image.source",
            "javascript:document.title='taken'",
        )
        .label(
            "org.opencontainers.image.url",
            "https://example.com/\" onclick=\"x",
        )
        .label(
            "org.opencontainers.image.documentation",
            "https://example.com/docs",
        )
        .in_config("author", json!(HOSTILE.concat()))
        .in_manifest("annotations", json!({HOSTILE[0]: HOSTILE[1]}));
    let digest = image.push_to(&*scene, "a", "v1");
    scene.tags("a", HOSTILE.map(str::to_owned), &digest);
    let long = "x".repeat(3000);
    let other = image.clone().label("long", &long).label(&long, "y");
    other.push_to(&*scene, "a", "v2");
    let served = scene.serve();
    let name = scene.image("a");
    for target in [
        format!("/repository?name={name}"),
        format!("/image?image={name}:v1"),
        format!("/image?image={name}:v2"),
        format!("/files?image={name}:v1"),
        format!("/document?image={name}:v1&what=config"),
        format!("/compare?left={name}:v1&right={name}:v2&files=1"),
        "/image?image=%3Cscript%3Edocument.title='taken'%3C/script%3E".to_owned(),
        "/%3Cscript%3Edocument.title='taken'%3C/script%3E".to_owned(),
        format!(
            "/repository?name={name}&filter=%22%3E%3Cscript%3Edocument.title='taken'%3C/script%3E"
        ),
    ] {
        browser.resize(380, 800, 1.0);
        browser.open(&page(&served, &target));
        assert!(
            browser.title().ends_with(" · docker-registry"),
            "{target}: {}",
            browser.title()
        );
        let strange = browser.script(
            "return [...document.querySelectorAll('img, base, iframe, svg[onload], [onerror], [onclick], script:not([src])')].map(it => it.outerHTML)",
        );
        assert_eq!(strange, json!([]), "{target}");
        let hidden = browser.script(
            "return [...document.documentElement.outerHTML].filter(c => /[\\p{Cc}\\p{Cf}]/u.test(c) && c !== '\\n' && c !== '\\t').length",
        );
        assert_eq!(hidden, 0, "{target}");
        let outside = browser.script(
            "return [...document.querySelectorAll('a')].filter(a => a.origin !== location.origin).map(a => [a.href, a.rel])",
        );
        let expected = match target.starts_with("/image?image=127") {
            // In the summary and among the labels.
            true => json!([
                ["https://example.com/docs", "noreferrer nofollow"],
                ["https://example.com/docs", "noreferrer nofollow"],
            ]),
            false => json!([]),
        };
        assert_eq!(outside, expected, "{target}");
        let width = browser.script("return document.scrollingElement.scrollWidth");
        assert_eq!(width, 380, "{target}");
        let noise: Vec<_> = browser
            .console()
            .into_iter()
            .filter(|line| !line.contains("status of 40"))
            .collect();
        assert_eq!(noise, [""; 0], "{target}");
    }
    // It can be read, though.
    browser.open(&page(&served, &format!("/image?image={name}:v1")));
    let labels = browser.texts("[aria-labelledby=labels] th[scope=row]");
    assert_eq!(labels[0], HOSTILE[0]);
    assert_eq!(labels[3], "\\u{1b}[2J\\u{1b}]0;taken\\u{7}");
    assert_eq!(labels[4], "\\u{202e}txt.exe\\u{2066}");
}
