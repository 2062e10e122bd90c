//! The compression of layers and archives, recognized by their first bytes.

use std::io::{self, BufReader, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use ruzstd::decoding::errors::FrameDecoderError::{ReadFrameHeaderError, WindowSizeTooBig};
use ruzstd::decoding::errors::ReadFrameHeaderError::SkipFrame;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::{Error, Kind};
use crate::parallel::Semaphore;

/// Layers that are unpacked at a time: one in zstd may take 20 MB of memory.
pub(crate) static UNPACKING: Semaphore = Semaphore::new(3);

/// What a zstd frame may want to look back on: the size that RFC 8878 (3.1.1.1.2) recommends to
/// support, and not to exceed. All of it is kept in memory, for each layer that is unpacked.
const WINDOW: u64 = 8 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// Reads the first bytes, and returns them too.
    pub(crate) fn of(packed: &mut impl Read) -> io::Result<(Self, Vec<u8>)> {
        let mut start = Vec::new();
        packed.take(4).read_to_end(&mut start)?;
        let compression = match *start {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            // A skippable frame, with which zstd:chunked and pzstd may begin.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::None,
        };
        Ok((compression, start))
    }
}

/// Reads what `packed` unpacks to, and says what it was packed with. Damage is `Kind::Corrupt`;
/// an error of `packed` itself comes out as it went in.
pub(crate) fn unpacked(
    mut packed: impl Read + Send + 'static,
) -> io::Result<(Compression, Box<dyn Read + Send>)> {
    let (compression, start) = Compression::of(&mut packed)?;
    let unknown = match *start {
        [0xfd, b'7', b'z', b'X'] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9'] => Some("bzip2"),
        _ => None,
    };
    if let Some(name) = unknown {
        let message = format!("packed with {name}; only gzip and zstd are unpacked");
        return Err(Error::new(Kind::Protocol, message).into());
    }
    let whole = io::Cursor::new(start).chain(packed);
    let reader: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(Gzip(MultiGzDecoder::new(ErrorKeepingRead::new(whole)))),
        Compression::Zstd => Box::new(Zstd::new(whole)),
    };
    Ok((compression, reader))
}

/// The parts as one gzip member.
pub(crate) fn packed(parts: impl Iterator<Item = String>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for part in parts {
        encoder.write_all(part.as_bytes()).expect("a Vec takes everything");
    }
    encoder.finish().expect("a Vec takes everything")
}

/// Keeps the error that a decoder would wrap in one of its own.
struct ErrorKeepingRead<R> {
    inner: R,
    error: Option<io::Error>,
}

impl<R> ErrorKeepingRead<R> {
    fn new(inner: R) -> Self {
        ErrorKeepingRead { inner, error: None }
    }

    /// Why decoding ended early: the kept error, else damage.
    fn why(&mut self, name: &str, damage: impl std::fmt::Display) -> io::Error {
        self.error.take().unwrap_or_else(|| {
            let message = format!("the {name} data is damaged or cut off: {damage}");
            Error::new(Kind::Corrupt, message).into()
        })
    }
}

impl<R: Read> Read for ErrorKeepingRead<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.error = Some(error);
            }
            kind.into()
        })
    }
}

/// All members, one after another, as pigz and eStargz write them.
struct Gzip<R>(MultiGzDecoder<ErrorKeepingRead<R>>);

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.0.read(buffer);
        result.map_err(|error| self.0.get_mut().why("gzip", error))
    }
}

/// All frames, one after another, without the skippable ones.
struct Zstd<R> {
    packed: ErrorKeepingRead<BufReader<R>>,
    frame: FrameDecoder,
    /// The decoder's state means nothing after an error, and it may panic over it.
    has_failed: bool,
}

impl<R: Read> Zstd<R> {
    fn new(packed: R) -> Self {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(WINDOW);
        Zstd {
            packed: ErrorKeepingRead::new(BufReader::with_capacity(64 << 10, packed)),
            frame,
            has_failed: false,
        }
    }

    /// Whether there is another frame, which is then begun.
    fn next_frame(&mut self) -> Result<bool, Box<dyn std::error::Error>> {
        loop {
            let mut first = Vec::new();
            if self.packed.by_ref().take(1).read_to_end(&mut first)? == 0 {
                return Ok(false);
            }
            match self.frame.init(first.as_slice().chain(&mut self.packed)) {
                Err(ReadFrameHeaderError(SkipFrame { length, .. })) => {
                    io::copy(&mut self.packed.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(WindowSizeTooBig { requested, .. }) => {
                    let message = format!(
                        "the zstd data has a window of {requested} bytes; at most {WINDOW} are supported"
                    );
                    return Err(Error::new(Kind::Protocol, message).into());
                }
                begun => return Ok(begun.map(|()| true)?),
            }
        }
    }

    fn decode(&mut self, buffer: &mut [u8]) -> Result<usize, Box<dyn std::error::Error>> {
        while self.frame.can_collect() == 0 {
            // A decoder that has not begun is finished too.
            if self.frame.is_finished() && !self.next_frame()? {
                return Ok(0);
            }
            let step = BlockDecodingStrategy::UptoBlocks(1);
            self.frame.decode_blocks(&mut self.packed, step)?;
        }
        Ok(self.frame.read(buffer)?)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = match self.has_failed {
            true => Err("an error came before".into()),
            false => self.decode(buffer),
        };
        self.has_failed = result.is_err();
        result.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => (*error).into(),
            Err(damage) => self.packed.why("zstd", damage),
        })
    }
}

