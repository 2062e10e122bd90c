//! What `-v` and `-vv` show: how one learns a registry's API from this program.

use serde_json::json;

use crate::harness::{Fault, Image, Output, Registry, Response, Tls, Tokens, Tool};

fn image() -> Image {
    Image::new("linux/amd64").label("a", "b")
}

fn labels(registry: &Registry) -> Tool {
    Tool::new().args(["labels", "-r", &registry.image("a:v1")])
}

/// What stderr shows, with `N` for each time that a request took.
fn shown(output: &Output) -> Vec<String> {
    let messages = output.messages();
    let timeless = |line: &str| match line.strip_suffix(" ms") {
        Some(rest) => format!(
            "{} N ms",
            rest.trim_end_matches(|c: char| c.is_ascii_digit())
                .trim_end()
        ),
        None => line.to_owned(),
    };
    messages.lines().map(timeless).collect()
}

/// The commands among them.
fn commands(output: &Output) -> Vec<String> {
    let lines = shown(output).into_iter();
    lines.filter(|line| line.starts_with("curl ")).collect()
}

#[test]
fn a_warning_of_the_registry_is_shown_once() {
    let registry = Registry::start();
    let host = registry.host();
    let response = Response::error(404, "NAME_UNKNOWN", "no");
    let response = response.header("Warning", "299 - \"moves soon\"");
    registry.answer("GET", "/v2/a/tags/list", response);
    let [first, second] = ["a", "a:v1"].map(|name| registry.image(name));
    let output = Tool::new().args(["tags", "-j1", &first, &second]).run();
    let said = output.messages();
    let warning = format!("docker-registry: warning: {host}: moves soon\n");
    assert_eq!(said.matches("warning").count(), 1, "{said}");
    assert!(said.starts_with(&warning), "{said}");
    assert_eq!(registry.take().len(), 2);
}

#[test]
fn each_request_is_a_line_and_so_is_what_the_cache_had() {
    let tokens = Tokens::new();
    let registry = Registry::builder().tokens(&tokens).start();
    let image = image();
    let digest = image.push_to(&registry, "a", "v1");
    let (base, host, config) = (registry.base(), registry.host(), image.config_digest());
    let (length, size) = (image.manifest().len(), image.config().len());
    let tool = labels(&registry).arg("-v");
    let output = tool.run().status(0).stdout("{\"a\":\"b\"}\n");
    let mut lines = shown(&output);
    // A token's length is its own affair.
    let token = lines.remove(1);
    let asked = format!("GET {base}/token?service=suite&scope=repository:a:pull 200 ");
    assert!(
        token.starts_with(&asked) && token.ends_with(" B N ms"),
        "{token}"
    );
    assert_eq!(
        lines,
        [
            format!("GET {base}/v2/a/manifests/v1 401 72 B N ms"),
            format!("GET {base}/v2/a/manifests/v1 200 {length} B N ms"),
            format!("GET {base}/v2/a/blobs/{config} 200 {size} B N ms"),
        ]
    );
    let output = tool.run().status(0).stdout("{\"a\":\"b\"}\n");
    let mut lines = shown(&output);
    lines.sort();
    assert_eq!(
        lines,
        [
            format!("HEAD {base}/v2/a/manifests/v1 200 N ms"),
            format!("cache {host}/a@{digest} {length} B"),
            format!("cache {host}/a@{config} {size} B"),
        ]
    );
}

#[test]
fn what_failed_and_was_tried_again_is_shown_too() {
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    registry.fail("/v2/a/manifests/v1", Fault::Hangup);
    registry.fail("/v2/a/manifests/v1", 503);
    let output = labels(&registry).arg("-v").run();
    let url = format!("{}/v2/a/manifests/v1", registry.base());
    assert_eq!(
        shown(&output)[..2],
        [
            format!("GET {url} the connection was closed"),
            format!("GET {url} 503 0 B N ms"),
        ]
    );
}

#[test]
fn without_v_there_is_nothing_to_see() {
    let registry = Registry::start();
    image().push_to(&registry, "a", "v1");
    labels(&registry).run().success("{\"a\":\"b\"}\n");
}

