//! Packages for Debian and Fedora, made of an archive as a release has it, and what Homebrew, Scoop, Arch
//! Linux and Nix are told of a release.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Tool, installed, program, sha256};

const VERSION: &str = "1.2.3-rc.1";

const TARGETS: [&str; 7] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "armv7-unknown-linux-musleabihf",
    "riscv64gc-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-musl",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn packaging(name: &str) -> PathBuf {
    root().join(".github/packaging").join(name)
}

fn archive(target: &str) -> String {
    format!("docker-registry-{VERSION}-{target}.tar.gz")
}

/// A shell in a directory with a release's archive, of a program that prints its arguments.
fn release(target: &str) -> Tool {
    let make = "mkdir $1 && cd \"$2\" && cp -R README.md LICENSE CHANGELOG.md man completions \"$OLDPWD/$1\" && cd \"$OLDPWD\" &&
        printf '#!/bin/sh\\necho \"docker-registry $*\"\\n' >$1/docker-registry && chmod 700 $1/docker-registry &&
        tar -czf $1.tar.gz $1";
    let stem = format!("docker-registry-{VERSION}-{target}");
    let shell = Tool::program("/bin/sh").limit(Duration::from_secs(60));
    shell
        .again(["-c", make, "-", &stem])
        .arg(root())
        .run()
        .success("");
    shell
}

/// A shell in a directory with both packages for the machine; `None` where they cannot be made.
fn packaged(target: &str) -> Option<Tool> {
    let needed = [
        ("dpkg-deb", "dpkg"),
        ("fakeroot", "fakeroot"),
        ("rpmbuild", "rpm"),
    ];
    let is_able = needed
        .iter()
        .all(|(program, package)| installed(&format!("/usr/bin/{program}"), package));
    let shell = is_able.then(|| release(target))?;
    let package = "exec \"$1\" $2 . 2>&1";
    let package = shell.again(["-c", package, "-"]).arg(packaging("package"));
    let output = package.arg(archive(target)).run();
    assert_eq!(output.code, Some(0), "{}", output.text());
    Some(shell)
}

/// What the shell prints.
#[track_caller]
fn printed(shell: &Tool, script: &str) -> String {
    let output = shell.again(["-ec", script]).run().status(0);
    output.text().to_owned()
}

/// What both packages hold.
fn common() -> BTreeSet<String> {
    let man = fs::read_dir(root().join("man")).unwrap();
    let man = man.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let man = man.map(|page| format!("/usr/share/man/man1/{page}.gz"));
    let others = [
        "/usr/bin/docker-registry-cli",
        "/usr/libexec/docker/cli-plugins/docker-registry",
        "/usr/share/bash-completion/completions/docker-registry",
        "/usr/share/bash-completion/completions/docker-registry-cli",
        "/usr/share/doc/docker-registry-cli/CHANGELOG.md",
        "/usr/share/doc/docker-registry-cli/README.md",
        "/usr/share/fish/vendor_completions.d/docker-registry-cli.fish",
        "/usr/share/fish/vendor_completions.d/docker-registry.fish",
        "/usr/share/man/man1/docker-registry-cli.1.gz",
    ];
    man.chain(others.map(str::to_owned)).collect()
}

fn lines<const N: usize>(text: &str, and: [&str; N]) -> (BTreeSet<String>, BTreeSet<String>) {
    let listed = text.lines().map(str::to_owned).collect();
    let mut expected = common();
    expected.extend(and.map(str::to_owned));
    (listed, expected)
}

