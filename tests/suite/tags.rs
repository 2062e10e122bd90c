//! `tags` chooses and sorts.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Oddity, Registry, Response, Schema1, Tool, sha256};

const TAGS: [&str; 9] = [
    "1.10.0",
    "1.2.0",
    "1.9",
    "1.9.0",
    "1.9.1-alpine",
    "1.9.1-rc1",
    "2",
    "latest",
    "v1.4.2",
];

/// `a` with tags that all lead to one image, and two that cosign and its kin make.
fn registry() -> Registry {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push(&registry, "a", None);
    registry.tags("a", TAGS.map(str::to_owned), &digest);
    let artifact = digest.replace(':', "-");
    registry.tags("a", ["", ".sig"].map(|it| artifact.clone() + it), &digest);
    registry
}

/// The tags that are left by these options, one space between them.
#[track_caller]
fn tags(registry: &Registry, options: &str) -> String {
    let tool = Tool::new().args(["tags", "--no-artifacts"]);
    let tool = tool.args(options.split_whitespace());
    let output = tool.arg(registry.image("a")).run().status(0).stderr("");
    let json = output.json();
    let tags = json
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag.as_str().unwrap());
    tags.collect::<Vec<_>>().join(" ")
}

#[test]
fn tags_are_chosen() {
    let registry = registry();
    for (options, expected) in [
        ("", TAGS.join(" ").as_str()),
        ("--match ^1\\.9", "1.9 1.9.0 1.9.1-alpine 1.9.1-rc1"),
        ("--match ^2 --match ^v", "2 v1.4.2"),
        ("--exclude [.-] --exclude ^2", "latest"),
        ("--match 9 --exclude - --semver ~1.9.0", "1.9 1.9.0"),
        ("--semver ^1.4", "1.10.0 1.9 1.9.0 v1.4.2"),
        ("--semver >=1.9.0-alpine", "1.9.1-alpine"),
        ("--semver 1.2||2", "1.2.0 2"),
        ("--match nothing", ""),
    ] {
        assert_eq!(tags(&registry, options), expected, "{options}");
    }
    let tool = Tool::new().args(["tags", "-q", "length", &registry.image("a")]);
    tool.run().success("11\n");
}

#[test]
fn named_tags_are_asked_for_without_the_list() {
    let registry = registry();
    registry.absent("/v2/a/manifests/gone");
    let tool = Tool::new().args(["tags", "--no-cache", &registry.image("a")]);
    let named = |options: &[&str]| tool.clone().args(options).run();
    named(&["--tag", "2", "--tag", "1.9"]).success("[\"2\",\"1.9\"]\n");
    let asked = ["HEAD /v2/a/manifests/1.9", "HEAD /v2/a/manifests/2"];
    let mut requests = registry.take();
    requests.sort();
    assert_eq!(requests, asked);
    let long = named(&["--long", "--tag", "2"]).status(0).stderr("").json();
    assert_eq!(long.as_array().unwrap().len(), 1);
    assert_eq!(long[0]["platforms"], json!(["linux/amd64"]));
    let missing = named(&["--tag", "2", "--tag", "gone"]).status(3);
    let missing = missing.stdout("[\"2\"]\n");
    assert!(missing.messages().contains(": tag gone: "));
    let wrong = format!("docker-registry: {}: ", registry.image("a"));
    named(&["--tag", "a/b"]).fails(2, wrong + "--tag wants a tag, not 'a/b'\n");
}

#[test]
fn versions_that_only_a_suffix_keeps_out_are_counted() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push(&registry, "a", None);
    let tags = ["4.1-alpine", "4.2-slim", "5-alpine", "latest"];
    registry.tags("a", tags.map(str::to_owned), &digest);
    let name = registry.image("a");
    let said = format!(
        "docker-registry: {name}: versions with suffixes were left out: 2\n\
         hint: --semver '^4-*' takes them too\n"
    );
    for (options, expected, said) in [
        ("--semver ^4", "[]\n", said.as_str()),
        ("--semver ^4-*", "[\"4.1-alpine\",\"4.2-slim\"]\n", ""),
        ("--semver ^4 --exclude 4", "[]\n", ""),
        ("--semver ^6", "[]\n", ""),
        ("--match ^6", "[]\n", ""),
    ] {
        let tool = Tool::new().arg("tags").args(options.split(' ')).arg(&name);
        tool.run().status(0).stdout(expected).stderr(said);
    }
}