#[test]
fn the_header_of_each_answer_is_shown_without_its_secrets() {
    let registry = Registry::start();
    let image = image();
    image.push_to(&registry, "a", "v1");
    let blob = format!("/v2/a/blobs/{}", image.config_digest());
    let there = "https://store.invalid/x?signature=swordfish";
    let moved = Response::new(307)
        .header("Location", there)
        .header("Set-Cookie", "session=swordfish")
        .header("X-Secret", "swordfish")
        .header("Server", "\u{202e}");
    registry.fail(&blob, moved);
    let none = Response::new(307).header("Location", "/v2/nowhere?n=1&x=swordfish");
    registry.fail("/v2/a/manifests/v1", none);
    let tool = labels(&registry).arg("-vv");
    registry.absent("/v2/nowhere?n=1&x=swordfish");
    let first = shown(&tool.run());
    let base = registry.base();
    for end in [
        "< location: /v2/nowhere?n=1&x=…".to_owned(),
        format!(" '{base}/v2/nowhere?n=1&x=…'"),
    ] {
        assert!(
            first.iter().any(|line| line.ends_with(&end)),
            "{end}: {first:?}"
        );
    }
    assert!(!first.concat().contains("swordfish"), "{first:?}");
    // Nobody is asked at the store: there is no such name.
    let tool = tool.args(["--retries=0", "--timeout=1"]);
    let output = tool.run().status(5);
    let lines = shown(&output);
    for line in [
        "< location: https://store.invalid/x?signature=…",
        "< set-cookie: …",
        "< x-secret: …",
        "< server: \\u{202e}",
        "curl -sS --globoff 'https://store.invalid/x?signature=…'",
    ] {
        assert!(
            lines.contains(&line.to_owned()),
            "{line}: {}",
            output.messages()
        );
    }
    assert!(
        !output.messages().contains("swordfish"),
        "{}",
        output.messages()
    );
}

#[test]
fn the_commands_work_when_they_are_pasted() {
    let tokens = Tokens::new().private().user("user", "swordfish");
    for builder in [
        Registry::builder().tokens(&tokens),
        Registry::builder().tokens(&tokens).tls(Tls::authority()),
        Registry::builder().basic("user", "swordfish"),
    ] {
        let registry = builder.start();
        let image = image();
        image.push_to(&registry, "a", "v1");
        let mut tool = labels(&registry).args(["-vv", "-u", "user:swordfish"]);
        if registry.base().starts_with("https") {
            tool = tool.arg("--cacert").arg(registry.ca());
        }
        let first = tool.run().status(0);
        let again = tool.run().status(0);
        let filled = shown(&first)
            .into_iter()
            .find(|line| line.starts_with("TOKEN=$("));
        let filled = filled.unwrap_or_default();
        assert_eq!(shown(&again).contains(&filled), !filled.is_empty());
        let pasted = |command: &str| {
            let script = format!("{filled}\n{command}");
            let shell = Tool::program("/bin/sh").args(["-c", &script]);
            let shell = shell.env("CREDENTIALS", "user:swordfish");
            shell.run().status(0).stderr("")
        };
        let commands = [commands(&first), commands(&again)].concat();
        let of = |part: &str| commands.iter().rfind(|it| it.contains(part)).unwrap();
        let config = pasted(of("/blobs/"));
        config.stdout_bytes(image.config());
        let manifest = commands
            .iter()
            .rfind(|it| it.contains("/manifests/") && !it.contains(" -I "));
        pasted(manifest.unwrap()).stdout_bytes(image.manifest());
        let head = pasted(of(" -I "));
        let digest = format!("Docker-Content-Digest: {}\r\n", image.digest());
        assert!(head.text().contains(&digest), "{}", head.text());
        if let Some(token) = commands.iter().find(|it| it.contains("/token")) {
            assert!(pasted(token).json()["token"].is_string());
        }
    }
}

#[test]
fn a_command_names_variables_where_a_secret_belongs() {
    let tokens = Tokens::new().private().refresh_token("user", "swordfish");
    let registry = Registry::builder().tokens(&tokens).start();
    image().push_to(&registry, "a", "v1");
    let config = json!({"auths": {registry.host(): {"identitytoken": "swordfish"}}});
    let tool = labels(&registry).file(".docker/config.json", config.to_string());
    let output = tool.args(["-vv", "--oci", "--media-type", "it's"]).run();
    let base = registry.base();
    assert_eq!(
        commands(&output)[..3],
        [
            format!("curl -sS --globoff -H 'Accept: it'\\''s' '{base}/v2/a/manifests/v1'"),
            format!(
                "curl -sS --globoff -X POST -H 'Content-Type: application/x-www-form-urlencoded' \
                 --data-binary \"$BODY\" '{base}/token'"
            ),
            format!(
                "curl -sS --globoff -H \"Authorization: Bearer $TOKEN\" -H 'Accept: it'\\''s' \
                 '{base}/v2/a/manifests/v1'"
            ),
        ]
    );
    registry.forgive();
}
