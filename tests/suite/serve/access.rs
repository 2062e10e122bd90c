//! Who may ask what.

use super::{registry, serving, text};
use crate::harness::{Image, Layout, Registry, Tool};

const BASE: &str = "org.opencontainers.image.base.name";

#[test]
fn this_machine_is_not_asked_unless_it_is_named() {
    let (registry, _, name) = registry();
    let port = registry.host().rsplit_once(':').unwrap().1.to_owned();
    let layout = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hello");
    for operands in [&[][..], &["--any", "quay.io"], &["--any"]] {
        let served = Tool::new().args(operands).arg("--retries=0").serve();
        for image in [
            name.clone(),
            format!("localhost:{port}/a:v1"),
            format!("127.1:{port}/a:v1"),
            format!("0x7f.0.0.1:{port}/a:v1"),
            format!("2130706433:{port}/a:v1"),
            format!("[::ffff:127.0.0.1]:{port}/a:v1"),
            format!("0.0.0.0:{port}/a:v1"),
            "169.254.169.254/latest/meta-data".to_owned(),
            "10.0.0.1/a".to_owned(),
            "[fe80::1]/a".to_owned(),
            layout.to_owned(),
            "oci-archive:/etc/passwd".to_owned(),
            "docker-archive:/dev/zero".to_owned(),
        ] {
            for target in [
                format!("/api/v1/labels?image={image}"),
                format!("/api/v1/diff?image={image}&image={image}"),
                format!("/api/v1/ratelimit?image={image}"),
                format!("/mquery?image={image}"),
            ] {
                let response = served.get(&target);
                assert_eq!(response.status, 403, "{target}: {}", text(&response));
            }
        }
        // Names that are none, or that nobody knows.
        for image in [
            format!("localhost.:{port}/a:v1"),
            format!("a.localhost:{port}/a:v1"),
            format!("127.0.0.1.:{port}/a:v1"),
            "metadata.google.internal/a".to_owned(),
        ] {
            let status = served.get(&format!("/api/v1/labels?image={image}")).status;
            assert!([400, 403, 504].contains(&status), "{image}: {status}");
        }
        for host in [registry.host(), format!("localhost:{port}")] {
            let response = served.get(&format!("/api/v1/catalog?registry={host}"));
            assert_eq!(response.status, 403, "{host}: {}", text(&response));
        }
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn only_what_is_named_is_asked_for() {
    let registry = Registry::start();
    for repository in ["team/app", "team/app/part", "team/apple", "other"] {
        Image::new("linux/amd64").push_to(&registry, repository, "v1");
    }
    let served = Tool::new().arg(registry.image("team/app")).serve();
    for (repository, status) in [
        ("team/app", 200),
        ("team/app/part", 200),
        ("team/apple", 403),
        ("team", 403),
        ("other", 403),
    ] {
        let target = format!(
            "/api/v1/resolve?image={}",
            registry.image(repository) + ":v1"
        );
        assert_eq!(served.get(&target).status, status, "{repository}");
    }
    let whole = format!("/api/v1/catalog?registry={}", registry.host());
    assert_eq!(served.get(&whole).status, 403);
    for tags in ["", "&tags=1"] {
        assert_eq!(
            serving(&registry).get(&format!("{whole}{tags}")).status,
            200
        );
    }
}

#[test]
fn a_layout_is_asked_for_if_it_is_named() {
    let place = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        let path = place.path().join(name);
        std::fs::create_dir(&path).unwrap();
        Image::new("linux/amd64")
            .label("of", name)
            .push_to(&Layout::create(&path), "a", "v1");
    }
    let path = place.path().display();
    let served = Tool::new().arg(format!("oci:{path}/one")).serve();
    let labels = |image: &str| served.get(&format!("/api/v1/labels?image={image}&arch=amd64"));
    assert_eq!(
        text(&labels(&format!("oci:{path}/one:v1"))),
        "{\"of\":\"one\"}\n"
    );
    for image in [
        format!("oci:{path}/two:v1"),
        format!("oci:{path}/one/../two:v1"),
        format!("oci-archive:{path}/one:v1"),
        "ubuntu".to_owned(),
    ] {
        assert_eq!(labels(&image).status, 403, "{image}");
    }
}

/// Options that name another image, and images that do, lead nowhere else either.
#[test]
fn what_an_answer_leads_to_is_no_way_round() {
    let inside = Registry::start();
    Image::new("linux/amd64").push_to(&inside, "base", "v1");
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label(BASE, &inside.image("base:v1"));
    image.push_to(&registry, "a", "v1");
    let image = Image::new("linux/amd64").label(BASE, &registry.image("a:v1"));
    image.push_to(&registry, "a", "v2");
    let served = serving(&registry);
    let base = |tag: &str, more: &str| {
        let image = registry.image(&format!("a:{tag}"));
        served.get(&format!("/api/v1/base?image={image}&arch=amd64{more}"))
    };
    assert_eq!(base("v1", "").status, 502);
    assert_eq!(
        base("v1", &format!("&base={}", inside.image("base:v1"))).status,
        403
    );
    assert_eq!(base("v1", "&base=oci:/etc").status, 403);
    assert_eq!(base("v2", "").status, 200, "{}", text(&base("v2", "")));
    assert_eq!(inside.accepted(), 0);
}

#[test]
fn what_others_reach_says_what_may_be_asked_for() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let open = Tool::new().args(["serve", "--listen", address]).run();
        let output = open.status(2).stdout("");
        let message = output.messages();
        let why = ": say what may be asked for\n";
        let hint = "hint: name registries and repositories, or allow any image with --any\n";
        assert!(
            message.starts_with("docker-registry: others reach "),
            "{message}"
        );
        assert!(message.ends_with(&format!("{why}{hint}")), "{message}");
    }
    for more in ["--any", "quay.io"] {
        let served = Tool::new().args(["--listen", "0.0.0.0:0", more]).serve();
        let status = served.get("/healthz").status;
        assert_eq!(status, 200);
    }
}

