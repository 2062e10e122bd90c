//! Certificates for one server, made anew for each test, as files and as rustls wants them.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme, StreamOwned,
};

pub use rcgen::ExtendedKeyUsagePurpose as Purpose;

/// What a server with TLS shows, and what its clients need.
pub struct Tls {
    authority: CertifiedIssuer<'static, KeyPair>,
    leaf: CertificateDer<'static>,
    key: KeyPair,
    client_required: bool,
    directory: tempfile::TempDir,
}

impl Tls {
    /// A private CA and a certificate of it for 127.0.0.1, `localhost` and `::1`.
    pub fn authority() -> Tls {
        Tls::named(&[])
    }

    /// The same, for more host names.
    pub fn named(names: &[&str]) -> Tls {
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "Suite's own CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(ca, new_key()).expect("a CA");
        let key = new_key();
        let mut leaf = server_params(names);
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
        let (der, pem) = (leaf.der().clone(), leaf.pem());
        Tls::write(authority, der, &pem, key)
    }

    /// One certificate that is its own CA, as `openssl req -x509` makes it.
    pub fn self_signed() -> Tls {
        Tls::own_authority(new_key(), &[])
    }

    /// The same with limits to what it is for.
    pub fn self_signed_for(purposes: &[Purpose]) -> Tls {
        Tls::own_authority(new_key(), purposes)
    }

    /// Another certificate with the same name and key.
    pub fn twin(&self) -> Tls {
        Tls::own_authority(same(&self.key), &[])
    }

    fn own_authority(key: KeyPair, purposes: &[Purpose]) -> Tls {
        let mut params = server_params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = purposes.to_vec();
        let authority = CertifiedIssuer::self_signed(params, same(&key)).expect("a certificate");
        let (der, pem) = (authority.der().clone(), authority.pem());
        Tls::write(authority, der, &pem, key)
    }

    /// Only clients with the certificate `client()` are let in.
    pub fn client_required(mut self) -> Tls {
        self.client_required = true;
        self
    }

    fn write(
        authority: CertifiedIssuer<'static, KeyPair>,
        leaf: CertificateDer<'static>,
        pem: &str,
        key: KeyPair,
    ) -> Tls {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = |name| directory.path().join(name);
        fs::write(path("ca.pem"), authority.pem()).expect("ca.pem");
        fs::write(path("server.pem"), pem).expect("server.pem");
        fs::write(path("server.key"), key.serialize_pem()).expect("server.key");
        Tls {
            authority,
            leaf,
            key,
            client_required: false,
            directory,
        }
    }

    /// The file to name with `--cacert`.
    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Files with the server's certificate and key.
    pub fn server(&self) -> (PathBuf, PathBuf) {
        let path = |name| self.directory.path().join(name);
        (path("server.pem"), path("server.key"))
    }

    /// Files with a client certificate of this CA and its key, for `--cert` and `--key`.
    pub fn client(&self) -> (PathBuf, PathBuf) {
        let key = new_key();
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "Suite's client");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let leaf = params.signed_by(&key, &self.authority).expect("a client");
        let path = |name| self.directory.path().join(name);
        fs::write(path("client.pem"), leaf.pem()).expect("client.pem");
        fs::write(path("client.key"), key.serialize_pem()).expect("client.key");
        (path("client.pem"), path("client.key"))
    }

    pub fn server_config(&self) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS 1.2 and 1.3");
        let builder = match self.client_required {
            false => builder.with_no_client_auth(),
            true => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider())
                    .build()
                    .expect("a verifier"),
            ),
        };
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).expect("a PKCS #8 key");
        let config = builder.with_single_cert(vec![self.leaf.clone()], key);
        Arc::new(config.expect("key and certificate belong together"))
    }

    /// The client's side of a connection, for the harness' own client: trusts this certificate alone.
    pub fn connect(&self, stream: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Only(self.leaf.clone())))
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a host name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        StreamOwned::new(connection, stream)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).expect("a CA");
        roots
    }
}

/// The server's side of a connection.
pub fn accept(
    config: &Arc<ServerConfig>,
    stream: TcpStream,
) -> StreamOwned<ServerConnection, TcpStream> {
    let connection = ServerConnection::new(config.clone()).expect("a server");
    StreamOwned::new(connection, stream)
}

/// Accepts one certificate, whatever stands in it.
#[derive(Debug)]
struct Only(CertificateDer<'static>);

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match *leaf == self.0 {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::Error::General("another certificate".to_owned())),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &provider().signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &provider().signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn server_params(names: &[&str]) -> CertificateParams {
    let names = ["localhost", "127.0.0.1", "::1"].iter().chain(names);
    let names: Vec<String> = names.map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("host names");
    params
        .distinguished_name
        .push(DnType::CommonName, "Suite's server");
    params
}

fn same(key: &KeyPair) -> KeyPair {
    KeyPair::try_from(key.serialize_der()).expect("its own form")
}

fn new_key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key")
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