#[cfg(test)]
pub(crate) use tests::{gzip, zstd};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(packed: impl Read + Send + 'static) -> error::Result<(Compression, Vec<u8>)> {
        let (compression, mut reader) = unpacked(packed)?;
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes)?;
        Ok((compression, bytes))
    }

    fn read_bytes(packed: Vec<u8>) -> error::Result<(Compression, Vec<u8>)> {
        read(io::Cursor::new(packed))
    }

    /// More than one block of either format.
    fn sample() -> Vec<u8> {
        (0..300_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect()
    }

    #[test]
    fn the_first_bytes_tell_how_to_unpack() {
        let skippable = b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
        let plain = sample();
        for (packed, compression) in [
            (plain.clone(), Compression::None),
            (gzip(&plain), Compression::Gzip),
            (zstd(&plain), Compression::Zstd),
            ([skippable, zstd(&plain)].concat(), Compression::Zstd),
        ] {
            let (told, bytes) = read_bytes(packed).unwrap();
            assert_eq!(told, compression);
            assert!(bytes == plain, "{compression:?}");
        }
        for short in ["", "a", "abc"] {
            let expected = (Compression::None, short.into());
            assert_eq!(read_bytes(short.into()).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_not_unpacked_is_named() {
        for (packed, name) in [(&b"\xfd7zXZ\0"[..], "xz"), (b"BZh91AY&SY", "bzip2")] {
            let error = read_bytes(packed.into()).unwrap_err();
            let message = format!("packed with {name}; only gzip and zstd are unpacked");
            assert_eq!(error, Error::new(Kind::Protocol, message));
        }
    }

    #[test]
    fn all_members_and_frames_are_read() {
        for pack in [gzip, zstd] {
            let (_, bytes) = read_bytes([pack(b"one "), pack(b""), pack(b"two")].concat()).unwrap();
            assert_eq!(bytes, b"one two");
        }
    }

    #[test]
    fn damage_is_corrupt() {
        for pack in [gzip, zstd] {
            let packed = pack(&sample());
            let cut = packed[..packed.len() / 2].to_vec();
            assert_eq!(read_bytes(cut).unwrap_err().kind(), Kind::Corrupt);
            let followed = [packed, b"more".to_vec()].concat();
            assert_eq!(read_bytes(followed).unwrap_err().kind(), Kind::Corrupt);
        }
    }

    #[test]
    fn a_decoder_that_failed_is_not_asked_again() {
        // The first block leaves a table half made, the second one uses it.
        let packed = b"\x28\xb5\x2f\xfd\xa4\xe0\x93\x04\0\x4c\0\0\x08\xdc\x8e\0\xa4\xe0\x93\x04\0\
            \x4c\0\0\x08\x54\x8e\0\xf2\x01\0\xfc\xc9\x39\x10\x02\x02";
        let (_, mut reader) = unpacked(&packed[..]).unwrap();
        for _ in 0..4 {
            let error = reader.read(&mut [0; 64]).unwrap_err();
            assert_eq!(Error::from(error).kind(), Kind::Corrupt);
        }
    }

    #[test]
    fn a_window_has_8_mib() {
        // An empty frame without a size; the byte behind its descriptor is the window's.
        let frame = |window| [&b"\x28\xb5\x2f\xfd\0"[..], &[window], b"\x01\0\0"].concat();
        assert_eq!(read_bytes(frame(13 << 3)).unwrap().1, b"");
        let error = read_bytes(frame(17 << 3)).unwrap_err();
        let message =
            "the zstd data has a window of 134217728 bytes; at most 8388608 are supported";
        assert_eq!(error, Error::new(Kind::Protocol, message));
    }

    #[test]
    fn the_error_of_the_packed_bytes_comes_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(Error::new(Kind::Unavailable, "gone").into())
            }
        }
        for pack in [gzip, zstd] {
            let packed = pack(&sample());
            for length in [5, packed.len() / 2, packed.len()] {
                let start = io::Cursor::new(packed[..length].to_vec());
                let error = read(start.chain(Broken)).unwrap_err();
                assert_eq!(error, Error::new(Kind::Unavailable, "gone"), "{length}");
            }
        }
    }
}
