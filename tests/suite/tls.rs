//! TLS: whom the program trusts, and who it says it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::credentials::{holding_tags, tags};
use crate::harness::{Fault, Proxy, Purpose, Registry, Tls, Tokens, Tool};

const TAGS: &str = "[\"v1\"]\n";

fn secure(tls: Tls) -> Registry {
    holding_tags(Registry::builder().tls(tls).start())
}

fn failed(registry: &Registry, why: &str) -> String {
    let host = registry.host();
    format!("docker-registry: {host}/a: tags: {host}: {why}\n")
}

fn trusting(registry: &Registry) -> Tool {
    tags(registry).arg("--cacert").arg(registry.ca())
}

#[test]
fn a_server_of_an_unknown_issuer_is_not_trusted() {
    let hint = "\nhint: name the certificate of its authority with --cacert FILE";
    for (tls, why) in [
        (
            Tls::authority(),
            "the server's certificate is of an unknown issuer",
        ),
        (
            Tls::self_signed(),
            "the server's certificate is self-signed and not trusted",
        ),
    ] {
        let registry = secure(tls);
        let message = failed(&registry, &format!("{why}{hint}"));
        tags(&registry).run().fails(5, &message);
        let other = Tls::authority();
        let tool = tags(&registry).arg("--cacert").arg(other.ca());
        tool.run().fails(5, &message);
        assert_eq!(registry.requests().len(), 0);
    }
}

#[test]
fn a_named_authority_or_server_is_trusted() {
    // The second is what `openssl req -x509` makes: its own authority.
    for tls in [Tls::authority(), Tls::self_signed()] {
        let registry = secure(tls);
        trusting(&registry).run().success(TAGS);
        let file = tags(&registry).env("SSL_CERT_FILE", registry.ca());
        file.run().success(TAGS);
        assert_eq!(registry.connections(), 2);
    }
}

#[test]
fn a_file_of_certificates_that_has_none_is_named() {
    let registry = secure(Tls::authority());
    let tool = tags(&registry).file("empty.pem", "");
    for path in [
        tool.home().join("empty.pem"),
        tool.home().join("missing.pem"),
    ] {
        let output = tool.clone().env("SSL_CERT_FILE", &path).run();
        let warning = format!(
            "docker-registry: warning: SSL_CERT_FILE: {}: no certificate can be read from it\n",
            path.display()
        );
        assert_eq!(output.code, Some(5));
        assert!(
            output.messages().starts_with(&warning),
            "{}",
            output.messages()
        );
    }
}

#[test]
fn what_the_system_trusts_is_read_once_for_mirrors_too() {
    let [registry, mirror] = [0; 2].map(|_| secure(Tls::authority()));
    let option = format!("--mirror={}={}", registry.host(), mirror.base());
    let tool = Tool::new().args(["labels", "--retries=0", &registry.image("a:v1"), &option]);
    let tool = tool.file("empty.pem", "");
    let path = tool.home().join("empty.pem");
    let output = tool.env("SSL_CERT_FILE", path).run().status(5).stdout("");
    let message = output.messages();
    assert_eq!(message.matches("SSL_CERT_FILE").count(), 1, "{message}");
}

#[test]
fn directories_of_certificates_are_trusted() {
    let registry = secure(Tls::authority());
    let tool = tags(&registry);
    let ca = std::fs::read(registry.ca()).unwrap();
    // OpenSSL finds a certificate by its name's hash, which nobody checks here.
    let tool = tool.file("some/README", "").file("more/0123abcd.0", ca);
    let home = tool.home().to_owned();
    let directories = [home.join("some"), home.join("more")];
    let several = std::env::join_paths(&directories).unwrap();
    tool.clone()
        .env("SSL_CERT_DIR", &directories[1])
        .run()
        .success(TAGS);
    tool.clone()
        .env("SSL_CERT_DIR", several)
        .run()
        .success(TAGS);
    let none = tool.env("SSL_CERT_DIR", &directories[0]).run();
    assert_eq!(none.code, Some(5));
}

/// Docker's directory of certificates for one registry, which only root can make.
struct CertsD {
    path: PathBuf,
    /// Whether nobody had made the directory above.
    is_first: bool,
}