#[test]
fn a_registry_alone_has_no_tags() {
    for name in [
        "localhost:5000",
        "localhost",
        "ghcr.io",
        "127.0.0.1:1",
        "ghcr.io:443",
    ] {
        let output = Tool::new().args(["tags", name]).run();
        output.fails(
            2,
            format!(
                "docker-registry: {name}: expected a repository, not only a registry\n\
                 hint: 'docker-registry catalog {name}' lists its repositories; \
                 docker.io/library/{name} is one of Docker Hub\n"
            ),
        );
    }
}

#[test]
fn tags_are_sorted() {
    let registry = registry();
    let newest = "2 1.10.0 1.9.1-rc1 1.9.1-alpine 1.9.0 1.9 v1.4.2 1.2.0 latest";
    assert_eq!(tags(&registry, "--sort semver"), newest);
    assert_eq!(tags(&registry, "--sort name"), TAGS.join(" "));
    registry.take();
    assert_eq!(tags(&registry, ""), TAGS.join(" "));
    assert_eq!(registry.take(), ["GET /v2/a/tags/list"]);
}

#[test]
fn tags_are_sorted_by_age() {
    let registry = Registry::start();
    let dated = |created: &str| Image::new("linux/amd64").in_config("created", created.into());
    dated("2026-01-02T03:04:05Z").push_to(&registry, "a", "middle");
    let list = Index::new().image(dated("2026-01-02T01:00:00.5-04:00"));
    list.push_to(&registry, "a", "newest");
    dated("2025-12-31T00:00:00Z").push_to(&registry, "a", "oldest");
    dated("").push_to(&registry, "a", "dateless");
    let elsewhere = Index::new().image(Image::new("plan9/386"));
    elsewhere.push_to(&registry, "a", "elsewhere");
    let expected = "newest middle oldest dateless elsewhere";
    assert_eq!(tags(&registry, "--sort created --arch amd64"), expected);
    registry.take();
    let tool = Tool::new().args(["tags", "--sort", "created", "--arch", "amd64"]);
    let tool = tool.arg(registry.image("a"));
    let first = tool.run().status(0).stderr("");
    let sent = registry.take().len();
    tool.run().success(first.text());
    let again = registry.take();
    let heads = again.iter().filter(|line| line.starts_with("HEAD"));
    assert_eq!((heads.count(), again.len(), sent), (5, 6, 16));
}

#[test]
fn tags_of_a_digest_lead_to_it() {
    let registry = Registry::start();
    let arm = Image::new("linux/arm64");
    let list = Index::new()
        .image(Image::new("linux/amd64"))
        .image(arm.clone());
    let digest = list.push_to(&registry, "a", "1.0");
    list.push_to(&registry, "a", "1");
    Index::new()
        .index(list.clone())
        .push_to(&registry, "a", "nested");
    arm.push_to(&registry, "a", "arm");
    Image::new("linux/386").push_to(&registry, "a", "other");
    for (digest, expected) in [
        (digest, "[\"1\",\"1.0\",\"nested\"]\n"),
        (arm.digest(), "[\"1\",\"1.0\",\"arm\",\"nested\"]\n"),
        (Image::new("linux/s390x").digest(), "[]\n"),
    ] {
        let image = registry.image(&format!("a@{digest}"));
        Tool::new().args(["tags", &image]).run().success(expected);
    }
}

#[test]
fn a_pattern_without_end_is_an_error() {
    let registry = Registry::start();
    let tag = "a".repeat(60);
    Image::new("linux/amd64").push_to(&registry, "a", &tag);
    let image = registry.image("a");
    let pattern = r"^(?:(a+)\1?)+(?=b)";
    let output = Tool::new().args(["tags", "--match", pattern, &image]).run();
    let why = "Error executing regex: Max limit for backtracking count exceeded";
    let expected = format!("docker-registry: {image}: '{pattern}' on '{tag}': {why}\n");
    output.fails(1, expected);
}

