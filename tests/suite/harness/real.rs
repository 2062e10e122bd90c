//! Debian's registry (the package docker-registry) and others as their makers publish them
//! (tests/registries, in Go), started for one test on a port of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;

use super::client::Client;
use super::http::Response;
use super::image::Destination;
use super::registry::Registry;
use super::tls::Tls;
use super::tokens::{SERVICE, Tokens};
use super::tool::Tool;

const PROGRAM: &str = "/usr/bin/docker-registry";

/// What tests/run makes of tests/registries.
const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/registries/registries");

/// `user` with `password`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "user:$2y$04$jGYmgu0YpFrYlp8xWrfvWO/EvZCUZ9vNiXQpPK6gxI1ERQeVmh4/6\n";
const BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";

pub struct Real {
    child: Child,
    host: String,
    tls: Option<Arc<Tls>>,
    access: Access,
    directory: tempfile::TempDir,
}

enum Access {
    Everyone,
    Basic,
    Tokens(Tokens, Box<Registry>),
    /// For everyone, what another registry has.
    Cache(String),
}

impl Real {
    /// Plain HTTP, no credentials. `None`, with a word why, where the package is not installed.
    pub fn plain() -> Option<Real> {
        Real::start(None, Access::Everyone)
    }

    /// A pull-through cache of the registry.
    pub fn cache(of: &Registry) -> Option<Real> {
        Real::start(None, Access::Cache(of.base()))
    }

    /// TLS, and Basic credentials: `user` with `password`.
    pub fn basic() -> Option<Real> {
        Real::start(Some(Arc::new(Tls::authority())), Access::Basic)
    }

    /// TLS, and tokens of the suite's own token server under the same CA: anyone may pull,
    /// `user` with `password` may do everything.
    pub fn tokens() -> Option<Real> {
        let tls = Arc::new(Tls::authority());
        let tokens = Tokens::new().user("user", "password");
        let builder = Registry::builder().tls(tls.clone());
        let server = builder.token_server(&tokens).start();
        Real::start(Some(tls), Access::Tokens(tokens, Box::new(server)))
    }

    /// The one inside crane (`crane registry serve`).
    pub fn crane() -> Option<Real> {
        Real::published(&["crane"])
    }

    /// CUE's, which is Go's module `ociregistry`, with options of tests/registries.
    pub fn cue(options: &[&str]) -> Option<Real> {
        Real::published(&[options, &["cue"]].concat())
    }

    /// The present distribution, which lists at most ten repositories at once.
    pub fn distribution() -> Option<Real> {
        Real::published(&["distribution"])
    }