#[test]
fn each_machine_has_its_packages() {
    for (target, deb, rpm) in [
        ("x86_64-unknown-linux-musl", "amd64", "x86_64"),
        ("aarch64-unknown-linux-musl", "arm64", "aarch64"),
        ("armv7-unknown-linux-musleabihf", "armhf", "armv7hl"),
        ("riscv64gc-unknown-linux-musl", "riscv64", "riscv64"),
    ] {
        let Some(shell) = packaged(target) else {
            return;
        };
        let said = printed(
            &shell,
            "dpkg-deb --field docker-registry-cli_*.deb Package Version Architecture",
        );
        let expected =
            format!("Package: docker-registry-cli\nVersion: 1.2.3~rc.1\nArchitecture: {deb}\n");
        assert_eq!(said, expected);
        let said = printed(
            &shell,
            "rpm -qp --qf '%{NAME} %{VERSION} %{ARCH} %{LICENSE}' docker-registry-cli-*.rpm",
        );
        assert_eq!(
            said,
            format!("docker-registry-cli 1.2.3~rc.1 {rpm} Apache-2.0")
        );
        let packages = [
            format!("docker-registry-cli-{VERSION}.{rpm}.rpm"),
            format!("docker-registry-cli_{VERSION}_{deb}.deb"),
        ];
        let files = shell.files();
        let files: Vec<_> = files
            .iter()
            .filter(|name| name.starts_with("docker-registry-cli"))
            .collect();
        assert_eq!(files, packages.iter().collect::<Vec<_>>());
    }
    let refused = Tool::program(packaging("package"));
    for target in ["x86_64-apple-darwin", "mips-unknown-linux-musl"] {
        let archive = archive(target);
        let message = format!(
            "package: {}/{archive} is not for Linux\n",
            refused.work().canonicalize().unwrap().display()
        );
        let message = message.replace(
            "is not for Linux",
            "is for no machine that packages are made for",
        );
        refused.again([&archive, "."]).run().fails(2, message);
    }
}

#[test]
fn man_pages_and_completions_have_their_places() {
    let Some(shell) = packaged("x86_64-unknown-linux-musl") else {
        return;
    };
    let list = "dpkg-deb --fsys-tarfile docker-registry-cli_*.deb | tar -t | sed -n 's|^\\.\\(.*[^/]\\)$|\\1|p'";
    let (listed, expected) = lines(
        &printed(&shell, list),
        [
            "/usr/share/doc/docker-registry-cli/copyright",
            "/usr/share/zsh/vendor-completions/_docker-registry",
            "/usr/share/zsh/vendor-completions/_docker-registry-cli",
        ],
    );
    assert_eq!(listed, expected);
    let list = "rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\\n]' docker-registry-cli-*.rpm | sed -n 's/^[^d][^ ]* //p'";
    let (listed, expected) = lines(
        &printed(&shell, list),
        [
            "/usr/bin/docker-registry",
            "/usr/share/licenses/docker-registry-cli/LICENSE",
            "/usr/share/zsh/site-functions/_docker-registry",
            "/usr/share/zsh/site-functions/_docker-registry-cli",
        ],
    );
    assert_eq!(listed, expected);
    // Whatever the archive and the umask say.
    let modes = "dpkg-deb -c docker-registry-cli_*.deb | cut -d ' ' -f 1,2; rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME}\\n]' docker-registry-cli-*.rpm";
    let modes = printed(&shell, &format!("{{ {modes}; }} | sort -u"));
    assert_eq!(
        modes,
        "-rw-r--r-- root/root\n-rwxr-xr-x root/root\ndrwxr-xr-x root/root\nlrwxrwxrwx root/root\n"
    );
}

/// Packages are installed into a directory of the test's; what their scripts do is done there.
fn dpkg(shell: &Tool) -> impl Fn(&str) -> String {
    let dpkg = "mkdir -p root/var/lib/dpkg/updates root/var/lib/dpkg/info && touch root/var/lib/dpkg/status
        dpkg() {
            PATH=$PATH:/usr/sbin:/sbin fakeroot dpkg --root=\"$PWD/root\" --log=/dev/null --force-script-chrootless --force-architecture \"$@\" >/dev/null
        }
";
    let shell = shell.clone();
    move |script| printed(&shell, &format!("{dpkg}{script}"))
}