#[test]
fn malformed_choices_are_usage_errors() {
    let registry = Registry::start();
    let image = registry.image("a");
    for (option, value, why) in [
        (
            "--match",
            "(",
            "'(' is no regular expression: parsing error at position 1: \
             Opening parenthesis without closing parenthesis",
        ),
        (
            "--newer-than",
            "monday",
            "--newer-than wants a duration such as 30d or a date such as 2026-01-31, not 'monday'",
        ),
        (
            "--older-than",
            "2026-13-01",
            "--older-than wants a duration such as 30d or a date such as 2026-01-31, not '2026-13-01'",
        ),
        (
            "--semver",
            "new",
            "--semver wants a range such as '^1.4', '1.x' or '>=1.2 <2', not 'new'",
        ),
    ] {
        let output = Tool::new().args(["tags", option, value, &image]).run();
        output.fails(2, format!("docker-registry: {image}: {why}\n"));
    }
    assert_eq!(registry.take(), [""; 0]);
}

const LIST: &str = "GET /v2/a/tags/list";

/// How many tags come from a registry that has so many and these oddities, in pages of at most 1,000,
/// and what of the list is asked for.
fn counted(oddities: &[Oddity], count: usize) -> (usize, Vec<String>) {
    let builder = oddities
        .iter()
        .fold(Registry::builder().page_size(1000), |builder, it| {
            builder.odd(*it)
        });
    let registry = builder.start();
    registry.tags("a", (0..count).map(|n| format!("v{n:04}")), "sha256:0");
    let tool = Tool::new().args(["tags", "-q", "unique | length"]);
    let output = tool.arg(registry.image("a")).run().status(0).stderr("");
    let asked = registry.take().into_iter();
    let asked = asked.map(|line| line.strip_prefix(LIST).unwrap().to_owned());
    (output.text().trim().parse().unwrap(), asked.collect())
}

#[test]
fn all_tags_at_once_take_one_request() {
    let registry = Registry::start();
    registry.tags("a", (0..5001).map(|n| format!("v{n:04}")), "sha256:0");
    let tool = Tool::new().args(["tags", "-q", "length", &registry.image("a")]);
    tool.run().success("5001\n");
    assert_eq!(registry.take(), [LIST]);
}

#[test]
fn where_few_come_a_thousand_are_asked_for() {
    for (oddities, count, asked) in [
        (&[Oddity::FewUnasked(10)][..], 10, &[""][..]),
        (&[Oddity::FewUnasked(10)], 25, &["", "?n=1000&last=v0009"]),
        (
            &[Oddity::FewUnasked(10)],
            2500,
            &[
                "",
                "?n=1000&last=v0009",
                "?last=v1009&n=1000",
                "?last=v2009&n=1000",
            ],
        ),
        (&[], 2500, &["", "?last=v0999&n=1000", "?last=v1999&n=1000"]),
        // Who refuses that is asked for what it gives.
        (
            &[Oddity::FewUnasked(10), Oddity::MaxEntries(10)],
            25,
            &[
                "",
                "?n=1000&last=v0009",
                "?last=v0009&n=10",
                "?last=v0019&n=10",
            ],
        ),
    ] {
        let asked = asked.iter().map(|query| (*query).to_owned()).collect();
        assert_eq!(counted(oddities, count), (count, asked), "{oddities:?}");
    }
}

#[test]
fn a_full_page_without_a_link_is_not_the_last() {
    let pages = |names: &[&str]| -> Vec<String> {
        let next = names.iter().map(|name| format!("?n=1000&last={name}"));
        [String::new()].into_iter().chain(next).collect()
    };
    for (count, asked) in [
        (999, pages(&[])),
        (1000, pages(&["v0999"])),
        (1001, pages(&["v0999"])),
        (2000, pages(&["v0999", "v1999"])),
        (2500, pages(&["v0999", "v1999"])),
    ] {
        let crane = [Oddity::NoLink, Oddity::LastBeginsAnew];
        assert_eq!(counted(&crane, count), (count, asked.clone()));
        assert_eq!(counted(&[Oddity::NoLink], count), (count, asked));
    }
    let few = [Oddity::NoLink, Oddity::FewUnasked(100)];
    assert_eq!(
        counted(&few, 2500),
        (2500, pages(&["v0099", "v1099", "v2099"]))
    );
    let refused = [Oddity::NoLink, Oddity::MaxEntries(100)];
    assert_eq!(counted(&refused, 100), (100, pages(&["v0099"])));
}

