//! Public keys and the signatures that they verify.

use std::fs;
use std::path::Path;

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};

use crate::encoding;
use crate::error::{During, Error, Result};

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// The keys in a file. Each may have made a signature.
pub(crate) struct PublicKeys(Vec<PublicKey>);

impl PublicKeys {
    /// PEM, as `cosign generate-key-pair` and `openssl pkey -pubout` write it.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).during(path.display())?;
        let text = String::from_utf8_lossy(&bytes);
        let blocks = text.split(BEGIN).skip(1).map(|rest| rest.split_once(END));
        let keys = blocks
            .map(|block| PublicKey::of(&encoding::decode(&block?.0.replace(['\r', '\n'], ""))?));
        match keys.collect::<Option<Vec<_>>>() {
            Some(keys) if !keys.is_empty() => Ok(PublicKeys(keys)),
            _ => Err(Error::usage("expected a public key in PEM form: ECDSA on P-256 or P-384, Ed25519, or RSA of 2048 to 8192 bits"))
                .during(path.display()),
        }
    }

    /// Whether one of the keys made the signature of the message.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| key.verify(message, signature))
    }
}

struct PublicKey {
    algorithms: &'static [&'static dyn VerificationAlgorithm],
    bytes: Vec<u8>,
}

/// A kind of key: its AlgorithmIdentifier, whether the key itself is one that ring takes, and how it
/// signs. cosign hashes with SHA-256; its newer versions take SHA-384 for P-384.
type Kind = (&'static [u8], fn(&[u8]) -> bool, &'static [&'static dyn VerificationAlgorithm]);

static KINDS: [Kind; 4] = [
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
        |key| key.len() == 1 + 2 * 32,
        &[&ECDSA_P256_SHA256_ASN1],
    ),
    (
        b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
        |key| key.len() == 1 + 2 * 48,
        &[&ECDSA_P384_SHA256_ASN1, &ECDSA_P384_SHA384_ASN1],
    ),
    (b"\x06\x03\x2b\x65\x70", |key| key.len() == 32, &[&ED25519]),
    (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00",
        |key| modulus(key).is_some_and(|bytes| (256..=1024).contains(&bytes)),
        &[&RSA_PKCS1_2048_8192_SHA256],
    ),
];

impl PublicKey {
    /// SubjectPublicKeyInfo (RFC 5280, 4.1.2.7); `None` for what is none, or of another kind.
    fn of(der: &[u8]) -> Option<Self> {
        let (info, _) = element(der, SEQUENCE)?;
        let (algorithm, rest) = element(info, SEQUENCE)?;
        let bytes = element(rest, BIT_STRING)?.0.strip_prefix(b"\0")?;
        let (.., algorithms) =
            KINDS.iter().find(|(name, is_key, _)| *name == algorithm && is_key(bytes))?;
        Some(PublicKey { algorithms, bytes: bytes.to_vec() })
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let verifies = |algorithm: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*algorithm, &self.bytes).verify(message, signature).is_ok()
        };
        self.algorithms.iter().any(verifies)
    }
}

/// How many bytes the modulus of an RSA key has (RFC 8017, A.1.1).
fn modulus(key: &[u8]) -> Option<usize> {
    let (modulus, _) = element(element(key, SEQUENCE)?.0, INTEGER)?;
    Some(modulus.strip_prefix(b"\0").unwrap_or(modulus).len())
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// What the first element of DER holds, which must be of this kind, and what follows it (X.690, 8.1).
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, length], rest) = der.split_first_chunk()?;
    let (length, rest) = match (length, rest) {
        (0..=0x7f, rest) => (length.into(), rest),
        (0x81, [length, rest @ ..]) => ((*length).into(), rest),
        (0x82, [high, low, rest @ ..]) => (u16::from_be_bytes([*high, *low]).into(), rest),
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_no_key() {
        let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3R0ZtpfBd3Y8DaXuB1gM8JPlhsDIEfXO/WsMJEN1\
            4hEn8wajX2HklqL7igZPFICv6tBUGylIHp2mTH2Nhv38mg==";
        let der = encoding::decode(key).unwrap();
        assert!(PublicKey::of(&der).is_some());
        for length in 0..der.len() {
            assert!(PublicKey::of(&der[..length]).is_none(), "{length}");
        }
    }

    #[test]
    fn only_known_algorithms_make_keys() {
        let ed25519 =
            |last| [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65"[..], &[last, 3, 33, 0], &[7; 32]].concat();
        assert!(PublicKey::of(&ed25519(0x70)).is_some());
        // X25519 is for agreeing on keys.
        assert!(PublicKey::of(&ed25519(0x6e)).is_none());
        for (tag, der) in
            [(0x30, &b"\x30"[..]), (0x30, b"\x30\x80"), (0x30, b"\x30\x81\x05a"), (2, b"\x30\x00")]
        {
            assert!(element(der, tag).is_none(), "{der:?}");
        }
        assert_eq!(element(b"\x30\x82\x00\x01ab", 0x30), Some((&b"a"[..], &b"b"[..])));
    }
}
