//! `install.sh` against a server on loopback: what it installs, and what it leaves alone.
#![cfg(unix)]

use std::fs;
use std::io::{BufReader, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::harness::{Registry, Request, Response, Server, Tls, Tool, gzip, sha256};

/// A server of files by path, laid out as GitHub has a project's releases.
struct Mirror {
    server: Server,
}

impl Mirror {
    /// What is not among the files is not found. A `/` at the end of a path cuts the file in half.
    fn of(files: Vec<(String, Vec<u8>)>) -> Mirror {
        let listener = Server::listener(Ipv4Addr::LOCALHOST);
        let server = Server::start(listener, move |mut socket, _| {
            let request = Request::read(&mut BufReader::new(&socket), 0);
            let Ok(Some(request)) = request else { return };
            let half = format!("{}/", request.target);
            let named = |name: &str| files.iter().find(|(path, _)| path == name);
            let response = match (named(&request.target), named(&half)) {
                (Some((_, file)), _) => Response::new(200).body(file.clone()),
                (None, Some((_, file))) => Response::new(200)
                    .header("Content-Length", file.len().to_string())
                    .body(&file[..file.len() / 2]),
                (None, None) => Response::new(404),
            };
            let response = response.header("Connection", "close");
            socket.write_all(&response.head()).ok();
            socket.write_all(&response.body).ok();
        });
        Mirror { server }
    }

    /// A release of which nothing is wrong, the latest.
    fn with(version: &str) -> Mirror {
        let archive = archive(version, &program(version));
        Mirror::of(vec![
            (LATEST.to_owned(), line(&archive, &name(version))),
            (path(version), archive),
        ])
    }

    fn base(&self) -> String {
        format!("http://{}", self.server.host())
    }

    fn install(&self) -> Tool {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
        let tool = Tool::program("/bin/sh").arg(script);
        let directory = tool.home().join("programs");
        tool.env("BASE_URL", self.base())
            .env("INSTALL_DIR", directory)
            .script("gh", &gh("auth) exit 1 ;;"))
    }
}

/// The double of a gh that knows how to verify, with its cases of `$1`.
fn gh(cases: &str) -> String {
    format!(
        "case $* in *--help*) echo ' --signer-workflow string'; exit ;; esac\ncase $1 in {cases} esac"
    )
}

const LATEST: &str = "/latest/download/SHA256SUMS";

fn program(version: &str) -> Vec<u8> {
    format!("#!/bin/sh\necho docker-registry {version}\n").into_bytes()
}

fn target() -> String {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("macos", arch) => format!("{arch}-apple-darwin"),
        (_, "arm") => "armv7-unknown-linux-musleabihf".to_owned(),
        (_, "riscv64") => "riscv64gc-unknown-linux-musl".to_owned(),
        (_, arch) => format!("{arch}-unknown-linux-musl"),
    }
}

/// What is in the archive and its name's beginning.
fn stem(version: &str) -> String {
    format!("docker-registry-{version}-{}", target())
}

fn name(version: &str) -> String {
    format!("{}.tar.gz", stem(version))
}

fn path(version: &str) -> String {
    format!("/download/v{version}/{}", name(version))
}

fn archive(version: &str, program: &[u8]) -> Vec<u8> {
    archive_of(version, &[("docker-registry", program)])
}

