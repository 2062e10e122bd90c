//! TLS: whom we trust and who we are. The only user of rustls and of the stores of certificates.

mod stream;
mod trust;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error as TlsError};

use crate::error::{During, Error, Kind, Result};
use crate::memory;
use crate::parallel::lock;

use super::super::url::Origin;
use super::failure::unavailable;
use trust::{Roots, Verifier};

pub(super) use stream::TlsStream;
pub(in super::super) use trust::SystemRoots;

/// What the user says about certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Certificates {
    /// Registries that the user names are not verified.
    pub(crate) insecure: bool,
    /// Certificates to trust besides the system's.
    pub(crate) cacert: Vec<PathBuf>,
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
    system: Arc<SystemRoots>,
    configurations: Mutex<HashMap<(String, bool), Arc<ClientConfig>>>,
}

impl Trust {
    pub(in super::super) fn new(certificates: Certificates, system: Arc<SystemRoots>) -> Self {
        Trust { certificates, system, configurations: Mutex::default() }
    }

    /// What connections to the origin are made with. Only if the user names it as a registry may
    /// it go unverified, and see the certificate of `--cert`.
    pub(super) fn config(&self, origin: &Origin, is_named: bool) -> Result<Arc<ClientConfig>> {
        match memory::entry(&mut lock(&self.configurations), (origin.authority(), is_named)) {
            Entry::Occupied(known) => Ok(Arc::clone(known.get())),
            Entry::Vacant(place) => {
                Ok(Arc::clone(place.insert(Arc::new(self.configure(origin, is_named)?))))
            }
        }
    }

    /// The files of the client certificate for an origin, and of its key.
    pub(super) fn identity(&self, origin: &Origin, is_named: bool) -> Option<(PathBuf, PathBuf)> {
        let given = &self.certificates;
        if let Some(cert) = given.cert.as_ref().filter(|_| is_named) {
            return Some((cert.clone(), given.key.as_ref().unwrap_or(cert).clone()));
        }
        let cert = self.docker_certificates(origin, "cert").into_iter().next()?;
        let key = cert.with_extension("key");
        Some((cert, key))
    }

    /// The files of Docker for the origin: `*.crt` are authorities, `*.cert` with a `*.key` beside it
    /// is a client's certificate.
    fn docker_certificates(&self, origin: &Origin, extension: &str) -> Vec<PathBuf> {
        let explicit = format!("{}:{}", origin.host, origin.port);
        let mut files: Vec<PathBuf> = [origin.authority(), explicit]
            .iter()
            .filter_map(|name| fs::read_dir(self.certificates.certs_dir.join(name)).ok())
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|it| it == extension))
            .collect();
        files.sort();
        files.dedup();
        files
    }

    fn configure(&self, origin: &Origin, is_named: bool) -> Result<ClientConfig> {
        let mut named = Vec::new();
        let authorities = self.docker_certificates(origin, "crt");
        for path in authorities.iter().chain(&self.certificates.cacert) {
            named.extend(certificates(path)?);
        }
        let provider = ring::default_provider();
        let verifier = Verifier {
            named: Roots::new(named)?,
            given: self.certificates.clone(),
            system: Arc::clone(&self.system),
            insecure: self.certificates.insecure && is_named,
            algorithms: provider.signature_verification_algorithms,
        };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unavailable(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let Some((cert, key)) = self.identity(origin, is_named) else {
            return Ok(builder.with_no_client_auth());
        };
        let (chain, key_path) = (certificates(&cert)?, key.display());
        let secret = PrivateKeyDer::from_pem_file(&key).map_err(|_| {
            Error::new(Kind::Local, format!("{key_path}: no private key can be read"))
                .hint("the key is in PEM form, and not encrypted")
        })?;
        builder.with_client_auth_cert(chain, secret).map_err(|error| {
            let why = match error {
                TlsError::InconsistentKeys(_) => {
                    format!("it does not belong to the key {key_path}")
                }
                TlsError::InvalidCertificate(_) => {
                    "it is not an X.509 version 3 certificate".into()
                }
                error => error.to_string(),
            };
            let path = cert.display();
            let message = format!("{path}: the client certificate cannot be used: {why}");
            Error::new(Kind::Local, message)
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = fs::read(path).during(path.display())?;
    match trust::certificates(bytes).into_iter().collect::<Option<Vec<_>>>() {
        Some(found) if !found.is_empty() => Ok(found),
        _ => {
            let message = format!("{}: no certificate in PEM form", path.display());
            Err(Error::new(Kind::Local, message))
        }
    }
}
