//! `base` says whether the image that another was built from has moved.

use serde_json::{Value, json};

use crate::harness::{Image, Index, Layout, Proxy, Registry, Tls, Tool};

const NAME: &str = "org.opencontainers.image.base.name";
const DIGEST: &str = "org.opencontainers.image.base.digest";

fn os(version: &str) -> Image {
    Image::new("linux/amd64").layer("etc/os-release", version.as_bytes())
}

fn app(version: &str) -> Image {
    os(version).layer("app", b"an application")
}

/// `base --arch amd64` of an image; gives the answer and the exit code's meaning is checked.
#[track_caller]
fn base(registry: &Registry, options: &[&str], status: i32) -> Value {
    let tool = Tool::new().args(["base", "--arch", "amd64", &registry.image("app")]);
    tool.args(options).run().status(status).stderr("").json()
}

/// A registry whose `base:1` is the version, beside an application that says that it was built from
/// `at` that.
fn registry(version: &str, image: Image, at: Option<&str>) -> Registry {
    let registry = Registry::start();
    os(version).push_to(&registry, "base", "1");
    let image = image.label(NAME, &registry.image("base:1"));
    let image = at
        .into_iter()
        .fold(image, |image, digest| image.label(DIGEST, digest));
    image.push_to(&registry, "app", "latest");
    registry
}

#[test]
fn a_base_that_has_not_moved_is_current() {
    let then = os("1").digest();
    let registry = registry("1", app("1"), Some(&then));
    let expected = json!({"name": registry.image("base:1"), "digest": then, "current": then,
        "status": "current", "sharedLayers": 1});
    assert_eq!(base(&registry, &[], 8), expected);
    assert_eq!(
        base(&registry, &["--base", &registry.image("base:1")], 8)["digest"],
        Value::Null
    );
}

#[test]
fn a_base_that_has_moved_is_outdated() {
    for is_kept in [true, false] {
        let then = os("1").digest();
        let registry = registry("2", app("1"), Some(&then));
        match is_kept {
            true => drop(os("1").push(&registry, "base", None)),
            // Most registries collect what no tag leads to: the image is believed.
            false => drop(registry.absent(&format!("/v2/base/manifests/{then}"))),
        }
        let expected = json!({"name": registry.image("base:1"), "digest": then,
            "current": os("2").digest(), "status": "outdated", "sharedLayers": 0});
        assert_eq!(base(&registry, &[], 0), expected);
    }
}

#[test]
fn only_the_platform_of_the_image_counts() {
    let registry = Registry::start();
    let index = |arm: &str| {
        let arm = Image::new("linux/arm64").layer("etc/os-release", arm.as_bytes());
        Index::new().image(arm).image(os("1"))
    };
    let then = index("1").push_to(&registry, "base", "1");
    let now = index("2").push_to(&registry, "base", "1");
    let image = app("1")
        .label(NAME, &registry.image("base:1"))
        .label(DIGEST, &then);
    image.push_to(&registry, "app", "latest");
    let answer = base(&registry, &[], 8);
    assert_eq!(
        [&answer["status"], &answer["current"]],
        [&json!("current"), &json!(now)]
    );
}

#[test]
fn a_base_of_a_newer_revision_is_for_the_same_platform() {
    // Windows, and an image that does not say for which processor it is.
    for (then, now) in [
        (
            "windows/amd64:10.0.20348.2113",
            "windows/amd64:10.0.20348.2227",
        ),
        ("windows", "windows"),
    ] {
        let registry = Registry::start();
        let base = |platform: &str| Image::new(platform).layer("base", platform.as_bytes());
        base(now).push_to(&registry, "base", "1");
        let image = base(then).layer("app", b"an application");
        image.push_to(&registry, "app", "latest");
        let name = registry.image("base:1");
        let tool = Tool::new().args(["base", "-q", ".status", "--base", &name]);
        let output = tool.arg(registry.image("app")).run().stderr("");
        let expected = if then == now {
            "current\n"
        } else {
            "unrelated\n"
        };
        output.status(8).stdout(expected);
    }
}