/// Files by their path below the archive's directory.
fn archive_of(version: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        let path = format!("{}/{path}", stem(version));
        builder.append_data(&mut header, path, *content).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

/// A line of SHA256SUMS.
fn line(archive: &[u8], name: &str) -> Vec<u8> {
    let digest = sha256(archive);
    let hex = digest.trim_start_matches("sha256:");
    format!("{hex}  {name}\n").into_bytes()
}

/// All that stands in the directory it installs into.
fn installed(tool: &Tool) -> Vec<String> {
    let entries = fs::read_dir(tool.home().join("programs"));
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries
        .map(|entries| entries.flatten().map(name).collect())
        .unwrap_or_default()
}

fn said(tool: &Tool, version: &str) -> String {
    says(
        &tool.home().join("programs"),
        version,
        "not verified, for gh is not logged in",
    )
}

fn says(directory: &Path, version: &str, provenance: &str) -> String {
    let program = directory.join("docker-registry").display().to_string();
    format!(
        "docker-registry {version} is installed: {program}\n\
         its SHA-256 is verified, its provenance {provenance}\n"
    )
}

fn not_in_path(tool: &Tool) -> String {
    let directory = tool.home().join("programs");
    format!("{0} is not in PATH: add it there\n", directory.display())
}

#[test]
fn the_latest_release_is_installed() {
    let mirror = Mirror::with("1.2.3");
    let tool = mirror.install();
    let output = tool.run().status(0);
    output
        .stdout(said(&tool, "1.2.3"))
        .stderr(not_in_path(&tool));
    let program = tool.home().join("programs/docker-registry");
    assert_eq!(fs::read(&program).unwrap(), self::program("1.2.3"));
    assert_eq!(
        fs::metadata(program).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert_eq!(installed(&tool), ["docker-registry"]);
    assert_eq!(mirror.server.accepted(), 2);
}

#[test]
fn a_version_may_be_chosen() {
    for version in ["1.2.3", "v1.2.3"] {
        let archive = archive("1.2.3", &program("1.2.3"));
        let other = line(b"another", &name("1.2.30"));
        let sums = [other, line(&archive, &name("1.2.3"))].concat();
        let mirror = Mirror::of(vec![
            ("/download/v1.2.3/SHA256SUMS".to_owned(), sums),
            (path("1.2.3"), archive),
        ]);
        let tool = mirror.install().env("VERSION", version);
        tool.run().status(0).stdout(said(&tool, "1.2.3"));
    }
}

#[test]
fn no_root_and_no_setting_is_needed() {
    let mirror = Mirror::with("1.2.3");
    let tool = mirror.install().without_env("INSTALL_DIR");
    let system = tool.home().join("usr/local/bin");
    let own = tool.home().join(".local/bin");
    let mut path = own.clone().into_os_string();
    path.push(":/usr/bin:/bin");
    // The system's directory is another for each test machine, and none that a test may write to.
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh"));
    let script = script
        .unwrap()
        .replace("/usr/local/bin", &system.display().to_string());
    let piped = tool
        .again(["-s", "--", "--no-extras"])
        .stdin(script)
        .env("PATH", path);
    let message = |directory| says(directory, "1.2.3", "not verified, for gh is not there");
    piped.run().success(message(&own));
    fs::create_dir_all(&system).unwrap();
    piped.run().status(0).stdout(message(&system));
}

#[test]
fn a_version_that_is_there_is_replaced_in_one_step() {
    let mirror = Mirror::with("1.2.3");
    let tool = mirror.install().file("programs/docker-registry", "old");
    // Whoever has the old one open keeps it: it was not written over.
    let link = tool.home().join("old");
    fs::hard_link(tool.home().join("programs/docker-registry"), &link).unwrap();
    tool.run().status(0).stdout(said(&tool, "1.2.3"));
    assert_eq!(fs::read(link).unwrap(), b"old");
    assert_eq!(installed(&tool), ["docker-registry"]);
}

/// Installs over an old version, which must survive; gives the message.
#[track_caller]
fn refused(mirror: &Mirror) -> String {
    let tool = mirror.install().file("programs/docker-registry", "old");
    let output = tool.run().status(1).stdout("");
    assert_eq!(installed(&tool), ["docker-registry"]);
    let program = tool.home().join("programs/docker-registry");
    assert_eq!(fs::read(program).unwrap(), b"old");
    let home = tool.home().display().to_string();
    let message = output.messages();
    assert_eq!(message.lines().count(), 1, "{message}");
    let message = message.replace(&home, "HOME");
    message.replace(&mirror.base(), "BASE")
}

#[test]
fn a_wrong_checksum_installs_nothing() {
    let mirror = Mirror::of(vec![
        (LATEST.to_owned(), line(b"something else", &name("1.2.3"))),
        (path("1.2.3"), archive("1.2.3", &program("1.2.3"))),
    ]);
    let why = "its SHA-256 is not the one in SHA256SUMS: nothing was installed";
    let expected = format!("install.sh: BASE{}: {why}\n", path("1.2.3"));
    assert_eq!(refused(&mirror), expected);
}

#[test]
fn half_a_download_installs_nothing() {
    let archive = archive("1.2.3", &program("1.2.3"));
    let mirror = Mirror::of(vec![
        (LATEST.to_owned(), line(&archive, &name("1.2.3"))),
        (path("1.2.3") + "/", archive),
    ]);
    let message = refused(&mirror);
    let start = format!("install.sh: BASE{}: curl: (18) ", path("1.2.3"));
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn what_is_not_there_is_named() {
    let missing = |path: &str| {
        format!("install.sh: BASE{path}: curl: (22) The requested URL returned error: 404\n")
    };
    let mirror = Mirror::of(Vec::new());
    assert_eq!(refused(&mirror), missing(LATEST));
    let listed = |name: &str| Mirror::of(vec![(LATEST.to_owned(), line(b"", name))]);
    let mirror = listed(&name("1.2.3"));
    assert_eq!(refused(&mirror), missing(&path("1.2.3")));
    let mirror = listed("docker-registry-1.2.3-pdp11-unknown.tar.gz");
    let target = target();
    let expected = format!("install.sh: BASE{LATEST} lists no build for {target}\n");
    assert_eq!(refused(&mirror), expected);
}

#[test]
fn a_program_that_does_not_run_here_is_not_installed() {
    let archive = archive("1.2.3", b"#!/bin/sh\nexit 1\n");
    let mirror = Mirror::of(vec![
        (LATEST.to_owned(), line(&archive, &name("1.2.3"))),
        (path("1.2.3"), archive),
    ]);
    let target = target();
    let expected = format!("install.sh: the program for {target} does not run on this system\n");
    assert_eq!(refused(&mirror), expected);
}

#[test]
fn a_directory_that_cannot_be_written_to_is_named() {
    let mirror = Mirror::with("1.2.3");
    // Not even root makes a directory below a file.
    let tool = mirror.install().file("file", "");
    let directory = tool.home().join("file/programs");
    let tool = tool.env("INSTALL_DIR", &directory);
    tool.run().fails(
        1,
        format!(
            "install.sh: cannot write to {}: set INSTALL_DIR to a directory of your own\n",
            directory.display()
        ),
    );
}

/// The script where only these programs are.
fn with_only(mirror: &Mirror, programs: &[&str]) -> Tool {
    let tool = mirror.install();
    let bin = tool.home().join("bin");
    fs::remove_file(bin.join("gh")).unwrap();
    for program in programs {
        let found = ["/usr/bin", "/bin"].map(|directory| Path::new(directory).join(program));
        let found = found.iter().find(|path| path.exists());
        let found = found.unwrap_or_else(|| panic!("{program} is not there"));
        symlink(found, bin.join(program)).unwrap();
    }
    tool.env("PATH", bin)
}

const BASICS: [&str; 12] = [
    "uname", "mkdir", "mktemp", "rm", "mv", "grep", "tail", "tar", "gzip", "sh", "cat", "tr",
];

#[test]
fn wget_and_shasum_do_as_well() {
    let mirror = Mirror::with("1.2.3");
    let tool = with_only(
        &mirror,
        &[&BASICS[..], &["wget", "shasum", "perl"]].concat(),
    );
    let said = said(&tool, "1.2.3").replace("logged in", "there");
    tool.run().status(0).stdout(said);

    let mirror = Mirror::of(Vec::new());
    let tool = with_only(&mirror, &[&BASICS[..], &["wget", "shasum"]].concat());
    let output = tool.run().status(1).stdout("");
    let message = output.messages();
    assert!(message.ends_with(" ERROR 404: Not Found.\n"), "{message}");
    assert!(message.starts_with("install.sh: "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn what_it_needs_is_named() {
    let mirror = Mirror::with("1.2.3");
    let tool = with_only(&mirror, &BASICS);
    tool.run().fails(1, "install.sh: curl or wget is needed\n");
    let tool = mirror.install().script("uname", "echo Plan9");
    let expected = "install.sh: there is no build for Plan9 on Plan9: 'cargo install docker-registry-cli' makes one\n";
    tool.run().fails(1, expected);
}

#[test]
fn every_system_gets_its_build() {
    for (system, machine, target) in [
        ("Linux", "x86_64", "x86_64-unknown-linux-musl"),
        ("Linux", "aarch64", "aarch64-unknown-linux-musl"),
        ("Linux", "armv7l", "armv7-unknown-linux-musleabihf"),
        ("Linux", "riscv64", "riscv64gc-unknown-linux-musl"),
        ("Darwin", "arm64", "aarch64-apple-darwin"),
        ("Darwin", "x86_64", "x86_64-apple-darwin"),
        ("MINGW64_NT-10.0", "x86_64", "x86_64-pc-windows-msvc"),
    ] {
        let mirror = Mirror::of(vec![(LATEST.to_owned(), Vec::new())]);
        let uname = format!("case $1 in -s) echo {system} ;; -m) echo {machine} ;; esac");
        let tool = mirror.install().script("uname", &uname);
        let base = mirror.base();
        let message = format!("install.sh: {base}{LATEST} lists no build for {target}\n");
        tool.script("sysctl", "exit 1").run().fails(1, message);
    }
}

#[test]
fn no_redirect_leads_from_https_to_http() {
    for (fetches, why) in [
        ("curl", "not supported"),
        ("wget", ": a redirect leads from HTTPS to HTTP\n"),
    ] {
        let mirror = Mirror::with("1.2.3");
        let secure = Registry::builder().tls(Tls::authority()).start();
        let elsewhere = Response::new(302).header("Location", mirror.base() + LATEST);
        secure.answer("GET", LATEST, elsewhere);
        let programs = [&BASICS[..], &[fetches, "sha256sum"]].concat();
        let authority = secure.ca();
        let tool = with_only(&mirror, &programs)
            .env("BASE_URL", secure.base().replace("https:", "HttpS:"))
            .env("CURL_CA_BUNDLE", &authority)
            .file(
                "wgetrc",
                format!("ca_certificate = {}\n", authority.display()),
            );
        let tool = tool.clone().env("WGETRC", tool.home().join("wgetrc"));
        let output = tool.run().status(1).stdout("");
        let message = output.messages();
        assert!(message.contains(why), "{fetches}: {message}");
        assert_eq!(installed(&tool), [""; 0], "{fetches}");
        assert_eq!(secure.take(), [format!("GET {LATEST}")], "{fetches}");
        let asked = mirror.server.accepted();
        assert!(
            asked <= usize::from(fetches == "wget"),
            "{fetches}: {asked}"
        );
    }
}

#[test]
fn what_the_environment_says_is_looked_at() {
    let url = "BASE_URL wants https://… or http://…";
    let version = "VERSION wants a release, such as 0.1.0";
    for (variable, value, why) in [
        ("BASE_URL", "example.invalid", url),
        ("BASE_URL", "ftp://example.invalid", url),
        ("BASE_URL", "https://", url),
        (
            "BASE_URL",
            "https://a.invalid\nb",
            "BASE_URL holds a line break",
        ),
        (
            "INSTALL_DIR",
            "/nowhere\nelse",
            "INSTALL_DIR holds a line break",
        ),
        ("VERSION", ".*", version),
        ("VERSION", "../../x", version),
        ("VERSION", "1\n2", version),
    ] {
        let mirror = Mirror::with("1.2.3");
        let tool = mirror.install().env(variable, value);
        tool.run().fails(1, format!("install.sh: {why}\n"));
        assert_eq!(mirror.server.accepted(), 0, "{variable}={value}");
    }
}

#[test]
fn what_others_say_cannot_drive_the_terminal() {
    let mirror = Mirror::with("1.2.3");
    let tar = "printf 'a\\033]0;b\\233c\\nlast \\033[2J\\n' >&2; exit 2";
    let output = mirror.install().script("tar", tar).run().status(1);
    let message = output.messages();
    assert!(
        message.ends_with(": cannot be unpacked: last ?[2J\n"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn only_the_program_is_unpacked() {
    let program = program("1.2.3");
    let archive = archive_of(
        "1.2.3",
        &[("another", &program), ("docker-registry", &program)],
    );
    let mirror = Mirror::of(vec![
        (LATEST.to_owned(), line(&archive, &name("1.2.3"))),
        (path("1.2.3"), archive),
    ]);
    let tool = mirror.install();
    let listing = "cp -r \"$4\" \"$HOME/seen\"";
    let tool = tool.script("tar", &format!("/bin/tar \"$@\" && {listing}"));
    tool.run().status(0).stdout(said(&tool, "1.2.3"));
    let seen = fs::read_dir(tool.home().join("seen").join(stem("1.2.3")));
    let seen = seen.unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(seen.collect::<Vec<_>>(), ["docker-registry"]);
}

/// A release with all that the real one has.
fn complete() -> Mirror {
    let archive = archive_of(
        "1.2.3",
        &[
            ("docker-registry", &program("1.2.3")),
            ("README.md", b"readme"),
            ("man/docker-registry.1", b"page"),
            ("man/docker-registry-tags.1", b"tags"),
            ("completions/docker-registry.bash", b"bash"),
            ("completions/docker-registry.fish", b"fish"),
            ("completions/_docker-registry", b"zsh"),
            ("completions/_docker-registry.ps1", b"powershell"),
        ],
    );
    Mirror::of(vec![
        (LATEST.to_owned(), line(&archive, &name("1.2.3"))),
        (path("1.2.3"), archive),
    ])
}

/// What the release has beside the program, by where it belongs.
const EXTRAS: [(&str, &str); 5] = [
    ("man/man1/docker-registry.1", "page"),
    ("man/man1/docker-registry-tags.1", "tags"),
    ("bash-completion/completions/docker-registry", "bash"),
    ("fish/vendor_completions.d/docker-registry.fish", "fish"),
    ("zsh/site-functions/_docker-registry", "zsh"),
];

#[test]
fn man_pages_and_completions_go_beside_bin() {
    let mirror = complete();
    let tool = mirror.install();
    let (bin, share) = (
        tool.home().join("local/bin"),
        tool.home().join("local/share"),
    );
    let tool = tool.env("INSTALL_DIR", &bin);
    let installed = says(&bin, "1.2.3", "not verified, for gh is not logged in");
    let extras = format!(
        "its man pages and its completions for bash, fish and zsh are installed: {}\n",
        share.display()
    );
    // The second time over what is there.
    for _ in 0..2 {
        tool.run().status(0).stdout(format!("{installed}{extras}"));
        for (path, content) in EXTRAS {
            let path = share.join(path);
            assert_eq!(
                fs::read_to_string(&path).unwrap(),
                content,
                "{}",
                path.display()
            );
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o644
            );
        }
        assert_eq!(fs::read_dir(&bin).unwrap().count(), 1);
        assert_eq!(fs::read_dir(share.join("man/man1")).unwrap().count(), 2);
    }
    fs::remove_dir_all(&share).unwrap();
    tool.clone()
        .arg("--no-extras")
        .run()
        .status(0)
        .stdout(&installed);
    assert!(!share.exists());
    // Where they cannot go the program goes all the same.
    fs::write(&share, "").unwrap();
    let message = format!(
        "its man pages and completions cannot be installed: {}\n",
        share.display()
    );
    let output = tool.run().status(0).stdout(&installed);
    assert!(
        output.messages().starts_with(&message),
        "{}",
        output.messages()
    );
    let unknown = "install.sh: no argument but --no-extras is known\n";
    tool.clone().arg("--extras").run().fails(1, unknown);
    // A directory of another name is not one that has share beside it.
    let tool = mirror.install();
    tool.run().status(0).stdout(said(&tool, "1.2.3"));
    assert!(!tool.home().join("share").exists());
}

#[test]
fn provenance_is_verified_where_gh_can() {
    let mirror = Mirror::with("1.2.3");
    let tool = mirror.install().file("programs/docker-registry", "old");
    let logged = gh("auth) ;; attestation) echo \"$GH_HOST $@\" >>\"$HOME/asked\" ;;");
    let output = tool.clone().script("gh", &logged).run().status(0);
    output.stdout(
        said(&tool, "1.2.3").replace("not verified, for gh is not logged in", "verified by gh"),
    );
    let asked = fs::read_to_string(tool.home().join("asked")).unwrap();
    let project = env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/");
    let words: Vec<&str> = asked.split_whitespace().collect();
    assert_eq!(
        words[..3],
        ["github.com", "attestation", "verify"],
        "{asked}"
    );
    assert!(
        words[3].ends_with(&format!("/{}", name("1.2.3"))),
        "{asked}"
    );
    let workflow = format!("{project}/.github/workflows/release.yml");
    assert_eq!(
        words[4..],
        ["--repo", project, "--signer-workflow", &workflow],
        "{asked}"
    );
    assert!(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(".github/workflows/release.yml")
            .exists()
    );

    let wrong = gh(
        "auth) ;; attestation) printf 'Loaded\\n\\nError: no \\033[1mattestations\\n' >&2; exit 1 ;;",
    );
    let tool = mirror
        .install()
        .file("programs/docker-registry", "old")
        .script("gh", &wrong);
    let message = format!(
        "install.sh: {}{}: its provenance cannot be verified: Error: no ?[1mattestations: nothing was installed\n",
        mirror.base(),
        path("1.2.3")
    );
    tool.run().fails(1, message);
    assert_eq!(
        fs::read(tool.home().join("programs/docker-registry")).unwrap(),
        b"old"
    );
    assert_eq!(installed(&tool), ["docker-registry"]);

    let tool = mirror
        .install()
        .script("gh", "echo 'unknown command' >&2; exit 1");
    let said = said(&tool, "1.2.3").replace("not logged in", "too old");
    tool.run().status(0).stdout(said);
}