#[test]
fn nothing_is_behind_a_list_without_order() {
    let (count, asked) = counted(&[Oddity::NoLink, Oddity::NoOrder], 1000);
    assert_eq!((count, &asked[..]), (1000, &[String::new()][..]));
}

/// Names that no registry may have, some of which would lead elsewhere in a URL.
pub const NO_TAGS: [&str; 6] = ["../../x?y", "a/b", "-x", "", "a\nhint: b", "a#b"];

#[test]
fn a_name_that_no_tag_has_is_passed_over() {
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let long = "t".repeat(129);
    let mut names = vec!["v1", &long, "sha256:12"];
    names.extend(NO_TAGS);
    let listed = serde_json::json!({"name": "a", "tags": names});
    registry.answer("GET", "/v2/a/tags/list*", Response::new(200).json(&listed));
    let name = registry.image("a");
    let warning = format!(
        "docker-registry: warning: {name}: passed over, for no name may be so: \
         '{long}', '../../x?y', 'a/b', '-x', '', 'a\\nhint: b', 'a#b'\n"
    );
    for options in [&[][..], &["--sort", "created"], &["--semver", "*"]] {
        let tool = Tool::new().args(["tags", &name]).args(options);
        let output = tool.run().status(0);
        output.stdout("[\"v1\"]\n").stderr(&warning);
    }
}

/// The lines of `tags --long`, with these options.
#[track_caller]
fn long(registry: &Registry, options: &[&str]) -> (Vec<Value>, Vec<String>) {
    registry.take();
    let tool = Tool::new().args(["tags", "--long", "--arch", "amd64"]);
    let output = tool.args(options).arg(registry.image("a")).run();
    let lines = output.status(0).stderr("").json();
    let mut asked = registry.take();
    asked.sort();
    (lines.as_array().unwrap().clone(), asked)
}

#[test]
fn tags_are_told_at_length() {
    let registry = Registry::start();
    let amd64 = Image::new("linux/amd64").oci().layer("a", b"content");
    let amd64 = amd64.in_config("created", "2026-01-02T03:04:05Z".into());
    let arm64 = Image::new("linux/arm64/v8");
    let list = Index::new().oci().image(amd64.clone()).attestation();
    let list = list.image(arm64.clone());
    let other = list.clone().with("annotations", json!({"a": "b"}));
    for tag in ["1.0", "1", "latest"] {
        list.push_to(&registry, "a", tag);
    }
    other.push_to(&registry, "a", "other");
    amd64.push_to(&registry, "a", "plain");
    arm64.push_to(&registry, "a", "arm");
    let size = amd64.layers()[0].len();
    let created = "2026-01-02T03:04:05Z";
    let index = "application/vnd.oci.image.index.v1+json";
    let both = ["linux/amd64", "linux/arm64/v8"];
    let line = |tag: &str, digest: String, kind: &str, platforms: &[&str]| {
        json!({"tag": tag, "digest": digest, "mediaType": kind, "platforms": platforms,
            "size": size, "created": created})
    };
    let mut arm = line("arm", arm64.digest(), arm64.media_type(), &both[1..]);
    (arm["size"], arm["created"]) = (Value::Null, Value::Null);
    let expected = [
        line("1", list.digest(), index, &both),
        line("1.0", list.digest(), index, &both),
        arm,
        line("latest", list.digest(), index, &both),
        line("other", other.digest(), index, &both),
        line("plain", amd64.digest(), amd64.media_type(), &both[..1]),
    ];
    let get = |kind: &str, digest: &str| format!("GET /v2/a/{kind}/{digest}");
    let heads = expected.iter().map(|line| line["tag"].as_str().unwrap());
    let mut asked: Vec<String> = heads
        .map(|tag| format!("HEAD /v2/a/manifests/{tag}"))
        .collect();
    let again = [&[LIST.to_owned()], &asked[..]].concat();
    let manifests = [
        &list.digest(),
        &other.digest(),
        &amd64.digest(),
        &arm64.digest(),
    ];
    asked.extend(manifests.map(|it| get("manifests", it)));
    asked.extend([&amd64, &arm64].map(|image| get("blobs", &image.config_digest())));
    asked.push(LIST.to_owned());
    asked.sort();
    for options in [
        ["--no-cache", "-j8"],
        ["--no-cache", "-j1"],
        ["-j8", "--match="],
    ] {
        let (lines, requests) = long(&registry, &options);
        assert_eq!(lines, expected);
        assert_eq!(requests, asked, "{options:?}");
    }
    let tool = Tool::new().args(["tags", "--long", "--arch", "amd64", &registry.image("a")]);
    let first = tool.run().status(0).stderr("");
    registry.take();
    tool.run().success(first.text());
    let mut requests = registry.take();
    requests.sort();
    assert_eq!(requests, again);
}

