//! Bytes through TLS.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, ClientConnection, StreamOwned};

use crate::parallel::lock;

use super::super::super::url::Origin;
use super::super::failure::{Failure, unavailable};
use super::super::pace::{Limit, SharedPace};
use super::super::stream::Stream;
use super::trust;

/// How often something may come unasked before a connection is not used again.
const FLIGHTS: usize = 8;

pub(in super::super) struct TlsStream(StreamOwned<ClientConnection, Box<dyn Stream>>);

impl TlsStream {
    /// Shakes hands with the origin.
    pub(in super::super) fn open(
        stream: Box<dyn Stream>,
        origin: &Origin,
        config: Arc<ClientConfig>,
    ) -> Result<Self, Failure> {
        let name = ServerName::try_from(origin.bare_host().to_owned())
            .map_err(|_| unavailable(format!("'{}' is no name for TLS", origin.host)))?;
        let connection =
            ClientConnection::new(config, name).map_err(|error| unavailable(error.to_string()))?;
        let mut stream = StreamOwned::new(connection, stream);
        lock(stream.sock.pace()).limit = Limit::Connection("TLS handshake");
        stream.conn.complete_io(&mut stream.sock).map_err(|error| {
            let error = error.downcast();
            let is_noise = matches!(error, Err(_) | Ok(rustls::Error::InvalidMessage(_)));
            let not_tls = is_noise && stream.conn.protocol_version().is_none();
            let failure = Failure::of_io(error.map_or_else(|error| error, described));
            Failure { not_tls, ..failure }
        })?;
        lock(stream.sock.pace()).limit = Limit::Connection("");
        Ok(TlsStream(stream))
    }

    /// Reads what is there, as session tickets come unasked; false if it was the end or data.
    fn absorb(&mut self) -> io::Result<bool> {
        lock(self.pace()).hurry();
        let length = self.0.conn.read_tls(&mut self.0.sock)?;
        let state = self.0.conn.process_new_packets().map_err(described)?;
        Ok(length > 0 && state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed())
    }
}

/// The error in the user's words, inside an `io::Error`.
fn described(error: rustls::Error) -> io::Error {
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    const CACERT: &str = "name the certificate of its authority with --cacert FILE";
    let error = match error {
        InvalidMessage(_) => unavailable("the server does not speak TLS")
            .hint("if that is meant to be, use --plain-http"),
        InvalidCertificate(_) if trust::is_unknown_issuer(&error) => {
            unavailable("the server's certificate is of an unknown issuer").hint(CACERT)
        }
        InvalidCertificate(_) if trust::is_authority(&error) => {
            unavailable("the server's certificate is self-signed and not trusted").hint(CACERT)
        }
        InvalidCertificate(why) => unavailable(format!("the server's certificate {}", fault(&why))),
        AlertReceived(AlertDescription::CertificateRequired) => {
            unavailable("the server wants a client certificate").hint("use --cert FILE --key FILE")
        }
        AlertReceived(alert) => unavailable(format!("the server ends TLS with {alert:?}")),
        error => unavailable(format!("TLS: {error}")),
    };
    error.into()
}

/// What is wrong with a certificate, as the end of a sentence.
fn fault(error: &CertificateError) -> String {
    use CertificateError::{
        Expired, ExpiredContext, InvalidPurpose, NotValidForName, NotValidForNameContext,
        NotValidYet, NotValidYetContext,
    };
    /// As many as say what kind of host answered.
    const NAMES: usize = 4;
    match error {
        Expired | ExpiredContext { .. } => "has expired".to_owned(),
        NotValidYet | NotValidYetContext { .. } => "is not valid yet".to_owned(),
        InvalidPurpose => "is not for servers".to_owned(),
        NotValidForName => "is for another name".to_owned(),
        NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "names no host".to_owned()
        }
        NotValidForNameContext { presented, .. } => {
            // They come as `DnsName("example.com")`.
            let names = presented.iter().take(NAMES).map(|text| {
                let mut parts = text.split(['(', '"', ')']).filter(|part| !part.is_empty());
                parts.nth(1).unwrap_or(text)
            });
            let names: Vec<&str> = names.collect();
            format!("is for another name: {}", names.join(", "))
        }
        error => format!("cannot be trusted: {error}"),
    }
}

/// Errors of rustls come wrapped in an `io::Error`.
fn unwrapped(error: io::Error) -> io::Error {
    error.downcast().map_or_else(|error| error, described)
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(unwrapped)
    }
}

impl Write for TlsStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwrapped)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwrapped)
    }
}

impl Stream for TlsStream {
    fn pace(&self) -> &SharedPace {
        self.0.sock.pace()
    }

    fn is_open(&mut self) -> bool {
        // Who sends tickets without end is not waited for.
        for _ in 0..FLIGHTS {
            if self.0.sock.is_open() {
                return true;
            }
            if !self.absorb().unwrap_or(false) {
                return false;
            }
        }
        false
    }
}
