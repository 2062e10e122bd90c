//! Whether a server's certificate can be trusted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error as TlsError, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::encoding;
use crate::error::{Result, warn};

use super::super::failure::unavailable;
use super::Certificates;

/// Where systems keep all their certificates in one file, which is faster to read than a directory.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// The certificates in PEM form (RFC 7468) among what else stands in a file; `None` for one that is
/// cut off or no base64. The reader of rustls keeps secret what it reads, which takes twenty times as
/// long and is nothing that certificates need.
pub(super) fn certificates(file: Vec<u8>) -> Vec<Option<CertificateDer<'static>>> {
    let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let file = String::from_utf8(file).unwrap_or_else(|error| lossy(error.into_bytes()));
    let (mut found, mut begun) = (Vec::new(), None);
    for line in file.lines().map(str::trim_ascii) {
        match (line, &mut begun) {
            ("-----BEGIN CERTIFICATE-----", _) => begun = Some(String::new()),
            ("-----END CERTIFICATE-----", Some(text)) => {
                found.push(encoding::decode(text).map(CertificateDer::from));
                begun = None;
            }
            (line, Some(text)) => text.push_str(line),
            (_, None) => {}
        }
    }
    found.extend(begun.map(|_| None));
    found
}

/// Certificates that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    store: RootCertStore,
    certificates: Vec<CertificateDer<'static>>,
}

impl Roots {
    pub(super) fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self> {
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).map_err(|error| {
                unavailable(format!("a certificate to trust cannot be used: {error}"))
            })?;
        }
        Ok(Roots { store, certificates })
    }

    /// Those of the system, or the file that is given instead.
    fn of_system(given: &Certificates) -> Self {
        let bundle = BUNDLES.map(Path::new).into_iter().find(|path| path.is_file());
        let bundle = bundle.filter(|_| cfg!(all(unix, not(target_os = "macos"))));
        let is_given = given.ssl_cert_file.is_some() || given.ssl_cert_dir.is_some();
        let file = if is_given { given.ssl_cert_file.as_deref() } else { bundle };
        let certificates = match file {
            Some(file) => {
                let found = certificates(fs::read(file).unwrap_or_default());
                found.into_iter().flatten().collect()
            }
            None if is_given => Vec::new(),
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = Roots::parsable(certificates);
        if roots.certificates.is_empty()
            && let Some(file) = &given.ssl_cert_file
        {
            let file = file.display();
            warn(format_args!("SSL_CERT_FILE: {file}: no certificate can be read from it"));
        }
        if roots.store.is_empty() && !is_given {
            roots.store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        roots
    }

    /// Those in the directories that are given.
    fn of_directories(given: &Certificates) -> Self {
        let directories = given.ssl_cert_dir.iter().flat_map(std::env::split_paths);
        let load = |path: PathBuf| rustls_native_certs::load_certs_from_paths(None, Some(&path));
        Roots::parsable(directories.flat_map(|path| load(path).certs).collect())
    }

    /// Without those that nothing can be made of: systems keep what is old.
    fn parsable(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(certificates.iter().map(|it| it.as_ref().into()));
        Roots { store, certificates }
    }
}

/// What the system trusts, each read when no one before has signed a certificate: directories take
/// longest, and often hold once more what stands in the file.
#[derive(Debug, Default)]
pub(in super::super::super) struct SystemRoots([OnceLock<Roots>; 2]);

const SYSTEM: [fn(&Certificates) -> Roots; 2] = [Roots::of_system, Roots::of_directories];

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
    inner.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// Whether a certificate that is trusted itself may be a server's: its extended key usage (RFC 5280,
/// 4.2.1.12), at which webpki does not look then, is not limited, or names servers after it.
fn is_for_servers(certificate: &[u8]) -> bool {
    /// 2.5.29.37
    const EXTENDED_KEY_USAGE: [u8; 5] = [6, 3, 0x55, 0x1d, 0x25];
    /// 1.3.6.1.5.5.7.3.1
    const SERVER: [u8; 10] = [6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
    let find = |part: &[u8]| certificate.windows(part.len()).position(|window| window == part);
    find(&EXTENDED_KEY_USAGE).is_none_or(|usage| find(&SERVER).is_some_and(|at| at > usage))
}

/// Trusts what the user named, then what the system trusts; or everybody.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) named: Roots,
    pub(super) given: Certificates,
    pub(super) system: Arc<SystemRoots>,
    pub(super) insecure: bool,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer,
        intermediates: &[CertificateDer],
        name: &ServerName,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if self.insecure {
            return Ok(ServerCertVerified::assertion());
        }
        let parsed = ParsedCertificate::try_from(certificate)?;
        let verify = |Roots { store, certificates }: &Roots| {
            let algorithms = self.algorithms.all;
            match verify_server_cert_signed_by_trust_anchor(
                &parsed,
                store,
                intermediates,
                now,
                algorithms,
            ) {
                // That very certificate: one with the same name and key may be anybody's.
                Err(error) if is_authority(&error) && certificates.contains(certificate) => {
                    if !is_for_servers(certificate) {
                        return Err(CertificateError::InvalidPurpose.into());
                    }
                }
                verified => verified?,
            }
            verify_server_name(&parsed, name)
        };
        let mut verified = verify(&self.named);
        for (roots, read) in self.system.0.iter().zip(SYSTEM) {
            // Only an unknown issuer can be known elsewhere.
            let is_unknown = |error| is_unknown_issuer(error) || is_authority(error);
            if verified.as_ref().is_err_and(is_unknown) {
                verified = verify(roots.get_or_init(|| read(&self.given)));
            }
        }
        verified?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_read_among_other_things() {
        let pem = |body: &str, label: &str| {
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
        };
        let file = [
            "# Authority A\n".to_owned(),
            pem("AA\r\nEC \r\n Aw==", "CERTIFICATE"),
            pem("AAEC", "PRIVATE KEY"),
            pem("no base64!", "CERTIFICATE"),
            pem("AAEC", "CERTIFICATE"),
            "-----BEGIN CERTIFICATE-----\nAAEC\n".to_owned(),
        ];
        let mut bytes = b"\xff".to_vec();
        bytes.extend(file.concat().bytes());
        let found = certificates(bytes);
        let found: Vec<Option<&[u8]>> = found.iter().map(|it| it.as_deref()).collect();
        assert_eq!(found, [Some(&[0, 1, 2, 3][..]), None, Some(&[0, 1, 2]), None]);
        assert!(certificates(Vec::new()).is_empty());
    }
}