/// What the tag's image says of its time.
fn dated(annotation: &str, label: &str, created: &str) -> Image {
    let image = Image::new("linux/amd64").in_config("created", created.into());
    let image = match annotation {
        "" => image,
        date => image.in_manifest("annotations", json!({ CREATED: date })),
    };
    if label.is_empty() {
        image
    } else {
        image.label(CREATED, label)
    }
}

const CREATED: &str = "org.opencontainers.image.created";

#[test]
fn the_annotation_then_the_label_says_when_an_image_was_created() {
    let registry = Registry::start();
    let [y1, y2, y3, y4] = [1, 2, 3, 4].map(|n| format!("200{n}-01-01T00:00:00Z"));
    dated(&y1, &y2, &y3).push_to(&registry, "a", "annotation");
    dated("", &y2, &y3).push_to(&registry, "a", "label");
    dated("", "", &y3).push_to(&registry, "a", "config");
    dated("soon", "2002", &y3).push_to(&registry, "a", "no-times");
    dated("", "", "").push_to(&registry, "a", "none");
    let list = Index::new().image(dated(&y1, &y2, &y3));
    list.push_to(&registry, "a", "index-without");
    let list = list.with("annotations", json!({ CREATED: y4 }));
    list.push_to(&registry, "a", "index");
    let (lines, _) = long(&registry, &["--sort", "created"]);
    let told = lines.iter().map(|line| {
        let created = line["created"].as_str().unwrap_or("-");
        format!(
            "{} {}",
            line["tag"].as_str().unwrap(),
            &created[..created.len().min(4)]
        )
    });
    let expected = "index 2004, config 2003, no-times 2003, label 2002, annotation 2001, \
                    index-without 2001, none -";
    assert_eq!(told.collect::<Vec<_>>().join(", "), expected);
    for (options, expected) in [
        (
            "--sort created",
            "index config no-times label annotation index-without none",
        ),
        ("--newer-than 2003-01-01", "index"),
        ("--newer-than 2002-12-31T23:59:59Z", "config index no-times"),
        ("--older-than 2002-01-01", "annotation index-without"),
        (
            "--older-than 2002-01-01T00:00:01Z --match a",
            "annotation label",
        ),
        (
            "--newer-than 2001-06-01 --older-than 2003-01-01T00:00:00+01:00",
            "label",
        ),
        ("--newer-than 1h", ""),
        (
            "--older-than 1h --sort created",
            "index config no-times label annotation index-without",
        ),
        (
            "--newer-than 20000d --sort name",
            "annotation config index index-without label no-times",
        ),
    ] {
        assert_eq!(tags(&registry, options), expected, "{options}");
    }
}

