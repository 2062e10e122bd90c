//! The ways into a CI: the action, GitLab's component, and the script for any other, each run as its runner runs it.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::Value;

use crate::harness::{Image, Registry, Tool, program, sha256};

const PROGRAM: &str = env!("CARGO_BIN_EXE_docker-registry");

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The documents of a YAML file.
pub fn documents(text: &str) -> Vec<Value> {
    fn value(yaml: &Yaml) -> Value {
        match yaml {
            Yaml::Mapping(mapping) => mapping
                .iter()
                .map(|(key, it)| (key.as_str().expect("a key").to_owned(), value(it)))
                .collect(),
            Yaml::Sequence(items) => items.iter().map(value).collect(),
            Yaml::Value(Scalar::Boolean(it)) => Value::Bool(*it),
            other => other.as_str().into(),
        }
    }
    Yaml::load_from_str(text)
        .expect("YAML")
        .iter()
        .map(value)
        .collect()
}

/// What the step of action.yml runs.
fn step(id: &str) -> String {
    let action = text("action.yml");
    let action = &documents(&action)[0];
    let mut steps = action["runs"]["steps"].as_array().unwrap().iter();
    steps.find(|step| step["id"] == id).expect(id)["run"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn shellcheck_is_silent_about_scripts_in_yaml() {
    let Some(shellcheck) = program("/usr/bin/shellcheck", "shellcheck") else {
        return;
    };
    for id in ["release", "path", "ask"] {
        // 2153: what is given has the same name as what is made of it.
        let checked = shellcheck.again(["--shell=bash", "--exclude=SC2153", "-"]);
        checked.stdin(step(id)).run().success("");
    }
    // 2086: the images are divided.
    let checked = shellcheck.again(["--shell=sh", "--exclude=SC2086,SC2153", "-"]);
    checked.stdin(component(&[]).1).run().success("");
}

/// Bash with a script of the action's, in surroundings such as a runner's.
fn action(id: &str) -> Tool {
    let bash = Tool::program("/bin/bash").args(["--noprofile", "--norc", "-eo", "pipefail", "-c"]);
    let bash = bash.arg(step(id)).file("output", "").file("path", "");
    let home = bash.home().to_owned();
    bash.env("GITHUB_ACTION_PATH", root())
        .env("GITHUB_OUTPUT", home.join("output"))
        .env("GITHUB_PATH", home.join("path"))
        .env("RUNNER_TOOL_CACHE", "/cache")
        .env("RUNNER_ARCH", "X64")
}

fn output(tool: &Tool) -> String {
    fs::read_to_string(tool.home().join("output")).unwrap()
}

/// What stands for a mirror in the key of the cache.
fn mirror(base: &str) -> String {
    let digest = sha256(base.as_bytes());
    digest.trim_start_matches("sha256:")[..16].to_owned()
}

#[test]
fn the_action_finds_the_release() {
    let repository = env!("CARGO_PKG_REPOSITORY");
    for (version, found) in [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("1.0.0-rc.1", "1.0.0-rc.1"),
    ] {
        let step = action("release").env("VERSION", version);
        step.run().success("");
        let mirror = mirror(&format!("{repository}/releases"));
        let expected = format!(
            "version={found}\nbase={repository}/releases\nmirror={mirror}\ndirectory=/cache/docker-registry/{found}/X64\n"
        );
        assert_eq!(output(&step), expected);
    }
    let sums = "0  docker-registry-1.2.3.cdx.json\n0  docker-registry-1.2.3-x86_64-unknown-linux-musl.tar.gz\n\
                0  docker-registry-1.2.3-x86_64-apple-darwin.tar.gz\n";
    let step = action("release").script("curl", &format!("printf %s '{sums}'"));
    let step = step
        .env("VERSION", "latest")
        .env("BASE_URL", "https://example.com");
    step.run().success("");
    let output = output(&step);
    assert!(
        output.starts_with("version=1.2.3\nbase=https://example.com\n"),
        "{output}"
    );
    for version in ["", "1.2.3; id", "../x", "1\nx=y"] {
        let step = action("release").env("VERSION", version);
        let message = "::error::version wants a release, such as 0.1.0, or latest\n";
        step.run().status(2).stdout(message).stderr("");
    }
    for base in [
        "ftp://a",
        "a",
        "https://",
        "https://a\nx=y",
        "https://a b",
        "\nhttps://a",
    ] {
        let step = action("release")
            .env("VERSION", "1.2.3")
            .env("BASE_URL", base);
        let message = "::error::base-url wants https://… or http://… on one line\n";
        step.run().status(2).stdout(message).stderr("");
        assert_eq!(self::output(&step), "", "{base}");
    }
}

#[test]
fn the_action_stays_with_https() {
    for (base, protocols) in [
        ("https://a.invalid/", "=https"),
        ("HTTPS://a.invalid", "=https"),
        ("http://a.invalid", "=http,https"),
    ] {
        let step = action("release")
            .env("VERSION", "latest")
            .env("BASE_URL", base);
        let step = step.script("curl", "echo \"$@\" >>\"$HOME/asked\"; exit 22");
        step.run().status(22);
        let asked = fs::read_to_string(step.home().join("asked")).unwrap();
        let expected = format!("--proto {protocols} --proto-redir {protocols} ");
        assert!(asked.contains(&expected), "{asked}");
        assert!(asked.contains(" --max-time "), "{asked}");
    }
    // What came from one mirror is not taken for what another has.
    let key = "key: docker-registry-${{ steps.release.outputs.version }}-${{ runner.os }}-${{ runner.arch }}-${{ steps.release.outputs.mirror }}\n";
    assert!(text("action.yml").contains(key));
}

/// A private registry with an image `a:v1`.
fn private() -> Registry {
    let registry = Registry::builder().basic("user", "sword:fish").start();
    let image = Image::new("linux/amd64").label("a", "b");
    image.push_to(&registry, "a", "v1");
    registry
}

/// The program in the path, which notes its arguments.
fn noted(tool: Tool) -> Tool {
    let note = format!("printf '%s\\n' \"$@\" >>\"$HOME/arguments\"\nexec {PROGRAM} \"$@\"");
    tool.script("docker-registry", &note)
}

fn arguments(tool: &Tool) -> String {
    fs::read_to_string(tool.home().join("arguments")).unwrap()
}

/// The step that asks, with the action's defaults for what is not given.
fn ask(given: &[(&str, &str)]) -> Tool {
    let action = text("action.yml");
    let inputs = &documents(&action)[0]["inputs"];
    let default = |name: &str| inputs[name]["default"].as_str().expect(name).to_owned();
    let named = [
        ("COMMAND", "command"),
        ("IMAGE", "image"),
        ("PLATFORM", "platform"),
        ("FILTER", "jq"),
        ("EXIT_STATUS", "exit-status"),
        ("STATE", "state"),
        ("USERNAME", "username"),
        ("PASSWORD", "password"),
        ("FAIL_ON_NO", "fail-on-no"),
    ];
    let tool = named
        .iter()
        .fold(noted(self::action("ask")), |tool, (variable, name)| {
            let given = given.iter().find(|(input, _)| input == name);
            let value = given.map_or_else(|| default(name), |(_, value)| (*value).to_owned());
            assert!(
                action.contains(&format!("{variable}: ${{{{ inputs.{name} }}}}\n")),
                "{name}"
            );
            tool.env(variable, value)
        });
    assert!(
        given
            .iter()
            .all(|(name, _)| named.iter().any(|(_, known)| known == name))
    );
    tool
}

/// What the step that asks leaves: the verdict and the lines of the result.
#[track_caller]
fn answered(step: &Tool) -> (String, Vec<String>) {
    let said = output(step);
    fs::write(step.home().join("output"), "").unwrap();
    let mut lines = said.lines().map(str::to_owned);
    let verdict = lines.next().unwrap().replace("verdict=", "");
    let end = lines.next().unwrap().replace("result<<", "");
    assert_eq!(end.len(), 32, "{said}");
    let mut result: Vec<String> = lines.collect();
    assert_eq!(result.pop(), Some(end), "{said}");
    (verdict, result)
}

fn hello() -> String {
    format!("oci:{}", root().join("tests/fixtures/hello").display())
}

#[test]
fn the_action_says_what_it_installed() {
    let directory = Path::new(PROGRAM).parent().unwrap().display().to_string();
    let path = action("path").env("DIRECTORY", &directory);
    path.run().success("");
    assert_eq!(
        output(&path),
        format!("version={}\n", env!("CARGO_PKG_VERSION"))
    );
    let added = fs::read_to_string(path.home().join("path")).unwrap();
    assert_eq!(added, format!("{directory}\n"));
    // Where nothing but the program is wanted, and gh may look up who built it.
    let action = text("action.yml");
    assert!(action.contains("sh \"$GITHUB_ACTION_PATH/install.sh\" --no-extras\n"));
    assert!(action.contains("GH_TOKEN: ${{ github.token }}\n"));
}

#[test]
fn the_action_asks() {
    let image = format!("\n{}\n", hello());
    let given = [
        ("command", "config"),
        ("platform", "linux/arm64"),
        ("jq", ".os, .architecture"),
        ("image", &image),
    ];
    let step = ask(&given);
    step.run().success("");
    let result = ["linux", "arm64"].map(str::to_owned).to_vec();
    assert_eq!(answered(&step), ("yes".to_owned(), result));

    for variable in ["COMMAND", "PLATFORM", "STATE", "USERNAME", "PASSWORD"] {
        let split = step.clone().env(variable, "config\nx").run();
        let message = "::error::only image and jq may be more than one line\n";
        split.status(2).stdout(message).stderr("");
    }
    for variable in ["EXIT_STATUS", "FAIL_ON_NO"] {
        let message = "::error::exit-status and fail-on-no want true or false\n";
        step.clone()
            .env(variable, "yes")
            .run()
            .status(2)
            .stdout(message)
            .stderr("");
    }
    // An operand that looks like an option stays an operand, and a failure fails the step.
    let failed = step
        .clone()
        .env("IMAGE", "--version")
        .run()
        .status(2)
        .stdout("");
    let message = failed.messages();
    assert!(
        message.starts_with("docker-registry: image '--version': "),
        "{message}"
    );
    assert_eq!(output(&step), "");
}

#[test]
fn to_the_action_no_is_an_answer() {
    let image = hello();
    let given = [
        ("command", "labels"),
        ("platform", "linux/amd64"),
        ("jq", ".vendor"),
        ("image", &image),
    ];
    let step = ask(&given);
    step.run().success("");
    assert_eq!(answered(&step), ("yes".to_owned(), vec!["null".to_owned()]));
    let step = ask(&[&given[..], &[("exit-status", "true")]].concat());
    step.run().success("");
    assert_eq!(answered(&step), ("no".to_owned(), vec!["null".to_owned()]));
    let step = ask(&[
        &given[..],
        &[("exit-status", "true"), ("fail-on-no", "true")],
    ]
    .concat());
    step.run().status(8).stdout("").stderr("");
    assert_eq!(answered(&step), ("no".to_owned(), vec!["null".to_owned()]));
    let step = ask(&[&given[..3], &[("image", &format!("{image}:gone"))]].concat());
    step.run().status(3).stdout("");
    assert_eq!(output(&step), "");
}

#[test]
fn the_action_asks_a_private_registry_and_remembers() {
    let registry = private();
    let image = registry.image("a:v1");
    let given = [
        ("command", "changed"),
        ("image", &image),
        ("platform", "linux/amd64"),
        ("jq", ".status"),
        ("state", "kept/between runs/state.json"),
        ("username", "user"),
        ("password", "sword:fish"),
    ];
    let step = ask(&given);
    for (verdict, status) in [("yes", "new"), ("no", "unchanged")] {
        step.run().success("");
        assert_eq!(
            answered(&step),
            (verdict.to_owned(), vec![status.to_owned()])
        );
    }
    let arguments = arguments(&step);
    assert!(
        arguments.contains("--state=kept/between runs/state.json\n"),
        "{arguments}"
    );
    assert!(!arguments.contains("sword"), "{arguments}");
    ask(&given[..5]).run().status(4);
    ask(&[&given[..5], &[("username", "user"), ("password", "wrong")]].concat())
        .run()
        .status(4);
}

/// GitLab's component with these inputs: the variables and the script of its job.
fn component(given: &[(&str, &str)]) -> (BTreeMap<String, String>, String) {
    let text = text("docs/ci/gitlab.yml");
    let documents = documents(&text);
    let [spec, jobs] = &documents[..] else {
        panic!("a header and a body")
    };
    let mut inputs = BTreeMap::new();
    for (name, input) in spec["spec"]["inputs"].as_object().unwrap() {
        let given = given.iter().find(|(input, _)| input == name);
        // Two have no default.
        let value = match (given, &input["default"]) {
            (Some((_, value)), _) => (*value).to_owned(),
            (None, Value::Bool(default)) => default.to_string(),
            (None, default) => default.as_str().unwrap_or_default().to_owned(),
        };
        inputs.insert(name.as_str(), value);
    }
    for (name, _) in given {
        assert!(inputs.contains_key(name), "{name} is no input");
    }
    let filled = |text: &str| {
        inputs.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("$[[ inputs.{name} ]]"), value)
        })
    };
    let (name, job) = jobs.as_object().unwrap().iter().next().unwrap();
    assert_eq!(filled(name), inputs["job"]);
    let variables = job["variables"].as_object().unwrap().iter();
    let variables = variables.map(|(name, value)| {
        let value = value.as_str().or(value["value"].as_str()).unwrap();
        (name.clone(), filled(value))
    });
    let script = job["script"][0].as_str().unwrap();
    assert!(
        !script.contains("$[["),
        "what it is given is part of the script"
    );
    (variables.collect(), script.to_owned())
}