#[test]
fn layers_show_what_is_unrelated() {
    let dated = |image: Image, day: &str| {
        let created = format!("2026-01-{day}T00:00:00Z");
        image.in_config("created", created.into())
    };
    let then = os("1").digest();
    for (image, at, options, status, expected) in [
        // The digest is right, and the layers are others.
        (app("0"), Some(then.as_str()), vec![], 8, "unrelated"),
        (dated(app("0"), "09"), None, vec![], 8, "unrelated"),
        // It was built before what the name leads to now.
        (dated(app("0"), "01"), None, vec![], 0, "outdated"),
    ] {
        let registry = registry("1", image, at);
        if at.is_none() {
            dated(os("1"), "05").push_to(&registry, "base", "1");
        }
        assert_eq!(base(&registry, &options, status)["status"], expected);
    }
    // It has some of the layers.
    let registry = registry("1", app("1"), None);
    os("1")
        .layer("more", b"more")
        .push_to(&registry, "base", "1");
    let answer = base(&registry, &[], 0);
    assert_eq!(
        [&answer["status"], &answer["sharedLayers"]],
        [&json!("outdated"), &json!(1)]
    );
}

#[test]
fn an_image_that_names_no_base_is_unknown() {
    let registry = Registry::start();
    app("1").push_to(&registry, "app", "latest");
    let expected = json!({"name": null, "digest": null, "current": null, "status": "unknown",
        "sharedLayers": null});
    assert_eq!(base(&registry, &[], 8), expected);
    registry.absent("/v2/base/manifests/1");
    let image = registry.image("base:1");
    let tool = Tool::new().args(["base", "--base", &image, &registry.image("app")]);
    let why = format!(
        "{}: base {image}: manifest 1: not found",
        registry.image("app")
    );
    let hint = "hint: the command 'tags' lists the tags that there are\n";
    tool.run()
        .fails(3, format!("docker-registry: {why}\n{hint}"));
}

#[test]
fn annotations_come_before_labels() {
    let registry = Registry::start();
    let digest = os("1").push_to(&registry, "base", "1");
    let annotations = json!({NAME: registry.image("base:1"), DIGEST: digest});
    let image = app("1")
        .oci()
        .label(NAME, "example.com/other")
        .in_manifest("annotations", annotations);
    image.push_to(&registry, "app", "latest");
    assert_eq!(base(&registry, &[], 8)["status"], "current");
}

#[test]
fn an_image_leads_nobody_inside() {
    let inside = Registry::builder().tls(Tls::authority()).start();
    let place = tempfile::tempdir().unwrap();
    let layout = Layout::create(place.path());
    let refused = |tool: &Tool, image: &str, why: String| {
        let hint = "hint: '--base IMAGE' may be anywhere\n";
        let expected = format!("docker-registry: {image}: base {why}\n{hint}");
        tool.clone().args(["base", image]).run().fails(1, expected);
    };
    for name in [inside.image("base:1"), "169.254.169.254/base".into()] {
        let host = name.split('/').next().unwrap();
        let internal = format!("{name}: the image names {host}, which is an internal address");
        let image = app("1").label(NAME, &name);
        image.push_to(&layout, "app", "latest");
        let text = format!("oci:{}", place.path().display());
        refused(&Tool::new(), &text, internal.clone());

        let public = Registry::builder()
            .tls(Tls::named(&["registry.example.com"]))
            .start();
        image.push_to(&public, "app", "latest");
        let proxy = Proxy::start().route("registry.example.com:443", &public.host());
        let tool = Tool::new()
            .arg("--cacert")
            .arg(public.ca())
            .env("HTTPS_PROXY", proxy.url());
        let tool = tool.env("NO_PROXY", "127.0.0.1");
        refused(
            &tool,
            "registry.example.com/app",
            internal.replace(":443", ""),
        );
    }
    let image = app("1").label(NAME, "oci:/etc");
    image.push_to(&layout, "app", "latest");
    let text = format!("oci:{}", place.path().display());
    refused(
        &Tool::new(),
        &text,
        "oci:/etc: an image names a file of this machine".into(),
    );
    assert_eq!(inside.accepted(), 0);
}

/// An application in a directory, built from `base` of a public registry, and how that is reached.
fn in_a_file(registry: &Registry) -> (tempfile::TempDir, Proxy, Tool) {
    os("1").push_to(registry, "base", "1");
    let place = tempfile::tempdir().unwrap();
    let layout = Layout::create(place.path());
    let image = app("1").label(NAME, "registry.example.com/base:1");
    image.push_to(&layout, "app", "latest");
    let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
    let tool = Tool::new().args(["base", "--arch", "amd64"]);
    let tool = tool.arg(format!("oci:{}", place.path().display()));
    let tool = tool.env("HTTPS_PROXY", proxy.url()).arg("--cacert");
    (place, proxy, tool.arg(registry.ca()))
}

