//! Completions in the shells themselves: what TAB offers, and what it puts on the line.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Image, Registry, Tool, program};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

/// What TAB at the end of the line `$2` offers by the script `$1`.
const BASH: &str = r#"
. "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"'\''><=;|&(:'
_docker_registry 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
"#;
const FISH: &str = "source $argv[1]; complete -C $argv[2]";
/// Presses TAB in a shell on a terminal of its own, which tells each candidate that is added.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT= RPS1=; stty -echo; autoload -Uz compinit && compinit -C; . ${(q)1}"
zpty -w shell 'compadd() {
  if [[ " ${@[1,(i)(-|--)]} " == *" -"[a-zA-Z]#[OAD]\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -O hits "$@"
  local hit; for hit in $hits; do print -r -- "HIT $IPREFIX$hit"; done
  builtin compadd "$@"
}'
zpty -w shell 'finish() { zle complete-word; print -r -- END; exit }; zle -N finish; bindkey "^I" finish; print READY'
local line
while zpty -r shell line; do [[ $line == READY* ]] && break; done
zpty -w -n shell "$2"$'\t'
while zpty -r shell line; do
  line=${line%%$'\r\n'}
  [[ $line == *HIT\ * ]] && print -r -- ${line##*HIT }
  [[ $line == *END* ]] && break
done
zpty -d shell
"#;

impl Shell {
    /// `None` where the shell is not installed.
    fn tool(self) -> Option<Tool> {
        let name = self.name();
        let path = if self == Shell::Bash {
            "/bin"
        } else {
            "/usr/bin"
        };
        let tool = program(&format!("{path}/{name}"), name)?;
        let own = Path::new(env!("CARGO_BIN_EXE_docker-registry"))
            .parent()
            .unwrap();
        let path = format!("{}:/usr/bin:/bin", own.display());
        Some(tool.env("PATH", path))
    }

    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }

    fn script(self) -> PathBuf {
        let name = match self {
            Shell::Bash => "docker-registry.bash",
            Shell::Zsh => "_docker-registry",
            Shell::Fish => "docker-registry.fish",
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        root.join("completions").join(name)
    }

    /// What TAB offers at the end of a line, each as the whole value it would make.
    fn offers(self, tool: &Tool, line: &str) -> Vec<String> {
        let code: &[&str] = match self {
            Shell::Bash => &["--norc", "-c", BASH, "bash"],
            Shell::Zsh => &["-f", "-c", ZSH, "zsh"],
            Shell::Fish => &["--no-config", "-c", FISH],
        };
        let line = format!("docker-registry {line}");
        let pressed = tool.again(code).arg(self.script()).arg(&line);
        let output = pressed.run().status(0).stderr("");
        let word = line.rsplit(' ').next().unwrap();
        let mut offers: Vec<String> = output
            .text()
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| self.whole(word, line))
            .collect();
        offers.sort();
        // zsh tells what it puts on the line apart from what it shows.
        offers.dedup();
        offers
    }

    fn whole(self, word: &str, candidate: &str) -> String {
        // Behind a tab fish has what the candidate is about.
        let candidate = candidate.split('\t').next().unwrap_or_default();
        let candidate = candidate.trim_end_matches('/');
        let value = |text: &str| match text.split_once('=') {
            Some((option, value)) if option.starts_with("--") => value.to_owned(),
            _ => text.to_owned(),
        };
        match (self, value(word).rsplit_once(':')) {
            // Readline replaces what is behind the last colon only.
            (Shell::Bash, Some((before, _))) => format!("{before}:{candidate}"),
            _ => value(candidate),
        }
    }
}

/// The shell in a home whose cache knows two images, in a directory with files.
fn home(shell: Shell, registry: &Registry) -> Option<Tool> {
    let tool = shell.tool()?;
    for name in ["images", "tests"] {
        fs::create_dir(tool.work().join(name)).unwrap();
    }
    let tool = tool.file("work/a.tar", "").file("work/ca.pem", "");
    let image = Image::new("linux/amd64").label("a", "b");
    for (name, tag) in [("app", "v1"), ("app", "v2"), ("base", "latest")] {
        image.push_to(registry, name, tag);
        let name = registry.image(&format!("{name}:{tag}"));
        // Asked for by the program, in the shell's home.
        let asked = Tool::new().env("HOME", tool.home());
        let asked = asked.env("XDG_CACHE_HOME", tool.home().join(".cache"));
        asked
            .args(["id", &name])
            .run()
            .success(format!("{}\n", image.config_digest()));
    }
    Some(tool)
}

#[test]
fn every_shell_offers_what_fits() {
    let arms = [
        "linux/arm/v5",
        "linux/arm/v6",
        "linux/arm/v7",
        "linux/arm64",
    ];
    let schemes = ["docker-archive:", "oci-archive:", "oci:"];
    for shell in SHELLS {
        let registry = Registry::start();
        let Some(tool) = home(shell, &registry) else {
            continue;
        };
        let host = registry.host();
        let image = |name: &str| format!("{host}/{name}");
        let [one, two, base] = ["app:v1", "app:v2", "base"].map(image);
        let all = [&[one.as_str(), &two, &base], &schemes[..]].concat();
        let before = registry.accepted();
        for (line, expected) in [
            ("la", &["labels", "layers"][..]),
            ("-r lab", &["labels"]),
            ("-q labels ver", &["verifytool"]),
            ("--col", &["--color"]),
            ("--color ", &["always", "auto", "never"]),
            ("--color=al", &["always"]),
            ("labels --platform linux/arm", &arms),
            ("labels --platform=linux/arm", &arms),
            ("verifytool --la", &["--layers"]),
            ("labels --la", &[]),
            ("labels ", &all),
            (&format!("labels {host}/a"), &[&one, &two]),
            (&format!("labels {host}/app:v"), &[&one, &two]),
            (&format!("labels alpine {host}/b"), &[&base]),
            (
                &format!("verifytool --platform linux/amd64 {host}/b"),
                &[&base],
            ),
            ("labels oci:im", &["oci:images"]),
            ("labels oci-archive:a", &["oci-archive:a.tar"]),
            ("labels -vr --cacert c", &["ca.pem"]),
            ("labels --cacert=c", &["ca.pem"]),
            ("labels --cache-dir t", &["tests"]),
            ("downloadlayer -o c", &["ca.pem"]),
            ("push --type=", &["docker", "oci"]),
            ("sbom --type=", &[]),
            ("-u x generate b", &["bash"]),
            ("help lab", &["labels"]),
        ] {
            assert_eq!(shell.offers(&tool, line), expected, "{shell:?}: {line}");
        }
        assert_eq!(registry.accepted(), before, "{shell:?}: TAB asks nobody");
    }
}

#[test]
fn tab_writes_the_line() {
    for shell in SHELLS {
        let registry = Registry::start();
        let Some(tool) = home(shell, &registry) else {
            continue;
        };
        let script = shell.script().display().to_string();
        let setup = format!(". '{script}'");
        let (args, setup): (&[&str], String) = match shell {
            Shell::Bash => (&["--norc", "--noprofile", "-i"], setup),
            Shell::Zsh => {
                let load = "autoload -Uz compinit && compinit -D -u";
                (&["-f", "-i"], format!("{load}; {setup}"))
            }
            Shell::Fish => (&["--no-config", "-i"], setup),
        };
        let prompt = "function fish_prompt; printf 'READY> '; end";
        let tool = match shell {
            Shell::Fish => tool.again(args).args(["-C", prompt]),
            _ => tool.again(args).env("PS1", "READY> "),
        };
        let line = format!(
            "docker-registry lab\t-r {}/b\t--color=nev\t\n",
            registry.host()
        );
        let seen = tool.terminal(&[
            ("READY> ", &format!("{setup}\n")),
            ("READY> ", &line),
            ("{\"a\":\"b\"}", "exit\n"),
        ]);
        // Half a word would have been an error, and no labels.
        seen.status(0);
    }
}

#[test]
fn the_cache_that_is_named_is_looked_into() {
    for shell in SHELLS {
        let registry = Registry::start();
        let Some(tool) = home(shell, &registry) else {
            continue;
        };
        let cache = tool.home().join(".cache/docker-registry");
        let tool = tool.env("XDG_CACHE_HOME", "/nowhere");
        let word = registry.image("b");
        assert!(shell.offers(&tool, &format!("labels {word}")).is_empty());
        for option in ["--cache-dir ", "--cache-dir="] {
            let line = format!("{option}{} labels {word}", cache.display());
            assert_eq!(
                shell.offers(&tool, &line),
                [registry.image("base")],
                "{shell:?}"
            );
        }
    }
}

#[test]
fn the_images_asked_for_before_are_told_without_an_error() {
    let registry = Registry::start();
    let Some(tool) = home(Shell::Bash, &registry) else {
        return;
    };
    let asked = |args: &[&str]| {
        let program = env!("CARGO_BIN_EXE_docker-registry");
        let run = tool
            .again(["-c", "exec \"$0\" __complete \"$@\"", program])
            .args(args);
        run.run().status(0).stderr("").text().to_owned()
    };
    let host = registry.host();
    let base = registry.image("base");
    assert_eq!(asked(&["labels", &base]), format!("{host}/base\n:4\n"));
    assert_eq!(
        asked(&["labels", "--no-such", &format!("{base}:")]),
        format!("{host}/base:latest\n:4\n")
    );
    let schemes = "oci:\noci-archive:\ndocker-archive:\n:6\n";
    for none in ["/dev/null", "/nowhere"] {
        assert_eq!(asked(&["labels", "--cache-dir", none, ""]), schemes);
    }
    assert_eq!(asked(&["labels", "--cache-dir", ""]), ":16\n");
    assert_eq!(asked(&["labels", "--jq", ""]), ":4\n");
}