/// A job of GitLab's with that component, in a container where everything is there.
fn job(given: &[(&str, &str)]) -> Tool {
    let (variables, script) = component(given);
    let shell = noted(Tool::program("/bin/sh").args(["-ec", &script]));
    let wget = "echo \"$@\" >>\"$HOME/fetched\"; echo 'echo \"installed: $VERSION $*\"' >\"$3\"";
    let shell = shell.script("wget", wget);
    variables
        .iter()
        .fold(shell, |shell, (name, value)| shell.env(name, value))
}

fn file(tool: &Tool, name: &str) -> String {
    fs::read_to_string(tool.work().join(name)).unwrap_or_default()
}

#[test]
fn gitlabs_component_asks() {
    let image = hello();
    let given = [
        ("command", "digest"),
        ("image", &image),
        ("platform", "linux/arm64"),
        ("version", "1.2.3"),
    ];
    let asked = job(&given);
    let digest = "sha256:6161a944d27163398f1cf568e6e6a9060a49088ee6a3c7d370c8ba7c35b7c9bc";
    asked
        .run()
        .success(format!("installed: 1.2.3 --no-extras\n{digest}\n"));
    let expected = format!("DOCKER_REGISTRY_VERDICT=yes\nDOCKER_REGISTRY_RESULT={digest}\n");
    assert_eq!(file(&asked, "docker-registry.env"), expected);
    assert_eq!(file(&asked, "docker-registry.out"), format!("{digest}\n"));
    let fetched = fs::read_to_string(asked.home().join("fetched")).unwrap();
    let project = env!("CARGO_PKG_REPOSITORY").replace("https://github.com/", "");
    let script = format!("https://raw.githubusercontent.com/{project}/main/install.sh");
    assert_eq!(fetched, format!("-q -O install.sh {script}\n"));

    // Several images, and an answer of many lines, which no variable can hold.
    let images = format!("{image}:1.0 {image}:latest");
    let asked = job(&[("command", "digestlist"), ("image", &images)]);
    asked.run().status(0);
    assert_eq!(file(&asked, "docker-registry.out").lines().count(), 2);
    assert_eq!(
        file(&asked, "docker-registry.env"),
        "DOCKER_REGISTRY_VERDICT=yes\n"
    );

    let options = [
        ("command", "labels"),
        ("image", &image),
        ("platform", "linux/amd64"),
        ("jq", ".vendor"),
    ];
    let no = [&options[..], &[("exit-status", "true")]].concat();
    let asked = job(&no);
    asked.run().status(0);
    assert_eq!(
        file(&asked, "docker-registry.env"),
        "DOCKER_REGISTRY_VERDICT=no\nDOCKER_REGISTRY_RESULT=null\n"
    );
    job(&[&no[..], &[("fail-on-no", "true")]].concat())
        .run()
        .status(8);
    let asked = job(&[("command", "labels"), ("image", "--version")]);
    let message = asked.run().status(2).messages();
    assert!(
        message.starts_with("docker-registry: image '--version': "),
        "{message}"
    );
    assert_eq!(file(&asked, "docker-registry.env"), "");
}

