//! Mirrors: who is asked before the registry itself, what for, and with what.

use std::path::Path;

use serde_json::json;

use crate::harness::{Fault, Image, NOBODY, Real, Registry, Response, Tls, Tokens, Tool, skopeo};

const REGISTRIES: &str = ".config/containers/registries.conf";
const DROP_IN: &str = ".config/containers/registries.conf.d/50-mine.conf";
const DAEMON: &str = ".config/docker/daemon.json";

fn image(from: &str) -> Image {
    Image::new("linux/amd64").label("from", from)
}

/// A registry with `a:v1`, whose label tells which registry it came from.
fn holding(from: &str) -> Registry {
    holding_as("a", from)
}

fn holding_as(name: &str, from: &str) -> Registry {
    let registry = Registry::start();
    image(from).push_to(&registry, name, "v1");
    registry
}

/// Without `a:v1`.
fn empty() -> Registry {
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/v1");
    registry
}

fn from(text: &str) -> String {
    format!("{{\"from\":\"{text}\"}}\n")
}

fn labels(registry: &Registry) -> Tool {
    Tool::new().args(["labels", "-r", &registry.image("a:v1")])
}

/// `labels` with `--mirror`s of the registry.
fn mirrored(registry: &Registry, mirrors: &[String]) -> Tool {
    let host = registry.host();
    let tool = labels(registry);
    mirrors.iter().fold(tool, |tool, mirror| {
        tool.arg(format!("--mirror={host}={mirror}"))
    })
}

/// The path of containerd's file about a host below the user's configurations.
fn hosts(name: &str) -> String {
    format!(".config/containerd/certs.d/{name}/hosts.toml")
}

/// The request for the configuration of `a:v1`.
fn config(from: &str) -> String {
    format!("GET /v2/a/blobs/{}", image(from).config_digest())
}