#[test]
fn what_is_no_image_has_no_platform_and_no_date() {
    let registry = Registry::start();
    let image = Image::new("linux/amd64").layer("a", b"content");
    Schema1::push_to(&image, &registry, "a", "schema1");
    let empty = json!({"mediaType": "application/vnd.oci.empty.v1+json",
        "digest": sha256("{}"), "size": 2, "data": "e30="});
    let artifact = image.clone().oci().in_manifest("config", empty);
    artifact.push_to(&registry, "a", "artifact");
    let tool = Tool::new().args(["tags", "--long", &registry.image("a")]);
    let lines = tool.run().status(0).stderr("").json();
    let lines = lines.as_array().unwrap();
    let told = lines
        .iter()
        .map(|line| (&line["tag"], &line["platforms"], &line["size"]));
    assert_eq!(
        told.map(|line| json!(line)).collect::<Vec<_>>(),
        [
            json!(["artifact", [], image.layers()[0].len()]),
            json!(["schema1", ["linux/amd64"], null])
        ]
    );
    assert!(lines[0]["created"].is_null());
    // The list, two tags and their manifests.
    assert_eq!(registry.take().len(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn somebody_who_mistypes_a_tag_sees_the_nearest() {
    let registry = Registry::start();
    let digest = Image::new("linux/amd64").push_to(&registry, "a", "latest");
    let tags = [
        "18.04", "18.10", "20.04", "jammy-1", "jammy-2", "jammy-3", "jammy-4",
    ];
    registry.tags("a", tags.map(str::to_owned), &digest);
    registry.absent("/v2/a/manifests/*");
    registry.take();
    let usual = "the command 'tags' lists the tags that there are";
    for (tag, hint) in [
        ("18.14", "did you mean 18.04 or 18.10?"),
        ("lastest", "did you mean latest?"),
        ("jammy", "did you mean jammy-1, jammy-2 or jammy-3?"),
        ("3.11", usual),
    ] {
        let name = registry.image(&format!("a:{tag}"));
        let why = format!("{name}: manifest {tag}: not found");
        let tool = Tool::new().args(["resolve", &name]);
        let seen = tool.terminal(&[]).status(3);
        seen.stdout(format!("docker-registry: {why}\nhint: {hint}\n"));
        let head = format!("HEAD /v2/a/manifests/{tag}");
        assert_eq!(registry.take(), [head.as_str(), "GET /v2/a/tags/list"]);
        tool.run()
            .fails(3, format!("docker-registry: {why}\nhint: {usual}\n"));
        assert_eq!(registry.take(), [head]);
    }
}

#[test]
fn a_tag_that_leads_nowhere_is_reported() {
    let registry = Registry::start();
    for (tag, year) in [("v1", "2001"), ("v2", "2002"), ("v3", "2003")] {
        let created = format!("{year}-01-01T00:00:00Z");
        dated("", "", &created).push_to(&registry, "a", tag);
    }
    registry.absent("/v2/a/manifests/v2");
    let image = registry.image("a");
    let tool = Tool::new().args(["tags", "--no-cache", "-q", ".[].tag", "--long", &image]);
    tool.run().status(3).stdout("v1\nv3\n").stderr(format!(
        "docker-registry: {image}: tag v2: manifest v2: not found\n\
         hint: the command 'tags' lists the tags that there are\n"
    ));
    // Without the rest it is a tag without a date.
    assert_eq!(tags(&registry, "--sort created"), "v3 v1 v2");
    assert_eq!(tags(&registry, "--newer-than 1d"), "");
    let refused = Response::error(403, "DENIED", "not yours");
    registry.fail("/v2/a/manifests/v3", refused).always();
    let output = tool.run();
    assert_eq!((output.code, output.text()), (Some(4), ""));
}

#[test]
fn tags_of_a_digest_are_told_at_length() {
    let registry = Registry::start();
    let image = dated("", "", "2001-01-01T00:00:00Z");
    let list = Index::new().image(image.clone());
    list.push_to(&registry, "a", "1");
    list.push_to(&registry, "a", "1.0");
    dated("", "", "2002-01-01T00:00:00Z").push_to(&registry, "a", "2");
    let name = registry.image(&format!("a@{}", image.digest()));
    let tool = Tool::new().args(["tags", "--no-cache", "--long", "--arch", "amd64"]);
    let filter = ".[] | .tag + \" \" + .created";
    let tool = tool.args(["-q", filter, &name]);
    let created = "2001-01-01T00:00:00Z";
    tool.run().success(format!("1 {created}\n1.0 {created}\n"));
    // The list, three tags, the index, the manifest and the configuration.
    assert_eq!(registry.take().len(), 7);
}

#[test]
fn progress_is_shown_with_the_requests() {
    let registry = Registry::start();
    registry.tags("a", (0..20).map(|n| n.to_string()), "sha256:0");
    Image::new("linux/amd64").push_to(&registry, "a", "v1");
    let digest = Image::new("linux/amd64").digest();
    registry.tags("a", (0..19).map(|n| n.to_string()), &digest);
    let tool = Tool::new().args(["tags", "-v", "-j1", "--sort=created", "--exclude=^19$"]);
    let output = tool.arg(registry.image("a")).run().status(0);
    let messages = output.messages();
    let shown = messages.lines().filter(|line| line.contains(" %  "));
    let expected = (1..=10).map(|n| format!("{:3} %  {} of 20 tags", n * 10, n * 2));
    assert_eq!(shown.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}
