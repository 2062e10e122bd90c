//! The commands in README print what README says.
//!
//! A block fenced as `console` holds commands, each behind `$ `, and below each what it prints. All of
//! them are run: `BLESS=1 cargo test --test suite readme` writes anew what they print. The registries
//! that they name are this suite's, found through a proxy.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::attestations;
use crate::harness::{Image, Index, Proxy, Registry, Tls, Tool};
use crate::hello;

const REGISTRY: &str = "registry.example.com";
const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// The proxy that README names, which is ours.
const PROXY: &str = "http://proxy.example.com:3128";

/// A public key like that of `cosign generate-key-pair`, of which nobody has the other half.
const PUBLIC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEcDq35FyHHq/hZ/x9t7ol+rUM048S\n\
KUpgfsQ6Vi48D7OVTdUrAJF0QkaDv8HSglx+bEi+QM/mVaorE0RFt84Vkg==\n\
-----END PUBLIC KEY-----\n\
";

#[test]
fn readme_shows_what_commands_print() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let scene = Scene::new();
    let (retold, count) = retold(&readme, |command| scene.run(command));
    assert!(count > 25, "only {count} commands were run");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &retold).unwrap();
        return;
    }
    let line = |text: &str, i: usize| text.lines().nth(i).unwrap_or_default().to_owned();
    let differs = (0..readme.lines().count()).find(|&i| line(&readme, i) != line(&retold, i));
    if let Some(i) = differs {
        let (there, printed) = (line(&readme, i), line(&retold, i));
        let advice = "BLESS=1 cargo test --test suite readme";
        panic!(
            "README.md:{}: says '{there}', not '{printed}': {advice}",
            i + 1
        );
    }
    assert_eq!(readme, retold);
}

/// A shell in a directory like the repository's, with the program in its path, and the registries.
struct Scene {
    shell: Tool,
    proxy: Proxy,
    _registries: [Registry; 2],
}

impl Scene {
    fn new() -> Scene {
        let tls = std::sync::Arc::new(Tls::named(&[REGISTRY, ECR]));
        let registry = Registry::builder().tls(tls.clone()).start();
        seed(&registry);
        let ecr = Registry::builder().tls(tls).basic("AWS", "secret").start();
        Image::new("linux/amd64").push_to(&ecr, "app", "1.0.0");
        let proxy = Proxy::start()
            .route(&format!("{REGISTRY}:443"), &registry.host())
            .route(&format!("{ECR}:443"), &ecr.host());
        let config = "{\"credHelpers\": {\"*.dkr.ecr.*.amazonaws.com\": \"ecr-login\"}}\n";
        let helper = "echo '{\"Username\": \"AWS\", \"Secret\": \"secret\"}'";
        let shell = Tool::program("/bin/sh")
            .env("HTTPS_PROXY", proxy.url())
            .env("SSL_CERT_FILE", registry.ca())
            .file(".docker/config.json", config)
            .script("docker-credential-ecr-login", helper);
        let work = shell.work();
        hello::make(&work.join("tests/fixtures/hello"));
        fs::copy(registry.ca(), work.join("ca.pem")).unwrap();
        fs::write(work.join("cosign.pub"), PUBLIC_KEY).unwrap();
        let program = env!("CARGO_BIN_EXE_docker-registry");
        std::os::unix::fs::symlink(program, shell.home().join("bin/docker-registry")).unwrap();
        Scene {
            shell,
            proxy,
            _registries: [registry, ecr],
        }
    }

    fn run(&self, command: &str) -> String {
        let command = command.replace(PROXY, &self.proxy.url());
        let command = format!("exec 2>&1\n{command}");
        self.shell.again(["-c", &command]).run().text().to_owned()
    }
}