#[test]
fn the_deb_is_installed_and_removed() {
    let Some(shell) = packaged("x86_64-unknown-linux-musl") else {
        return;
    };
    let dpkg = dpkg(&shell);
    let said = dpkg("dpkg -i docker-registry-cli_*.deb
        cd root/usr
        bin/docker-registry a; bin/docker-registry-cli b; libexec/docker/cli-plugins/docker-registry c
        readlink bin/docker-registry
        gzip -dc share/man/man1/docker-registry-cli.1.gz | cmp - \"$OLDPWD\"/docker-registry-*/man/docker-registry.1
        gzip -dc share/man/man1/docker-registry-tags.1.gz | cmp - \"$OLDPWD\"/docker-registry-*/man/docker-registry-tags.1");
    let expected = "docker-registry a\ndocker-registry b\ndocker-registry c\ndocker-registry-cli\n";
    assert_eq!(said, expected);
    // What dpkg itself finds changed, and what is left.
    assert_eq!(
        dpkg("fakeroot dpkg --root=\"$PWD/root\" -V docker-registry-cli"),
        ""
    );
    assert_eq!(
        dpkg("dpkg -i docker-registry-cli_*.deb; ls root/usr/bin"),
        "docker-registry\ndocker-registry-cli\n"
    );
    assert_eq!(
        dpkg("dpkg -r docker-registry-cli; find root ! -type d ! -path 'root/var/lib/dpkg/*'"),
        ""
    );
}

#[test]
fn the_short_name_is_left_to_debians_server() {
    let Some(shell) = packaged("x86_64-unknown-linux-musl") else {
        return;
    };
    let control = "Package: docker-registry\nVersion: 2.8\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: server\n";
    let shell = shell.file("work/server/DEBIAN/control", control);
    let shell = shell.file(
        "work/server/usr/bin/docker-registry",
        "#!/bin/sh\necho server\n",
    );
    printed(
        &shell,
        "chmod 755 server/usr/bin/docker-registry; dpkg-deb --root-owner-group --build server server.deb",
    );
    let dpkg = dpkg(&shell);
    let both = "server\ndocker-registry b\n";
    let ask = "root/usr/bin/docker-registry a; root/usr/bin/docker-registry-cli b";
    // First the server, then ours, and the server goes.
    assert_eq!(
        dpkg(&format!(
            "dpkg -i server.deb; dpkg -i docker-registry-cli_*.deb; {ask}"
        )),
        both
    );
    let ours = "docker-registry a\ndocker-registry b\n";
    assert_eq!(dpkg(&format!("dpkg -r docker-registry; {ask}")), ours);
    // The server comes over the link, and ours goes.
    assert_eq!(dpkg(&format!("dpkg -i server.deb; {ask}")), both);
    assert_eq!(dpkg("fakeroot dpkg --root=\"$PWD/root\" -V"), "");
    assert_eq!(
        dpkg("dpkg -r docker-registry-cli; ls root/usr/bin; root/usr/bin/docker-registry"),
        "docker-registry\nserver\n"
    );
    // A link of somebody else's stays.
    let own = "dpkg -r docker-registry; mkdir -p root/usr/bin; ln -s elsewhere root/usr/bin/docker-registry; dpkg -i docker-registry-cli_*.deb; dpkg -r docker-registry-cli; readlink root/usr/bin/docker-registry";
    assert_eq!(dpkg(own), "elsewhere\n");
}

#[test]
fn completions_call_the_program_by_the_name_that_is_completed() {
    let Some(shell) = packaged("x86_64-unknown-linux-musl") else {
        return;
    };
    printed(&shell, "dpkg-deb -x docker-registry-cli_*.deb root");
    let own = Path::new(env!("CARGO_BIN_EXE_docker-registry"));
    std::os::unix::fs::symlink(own, shell.home().join("bin/docker-registry-cli")).unwrap();
    // As Debian's server has them: of the same library.
    let shell = shell.script("docker-registry", "echo garbage-collect; echo :4");
    let share = shell.work().join("root/usr/share");
    // Both are loaded: neither takes the other's place.
    let bash = "for name in docker-registry docker-registry-cli; do . $0/bash-completion/completions/$name; done
        for name in docker-registry docker-registry-cli; do
            COMP_LINE=\"$name digest\"
            COMP_POINT=${#COMP_LINE} COMPREPLY=() function=$(complete -p $name); function=${function#complete -F }
            ${function%% *}; echo $name: ${COMPREPLY[@]}
        done";
    let bash = Tool::program("/bin/bash")
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", shell.home().join("bin").display()),
        )
        .args(["-c", bash])
        .arg(&share);
    bash.run()
        .success("docker-registry: garbage-collect\ndocker-registry-cli: digestlist digest\n");
    if let Some(fish) = program("/usr/bin/fish", "fish") {
        let script = "for name in docker-registry docker-registry-cli; source $argv[1]/fish/vendor_completions.d/$name.fish; end
            complete -C 'docker-registry '; complete -C 'docker-registry-cli digestl'";
        let fish = fish.env(
            "PATH",
            format!("{}:/usr/bin:/bin", shell.home().join("bin").display()),
        );
        let output = fish.args(["--no-config", "-c", script]).arg(&share).run();
        let first: Vec<&str> = output
            .text()
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        assert_eq!(first, ["garbage-collect", "digestlist"]);
    }
}

