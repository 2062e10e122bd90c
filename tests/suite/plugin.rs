//! The same binary as a plugin of docker's client: `docker registry labels ubuntu`.
#![cfg(unix)]

use std::path::Path;

use crate::harness::{Image, Registry, Tool, program};

/// Docker with the program among its plugins. `None` where docker's client is not installed.
fn docker() -> Option<Tool> {
    let places = ["/usr/local/bin/docker", "/usr/bin/docker"];
    let place = places.iter().find(|place| Path::new(place).exists());
    let docker = program(place.unwrap_or(&places[1]), "docker.io or docker-cli")?;
    let plugins = docker.home().join(".docker/cli-plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    let own = env!("CARGO_BIN_EXE_docker-registry");
    std::os::unix::fs::symlink(own, plugins.join("docker-registry")).unwrap();
    // A daemon that is not there: nobody needs it.
    Some(docker.env("DOCKER_HOST", "tcp://127.0.0.1:1"))
}

#[test]
fn docker_runs_it() {
    let Some(docker) = docker() else { return };
    let registry = Registry::start();
    let image = Image::new("linux/amd64").label("a", "b");
    image.push_to(&registry, "registry", "v1");
    let name = registry.image("registry:v1");
    for args in [
        &["registry", "labels", "-r", &name][..],
        &["registry", "-r", "labels", &name],
        &[
            "-D",
            "--log-level",
            "debug",
            "registry",
            "labels",
            "-r",
            &name,
        ],
    ] {
        docker.again(args).run().success("{\"a\":\"b\"}\n");
    }
    let dollar = ["registry", "labels", "-q", "$image", &name];
    docker.again(dollar).run().success(format!("{name}\n"));
    let version = format!("docker-registry {}\n", env!("CARGO_PKG_VERSION"));
    docker
        .again(["registry", "--version"])
        .run()
        .success(version);
}

#[test]
fn its_exit_codes_and_messages_are_the_same() {
    let Some(docker) = docker() else { return };
    let registry = Registry::start();
    registry.absent("/v2/a/manifests/v1");
    let name = registry.image("a:v1");
    let own = Tool::new().args(["labels", &name]).run();
    let messages = own.messages();
    docker
        .again(["registry", "labels", &name])
        .run()
        .fails(3, messages);
    let message = "docker-registry: unknown command 'lables'\nhint: did you mean 'labels'?\n";
    docker.again(["registry", "lables"]).run().fails(2, message);
}

#[test]
fn its_hints_are_commands_of_docker() {
    let tool = Tool::new().env("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", "docker");
    for (args, name) in [
        (&["registry", "xyzzy"][..], "docker registry"),
        (&["xyzzy"], "docker-registry"),
    ] {
        tool.again(args).run().fails(
            2,
            format!(
                "docker-registry: unknown command 'xyzzy'\n\
                 hint: '{name} help' lists the commands\n"
            ),
        );
    }
}

#[test]
fn docker_shows_its_help() {
    let Some(docker) = docker() else { return };
    let own = |args: &[&str]| Tool::new().args(args).run().status(0).text().to_owned();
    for (args, expected) in [
        (&["registry"][..], own(&[])),
        (&["registry", "--help"], own(&["--help"])),
        (&["help", "registry"], own(&["help"])),
        (&["registry", "labels", "--help"], own(&["help", "labels"])),
        (&["registry", "help", "labels"], own(&["help", "labels"])),
    ] {
        docker.again(args).run().success(expected);
    }
    let help = docker.again(["--help"]).run().status(0);
    let line = help
        .text()
        .lines()
        .find(|line| line.trim_start().starts_with("registry*"));
    let line = line.expect("a line among docker's commands");
    assert!(
        line.ends_with(" Look into container registries, without pulling"),
        "{line}"
    );
}

#[test]
fn docker_completes_it() {
    let Some(docker) = docker() else { return };
    let registry = Registry::start();
    Image::new("linux/amd64").push_to(&registry, "app", "v1");
    let name = registry.image("app:v1");
    let asked = docker.again(["registry", "digestlist", &name]);
    asked.run().status(3);
    for (words, expected) in [
        (
            &["lab"][..],
            "labels\tPrint the labels of an image\n:4\n".to_owned(),
        ),
        (
            &["labels", "-r", &registry.image("")],
            format!("{name}\n:4\n"),
        ),
        (&["labels", "--color", "n"], "never\n:4\n".to_owned()),
        (&["labels", "--cacert", ""], ":0\n".to_owned()),
        (&["labels", "oci"], "oci:\noci-archive:\n:6\n".to_owned()),
    ] {
        let output = docker.again(["__complete", "registry"]).args(words).run();
        let output = output.status(0);
        assert_eq!(output.text(), expected, "{words:?}");
    }
}

#[test]
fn dockers_configuration_cannot_be_lost_on_the_way() {
    let Some(docker) = docker() else { return };
    let configuration = docker.home().join(".docker");
    let given = docker.again(["--config"]).arg(configuration);
    given.args(["registry", "tags", "ubuntu"]).run().fails(
        2,
        "docker-registry: docker's --config does not reach its plugins\n\
         hint: use the variable DOCKER_CONFIG\n",
    );
}

#[test]
fn the_plugins_name_is_dropped_for_docker_only() {
    let program = Tool::new().arg("registry");
    let hint = "hint: 'docker-registry help' lists the commands\n";
    let message = format!("docker-registry: unknown command 'registry'\n{hint}");
    program.run().fails(2, message);
}