#[test]
fn gitlabs_component_asks_a_private_registry_and_remembers() {
    let registry = private();
    let image = registry.image("a:v1");
    let given = [
        ("command", "changed"),
        ("image", &*image),
        ("platform", "linux/amd64"),
        ("jq", ".status"),
        ("state", ".docker-registry/state.json"),
    ];
    let asked = job(&given).env("DOCKER_REGISTRY_CREDENTIALS", "user:sword:fish");
    for (verdict, status) in [("yes", "new"), ("no", "unchanged")] {
        asked.run().status(0).stderr("");
        let expected =
            format!("DOCKER_REGISTRY_VERDICT={verdict}\nDOCKER_REGISTRY_RESULT={status}\n");
        assert_eq!(file(&asked, "docker-registry.env"), expected);
    }
    assert!(!arguments(&asked).contains("sword"));
    job(&given).run().status(4);
    // GitLab's own registry, with the credentials that it gives to each job.
    let own = |registry: &str| {
        let asked = job(&given).env("CI_REGISTRY", registry);
        asked
            .env("CI_REGISTRY_USER", "user")
            .env("CI_REGISTRY_PASSWORD", "sword:fish")
    };
    own(&registry.host()).run().status(0);
    own("registry.example.com").run().status(4);
}

#[test]
fn a_script_asks_in_any_ci() {
    let registry = private();
    let script = Tool::program("/bin/sh").arg(root().join("docs/ci/any.sh"));
    let install = "echo 'cp \"$HOME/bin/docker-registry\" \"$INSTALL_DIR\"; echo \"$@\"'";
    let script = noted(script)
        .script("curl", install)
        .script("make", "echo \"makes $1\"");
    let script = script
        .env("REGISTRY_USERNAME", "user")
        .env("REGISTRY_PASSWORD", "sword:fish")
        .env("BASE_IMAGE", registry.image("a:v1"));
    let first = script.run().status(0).stderr("");
    assert!(
        first.text().starts_with("--no-extras\n{"),
        "{}",
        first.text()
    );
    assert!(
        first.text().ends_with("}\nmakes image\n"),
        "{}",
        first.text()
    );
    let second = script.run().status(0).stderr("");
    let unchanged = format!("}}\n{} has not changed\n", registry.image("a:v1"));
    assert!(second.text().ends_with(&unchanged), "{}", second.text());
    assert!(!arguments(&script).contains("sword"));
    script
        .clone()
        .env("REGISTRY_PASSWORD", "wrong")
        .run()
        .status(4);
    fs::remove_file(script.work().join("docker-registry")).unwrap();
    script.clone().script("curl", "exit 22").run().status(127);
}

#[test]
fn readme_says_how_each_is_used() {
    let readme = text("README.md");
    let any = text("docs/ci/any.sh");
    let (_, commands) = any.split_once("set -eu\n").unwrap();
    assert!(
        readme.contains(&format!("```sh\n{commands}```\n")),
        "docs/ci/any.sh is shown otherwise"
    );
    let shown: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect();
    let [action, gitlab] = shown[..] else {
        panic!("{} blocks of YAML", shown.len())
    };
    let inputs = &documents(&text("action.yml"))[0]["inputs"];
    for (name, _) in documents(action)[0][0]["with"].as_object().unwrap() {
        assert!(inputs[name].is_object(), "{name} is no input of the action");
    }
    let include = &documents(gitlab)[0]["include"][0];
    let given = include["inputs"].as_object().unwrap().iter();
    let given: Vec<_> = given
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    component(&given);
    let remote = include["remote"].as_str().unwrap();
    let version = format!("/v{}/docs/ci/gitlab.yml", env!("CARGO_PKG_VERSION"));
    assert!(remote.ends_with(&version), "{remote}");
}