/// A directory with the archives of a release, and what `fill` makes of them.
fn filled(targets: &[&str]) -> Tool {
    let fill = Tool::program(packaging("fill")).arg(".");
    targets.iter().fold(fill, |fill, target| {
        fill.file(&format!("work/{}", archive(target)), target)
    })
}

fn text(tool: &Tool, name: &str) -> String {
    fs::read_to_string(tool.work().join(name)).unwrap()
}

#[test]
fn version_and_checksums_are_filled_in() {
    let fill = filled(&TARGETS);
    fill.run().success("");
    for (name, wanted) in [
        ("docker-registry-cli.rb", 4),
        ("docker-registry-cli.json", 1),
        ("PKGBUILD", 4),
    ] {
        let text = text(&fill, name);
        let sums = TARGETS.map(|target| sha256(target.as_bytes()).replace("sha256:", ""));
        assert_eq!(
            sums.iter().filter(|sum| text.contains(*sum)).count(),
            wanted,
            "{name}"
        );
        assert!(text.contains(VERSION), "{name}");
        assert!(text.contains(env!("CARGO_PKG_REPOSITORY")), "{name}");
        assert!(
            text.contains(env!("CARGO_PKG_DESCRIPTION").split(". ").next().unwrap()),
            "{name}"
        );
        assert!(!text.contains('@') || name == "PKGBUILD", "{name}");
    }
    let fill = filled(&TARGETS[1..]);
    let output = fill.run().status(1).stderr("fill: an archive is missing\n");
    assert_eq!(
        output.text(),
        "docker-registry-cli.rb:10:      sha256 \"@SHA256:aarch64-apple-darwin@\"\n"
    );
}

#[test]
fn homebrew_is_told_the_archive_of_each_machine() {
    let Some(ruby) = program("/usr/bin/ruby", "ruby") else {
        return;
    };
    let fill = filled(&TARGETS);
    fill.run().success("");
    // As much of Homebrew as tells which archive is taken for a machine.
    let homebrew = r#"
        require 'digest'
        class Formula
          def self.method_missing(name, *arguments, &block)
            case name
            when :on_macos, :on_linux then @system = name; block.call
            when :on_arm, :on_intel then @machine = name; block.call
            when :url then @url = arguments[0]
            when :sha256
              target = @url[/rc\.1-(.*)\.tar\.gz$/, 1]
              puts [@system, @machine, target, Digest::SHA256.hexdigest(target) == arguments[0]].join(' ')
            end
          end
          # Every object has one of its own.
          def self.test; end
        end
        load ARGV[0]
    "#;
    let formula = fill.work().join("docker-registry-cli.rb");
    ruby.again(["-wc"])
        .arg(&formula)
        .run()
        .success("Syntax OK\n");
    ruby.args(["-e", homebrew]).arg(&formula).run().success(
        "on_macos on_arm aarch64-apple-darwin true\non_macos on_intel x86_64-apple-darwin true\n\
         on_linux on_arm aarch64-unknown-linux-musl true\non_linux on_intel x86_64-unknown-linux-musl true\n",
    );
}

#[test]
fn scoop_is_told_the_archive() {
    let fill = filled(&TARGETS);
    fill.run().success("");
    let manifest: Value = serde_json::from_str(&text(&fill, "docker-registry-cli.json")).unwrap();
    let target = "x86_64-pc-windows-msvc";
    let stem = format!("docker-registry-{VERSION}-{target}");
    let releases = format!("{}/releases/download", env!("CARGO_PKG_REPOSITORY"));
    assert_eq!(
        manifest["architecture"],
        json!({"64bit": {
            "url": format!("{releases}/v{VERSION}/{stem}.tar.gz"),
            "hash": sha256(target.as_bytes()).replace("sha256:", ""),
            "extract_dir": stem,
        }})
    );
    assert_eq!(manifest["version"], VERSION);
    assert_eq!(manifest["bin"], "docker-registry.exe");
    // The next version is found by the same names.
    let next = manifest["autoupdate"]
        .to_string()
        .replace("$version", VERSION);
    assert!(
        next.contains(&format!("\"{releases}/v{VERSION}/{stem}.tar.gz\"")),
        "{next}"
    );
}

