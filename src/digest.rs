//! Content digests: `sha256:…` and `sha512:…`, computed and compared.

use std::fmt::{self, Display};
use std::io::{self, Read};
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

use crate::error::{Error, Kind, Result};

/// The algorithms the image specification registers (image-spec, descriptor.md, "Registered Algorithms").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    Sha256,
    Sha512,
}

/// `ALGORITHM:HEX`, lower case, of the algorithm's exact length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest(String);

impl Digest {
    pub(crate) fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.digest()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        if self.parts().0 == "sha256" { Algorithm::Sha256 } else { Algorithm::Sha512 }
    }

    pub(crate) fn hex(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        self.0.split_once(':').expect("every digest has a colon")
    }

    /// The tag that lists what refers to it where there is no referrers API (distribution-spec,
    /// "Referrers Tag Schema"): the algorithm in at most 32 characters, the rest in at most 64.
    pub(crate) fn fallback_tag(&self) -> String {
        let (name, hex) = self.parts();
        format!("{name:.32}-{hex:.64}")
    }

    /// Whether a tag is made from a digest: a fallback tag, or one of cosign's.
    pub(crate) fn is_in_tag(tag: &str) -> bool {
        let (name, extension) = tag.split_once('.').unwrap_or((tag, ""));
        let hex = name.strip_prefix("sha256-").or(name.strip_prefix("sha512-"));
        let is_digest = |hex: &str| hex.len() >= 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        hex.is_some_and(is_digest) && ["", "sig", "att", "sbom"].contains(&extension)
    }

    /// Fails with `Kind::Corrupt` unless `bytes` have this digest.
    pub(crate) fn verify(&self, bytes: &[u8]) -> Result<()> {
        self.compare(&Digest::of(self.algorithm(), bytes))
    }

    /// Fails with `Kind::Corrupt` unless `actual` is this digest.
    pub(crate) fn compare(&self, actual: &Digest) -> Result<()> {
        if self == actual {
            return Ok(());
        }
        Err(Error::new(Kind::Corrupt, format!("the digest of the content is {actual}, not {self}")))
    }
}

impl Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::usage(format!("digest '{text}': {why}"));
        let expected = || wrong("expected sha256:… or sha512:…".into());
        let (name, hex) = text.split_once(':').ok_or_else(expected)?;
        let wanted = match name {
            "sha256" => 64,
            "sha512" => 128,
            _ => return Err(wrong(format!("the algorithm is sha256 or sha512, not '{name}'"))),
        };
        if !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong("only lower-case hex digits follow the colon".into()));
        }
        if hex.len() != wanted {
            return Err(wrong(format!("{name} has {wanted} hex digits, not {}", hex.len())));
        }
        Ok(Digest(text.to_owned()))
    }
}

#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Hasher::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hasher::Sha512(Box::new(Sha512::new())),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(state) => state.update(bytes),
            Hasher::Sha512(state) => state.update(bytes),
        }
    }

    /// Adds all that can be read, and returns how many bytes that is.
    pub(crate) fn read(&mut self, content: &mut dyn Read) -> io::Result<u64> {
        let (mut block, mut size) = (vec![0; 256 << 10], 0);
        loop {
            match content.read(&mut block)? {
                0 => return Ok(size),
                read => {
                    self.update(&block[..read]);
                    size += read as u64;
                }
            }
        }
    }

    pub(crate) fn digest(self) -> Digest {
        let (name, sum) = match self {
            Hasher::Sha256(state) => ("sha256", state.finalize().to_vec()),
            Hasher::Sha512(state) => ("sha512", state.finalize().to_vec()),
        };
        let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
        Digest(format!("{name}:{hex}"))
    }
}

/// Reads through, and fails at the end with `Kind::Corrupt` unless size and digest are right.
/// Nothing beyond the size is handed on.
pub(crate) struct Verified<R> {
    inner: R,
    expected: Digest,
    /// `None` where nobody said how long the content is.
    left: Option<u64>,
    hasher: Hasher,
}

impl<R: Read> Verified<R> {
    pub(crate) fn new(inner: R, expected: Digest, size: Option<u64>) -> Self {
        let hasher = Hasher::new(expected.algorithm());
        Verified { inner, expected, left: size, hasher }
    }

    fn finish(&self) -> Result<()> {
        if let Some(left @ 1..) = self.left {
            return Err(Error::new(Kind::Corrupt, format!("the content ends {left} bytes early")));
        }
        self.expected.compare(&self.hasher.clone().digest())
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let n = self.inner.read(buffer)?;
        if n == 0 {
            self.finish()?;
            return Ok(0);
        }
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(n as u64).ok_or_else(|| {
                Error::new(Kind::Corrupt, "the content is longer than its descriptor says")
            })?;
        }
        self.hasher.update(&buffer[..n]);
        // Before the last bytes are handed on: who reads no further than the size must notice too.
        if self.left == Some(0) {
            self.finish()?;
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn only_whole_lower_case_digests_are_digests() {
        assert_eq!(ABC.parse::<Digest>().unwrap().to_string(), ABC);
        assert_eq!(
            format!("sha512:{}", "0f".repeat(64)).parse::<Digest>().unwrap().hex().len(),
            128
        );
        for wrong in
            ["", "sha256", "sha256:", "md5:00", &ABC[..70], &ABC.to_uppercase(), &format!("{ABC}0")]
        {
            assert_eq!(wrong.parse::<Digest>().unwrap_err().kind(), Kind::Usage, "{wrong}");
        }
    }

    #[test]
    fn tags_of_artifacts_are_made_from_a_digest() {
        let digest: Digest = ABC.parse().unwrap();
        let tag = digest.fallback_tag();
        for extension in ["", ".sig", ".att", ".sbom"] {
            assert!(Digest::is_in_tag(&format!("{tag}{extension}")), "{extension}");
        }
        for tag in [
            "latest".to_owned(),
            "sha256-0123".to_owned(),
            format!("{tag}.tar"),
            format!("md5-{}", digest.hex()),
            format!("sha256-{}", "g".repeat(64)),
        ] {
            assert!(!Digest::is_in_tag(&tag), "{tag}");
        }
    }

    #[test]
    fn both_algorithms_compute_their_test_vectors() {
        assert_eq!(Digest::of(Algorithm::Sha256, b"abc").to_string(), ABC);
        let long = Digest::of(Algorithm::Sha512, b"abc").to_string();
        assert!(long.starts_with("sha512:ddaf35a193617abacc417349ae204131"), "{long}");
    }

    #[test]
    fn wrong_content_ends_in_an_error() {
        let read = |bytes: &[u8], size| {
            let mut out = Vec::new();
            Verified::new(bytes, ABC.parse().unwrap(), size)
                .read_to_end(&mut out)
                .map_err(Error::from)
                .map(|_| out)
        };
        assert_eq!(read(b"abc", Some(3)).unwrap(), b"abc");
        assert_eq!(read(b"abc", None).unwrap(), b"abc");
        for (bytes, size) in
            [(&b"abd"[..], Some(3)), (b"ab", Some(3)), (b"abcd", Some(3)), (b"abd", None)]
        {
            assert_eq!(read(bytes, size).unwrap_err().kind(), Kind::Corrupt, "{bytes:?}");
        }
    }
}