impl CertsD {
    fn make(registry: &Registry) -> Option<CertsD> {
        let all = Path::new("/etc/docker/certs.d");
        let (path, is_first) = (all.join(registry.host()), !all.exists());
        match std::fs::create_dir_all(&path) {
            Ok(()) => Some(CertsD { path, is_first }),
            Err(error) if std::env::var_os("CI").is_none() => {
                eprintln!("skipped: {}: {error}", path.display());
                None
            }
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    fn put(&self, name: &str, file: &Path) {
        std::fs::copy(file, self.path.join(name)).unwrap();
    }
}

impl Drop for CertsD {
    fn drop(&mut self) {
        // Made by root alone, and for this test's port alone.
        let _ = std::fs::remove_dir_all(&self.path);
        if let Some(all) = self.path.parent().filter(|_| self.is_first) {
            let _ = std::fs::remove_dir(all);
        }
    }
}

#[test]
fn dockers_directory_for_a_registry_trusts_and_identifies() {
    let registry = secure(Tls::authority().client_required());
    let Some(directory) = CertsD::make(&registry) else {
        return;
    };
    let (cert, key) = registry.tls().client();
    directory.put("ca.crt", &registry.ca());
    directory.put("client.cert", &cert);
    directory.put("client.key", &key);
    tags(&registry).run().success(TAGS);
}

#[test]
fn a_certificate_is_for_its_names_only() {
    for (tls, names) in [
        (Tls::authority(), ": localhost, 127.0.0.1"),
        (Tls::self_signed(), ""),
    ] {
        let registry = secure(tls);
        let proxy = Proxy::start().route("registry.example.com:443", &registry.host());
        let tool = Tool::new().args(["tags", "registry.example.com/a", "--cacert"]);
        let tool = tool.arg(registry.ca()).env("HTTPS_PROXY", proxy.url());
        let output = tool.run().status(5).stdout("");
        let message = output.messages();
        let start = "docker-registry: registry.example.com/a: tags: registry.example.com: \
                     the server's certificate is for another name";
        assert!(
            message.starts_with(start) && message.contains(names),
            "{message}"
        );
        assert_eq!(registry.requests().len(), 0);
    }
}

#[test]
fn insecure_accepts_every_certificate() {
    for tls in [Tls::authority(), Tls::self_signed()] {
        let registry = secure(tls);
        for option in ["-k", "--insecure"] {
            tags(&registry).arg(option).run().success(TAGS);
        }
    }
}

#[test]
fn a_client_certificate_is_shown() {
    let registry = secure(Tls::authority().client_required());
    let (cert, key) = registry.tls().client();
    let tool = trusting(&registry);
    let both = tool.clone().arg("--cert").arg(&cert).arg("--key").arg(&key);
    both.run().success(TAGS);
    let joined = [cert, key]
        .map(|path| std::fs::read(path).unwrap())
        .concat();
    let tool = tool.file("work/both.pem", joined);
    tool.args(["--cert", "both.pem"]).run().success(TAGS);
}

#[test]
fn without_a_client_certificate_the_error_says_so() {
    let registry = secure(Tls::authority().client_required());
    let output = trusting(&registry).run().status(5).stdout("");
    let why = "the server wants a client certificate\nhint: use --cert FILE --key FILE";
    output.stderr(failed(&registry, why));
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_one_error() {
    let registry = secure(Tls::authority().client_required());
    let (cert, key) = registry.tls().client();
    let (other_cert, other_key) = Tls::authority().client();
    // Its directory is gone with its authority.
    assert!(!other_cert.exists() && !other_key.exists());
    let other = Tls::authority();
    let (_, foreign) = other.client();
    let asked = |cert: &Path, key: &Path| {
        let tool = trusting(&registry)
            .arg("--cert")
            .arg(cert)
            .arg("--key")
            .arg(key);
        tool.run()
    };
    let (c, k) = (cert.display(), key.display());
    asked(&cert, &foreign).fails(
        1,
        failed(
            &registry,
            &format!(
                "{c}: the client certificate cannot be used: it does not belong to the key {}",
                foreign.display()
            ),
        ),
    );
    asked(&key, &key).fails(
        1,
        failed(&registry, &format!("{k}: no certificate in PEM form")),
    );
    asked(&cert, &cert).fails(
        1,
        failed(
            &registry,
            &format!(
                "{c}: no private key can be read\nhint: the key is in PEM form, and not encrypted"
            ),
        ),
    );
    let gone = PathBuf::from("gone.pem");
    let missing = "gone.pem: no such file or directory";
    asked(&gone, &key).fails(1, failed(&registry, missing));
    assert_eq!(registry.requests().len(), 0);
}

#[test]
fn a_file_of_authorities_that_cannot_be_read_is_an_error() {
    let registry = secure(Tls::authority());
    let tool = tags(&registry).file("work/empty.pem", "");
    for (file, why) in [
        ("gone.pem", "no such file or directory"),
        ("empty.pem", "no certificate in PEM form"),
    ] {
        let message = failed(&registry, &format!("{file}: {why}"));
        tool.clone()
            .args(["--cacert", file])
            .run()
            .fails(1, message);
    }
}

#[test]
fn a_key_alone_is_a_usage_error() {
    let tool = Tool::new().args(["tags", "a", "--key", "key.pem"]);
    tool.run().fails(
        2,
        "docker-registry: --key needs --cert\n\
         hint: signatures are checked by 'verifytool --key FILE'\n",
    );
}

#[test]
fn an_authority_that_changed_its_key_is_found_where_the_new_one_is() {
    let (registry, old) = (secure(Tls::authority()), Tls::authority());
    let tool = tags(&registry).arg("--cacert").arg(old.ca());
    let tool = tool.env("SSL_CERT_FILE", registry.ca());
    tool.run().success(TAGS);
}

const LIST: &str = "/v2/a/tags/list";

#[test]
fn a_client_certificate_is_for_the_registry_that_is_named() {
    let tls = Arc::new(Tls::authority().client_required());
    let start = || holding_tags(Registry::builder().tls(tls.clone()).start());
    let (registry, other) = (start(), start());
    let (cert, key) = tls.client();
    let tool = trusting(&registry).arg("--cert").arg(cert);
    let tool = tool.arg("--key").arg(key);
    registry.fail(LIST, Fault::Redirect(format!("{}{LIST}", other.base())));
    let why = "the server wants a client certificate\nhint: use --cert FILE --key FILE";
    let (host, there) = (registry.host(), other.host());
    let message = format!("docker-registry: {host}/a: tags: {there}: {why}\n");
    tool.run().fails(5, message);
    assert_eq!(other.requests().len(), 0);
    // What is shown for curl does the same.
    registry.fail(LIST, Fault::Redirect(format!("{}{LIST}", other.base())));
    let told = tool.clone().args(["-vv", "-k"]).run().messages();
    let commands: Vec<&str> = told.lines().filter(|it| it.starts_with("curl ")).collect();
    let shows: Vec<_> = [" -k", " --cert", " --key", " --cacert"]
        .iter()
        .map(|option| commands.iter().map(|it| it.contains(option)).collect())
        .collect::<Vec<Vec<bool>>>();
    assert_eq!(
        shows,
        [[true, false], [true, false], [true, false], [true, true]]
    );
    // Who is named gets to see it.
    let both = tool.arg(other.image("a"));
    assert_eq!(both.run().code, Some(0));
}

#[test]
fn insecure_is_for_the_registry_that_is_named() {
    let self_signed = "the server's certificate is self-signed and not trusted\n\
                       hint: name the certificate of its authority with --cacert FILE\n";
    let (registry, other) = (secure(Tls::self_signed()), secure(Tls::self_signed()));
    let (host, there) = (registry.host(), other.host());
    registry.fail(LIST, Fault::Redirect(format!("{}{LIST}", other.base())));
    let tool = tags(&registry).arg("-k");
    let message = format!("docker-registry: {host}/a: tags: {there}: {self_signed}");
    tool.run().fails(5, message);
    // A realm is not named either.
    let tokens = Tokens::new();
    let server = Registry::builder()
        .tls(Tls::self_signed())
        .token_server(&tokens);
    let server = server.start();
    let registry = Registry::builder().tls(Tls::self_signed()).tokens(&tokens);
    let registry = holding_tags(registry.start());
    let (host, there) = (registry.host(), server.host());
    let message = format!("docker-registry: {host}/a: tags: token: {there}: {self_signed}");
    tags(&registry).arg("-k").run().fails(5, message);
    // Nor is a proxy.
    let proxy = Registry::builder().tls(Tls::self_signed()).start();
    let tool = Tool::new().args(["tags", "registry.example.com/a", "-k"]);
    let tool = tool.env("HTTPS_PROXY", proxy.base());
    let name = "registry.example.com";
    let message =
        format!("docker-registry: {name}/a: tags: {name}: proxy 127.0.0.1: {self_signed}");
    tool.run().fails(5, message);
    let asked = [&other, &server, &proxy].map(|registry| registry.requests().len());
    assert_eq!(asked, [0, 0, 0]);
}

#[test]
fn a_certificate_with_the_name_and_key_of_a_trusted_one_is_another() {
    let trusted = Tls::self_signed();
    let registry = secure(trusted.twin());
    let why = "the server's certificate is self-signed and not trusted\n\
               hint: name the certificate of its authority with --cacert FILE";
    let message = failed(&registry, why);
    let tool = tags(&registry);
    let named = tool.clone().arg("--cacert").arg(trusted.ca());
    named.run().fails(5, &message);
    let system = tool.clone().env("SSL_CERT_FILE", trusted.ca());
    system.run().fails(5, &message);
    trusting(&registry).run().success(TAGS);
}

#[test]
fn a_certificate_that_is_its_own_authority_must_be_for_servers() {
    let servers = [Purpose::ClientAuth, Purpose::ServerAuth];
    trusting(&secure(Tls::self_signed_for(&servers)))
        .run()
        .success(TAGS);
    let registry = secure(Tls::self_signed_for(&[Purpose::ClientAuth]));
    let message = failed(&registry, "the server's certificate is not for servers");
    trusting(&registry).run().fails(5, &message);
    let system = tags(&registry).env("SSL_CERT_FILE", registry.ca());
    system.run().fails(5, &message);
}
