//! TLS: whom we trust and who we are. The only user of rustls and of the stores of certificates.

mod purpose;
mod stream;
mod trust;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{During, Error, Kind, Result};
use crate::parallel::lock;

use super::super::url::Origin;
use super::failure::unavailable;
use trust::{System, Verifier};

pub(super) use stream::TlsStream;

/// What the user says about certificates.
#[derive(Clone, Default)]
pub(crate) struct Certificates {
    /// Registries that the user names are not verified.
    pub(crate) insecure: bool,
    /// Certificates to trust besides the system's.
    pub(crate) cacert: Option<PathBuf>,
    pub(crate) cert: Option<PathBuf>,
    /// `None` if the key stands in the file of the certificate.
    pub(crate) key: Option<PathBuf>,
    /// Docker's `certs.d`, with a directory for each `HOST[:PORT]`.
    pub(crate) certs_dir: PathBuf,
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR`: instead of the system's.
    pub(crate) ssl_cert_file: Option<PathBuf>,
    /// Perhaps several directories, as in `PATH`.
    pub(crate) ssl_cert_dir: Option<OsString>,
}

/// Whom we trust and who we are, read when the first connection needs it.
pub(in super::super) struct Trust {
    certificates: Certificates,
    system: Arc<System>,
    configurations: Mutex<HashMap<(String, bool), Arc<ClientConfig>>>,
}

impl Trust {
    pub(in super::super) fn new(certificates: Certificates) -> Self {
        let file = certificates.ssl_cert_file.clone();
        let system = System::new(file, certificates.ssl_cert_dir.clone());
        Trust { certificates, system: Arc::new(system), configurations: Mutex::default() }
    }

    /// What connections to the origin are made with. Only if the user names it as a registry may
    /// it go unverified, and see the certificate of `--cert`.
    pub(super) fn configuration(
        &self,
        origin: &Origin,
        is_named: bool,
    ) -> Result<Arc<ClientConfig>> {
        let mut known = lock(&self.configurations);
        let key = (origin.authority(), is_named);
        if let Some(configuration) = known.get(&key) {
            return Ok(Arc::clone(configuration));
        }
        let configuration = Arc::new(self.configure(origin, is_named)?);
        known.insert(key, Arc::clone(&configuration));
        Ok(configuration)
    }

    /// The files of the client certificate for an origin, and of its key.
    pub(super) fn identity(&self, origin: &Origin, is_named: bool) -> Option<(PathBuf, PathBuf)> {
        let given = &self.certificates;
        match given.cert.as_ref().filter(|_| is_named) {
            Some(cert) => Some((cert.clone(), given.key.as_ref().unwrap_or(cert).clone())),
            None => docker_certificates(&given.certs_dir, origin).1,
        }
    }

    fn configure(&self, origin: &Origin, is_named: bool) -> Result<ClientConfig> {
        let given = &self.certificates;
        let (mut authorities, _) = docker_certificates(&given.certs_dir, origin);
        authorities.extend(given.cacert.clone());
        let mut named = Vec::new();
        for path in authorities {
            named.extend(certificates(&path)?);
        }
        let provider = Arc::new(ring::default_provider());
        let system = Arc::clone(&self.system);
        let is_insecure = given.insecure && is_named;
        let verifier = Verifier::new(Arc::clone(&provider), named, system, is_insecure)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unavailable(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let Some((cert, key)) = self.identity(origin, is_named) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = certificates(&cert)?;
        let secret = PrivateKeyDer::from_pem_file(&key).map_err(|_| {
            let path = key.display();
            Error::new(Kind::Local, format!("{path}: no private key can be read"))
                .hint("the key is in PEM form, and not encrypted")
        })?;
        builder.with_client_auth_cert(chain, secret).map_err(|error| unusable(&cert, &key, &error))
    }
}

/// `*.crt` are authorities, `*.cert` with a `*.key` beside it is a client's certificate.
fn docker_certificates(
    directory: &Path,
    origin: &Origin,
) -> (Vec<PathBuf>, Option<(PathBuf, PathBuf)>) {
    let explicit = format!("{}:{}", origin.host, origin.port);
    let mut files: Vec<PathBuf> = [origin.authority(), explicit]
        .iter()
        .filter_map(|name| std::fs::read_dir(directory.join(name)).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    files.dedup();
    let has = |path: &Path, extension: &str| path.extension().is_some_and(|e| e == extension);
    let identity = files
        .iter()
        .find(|path| has(path, "cert"))
        .map(|path| (path.clone(), path.with_extension("key")));
    files.retain(|path| has(path, "crt"));
    (files, identity)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = std::fs::read(path).during(path.display())?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<std::result::Result<_, _>>()
        .unwrap_or_default();
    if found.is_empty() {
        let message = format!("{}: no certificate in PEM form", path.display());
        return Err(Error::new(Kind::Local, message));
    }
    Ok(found)
}

fn unusable(cert: &Path, key: &Path, error: &rustls::Error) -> Error {
    let why = match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("it does not belong to the key {}", key.display())
        }
        rustls::Error::InvalidCertificate(_) => "it is not an X.509 version 3 certificate".into(),
        error => error.to_string(),
    };
    let path = cert.display();
    let message = format!("{path}: the client certificate cannot be used: {why}");
    Error::new(Kind::Local, message)
}