#[test]
fn arch_linux_gets_what_belongs_to_it() {
    let target = "x86_64-unknown-linux-musl";
    let release = release(target);
    let fill = filled(&TARGETS);
    fill.run().success("");
    if let Some(shellcheck) = program("/usr/bin/shellcheck", "shellcheck") {
        // What makepkg reads and sets; it ends at the first error.
        let checked = shellcheck.args(["--shell=bash", "--exclude=SC2034,SC2154,SC2164"]);
        checked.arg(fill.work().join("PKGBUILD")).run().success("");
    }
    let makepkg = "set -e; . $0; echo $pkgver ${source_x86_64[0]##*/} ${sha256sums_x86_64[0]}
        srcdir=$PWD pkgdir=$PWD/package; mkdir package; (package); cd package; find . ! -type d";
    let bash = Tool::program("/bin/bash").args(["-c", &format!("cd $1; {makepkg}")]);
    let output = bash
        .arg(fill.work().join("PKGBUILD"))
        .arg(release.work())
        .run()
        .status(0)
        .stderr("");
    let (first, listed) = output.text().split_once('\n').unwrap();
    let sum = sha256(target.as_bytes()).replace("sha256:", "");
    assert_eq!(first, format!("1.2.3_rc.1 {} {sum}", archive(target)));
    let listed: BTreeSet<&str> = listed
        .lines()
        .map(|path| path.trim_start_matches('.'))
        .collect();
    for path in [
        "/usr/bin/docker-registry",
        "/usr/lib/docker/cli-plugins/docker-registry",
        "/usr/share/bash-completion/completions/docker-registry",
        "/usr/share/fish/vendor_completions.d/docker-registry.fish",
        "/usr/share/licenses/docker-registry-cli-bin/LICENSE",
        "/usr/share/man/man1/docker-registry-tags.1",
        "/usr/share/zsh/site-functions/_docker-registry",
    ] {
        assert!(listed.contains(path), "{path} is not in {listed:?}");
    }
}

/// As much of nixpkgs as shows what it is given.
const NIXPKGS: &str = r#"
    let
      lib.importTOML = path: builtins.fromTOML (builtins.readFile path);
      lib.genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);
      lib.licenses.asl20 = "Apache-2.0";
      pkgs.rustPlatform.buildRustPackage = it: { inherit (it) pname version meta; src = toString it.src; lock = toString it.cargoLock.lockFile; };
      legacyPackages = { x86_64-linux = pkgs; aarch64-linux = pkgs; x86_64-darwin = pkgs; aarch64-darwin = pkgs; };
    in file: ((import file).outputs { self = { }; nixpkgs = { inherit lib legacyPackages; }; }).packages
"#;

#[test]
fn nix_builds_this_version() {
    let Some(nix) = program("/usr/bin/nix-instantiate", "nix-bin") else {
        return;
    };
    let nix = ["STATE", "STORE", "LOG", "CONF"]
        .iter()
        .fold(nix, |nix, kind| {
            let directory = nix.home().join("nix").join(kind);
            nix.env(&format!("NIX_{kind}_DIR"), directory)
        });
    let call = format!("({NIXPKGS}) {}", packaging("flake.nix").display());
    let nix = nix.args([
        "--eval", "--strict", "--json", "--store", "dummy://", "-E", &call,
    ]);
    let output = nix.run().status(0);
    let packages = output.json();
    assert_eq!(packages.as_object().unwrap().len(), 4);
    for package in packages.as_object().unwrap().values() {
        let expected = json!({
            "pname": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "src": root(),
            "lock": root().join("Cargo.lock"),
            "meta": {
                "description": env!("CARGO_PKG_DESCRIPTION"),
                "homepage": env!("CARGO_PKG_REPOSITORY"),
                "license": "Apache-2.0",
                "mainProgram": "docker-registry",
            },
        });
        assert_eq!(package["default"], expected);
    }
}