#[test]
fn an_image_names_nobody_who_gets_the_given_password() {
    let registry = Registry::builder().tls(Tls::named(&["registry.example.com"]));
    let registry = registry.basic("user", "password").start();
    let (_place, _proxy, tool) = in_a_file(&registry);
    let output = tool.args(["-u", "user:password"]).run();
    assert_eq!(output.code, Some(4), "{}", output.messages());
    let requests = registry.requests();
    let shown = requests.iter().map(|it| it.header("Authorization"));
    assert_eq!(shown.collect::<Vec<_>>(), [None]);
}

#[test]
fn what_is_given_about_tls_is_not_for_whom_an_image_names() {
    let secure = || Registry::builder().tls(Tls::authority()).start();
    let (registry, other) = (secure(), secure());
    os("1").push_to(&other, "base", "1");
    let image = app("1").label(NAME, &other.image("base:1"));
    image.push_to(&registry, "app", "latest");
    let ask = |options: &[&str]| {
        let tool = Tool::new().args(["base", "--arch", "amd64", &registry.image("app")]);
        tool.args(options).run()
    };
    let output = ask(&["-k"]);
    assert_eq!(output.code, Some(5), "{}", output.messages());
    assert_eq!(other.take(), [""; 0]);
    // The same registry is the one that the user names.
    os("1").push_to(&registry, "base", "1");
    let image = app("1").label(NAME, &registry.image("base:1"));
    image.push_to(&registry, "app", "latest");
    ask(&["-k", "-q", ".status"])
        .status(8)
        .stdout("current\n")
        .stderr("");
}

#[test]
fn a_client_certificate_is_not_for_whom_an_image_names() {
    let secure = || Registry::builder().tls(Tls::authority().client_required());
    let (registry, other) = (secure().start(), secure().start());
    os("1").push_to(&other, "base", "1");
    let image = app("1").label(NAME, &other.image("base:1"));
    image.push_to(&registry, "app", "latest");
    // Whom the other trusts is the one whose certificate it is.
    let (cert, key) = registry.tls().client();
    let both = [registry.ca(), other.ca()].map(|path| std::fs::read(path).unwrap());
    let tool = Tool::new().file("work/both.pem", both.concat());
    let tool = tool.args(["base", "-vv", "--cacert", "both.pem", "--cert"]);
    let tool = tool.arg(cert).arg("--key").arg(key);
    let output = tool.arg(registry.image("app")).run();
    assert_eq!(output.code, Some(5), "{}", output.messages());
    let messages = output.messages();
    let commands = messages.lines().filter(|line| line.starts_with("curl "));
    for command in commands {
        let is_named = command.contains(&registry.host());
        assert_eq!(command.contains(" --cert "), is_named, "{command}");
    }
    assert_eq!(other.take(), [""; 0]);
}

#[test]
fn whom_an_image_names_is_asked_over_tls() {
    let [registry, other] = [0; 2].map(|_| Registry::start());
    // Not this machine by its name, so that nobody tries it without TLS but who may.
    let host = other.host().replace("127.0.0.1", "0.0.0.0");
    let image = app("1").label(NAME, &format!("{host}/base:1"));
    image.push_to(&registry, "app", "latest");
    let tool = Tool::new().args(["base", "--plain-http", &registry.image("app")]);
    let output = tool.run();
    assert_eq!(output.code, Some(5), "{}", output.messages());
    assert_eq!(other.take(), [""; 0]);
}

#[test]
fn a_mirror_answers_for_a_registry_whose_name_is_not_known() {
    let mirror = Registry::start();
    os("1").push_to(&mirror, "base", "1");
    let place = tempfile::tempdir().unwrap();
    let image = app("1").label(NAME, "registry.invalid/base:1");
    image.push_to(&Layout::create(place.path()), "app", "latest");
    let tool = Tool::new().args(["base", "--arch", "amd64", "-q", ".status", "--mirror"]);
    let tool = tool.arg(format!("registry.invalid={}", mirror.base()));
    let tool = tool.arg(format!("oci:{}", place.path().display()));
    tool.run().status(8).stdout("current\n").stderr("");
}

#[test]
fn a_choice_of_media_types_is_not_about_the_base() {
    let then = os("1").digest();
    let registry = registry("1", app("1").oci(), Some(&then));
    assert_eq!(base(&registry, &["--oci"], 8)["status"], "current");
    let requests = registry.requests();
    let accepted: Vec<bool> = requests
        .iter()
        .filter(|it| it.path().contains("/manifests/"))
        .map(|it| it.header("Accept").unwrap().contains("docker"))
        .collect();
    assert!(
        !accepted[0] && accepted[1..].iter().all(|it| *it),
        "{accepted:?}"
    );
}