/// What the recipes ask for.
fn seed(registry: &Registry) {
    // For whichever machine the tests run on.
    let list = |change: &dyn Fn(Image) -> Image| {
        ["linux/amd64", "linux/arm64/v8"]
            .iter()
            .fold(Index::new(), |list, platform| {
                let image = Image::new(platform).layer("etc/os-release", b"base");
                list.image(change(image))
            })
    };
    let base = list(&|image| image.layer("python", &[1; 1000]));
    let base = base.push_to(registry, "base", "3.12");
    let app = list(&|image| image.label("org.opencontainers.image.revision", "03e2a663ba5e"));
    for tag in ["1.9.0", "1.10.0", "2.0.0-rc.1", "latest"] {
        app.push_to(registry, "app", tag);
    }
    shop(registry, &base);
    // Looked for when they are deleted.
    registry
        .absent("/v2/scratch/check/manifests/docker-registry-test-*")
        .on("HEAD")
        .after(1);
}

/// An application on `base:3.12`, as BuildKit pushes it with `--sbom` and `--provenance`.
fn shop(registry: &Registry, base: &str) {
    let mut index = Index::new().oci();
    let mut attached = Vec::new();
    for platform in ["linux/amd64", "linux/arm64/v8"] {
        let image = Image::new(platform).oci().layer("etc/os-release", b"base");
        let image = image.layer("python", &[1; 1000]);
        let image = image.layer("srv/shop.py", b"print('open')\n");
        let image = image
            .label(
                "org.opencontainers.image.base.name",
                &format!("{REGISTRY}/base:3.12"),
            )
            .label("org.opencontainers.image.base.digest", base)
            .in_manifest(
                "annotations",
                json!({"org.opencontainers.image.revision": "5b71d2e"}),
            );
        index = index.image(image.clone());
        attached.push(image);
    }
    let sbom = json!({
        "spdxVersion": "SPDX-2.3",
        "packages": [{"name": "python", "versionInfo": "3.12.7"}, {"name": "musl", "versionInfo": "1.2.5"}],
    });
    let provenance = json!({
        "buildType": "https://mobyproject.org/buildkit@v1",
        "invocation": {"configSource": {"uri": "https://example.com/shop.git#main"}},
    });
    for image in attached {
        let blobs = [
            ("https://spdx.dev/Document", &sbom),
            ("https://slsa.dev/provenance/v0.2", &provenance),
        ];
        let layers = blobs.iter().map(|(kind, predicate)| {
            let bytes = attestations::statement(kind, predicate)
                .to_string()
                .into_bytes();
            json!({
                "mediaType": "application/vnd.in-toto+json",
                "size": bytes.len(),
                "digest": registry.blob("shop", bytes),
                "annotations": {"in-toto.io/predicate-type": kind},
            })
        });
        let manifest = Image::new("unknown/unknown")
            .oci()
            .in_manifest("layers", layers.collect());
        let annotations = json!({
            "vnd.docker.reference.digest": image.digest(),
            "vnd.docker.reference.type": "attestation-manifest",
        });
        index = index.annotated(manifest, annotations);
    }
    // Neither signatures nor attestations of cosign.
    registry.absent("/v2/shop/manifests/sha256-*");
    for tag in ["1.4.0", "1.4.1", "1.5.0", "2.0.0"] {
        index.push_to(registry, "shop", tag);
    }
}

/// The text with what each command prints now, and how many were run.
fn retold(readme: &str, run: impl Fn(&str) -> String) -> (String, usize) {
    let (mut text, mut count) = (String::new(), 0);
    let mut is_console = false;
    for line in readme.split_inclusive('\n') {
        if line.starts_with("```") {
            is_console = line.trim_end() == "```console";
        } else if is_console {
            let Some(command) = line.strip_prefix("$ ") else {
                continue;
            };
            count += 1;
            text += line;
            text += &run(command);
            continue;
        }
        text += line;
    }
    (text, count)
}

#[test]
fn only_commands_in_console_blocks_are_run() {
    let readme = "```sh\n$ help\nkept\n```\n```console\n$ a\nold\n$ b\n```\n$ help\n";
    let (text, count) = retold(readme, |command| format!("ran {command}"));
    let expected = readme
        .replace("old\n", "ran a\n")
        .replace("$ b\n", "$ b\nran b\n");
    assert_eq!((text, count), (expected, 2));
}
