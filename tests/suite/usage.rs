//! What is asked for wrongly: exit 2 before any request, with what was probably meant.

use crate::harness::{Registry, Tool};

#[test]
fn misspelt_commands_and_options_are_refused_with_what_was_meant() {
    let registry = Registry::start();
    let name = registry.image("a:v1");
    for (args, expected) in [
        (
            ["lables", &name].as_slice(),
            "unknown command 'lables'\nhint: did you mean 'labels'?\n",
        ),
        (
            &["xyzzy", &name],
            "unknown command 'xyzzy'\nhint: 'docker-registry help' lists the commands\n",
        ),
        (
            &["labels", "--platfrom=linux/arm64", &name],
            "unknown option '--platfrom'\nhint: did you mean '--platform'?\n",
        ),
        (
            &["labels", "--xyzzy", &name],
            "unknown option '--xyzzy'\nhint: 'docker-registry --help' lists the options\n",
        ),
        (
            &["labels", "-o", "file", &name],
            "--output belongs to 'cat' and 'downloadlayer', not to 'labels'\n",
        ),
        (
            &["labels"],
            "labels wants an image\nhint: usage: docker-registry labels [OPTION]... IMAGE...\n",
        ),
        (
            &["labels", "--retries=x", &name],
            "--retries wants a number, not 'x'\n",
        ),
        (&["labels", "--raw=yes", &name], "--raw takes no value\n"),
        (
            &["--raw"],
            "a command is missing\nhint: 'docker-registry help' lists the commands\n",
        ),
        (
            &["generate", "mann"],
            "generate wants man, bash, zsh, fish or powershell, not 'mann'\n\
             hint: did you mean 'man'?\n",
        ),
    ] {
        let output = Tool::new().args(args).run();
        output.fails(2, format!("docker-registry: {expected}"));
    }
    assert_eq!(registry.accepted(), 0);
}

#[test]
fn words_of_other_programs_point_to_what_does_it_here() {
    let login = "credentials of 'docker login' and 'podman login' are used; '--user' gives others";
    let list = "'tags' lists a repository's tags, 'catalog' a registry's repositories, \
                'files' an image's files";
    for (word, hint) in [
        ("login", login),
        ("logout", login),
        (
            "pull",
            "'downloadlayer --all' saves an image's layers, 'cat' prints a file of it",
        ),
        ("ls", list),
        ("list", list),
        ("version", "'--version' shows the version"),
        (
            "completion",
            "'generate bash' prints the completions; also zsh, fish and powershell",
        ),
    ] {
        let output = Tool::new().args([word, "a.b/c"]).run();
        let expected = format!("docker-registry: unknown command '{word}'\nhint: {hint}\n");
        output.fails(2, expected);
    }
    for (word, hint) in [
        ("--format", "'--jq FILTER' chooses what is printed"),
        ("--limit", "the first ten: --jq '.[:10]'"),
        (
            "--username",
            "use --user NAME:PASSWORD, or --user NAME with --password-stdin",
        ),
        ("--password", "use --password-stdin with --user NAME"),
    ] {
        let output = Tool::new().args(["tags", "a.b/c", word, "x"]).run();
        let expected = format!("docker-registry: unknown option '{word}'\nhint: {hint}\n");
        output.fails(2, expected);
    }
}

#[test]
fn a_malformed_image_is_refused_before_any_request() {
    let zeros = "0".repeat(63);
    for (name, why) in [
        ("", "repository '': the name is missing"),
        ("Upper", "repository 'Upper': the name must be lower case"),
        ("a:", "a tag follows the colon"),
        (
            "a:-b",
            "a tag is letters, digits, '_', '.' and '-', and starts with none of the last two",
        ),
        ("a@b", "digest 'b': expected sha256:… or sha512:…"),
        (
            "a@sha256:0",
            "digest 'sha256:0': sha256 has 64 hex digits, not 1\n\
             hint: the whole digest: 'docker-registry digest a'",
        ),
        (
            &format!("a@sha256:{zeros}A"),
            &format!("digest 'sha256:{zeros}A': only lower-case hex digits follow the colon"),
        ),
        (
            &format!("a@md5:{zeros}"),
            &format!("digest 'md5:{zeros}': the algorithm is sha256 or sha512, not 'md5'"),
        ),
    ] {
        let output = Tool::new().args(["labels", name]).run();
        output.fails(2, format!("docker-registry: image '{name}': {why}\n"));
    }
}

#[test]
fn an_operand_without_end_is_refused() {
    for operand in [
        "://".repeat(16_000),
        "a://".repeat(12_000),
        "a/".repeat(24_000),
        "a".repeat(48_000),
        "a.".repeat(24_000) + "a/b",
    ] {
        for command in ["catalog", "tags", "testregistry"] {
            let output = Tool::new().args([command, &operand]).run();
            let output = output.status(2).stdout("");
            let length = output.messages().len();
            assert!(length < 2_000, "{command}: {length}");
        }
    }
}