#[test]
fn what_is_served_is_said_as_it_is_meant() {
    for (args, message) in [
        (
            vec!["ubuntu:18.04"],
            "serve: 'ubuntu:18.04': who asks chooses the tag or digest\nhint: write ubuntu\n",
        ),
        (
            vec!["ghcr.io/a/b@sha256:0"],
            "serve: repository 'ghcr.io/a/b@sha256:0': only a digest may follow '@'\n",
        ),
        (
            vec!["oci:x:v1"],
            "serve: 'oci:x:v1': who asks chooses the tag or digest\nhint: write oci:x\n",
        ),
        (vec!["--wait=5"], "--wait cannot be used with 'serve'\n"),
        (
            vec!["--platform=all"],
            "--platform all cannot be used with 'serve'\n",
        ),
        (
            vec!["-uA:B", "--any", "oci:x"],
            "--user is for registries that are named\nhint: name one: 'docker-registry serve HOST'\n",
        ),
        (
            vec!["--listen", "nowhere"],
            "--listen nowhere: invalid socket address\n",
        ),
    ] {
        let tool = Tool::new().arg("serve").args(&args);
        let output = tool.run();
        assert_eq!(
            output.messages(),
            format!("docker-registry: {message}"),
            "{args:?}"
        );
    }
    let two = ["serve", "-uA:B", "a.example", "b.example"];
    let message = "docker-registry: --user is for one registry, a.example\n";
    Tool::new().args(two).run().fails(2, message);
}

#[test]
fn another_name_for_this_machine_is_refused() {
    let (registry, _, name) = registry();
    let served = serving(&registry);
    let target = format!("/api/v1/labels?image={name}");
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:5080", 200),
        ("rebound.example", 421),
        ("rebound.example:5080", 421),
        ("127.0.0.1.rebound.example", 421),
    ] {
        for target in [&*target, "/", "/healthz", "/mquery"] {
            let response = served.with_host(host, target);
            assert_eq!(response.status == 421, status == 421, "{host} {target}");
        }
    }
    assert!(
        registry
            .requests()
            .iter()
            .all(|it| it.header("host") != Some("rebound.example"))
    );
}

/// Credentials and the like are for what was named, and never shown.
#[test]
fn what_was_given_is_for_what_was_named() {
    let registry = Registry::builder().basic("me", "hidden-password").start();
    Image::new("linux/amd64")
        .label("a", "b")
        .push_to(&registry, "a", "v1");
    let tool = Tool::new().args(["-u", "me:hidden-password", "-v", &registry.host()]);
    let mut served = tool.serve();
    let name = registry.image("a:v1");
    let labels = served.get(&format!("/api/v1/labels?image={name}&arch=amd64"));
    assert_eq!(text(&labels), "{\"a\":\"b\"}\n");
    let others = [
        "/",
        "/api/v1/labels",
        "/api/openapi.json",
        "/metrics",
        "/healthz",
    ];
    let all = others
        .iter()
        .map(|target| text(&served.get(target)))
        .collect::<String>();
    served.running.kill();
    let said = served.running.wait();
    assert!(!(all + &said.messages()).contains("hidden-password"));
}
