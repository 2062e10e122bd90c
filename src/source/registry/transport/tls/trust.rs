//! Whether a server's certificate can be trusted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::error::{Error, Result};

use super::super::failure::unavailable;
use super::purpose::is_for_servers;

/// Where systems keep all their certificates in one file, which is faster to read than a directory.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The system's certificates, read when a certificate is not one of those that the user named.
pub(super) struct System {
    file: Option<PathBuf>,
    directories: Option<OsString>,
    roots: OnceLock<Option<Roots>>,
}

impl System {
    /// Of `file` and `directories` instead where one is given.
    pub(super) fn new(file: Option<PathBuf>, directories: Option<OsString>) -> Self {
        System { file, directories, roots: OnceLock::new() }
    }

    fn roots(&self, provider: &Arc<CryptoProvider>) -> Option<&Roots> {
        let load = || {
            let mut store = RootCertStore::empty();
            let certificates = self.certificates();
            store.add_parsable_certificates(certificates.iter().cloned());
            if store.is_empty() && !self.is_given() {
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            }
            Roots::new(store, certificates, provider).ok()
        };
        self.roots.get_or_init(load).as_ref()
    }

    fn is_given(&self) -> bool {
        self.file.is_some() || self.directories.is_some()
    }

    fn certificates(&self) -> Vec<CertificateDer<'static>> {
        use rustls_native_certs::{load_certs_from_paths, load_native_certs};
        let given = self.file.iter().map(|file| load_certs_from_paths(Some(file), None));
        // OpenSSL takes several directories in one value.
        let directories = self.directories.iter().flat_map(std::env::split_paths);
        let given = given.chain(directories.map(|path| load_certs_from_paths(None, Some(&path))));
        let given: Vec<_> = given.flat_map(|loaded| loaded.certs).collect();
        if self.is_given() {
            return given;
        }
        let bundle = BUNDLES.map(Path::new).into_iter().find(|p| p.is_file());
        match bundle.filter(|_| cfg!(all(unix, not(target_os = "macos")))) {
            Some(bundle) => load_certs_from_paths(Some(bundle), None).certs,
            None => load_native_certs().certs,
        }
    }
}

/// Trusted certificates, and what verifies by them.
struct Roots {
    certificates: Vec<CertificateDer<'static>>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl Roots {
    /// `store` is what the certificates became. Fails if it is empty.
    fn new(
        store: RootCertStore,
        certificates: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self> {
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
        let verifier = builder.build().map_err(|error| unavailable(error.to_string()))?;
        Ok(Roots { certificates, verifier })
    }

    fn verify(&self, presented: &Presented) -> std::result::Result<(), TlsError> {
        let Presented { certificate, intermediates, name, now } = *presented;
        let verifier = &self.verifier;
        let verified = verifier.verify_server_cert(certificate, intermediates, name, &[], now);
        match verified {
            Ok(_) => Ok(()),
            // That very certificate: one with the same name and key may be anybody's.
            Err(error) if is_authority(&error) && self.certificates.contains(certificate) => {
                if !is_for_servers(certificate) {
                    return Err(CertificateError::InvalidPurpose.into());
                }
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether nobody trusted has signed the certificate. A bad signature is how that shows where
/// somebody trusted has the issuer's name and another key, as before and after a change of keys.
pub(super) fn is_unknown_issuer(error: &TlsError) -> bool {
    use CertificateError::{BadSignature, UnknownIssuer};
    matches!(error, TlsError::InvalidCertificate(UnknownIssuer | BadSignature))
}

/// Whether the only objection is that the server shows the certificate of an authority, as
/// `openssl req -x509` makes them. OpenSSL and Go accept one that is trusted itself. The
/// dates are right then: webpki looks at them first.
pub(super) fn is_authority(error: &TlsError) -> bool {
    let TlsError::InvalidCertificate(CertificateError::Other(OtherError(inner))) = error else {
        return false;
    };
    let inner = inner.downcast_ref::<webpki::Error>();
    inner == Some(&webpki::Error::CaUsedAsEndEntity)
}

#[derive(Clone, Copy)]
struct Presented<'a> {
    certificate: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    now: UnixTime,
}

/// Trusts what the user named, then what the system trusts; or everybody.
pub(super) struct Verifier {
    provider: Arc<CryptoProvider>,
    named: Option<Roots>,
    system: Arc<System>,
    insecure: bool,
}

impl Verifier {
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        named: Vec<CertificateDer<'static>>,
        system: Arc<System>,
        insecure: bool,
    ) -> Result<Self> {
        let mut store = RootCertStore::empty();
        for certificate in &named {
            store.add(certificate.clone()).map_err(|error| -> Error {
                unavailable(format!("a certificate to trust cannot be used: {error}"))
            })?;
        }
        let named = match store.is_empty() {
            true => None,
            false => Some(Roots::new(store, named, &provider)?),
        };
        Ok(Verifier { provider, named, system, insecure })
    }

    fn verify(&self, presented: &Presented) -> std::result::Result<(), TlsError> {
        let unknown = || TlsError::InvalidCertificate(CertificateError::UnknownIssuer);
        let by_name = match &self.named {
            Some(roots) => roots.verify(presented),
            None => Err(unknown()),
        };
        match by_name {
            // Only an unknown issuer can be known to the system.
            Err(error) if is_unknown_issuer(&error) || is_authority(&error) => {
                let system = self.system.roots(&self.provider);
                system.ok_or_else(unknown)?.verify(presented)
            }
            result => result,
        }
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer,
        intermediates: &[CertificateDer],
        name: &ServerName,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, TlsError> {
        let presented = Presented { certificate, intermediates, name, now };
        if !self.insecure {
            self.verify(&presented)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, TlsError> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