#[test]
fn mirrors_are_asked_in_their_order_and_the_registry_last() {
    let (lacking, having) = (empty(), holding("it"));
    let [refusing, failing, registry] = [0; 3].map(|_| Registry::start());
    refusing.fail("/v2/a/manifests/v1", 403);
    // The next is asked, and no time lost with another try.
    failing.fail("/v2/a/manifests/v1", 503);
    let lost = [lacking.base(), refusing.base(), failing.base()];
    let mirrors = [&[NOBODY.to_owned()], &lost[..], &[having.base()]].concat();
    mirrored(&registry, &mirrors).run().success(from("it"));
    for mirror in [&lacking, &refusing, &failing] {
        assert_eq!(mirror.take(), ["GET /v2/a/manifests/v1"]);
    }
    assert_eq!(having.take(), ["GET /v2/a/manifests/v1", &config("it")]);
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn what_no_mirror_has_comes_from_the_registry() {
    let (mirror, registry) = (empty(), holding("registry"));
    let tool = mirrored(&registry, &[mirror.base()]);
    let output = tool.clone().arg("-v").run().stdout(from("registry"));
    let lines = output.messages();
    let told = |line: &str| assert!(lines.lines().any(|it| it == line), "{line}\n{lines}");
    told(&format!(
        "mirror {}: manifest v1: not found (manifest unknown)",
        mirror.image("a")
    ));
    told(&format!("{} answers", registry.image("a")));
    // Who lacks the manifest is not asked for the rest.
    assert_eq!(mirror.take(), ["GET /v2/a/manifests/v1"]);
    assert_eq!(registry.take().len(), 2);
}

#[test]
fn verbose_tells_that_a_mirror_answers() {
    let (mirror, registry) = (holding("mirror"), Registry::start());
    let output = mirrored(&registry, &[mirror.base()]).arg("-v").run();
    let lines = output.stdout(from("mirror")).messages();
    let answers = lines
        .lines()
        .filter(|line| line.ends_with(" answers"))
        .collect::<Vec<_>>();
    assert_eq!(answers, [format!("mirror {} answers", mirror.image("a"))]);
}

#[test]
fn where_all_fail_the_registry_says_why_and_a_hint_what_failed_before() {
    let registry = Registry::start();
    let digest = format!("sha256:{}", "0".repeat(64));
    registry.absent(&format!("/v2/a/manifests/{digest}"));
    let image = registry.image(&format!("a@{digest}"));
    let tool = Tool::new().args(["labels", "--retries=0", &image]);
    let tool = tool.arg(format!("--mirror={}={NOBODY}", registry.host()));
    tool.run().fails(
        3,
        format!(
            "docker-registry: {image}: manifest {digest}: not found (manifest unknown)\n\
             hint: asked before it: mirror {NOBODY}/a: manifest {digest}: {NOBODY}: connection refused\n"
        ),
    );
}

#[test]
fn what_a_mirror_serves_is_verified() {
    let (mirror, registry) = (holding("it"), holding("it"));
    mirror.fail("/v2/a/manifests/v1", Fault::WrongBytes(b"{}".to_vec()));
    let output = mirrored(&registry, &[mirror.base()])
        .run()
        .status(0)
        .stdout(from("it"));
    let message = output.messages();
    let start = format!(
        "docker-registry: warning: mirror {}: manifest v1: ",
        mirror.image("a")
    );
    assert!(
        message.starts_with(&start) && message.lines().count() == 1,
        "{message}"
    );
    let wrong = config("it");
    let path = wrong.strip_prefix("GET ").unwrap();
    mirror.fail(
        path,
        Fault::WrongBytes(vec![b'x'; image("it").config().len()]),
    );
    let tool = mirrored(&registry, &[mirror.base()]);
    let output = tool.run().status(0).stdout(from("it"));
    assert!(
        output.messages().contains("warning: mirror "),
        "{}",
        output.messages()
    );
}

#[test]
fn a_layer_of_a_mirror_is_verified() {
    let (mirror, registry) = (Registry::start(), Registry::start());
    let layered = image("it").layer("f", b"content");
    layered.push_to(&mirror, "a", "v1");
    let bytes = layered.layers().remove(0);
    let digest = mirror.blob("a", bytes.clone());
    let image = registry.image(&format!("a@{digest}"));
    let option = format!("--mirror={}={}", registry.host(), mirror.base());
    let tool = Tool::new().args(["downloadlayer", "-o", "layer", &image, &option]);
    let path = format!("/v2/a/blobs/{digest}");
    mirror.fail(&path, Fault::WrongBytes(vec![b'x'; bytes.len()]));
    assert_eq!(tool.run().code, Some(6));
    assert_eq!(tool.files(), [""; 0]);
    mirror.fail(&path, Fault::Truncate(bytes.len() / 2));
    assert_eq!(tool.run().status(0).messages(), "");
    assert_eq!(std::fs::read(tool.work().join("layer")).unwrap(), bytes);
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn what_a_mirror_says_is_remembered_of_the_registry() {
    let (mirror, registry) = (holding("it"), Registry::start());
    let tool = mirrored(&registry, &[mirror.base()]);
    tool.run().success(from("it"));
    mirror.take();
    tool.run().success(from("it"));
    assert_eq!(mirror.take(), ["HEAD /v2/a/manifests/v1"]);
    // Without the mirror too: the digest is the same.
    let plain = tool.again(["labels", "-r", "--offline", &registry.image("a:v1")]);
    plain.run().success(from("it"));
    assert_eq!(registry.accepted(), 0);
    let offline = tool.again(["labels", "-r", "--offline", &mirror.image("a:v1")]);
    assert_eq!(offline.run().code, Some(5));
}

#[test]
fn lists_and_deletions_are_the_registrys_own() {
    let (mirror, registry) = (holding("it"), holding("it"));
    let digest = image("it").digest();
    let option = format!("--mirror={}={}", registry.host(), mirror.base());
    let name = registry.image("a");
    for args in [vec!["tags", &name], vec!["referrers", &name]] {
        if args[0] == "referrers" {
            registry.fail(&format!("/v2/a/referrers/{digest}"), 404);
            registry.absent(&format!("/v2/a/manifests/{}", digest.replace(':', "-")));
        }
        let at = format!("{name}@{digest}");
        let args = [args[0], if args[0] == "tags" { args[1] } else { &at }];
        let tool = Tool::new().args(args).arg(&option);
        assert_eq!(tool.run().status(0).messages(), "");
    }
    assert_eq!(mirror.take(), [""; 0]);
    let tool = Tool::new().args(["delete", "--yes", &registry.image("a:v1"), &option]);
    let _ = tool.run().status(0);
    assert_eq!((mirror.take().len(), mirror.tagged("a").len()), (0, 1));
}

#[test]
fn credentials_are_the_mirrors_own() {
    let mirror = Registry::builder().basic("mirror", "own").start();
    image("mirror").push_to(&mirror, "a", "v1");
    let registry = Registry::builder().basic("user", "secret").start();
    image("registry").push_to(&registry, "a", "v1");
    let tool = mirrored(&registry, &[mirror.base()]).args(["-u", "user:secret"]);
    // Refused there without a word of what is given for the registry.
    tool.run().success(from("registry"));
    assert!(
        mirror
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
    let auths = json!({"auths": {
        mirror.host(): {"username": "mirror", "password": "own"},
        registry.host(): {"username": "user", "password": "secret"},
    }});
    registry.take();
    let tool = mirrored(&registry, &[mirror.base()]);
    let tool = tool.file(".docker/config.json", auths.to_string());
    tool.run().success(from("mirror"));
    assert_eq!(registry.take(), [""; 0]);
}

#[test]
fn what_is_given_about_tls_is_for_the_registry() {
    let secure = || {
        Registry::builder()
            .tls(Tls::authority().client_required())
            .start()
    };
    let (mirror, registry) = (secure(), secure());
    image("registry").push_to(&registry, "a", "v1");
    let (cert, key) = registry.tls().client();
    let tool = mirrored(&registry, &[mirror.base()]).args(["-k", "-vv", "--cert"]);
    let output = tool.arg(cert).arg("--key").arg(key).run();
    let messages = output.stdout(from("registry")).messages();
    let commands = messages.lines().filter(|line| line.starts_with("curl "));
    let given: Vec<bool> = commands.map(|line| line.contains(" -k --cert ")).collect();
    assert_eq!(given, [false, true, true], "{messages}");
    let why = format!(
        "mirror {}: manifest v1: {}: ",
        mirror.image("a"),
        mirror.host()
    );
    assert!(
        messages.contains(&(why + "the server's certificate")),
        "{messages}"
    );
    assert_eq!(mirror.take(), [""; 0]);
}

#[test]
fn what_is_given_is_not_for_what_stands_in_place_of_the_registry() {
    let secure = Registry::builder().tls(Tls::authority()).start();
    let known = Registry::builder().tls(Tls::authority().client_required());
    let (known, plain) = (known.start(), Registry::start());
    let (cert, key) = known.tls().client();
    let [ca, cert, key] = [known.ca(), cert, key].map(|path| path.display().to_string());
    // Not this machine by its name, so that nobody tries it without TLS but who may.
    let plain_host = plain.host().replace("127.0.0.1", "0.0.0.0");
    for (host, options, why) in [
        (secure.host(), &["-k"][..], "of an unknown issuer"),
        (
            known.host(),
            &["--cacert", &ca, "--cert", &cert, "--key", &key],
            "client certificate",
        ),
        (plain_host, &["--plain-http"], "does not speak TLS"),
    ] {
        let podman = format!("[[registry]]\nprefix = \"example.com\"\nlocation = \"{host}\"\n");
        let containerd = format!("server = \"https://{host}\"\n");
        for (path, text) in [
            (REGISTRIES.to_owned(), podman),
            (hosts("example.com"), containerd),
        ] {
            for args in [["labels", "example.com/a:v1"], ["tags", "example.com/a"]] {
                let tool = Tool::new().args(args).args(options).file(&path, &text);
                let output = tool.run().status(5).stdout("");
                let message = output.messages();
                assert!(message.contains(why), "{message}");
            }
        }
    }
    for registry in [&secure, &known, &plain] {
        assert_eq!(registry.take(), [""; 0]);
    }
}

#[test]
fn a_mirror_is_a_host_and_a_url() {
    for (value, why) in [
        (
            "mirror.example.com",
            "--mirror wants HOST=URL, not 'mirror.example.com'",
        ),
        (
            "example.com=ftp://mirror",
            "--mirror: expected http or https, not ftp",
        ),
        (
            "example.com=https://mirror/a?b",
            "--mirror: expected a host and a path, and nothing behind it",
        ),
        (
            "example.com=https://u:p@mirror",
            "--mirror: registry '…@mirror': the port is a number up to 65535",
        ),
    ] {
        let tool = Tool::new().args(["labels", "example.com/a", "--mirror", value]);
        let output = tool.run().status(2).stdout("");
        let message = output.messages();
        assert_eq!(
            message.lines().next(),
            Some(&*format!("docker-registry: {why}"))
        );
    }
}

#[test]
fn a_path_stands_before_the_name() {
    let (mirror, registry) = (holding_as("proxy/hub/a", "mirror"), Registry::start());
    let url = format!("{}/proxy/hub/", mirror.base());
    mirrored(&registry, &[url]).run().success(from("mirror"));
    let at = format!("http://{}/proxy/hub", mirror.host());
    mirrored(&registry, &[at]).run().success(from("mirror"));
}

#[test]
fn docker_mirrors_docker_hub_alone() {
    let mirror = holding_as("library/a", "mirror");
    let registry = holding("registry");
    let daemon = json!({"registry-mirrors": [format!("http://{NOBODY}"), mirror.base()]});
    let tool = Tool::new().file(DAEMON, daemon.to_string());
    // The mirror is on this machine, and the user says so: no hop of Docker Hub leads there.
    for name in ["a:v1", "docker.io/library/a:v1", "index.docker.io/a:v1"] {
        tool.again(["labels", "-r", name])
            .run()
            .success(from("mirror"));
    }
    let name = registry.image("a:v1");
    tool.again(["labels", "-r", &name])
        .run()
        .success(from("registry"));
    let hub = Tool::new().args(["labels", "-r", "a:v1", "--mirror"]);
    let hub = hub.arg(format!("docker.io={}", mirror.base()));
    hub.run().success(from("mirror"));
}

/// `[[registry]]` with mirrors that may be without TLS.
fn registry_conf(prefix: &str, mirrors: &[&Registry]) -> String {
    let mirrors = mirrors.iter().map(|mirror| {
        format!(
            "[[registry.mirror]]\nlocation = \"{}\"\ninsecure = false\n",
            mirror.host()
        )
    });
    format!(
        "[[registry]]\nlocation = \"{prefix}\"\n{}",
        mirrors.collect::<String>()
    )
}

#[test]
fn podmans_mirrors_are_asked() {
    let (lacking, mirror, registry) = (empty(), holding("mirror"), Registry::start());
    let text = registry_conf(&registry.host(), &[&lacking, &mirror]);
    labels(&registry)
        .file(REGISTRIES, &text)
        .run()
        .success(from("mirror"));
    assert_eq!((lacking.take().len(), mirror.take().len()), (1, 2));
    // A file that is named, in place of the user's.
    let tool = labels(&registry)
        .file("other.conf", &text)
        .file(REGISTRIES, "blocked = ");
    let path = tool.home().join("other.conf");
    tool.env("CONTAINERS_REGISTRIES_CONF", path)
        .run()
        .success(from("mirror"));
    // One in the directory beside it replaces what it says about the same prefix.
    let tool = labels(&registry).file(REGISTRIES, registry_conf(&registry.host(), &[&lacking]));
    let tool = tool
        .file(DROP_IN, text)
        .file(".config/containers/registries.conf.d/x", "][");
    tool.run().success(from("mirror"));
}

#[test]
fn the_longest_prefix_decides_and_locations_replace_it() {
    let elsewhere = Registry::start();
    for name in ["all/a/b", "some/b", "tagged"] {
        image(name).push_to(&elsewhere, name, "v1");
    }
    let host = elsewhere.host();
    let text = format!(
        "[[registry]]\nprefix = \"example.com\"\nlocation = \"{host}/all\"\n\
         [[registry]]\nprefix = \"example.com/a\"\nlocation = \"{host}/some/\"\n\
         [[registry]]\nprefix = \"*.example.com\"\n\
         [[registry.mirror]]\nlocation = \"{host}/all\"\n\
         [[registry]]\nprefix = \"example.com/a/b:v2\"\nblocked = true\n\
         [[registry]]\nprefix = \"other.example.com/a/b/c\"\nblocked = true\n"
    );
    let tool = Tool::new().file(REGISTRIES, text);
    for (name, expected) in [
        ("example.com/a/b:v1", "some/b"),
        ("deep.down.example.com/a/b:v1", "all/a/b"),
    ] {
        tool.again(["labels", "-r", name])
            .run()
            .success(from(expected));
    }
    assert_eq!(
        tool.again(["labels", "example.com/a/b:v2"]).run().code,
        Some(4)
    );
    // A location is read whole, lists too.
    let tags = tool.again(["tags", "example.com/a/b"]);
    tags.run().success("[\"v1\"]\n");
    elsewhere.take();
}

#[test]
fn what_is_blocked_is_denied_without_a_request() {
    let registry = holding("registry");
    let text = format!(
        "[[registry]]\nlocation = \"{}\"\nblocked = true\n",
        registry.host()
    );
    let tool = Tool::new().file(REGISTRIES, text);
    let path = tool.home().join(REGISTRIES);
    let (image, host) = (registry.image("a:v1"), registry.host());
    for (args, named) in [
        (vec!["labels", &image], &image),
        (vec!["tags", &image], &image),
        (vec!["labels", "--offline", &image], &image),
        (vec!["catalog", &host], &host),
        (vec!["ratelimit", &image], &image),
    ] {
        let message = format!(
            "docker-registry: {named}: {host} is blocked by {}\n\
             hint: its [[registry]] has blocked = true\n",
            path.display()
        );
        tool.again(args).run().fails(4, message);
    }
    let delete = tool.again(["delete", "--yes", &image]).run();
    assert_eq!(delete.code, Some(4));
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn podman_may_ask_mirrors_for_digests_or_tags_only() {
    let [by_tag, by_digest] = [holding("by tag"), holding("it")];
    let registry = holding("it");
    let text = |pull: &str, mirror: &Registry| {
        let host = mirror.host();
        format!("[[registry.mirror]]\nlocation = \"{host}\"\npull-from-mirror = \"{pull}\"\n")
    };
    let text = format!(
        "[[registry]]\nlocation = \"{}\"\n{}{}",
        registry.host(),
        text("tag-only", &by_tag),
        text("digest-only", &by_digest)
    );
    let tool = labels(&registry).file(REGISTRIES, text);
    tool.run().success(from("by tag"));
    assert_eq!((by_tag.take().len(), by_digest.take().len()), (2, 0));
    let at = registry.image(&format!("a@{}", image("it").digest()));
    tool.again(["labels", "-r", &at]).run().success(from("it"));
    assert_eq!((by_tag.take().len(), by_digest.take().len()), (0, 2));
    let text = registry_conf(&registry.host(), &[&by_digest]);
    let text = text.replacen('\n', "\nmirror-by-digest-only = true\n", 1);
    labels(&registry)
        .file(REGISTRIES, text)
        .run()
        .success(from("it"));
    assert_eq!((registry.take().len(), by_digest.take().len()), (2, 0));
}

#[test]
fn what_is_insecure_is_neither_verified_nor_remembered() {
    let secure = Registry::builder().tls(Tls::authority()).start();
    image("secure").push_to(&secure, "a", "v1");
    let plain = holding("plain");
    // Not this machine by its name, so that nobody tries it without TLS but who may.
    let other = plain.host().replace("127.0.0.1", "0.0.0.0");
    let registry = Registry::start();
    let not_kept = |tool: Tool, label: &str| {
        tool.run().success(from(label));
        let offline = tool.arg("--offline").run();
        assert_eq!(offline.code, Some(5), "{}", offline.messages());
    };
    for (mirror, label) in [(&secure.host(), "secure"), (&other, "plain")] {
        let text = format!(
            "[[registry]]\nlocation = \"{}\"\n[[registry.mirror]]\nlocation = \"{mirror}\"\ninsecure = true\n",
            registry.host()
        );
        not_kept(labels(&registry).file(REGISTRIES, text), label);
    }
    not_kept(mirrored(&registry, &[format!("http://{other}")]), "plain");
    // The registry itself, by its name or with all of its domain.
    for about in [
        format!("location = \"{}\"", secure.host()),
        "prefix = \"*.0.0.1\"".to_owned(),
    ] {
        let text = format!("[[registry]]\n{about}\ninsecure = true\n");
        let tool = labels(&secure).file(REGISTRIES, text);
        tool.run().success(from("secure"));
    }
    assert_eq!(labels(&secure).run().code, Some(5));
}

#[test]
fn tokens_for_a_mirror_without_tls_are_not_kept() {
    let mirror = Registry::builder().tokens(&Tokens::new()).start();
    image("mirror").push_to(&mirror, "a", "v1");
    let registry = Registry::start();
    // Not this machine by its name.
    let other = mirror.base().replace("127.0.0.1", "0.0.0.0");
    for (url, is_kept) in [(other, false), (mirror.base(), true)] {
        let tool = mirrored(&registry, &[url]);
        tool.run().success(from("mirror"));
        let kept = tool.home().join(".cache/docker-registry/registries");
        assert_eq!(kept.exists(), is_kept);
    }
}

#[test]
fn a_registry_that_is_its_own_mirror_is_asked_before_what_stands_in_its_place() {
    let (registry, other) = (holding("registry"), holding("other"));
    let text = format!(
        "server = \"{}\"\n[host.\"{}\"]\n",
        other.base(),
        registry.base()
    );
    let tool = labels(&registry).file(&hosts(&registry.host()), text);
    tool.run().success(from("registry"));
    assert_eq!(other.take(), [""; 0]);
    // What is asked last anyway is not asked before as well.
    let lacking = empty();
    let text = format!(
        "server = \"{0}\"\n[host.\"{0}\"]\nskip_verify = true\n",
        lacking.base()
    );
    let tool = labels(&registry).file(&hosts(&registry.host()), text);
    assert_eq!(tool.run().code, Some(3));
    assert_eq!(lacking.take().len(), 1);
}

#[test]
fn containerds_hosts_are_asked_in_the_order_of_the_file() {
    let (last, first, registry) = (holding("last"), empty(), Registry::start());
    let host = registry.host();
    let named = format!("/v2/a/manifests/v1?ns={host}");
    let text = format!(
        "[host.\"{}\"]\ncapabilities = [\"pull\", \"resolve\"]\n[host.\"{}\"]\n",
        first.base(),
        last.base()
    );
    for name in [&host, &format!("{}_", host.replace(':', "_")), "_default"] {
        labels(&registry)
            .file(&hosts(name), &text)
            .run()
            .success(from("last"));
        // A server that mirrors several learns which one is meant.
        assert_eq!(first.take(), [format!("GET {named}")]);
        assert_eq!(last.take()[0], format!("GET {named}"));
    }
    // A directory of its own comes before that of all.
    let tool = labels(&registry).file(&hosts("_default"), &text);
    image("registry").push_to(&registry, "a", "v1");
    tool.file(&hosts(&host), "").run().success(from("registry"));
}

#[test]
fn a_host_that_does_not_resolve_is_asked_for_digests_only() {
    let (mirror, registry) = (holding("it"), holding("it"));
    let text = format!("[host.\"{}\"]\ncapabilities = [\"pull\"]\n", mirror.base());
    labels(&registry)
        .file(&hosts(&registry.host()), &text)
        .run()
        .success(from("it"));
    assert_eq!(registry.take(), ["GET /v2/a/manifests/v1"]);
    let query = format!("?ns={}", registry.host());
    assert_eq!(mirror.take(), [config("it") + &query]);
    let text = text.replace("pull", "push");
    labels(&registry)
        .file(&hosts(&registry.host()), text)
        .run()
        .success(from("it"));
    assert_eq!((registry.take().len(), mirror.take().len()), (2, 0));
}

#[test]
fn containerd_says_how_a_host_is_trusted() {
    let mirror = Registry::builder()
        .tls(Tls::authority().client_required())
        .start();
    image("mirror").push_to(&mirror, "a", "v1");
    let registry = Registry::start();
    let path = |path: &Path| path.display().to_string();
    let (cert, key) = mirror.tls().client();
    let (ca, cert, key) = (path(&mirror.ca()), path(&cert), path(&key));
    let both = [std::fs::read(&cert).unwrap(), std::fs::read(&key).unwrap()].concat();
    for trust in [
        format!("ca = \"{ca}\"\nclient = [[\"{cert}\", \"{key}\"]]"),
        format!("ca = [\"{ca}\"]\nclient = \"both.pem\""),
        "skip_verify = true\nclient = [\"both.pem\"]".to_owned(),
        "skip_verify = true\nclient = [[\"both.pem\", \"\"]]".to_owned(),
    ] {
        let text = format!("[host.\"{}\"]\n{trust}\n", mirror.base());
        let directory = hosts(&registry.host());
        let tool = labels(&registry).file(&directory, text);
        let tool = tool.file(&directory.replace("hosts.toml", "both.pem"), &both);
        tool.run().success(from("mirror"));
        // The same of the registry itself, and of what stands in its place.
        let tool = labels(&mirror).file(&hosts(&mirror.host()), &trust);
        let tool = tool.file(
            &hosts(&mirror.host()).replace("hosts.toml", "both.pem"),
            &both,
        );
        tool.run().success(from("mirror"));
        let text = format!("server = \"{}\"\n{trust}\n", mirror.base());
        let tool = labels(&registry).file(&hosts(&registry.host()), text);
        let tool = tool.file(&directory.replace("hosts.toml", "both.pem"), &both);
        tool.run().success(from("mirror"));
    }
    assert_eq!(registry.accepted(), 0);
    // A file that is not there is no reason to end.
    image("registry").push_to(&registry, "a", "v1");
    let text = format!("[host.\"{}\"]\nca = \"gone.pem\"\n", mirror.base());
    let tool = labels(&registry).file(&hosts(&registry.host()), text);
    let output = tool.run().status(0).stdout(from("registry"));
    let message = output.messages();
    assert!(message.contains("gone.pem: no such file"), "{message}");
}

#[test]
fn containerd_may_put_the_api_elsewhere() {
    let registry = Registry::start();
    let mirror = Registry::start();
    let served = |path: &str| {
        let it = image("mirror");
        let query = format!("?ns={}", registry.host());
        let manifest = Response::new(200)
            .header("Content-Type", it.media_type())
            .body(it.manifest());
        mirror.answer("GET", &format!("{path}/a/manifests/v1{query}"), manifest);
        let config = format!("{path}/a/blobs/{}{query}", it.config_digest());
        mirror.answer("GET", &config, Response::new(200).body(it.config()));
    };
    served("/us/v2");
    served("/v2/upstream");
    for (path, more) in [
        ("us", ""),
        ("us/v2", ""),
        ("v2/upstream", "override_path = true\n"),
    ] {
        let text = format!("[host.\"{}/{path}\"]\n{more}", mirror.base());
        labels(&registry)
            .file(&hosts(&registry.host()), text)
            .run()
            .success(from("mirror"));
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn files_that_cannot_be_read_are_a_warning_with_their_line() {
    let registry = holding("registry");
    let host = registry.host();
    for (path, text, why) in [
        (REGISTRIES, "# mine\n[[registry]\n", "line 2: "),
        (
            REGISTRIES,
            "\nregistry = 3\n",
            "line 2: registry: expected an array of tables",
        ),
        (
            REGISTRIES,
            "[registries.search]\nregistries = ['docker.io']\n",
            "line 1: registries: version 1 of the format is not read",
        ),
        (
            REGISTRIES,
            "[[registry]]\nlocation = 'a.example.com'\nblocked = 'yes'\n",
            "line 3: blocked: expected true or false",
        ),
        (
            REGISTRIES,
            "[[registry]]\nlocation = 'a.example.com/B'\n",
            "line 2: location: expected HOST[:PORT][/PATH]",
        ),
        (
            REGISTRIES,
            "[[registry]]\nlocation = 'a.example.com'\n[[registry.mirror]]\nlocation = 'b'\npull-from-mirror = 'no'\n",
            "line 5: pull-from-mirror: expected all, digest-only or tag-only",
        ),
        (&hosts("_default"), "server = \n", "line 1: "),
        (
            &hosts("_default"),
            "\n[host.'ftp://mirror']\n",
            "line 2: ftp://mirror: expected http or https, not ftp",
        ),
        (
            &hosts("_default"),
            "[host.'https://mirror']\ncapabilities = ['push']\nca = 3\n",
            "line 3: ca: expected a string or an array of strings",
        ),
    ] {
        let tool = labels(&registry).file(path, text);
        let output = tool.run().status(0).stdout(from("registry"));
        let message = output.messages();
        let place = tool.home().join(path);
        let start = format!("docker-registry: warning: {}: {why}", place.display());
        assert!(
            message.starts_with(&start) && message.lines().count() == 1,
            "{start}\n{message}"
        );
    }
    let mirror = holding_as("library/a", "mirror");
    for (text, why) in [
        (
            "{\n\"registry-mirrors\": [1]}",
            "line 2: registry-mirrors: expected an array of strings",
        ),
        (
            "{\n\"registry-mirrors\": [\"ftp://x\"]}",
            "line 2: registry-mirrors: expected http or https, not ftp",
        ),
        ("{", ""),
    ] {
        let tool = Tool::new()
            .args(["labels", "-r", "a:v1", "--mirror"])
            .file(DAEMON, text);
        let tool = tool.arg(format!("docker.io={}", mirror.base()));
        let message = tool.run().status(0).stdout(from("mirror")).messages();
        let place = tool.home().join(DAEMON);
        let start = format!("docker-registry: warning: {}: {why}", place.display());
        assert!(
            message.starts_with(&start) && message.lines().count() == 1,
            "{start}\n{message}"
        );
    }
    let missing = labels(&registry).env("CONTAINERS_REGISTRIES_CONF", "/nowhere");
    let message = missing.run().status(0).messages();
    assert_eq!(
        message,
        "docker-registry: warning: /nowhere: there is no such file\n"
    );
    // What is not read is none of our business: that of other programs.
    let text =
        format!("unqualified-search-registries = ['docker.io']\n[aliases]\n'a' = '{host}/b'\n");
    labels(&registry)
        .file(REGISTRIES, text)
        .run()
        .success(from("registry"));
}

#[test]
fn a_pull_through_cache_is_a_mirror() {
    let registry = holding("it");
    let Some(cache) = Real::cache(&registry) else {
        return;
    };
    let gone = Registry::start();
    let option = format!("--mirror={}=http://{}", gone.host(), cache.host());
    for image in ["a:v1", &format!("a@{}", image("it").digest())] {
        let tool = Tool::new().args(["labels", "-r", "--no-cache", &option]);
        tool.arg(gone.image(image)).run().success(from("it"));
    }
    assert!(!registry.take().is_empty());
    assert_eq!(gone.accepted(), 0);
}

#[test]
fn skopeo_reads_the_same_of_the_same_file() {
    let Some(skopeo) = skopeo() else { return };
    let elsewhere = Registry::start();
    for name in ["all/a/b", "some/b", "mirrored/a/b"] {
        image(name).push_to(&elsewhere, name, "v1");
    }
    let lacking = Registry::start();
    let (host, other) = (elsewhere.host(), lacking.host());
    let registry = |prefix: &str, location: &str| {
        format!("[[registry]]\nprefix = \"{prefix}\"\nlocation = \"{location}\"\ninsecure = true\n")
    };
    let mirror = |location: &str, more: &str| {
        format!("[[registry.mirror]]\nlocation = \"{location}\"\ninsecure = true\n{more}\n")
    };
    let text = [
        registry("example.com", &format!("{host}/all")),
        registry("example.com/a", &format!("{host}/some")),
        registry("*.example.com", &host),
        mirror(&other, ""),
        mirror(&format!("{host}/mirrored"), ""),
        registry("example.com:5000", &host),
        mirror(
            &format!("{host}/mirrored"),
            "pull-from-mirror = \"digest-only\"",
        ),
        mirror(&format!("{host}/all"), ""),
        "[[registry]]\nlocation = \"example.com/a/c\"\nblocked = true\n".to_owned(),
    ];
    let text = text.concat();
    lacking.absent("/v2/a/b/manifests/v1");
    let tool = Tool::new().file(REGISTRIES, &text);
    let skopeo = skopeo.file(REGISTRIES, &text);
    for name in [
        "example.com/a/b:v1",
        "x.y.example.com/a/b:v1",
        "example.com:5000/a/b:v1",
    ] {
        let ours = tool.again(["manifest", "-r", name]).run().status(0);
        let theirs = skopeo.again(["inspect", "--raw", &format!("docker://{name}")]);
        let _ = theirs.run().status(0).stdout_bytes(&ours.stdout);
    }
    let ours = tool.again(["manifest", "example.com/a/c:v1"]).run();
    let theirs = skopeo
        .again(["inspect", "docker://example.com/a/c:v1"])
        .run();
    assert!(ours.code == Some(4) && theirs.code != Some(0));
    assert!(
        theirs.messages().contains("blocked"),
        "{}",
        theirs.messages()
    );
}
