//! `tags` chooses and sorts.

use crate::harness::{Image, Index, Oddity, Registry, Response, Tool};

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
    assert_eq!((heads.count(), again.len(), sent), (5, 6, 11));
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
