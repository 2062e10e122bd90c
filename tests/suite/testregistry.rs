//! `testregistry`: what a registry supports is found out, and nothing is left behind.

use crate::harness::{Fault, Oddity, Real, Registry, Response, Tool};

const ALL: &str = "lists          yes\n\
                   indexes        yes\n\
                   mount          yes\n\
                   head           yes\n\
                   digest header  yes\n\
                   paging         yes\n\
                   referrers      yes\n\
                   range          yes\n\
                   delete         yes\n";

/// The table, for a registry of which this is known.
pub fn table(host: &str, changed: &[(&str, &str)]) -> String {
    let mut table = format!("{host}/team/test\n");
    for line in ALL.lines() {
        let feature = line.split("  ").next().unwrap();
        let change = changed.iter().find(|(name, _)| *name == feature);
        match change {
            Some((_, why)) => table += &format!("{feature:14} no   {why}\n"),
            None => table += &format!("{line}\n"),
        }
    }
    table
}

fn trial(registry: &Registry) -> Tool {
    Tool::new().args(["testregistry", &registry.image("team/test")])
}

#[test]
fn a_registry_that_can_do_all_is_left_as_it_was() {
    let registry = Registry::start();
    let tool = trial(&registry);
    tool.run().success(table(&registry.host(), &[]));
    assert!(registry.tagged("team/test").is_empty());
    let deleted = registry.take();
    let deleted = deleted.iter().filter(|line| line.starts_with("DELETE "));
    // Two lists, four images of each kind, an artifact, and the blob that was mounted.
    assert_eq!(deleted.count(), 12);
}