    /// Over plain HTTP, for everyone.
    fn published(arguments: &[&str]) -> Option<Real> {
        if !installed(PUBLISHED, "golang, and let tests/run build it") {
            return None;
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let storage = directory.path().join("storage").display().to_string();
        let config = format!(
            "version: 0.1\n\
             storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}\n\
             catalog: {{maxentries: 10}}\n\
             http: {{addr: 127.0.0.1:0}}\n"
        );
        let mut child = Command::new(PUBLISHED)
            .args(arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a registry");
        // Only distribution has a configuration; the others do not read it.
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(config.as_bytes()).ok();
        drop(stdin);
        let host = listening(child.stderr.take().expect("a pipe"));
        Some(Real {
            child,
            host,
            tls: None,
            access: Access::Everyone,
            directory,
        })
    }

    fn start(tls: Option<Arc<Tls>>, access: Access) -> Option<Real> {
        if !installed(PROGRAM, "docker-registry") {
            return None;
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = directory.path();
        let mut config = format!(
            "version: 0.1\n\
             log: {{level: info, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             compatibility: {{schema1: {{enabled: true}}}}\n",
            at.join("storage").display()
        );
        config += &access.config(at);
        config += "http:\n  addr: 127.0.0.1:0\n";
        if let Some(tls) = &tls {
            let (certificate, key) = tls.server();
            let (certificate, key) = (certificate.display(), key.display());
            config += &format!("  tls: {{certificate: {certificate}, key: {key}}}\n");
        }
        fs::write(at.join("config.yml"), config).expect("config.yml");
        let mut child = Command::new(PROGRAM)
            .arg("serve")
            .arg(at.join("config.yml"))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a registry");
        let host = listening(child.stderr.take().expect("a pipe"));
        Some(Real {
            child,
            host,
            tls,
            access,
            directory,
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `HOST/REPOSITORY_AND_TAG`.
    pub fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }

    /// The file to name with `--cacert`.
    pub fn ca(&self) -> PathBuf {
        self.tls.as_ref().expect("a registry with TLS").ca()
    }

    pub fn tls(&self) -> Arc<Tls> {
        self.tls.clone().expect("a registry with TLS")
    }

    /// The token server, with its log of requests.
    pub fn token_server(&self) -> &Registry {
        match &self.access {
            Access::Tokens(_, server) => server,
            _ => panic!("a registry without tokens"),
        }
    }

    /// Sends a request with the credentials to do everything in the repository.
    pub fn send(
        &self,
        repository: &str,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut client = Client::connect(&self.host, self.tls.as_deref());
        match &self.access {
            Access::Everyone | Access::Cache(_) => {}
            Access::Basic => client = client.authorization(BASIC.to_owned()),
            Access::Tokens(tokens, _) => {
                let scope = format!("repository:{repository}:pull,push,delete");
                let token = tokens.issue(&[&scope]);
                client = client.authorization(format!("Bearer {token}"));
            }
        }
        client.send(method, target, headers, body)
    }

    /// The file that holds a blob or manifest, for tests that damage it.
    pub fn file(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let blobs = "storage/docker/registry/v2/blobs/sha256";
        let directory = self.directory.path().join(blobs);
        directory.join(&hex[..2]).join(hex).join("data")
    }
}

impl Destination for Real {
    fn put_blob(&self, repository: &str, bytes: &[u8]) -> String {
        let digest = super::store::sha256(bytes);
        let start = format!("/v2/{repository}/blobs/uploads/");
        let started = self.send(repository, "POST", &start, &[], b"");
        let location = started.get("Location").expect("a place to upload to");
        let path = location.find("/v2/").map(|start| &location[start..]);
        let path = path.expect("a URL of the API");
        let separator = if path.contains('?') { '&' } else { '?' };
        let target = format!("{path}{separator}digest={digest}");
        let kind = [("Content-Type", "application/octet-stream")];
        let done = self.send(repository, "PUT", &target, &kind, bytes);
        assert_eq!(done.status, 201, "{}", String::from_utf8_lossy(&done.body));
        digest
    }

    fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: &[u8],
    ) -> String {
        let digest = super::store::sha256(bytes);
        let target = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(&digest));
        let kind = [("Content-Type", media_type)];
        let done = self.send(repository, "PUT", &target, &kind, bytes);
        assert_eq!(done.status, 201, "{}", String::from_utf8_lossy(&done.body));
        let digest = done.get("Docker-Content-Digest").expect("a digest");
        digest.to_owned()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Access {
    /// The part of the configuration about who may come in, with its files.
    fn config(&self, at: &Path) -> String {
        match self {
            Access::Everyone => String::new(),
            Access::Cache(of) => format!("proxy: {{remoteurl: '{of}'}}\n"),
            Access::Basic => {
                let path = at.join("htpasswd");
                fs::write(&path, HTPASSWD).expect("htpasswd");
                let path = path.display();
                format!("auth: {{htpasswd: {{realm: suite, path: {path}}}}}\n")
            }
            Access::Tokens(tokens, _) => {
                let path = at.join("tokens.pem");
                fs::write(&path, tokens.certificate()).expect("tokens.pem");
                let realm = tokens.realm().expect("a token server");
                // Of addresses on loopback crane asks no tokens.
                let realm = realm.replace("127.0.0.1", "localhost");
                format!(
                    "auth: {{token: {{realm: '{realm}', service: {SERVICE}, issuer: {SERVICE}, \
                     rootcertbundle: {}}}}}\n",
                    path.display()
                )
            }
        }
    }
}

/// Where the registry says that it listens; what else it says is read and forgotten.
fn listening(log: ChildStderr) -> String {
    let mut log = BufReader::new(log);
    let mut said = String::new();
    let host = loop {
        let start = said.len();
        if log.read_line(&mut said).expect("a log") == 0 {
            panic!("the registry ended:\n{said}");
        }
        if let Some((_, rest)) = said[start..].split_once("listening on ") {
            let end = rest.find([',', '"']).expect("an address in a message");
            break rest[..end].to_owned();
        }
    };
    std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
    host
}

/// Debian's skopeo, in the same surroundings as the program. `None` where it is not installed.
pub fn skopeo() -> Option<Tool> {
    program("/usr/bin/skopeo", "skopeo")
}

/// Another program of Debian's. `None`, with a word why, where its package is not installed.
pub fn program(path: &str, package: &str) -> Option<Tool> {
    installed(path, package).then(|| Tool::program(path))
}

/// Whether a program is there. Where all tests are to run it must be.
pub fn installed(program: &str, package: &str) -> bool {
    let there = Path::new(program).exists();
    let must = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(there || !must, "{program} is not there: install {package}");
    if !there {
        println!("skipped: {program} is not there (Debian's package {package})");
    }
    there
}
