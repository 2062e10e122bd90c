//! A secret is never in the arguments of a child, in a log, in an error, in the cache.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::credentials::auths;
use crate::harness::{Image, Output, Registry, Tokens, Tool};

/// What `labels` prints of the image that each registry holds.
const LABELS: &str = "{\"a\":\"b\"}\n";

fn holding_image(registry: Registry) -> Registry {
    let image = Image::new("linux/amd64").label("a", "b");
    image.push_to(&registry, "a", "v1");
    registry
}

fn labels(registry: &Registry) -> Tool {
    Tool::new().args(["labels", "-r", "-vv", &registry.image("a:v1")])
}

/// Every regular file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => vec![path],
    };
    paths.flat_map(below).collect()
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|window| window == part.as_bytes())
}

/// What came to the registry that would let somebody else in.
fn shown(registry: &Registry) -> Vec<String> {
    let mut secrets = Vec::new();
    for request in registry.requests() {
        let authorization = request.header("Authorization").unwrap_or_default();
        secrets.extend(authorization.split(' ').nth(1).map(str::to_owned));
        secrets.extend(request.field("refresh_token"));
    }
    secrets
}

/// Neither what came to the registry nor `password` is in the output or the cache.
#[track_caller]
fn is_silent(tool: &Tool, output: &Output, registry: &Registry, password: &str) {
    let mut secrets = shown(registry);
    assert_ne!(secrets, [""; 0], "nothing was shown at all");
    secrets.push(password.to_owned());
    let kept = files(&tool.home().join(".cache"));
    for secret in secrets {
        for said in [&output.stdout, &output.stderr] {
            assert!(!holds(said, &secret), "{}", output.messages());
        }
        for file in &kept {
            assert!(
                !holds(&fs::read(file).unwrap(), &secret),
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn no_credential_is_logged_or_kept() {
    let tokens = Tokens::new()
        .private()
        .user("user", "swordfish")
        .refresh_token("user", "swordfish");
    let bearer = holding_image(Registry::builder().tokens(&tokens).start());
    let basic = holding_image(Registry::builder().basic("user", "swordfish").start());
    let helper = r#"echo '{"Username":"user","Secret":"swordfish"}'"#;
    for registry in [&bearer, &basic] {
        let tool = labels(registry);
        let stored = |entry| {
            tool.clone()
                .file(".docker/config.json", auths(registry, entry))
        };
        let given = tool.clone().args(["-u", "user:swordfish"]);
        let tools = [
            given,
            labels(registry).env("DOCKER_REGISTRY_CREDENTIALS", "user:swordfish"),
            labels(registry)
                .args(["-u", "user", "--password-stdin"])
                .stdin("swordfish"),
            stored(json!({"username": "user", "password": "swordfish"})),
            stored(json!({"username": "user", "identitytoken": "swordfish"})),
            labels(registry)
                .file(".docker/config.json", r#"{"credsStore": "suite"}"#)
                .script("docker-credential-suite", helper),
        ];
        for tool in tools {
            let output = tool.run().status(0).stdout(LABELS);
            is_silent(&tool, &output, registry, "swordfish");
            registry.take();
        }
    }
    let entry = json!({"registrytoken": tokens.issue(&["repository:a:pull"])});
    let tool = labels(&bearer).file(".docker/config.json", auths(&bearer, entry));
    let output = tool.run().status(0).stdout(LABELS);
    is_silent(&tool, &output, &bearer, "swordfish");
}

#[test]
fn no_error_names_a_credential() {
    let tokens = Tokens::new().private();
    for builder in [
        Registry::builder().tokens(&tokens),
        Registry::builder().basic("user", "swordfish"),
    ] {
        let registry = builder.start();
        let tool = labels(&registry).args(["-u", "user:trout"]);
        let output = tool.run().status(4).stdout("");
        is_silent(&tool, &output, &registry, "trout");
    }
    for wrong in [
        &["-u", "us\ner:trout"][..],
        &["-u:trout"],
        &["-utrout", "--password-stdin", "--nonsense"],
        &["--user"],
    ] {
        let output = Tool::new().args(["labels", "a"]).args(wrong).run();
        assert!(
            !output.messages().contains("trout"),
            "{}",
            output.messages()
        );
    }
    let variable = Tool::new().args(["labels", "a"]);
    variable
        .env("DOCKER_REGISTRY_CREDENTIALS", "trout")
        .run()
        .fails(
            2,
            "docker-registry: DOCKER_REGISTRY_CREDENTIALS wants USER:PASSWORD\n",
        );
}

#[test]
fn no_message_quotes_the_user_of_a_url() {
    for url in [
        "https://user:zebra@example.com/a",
        "user:zebra@example.com/a",
        "ftp://user:zeb/zebra@example.com",
    ] {
        for args in [
            &["labels", url][..],
            &["catalog", url],
            &["testregistry", url],
            &["delete", "--yes", url],
            &["diff", "oci:a", url],
            &["downloadlayer", url],
            &[
                "push",
                "from-args",
                "--platforms",
                "linux/amd64",
                "--template",
                "a",
                "--target",
                url,
            ],
            &[url],
            &["labels", "--images", "-", "--", url],
            &["labels", "--retries", url, "a"],
            &["generate", url],
        ] {
            let output = Tool::new().args(args).stdin(url).run();
            let message = output.messages();
            assert!(matches!(output.code, Some(1..=3)), "{args:?}: {message}");
            assert!(!message.contains("zeb"), "{args:?}: {message}");
        }
    }
    let proxied = Tool::new().args(["labels", "--retries=0", "registry.invalid/a"]);
    for proxy in [
        "user:zebra@ftp://proxy.invalid",
        "ftp://user:zebra@proxy.invalid",
        "http://user:zeb/zebra@proxy.invalid",
        "http://user:zebra@proxy.invalid",
    ] {
        let output = proxied.clone().env("HTTPS_PROXY", proxy).run();
        let message = output.messages();
        assert!(!message.contains("zeb"), "{proxy}: {message}");
    }
}

#[test]
fn no_child_gets_a_secret_among_its_arguments() {
    let tokens = Tokens::new().private().user("user", "swordfish");
    let registry = holding_image(Registry::builder().tokens(&tokens).start());
    let wrong = json!({"username": "user", "password": "trout"});
    let mut config: serde_json::Value = serde_json::from_str(&auths(&registry, wrong)).unwrap();
    config["credsStore"] = "suite".into();
    let record = "tr '\\0' ' ' < /proc/$$/cmdline > \"$HOME/argv\"; env > \"$HOME/env\"";
    let helper = r#"echo '{"Username":"user","Secret":"swordfish"}'"#;
    let tool = labels(&registry)
        .file(".docker/config.json", config.to_string())
        .script("docker-credential-suite", &format!("{record}\n{helper}"));
    assert_eq!(tool.run().code, Some(0));
    let read = |name: &str| fs::read_to_string(tool.home().join(name)).unwrap();
    assert!(
        read("argv").ends_with("/docker-credential-suite get "),
        "{}",
        read("argv")
    );
    assert!(!read("env").contains("trout"));
}

#[test]
fn a_token_for_everybody_is_kept_for_its_owner_only() {
    let tokens = Tokens::new();
    let registry = holding_image(Registry::builder().tokens(&tokens).start());
    let tool = labels(&registry);
    assert_eq!(tool.run().code, Some(0));
    let token = shown(&registry).pop().unwrap();
    let kept = files(&tool.home().join(".cache"));
    let kept: Vec<_> = kept
        .iter()
        .filter(|file| holds(&fs::read(file).unwrap(), &token))
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        fs::metadata(kept[0]).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_token_for_everybody_is_not_taken_by_somebody() {
    let tokens = Tokens::new().user("user", "swordfish");
    let registry = holding_image(Registry::builder().tokens(&tokens).start());
    let tool = Tool::new().args(["tags", &registry.image("a")]);
    tool.run().success("[\"v1\"]\n");
    registry.take();
    let somebody = tool.args(["-u", "user:swordfish"]);
    somebody.run().success("[\"v1\"]\n");
    let paths: Vec<_> = registry
        .requests()
        .iter()
        .map(|it| it.path().to_owned())
        .collect();
    assert_eq!(paths, ["/v2/a/tags/list", "/token", "/v2/a/tags/list"]);
}