#[test]
fn what_is_missing_is_named_with_its_reason() {
    let registry = Registry::builder().without_referrers().start();
    registry.answer("POST", "/v2/team/test-mount/*", Response::new(202));
    registry
        .fail(
            "/v2/team/test/manifests/*",
            Fault::WithoutHeader("Docker-Content-Digest"),
        )
        .on("GET")
        .always();
    registry.fail("/v2/team/test/tags/list*", Fault::WithoutHeader("Link"));
    let unsupported = Response::error(405, "UNSUPPORTED", "off");
    registry.answer("DELETE", "/v2/team/test/manifests/*", unsupported);
    let tool = Tool::new().args(["testregistry", &registry.image("team/test")]);
    let output = tool.run().status(0).stderr("");
    let text = output.text();
    for line in [
        "mount          no   the blob is to be sent instead\n",
        "digest header  no   the answer has no such header\n",
        "paging         no   the answer has no Link header\n",
        "referrers      no   not found (not part of this version)\n",
        ": the registry does not allow this (off)\n",
        "left           docker-registry-test-list, docker-registry-test-index, docker-registry-test-image\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[test]
fn a_registry_that_refuses_indexes_is_no() {
    let registry = Registry::start();
    let refused = Response::error(400, "MANIFEST_INVALID", "unknown media type");
    let target = "/v2/team/test/manifests/docker-registry-test-index";
    registry.fail(target, refused).on("PUT");
    // What was refused may have been kept: its list is the first to be deleted.
    registry.absent(target).on("HEAD");
    let digests = "/v2/team/test/manifests/sha256:*";
    registry.absent(digests).on("DELETE").times(1);
    registry.absent(digests).on("HEAD").times(1);
    let why = "manifest docker-registry-test-index: the registry answers 400 (unknown media type)";
    let tool = trial(&registry).args(["--json", "-q", ".indexes"]);
    let output = tool.run().status(8).stderr("").json();
    assert_eq!(output["supported"], false);
    assert_eq!(output["why"], why);
}

#[test]
fn what_comes_back_changed_is_corrupt() {
    let registry = Registry::start();
    let target = "/v2/team/test/manifests/docker-registry-test-list";
    registry
        .fail(target, Fault::WrongBytes(b"{}".to_vec()))
        .on("GET");
    let output = trial(&registry).run().status(6).stderr("");
    assert!(output.text().contains("lists          no   manifest docker-registry-test-list: the digest of the content is sha256:"));
}

#[test]
fn who_may_not_push_learns_nothing() {
    let registry = Registry::start();
    let refused = Response::error(403, "DENIED", "not you");
    registry.answer("POST", "/v2/team/test/blobs/uploads/*", refused);
    let image = registry.image("team/test");
    let tool = Tool::new().args(["testregistry", &image]);
    let output = tool.run().status(4).stdout("");
    let message = format!(
        "docker-registry: {image}: blob sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4: access forbidden (not you)\n"
    );
    output.stderr(message);
}

#[test]
fn a_refusal_in_the_middle_is_a_line_of_the_table() {
    let own = "/v2/team/test";
    for (method, path, feature) in [
        ("PUT", "/manifests/docker-registry-test-list", "lists"),
        ("PUT", "/manifests/docker-registry-test-index", "indexes"),
        ("GET", "/manifests/docker-registry-test-list", "lists"),
        ("POST", "-mount/blobs/uploads/*", "mount"),
        ("HEAD", "/manifests/docker-registry-test-image", "head"),
        (
            "GET",
            "/manifests/docker-registry-test-image",
            "digest header",
        ),
        ("GET", "/tags/list*", "paging"),
        ("GET", "/referrers/*", "referrers"),
        ("GET", "/blobs/*", "range"),
        ("DELETE", "/manifests/*", "delete"),
    ] {
        for status in [405, 500] {
            let registry = Registry::start();
            let target = format!("{own}{path}");
            registry
                .fail(&target, Fault::Denied(status))
                .on(method)
                .always();
            if path == "/blobs/*" {
                // Without configurations no list is put together.
                let lists = format!("{own}/manifests/docker-registry-test-*");
                registry.absent(&lists).on("HEAD").after(1);
            }
            let tool = trial(&registry).args(["--retries=0"]);
            let output = tool.run().stderr("");
            let text = output.text();
            let line = text.lines().find(|line| line.starts_with(feature));
            let line = line.unwrap_or_else(|| panic!("{method} {path}: {text}"));
            assert!(line.contains(" no "), "{method} {path} {status}: {line}");
            assert!(
                text.lines().any(|line| line.starts_with("delete ")),
                "{text}"
            );
            if method != "DELETE" {
                assert_eq!(registry.tagged("team/test"), [], "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn a_registry_that_is_only_read_is_no() {
    let registry = Registry::start();
    let refused = Response::error(405, "UNSUPPORTED", "a mirror");
    registry.answer("POST", "/v2/team/test*", refused);
    registry.absent("/v2/team/test/*");
    let output = trial(&registry).run().status(8).stderr("");
    let text = output.text();
    assert_eq!(text.lines().count(), 10, "{text}");
    assert!(
        text.lines().skip(1).all(|line| line.contains(" no ")),
        "{text}"
    );
    let requests = registry.take();
    let deleted = requests.iter().filter(|line| line.starts_with("DELETE"));
    assert_eq!(deleted.count(), 0, "{requests:?}");
}

#[test]
fn tags_that_stay_are_deleted_by_name() {
    for oddity in [Oddity::TagsStay, Oddity::TagsDangle] {
        let registry = Registry::builder().odd(oddity).start();
        let output = trial(&registry).run().status(0).stderr("");
        let _ = output.stdout(table(
            &registry.host(),
            &[("delete", "the tags of the deleted manifest still exist")],
        ));
        assert!(registry.tagged("team/test").is_empty());
    }
}

fn real(real: &Real, options: &[&str]) {
    let tool = Tool::new().args(options);
    let tool = tool.args(["testregistry", &real.image("team/test")]);
    // Debian's registry is from before the referrers API, and does not divide lists of tags.
    let lacks = [
        ("paging", "3 tags come where 1 was asked for"),
        ("referrers", "not found"),
    ];
    let output = tool.run().status(0).stderr("");
    output.stdout(table(real.host(), &lacks));
    let tags = real.send("team/test", "GET", "/v2/team/test/tags/list", &[], b"");
    assert!(!String::from_utf8_lossy(&tags.body).contains("docker-registry-test"));
}

#[test]
fn a_plain_registry_is_tried() {
    let Some(registry) = Real::plain() else {
        return;
    };
    real(&registry, &[]);
}

#[test]
fn a_registry_with_basic_credentials_is_tried() {
    let Some(registry) = Real::basic() else {
        return;
    };
    let ca = registry.ca().display().to_string();
    real(&registry, &["-u", "user:password", "--cacert", &ca]);
}

#[test]
fn a_registry_with_tokens_is_tried() {
    let Some(registry) = Real::tokens() else {
        return;
    };
    let ca = registry.ca().display().to_string();
    real(&registry, &["-u", "user:password", "--cacert", &ca]);
}
