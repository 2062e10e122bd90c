//! A layer on its way to a file or a stream: verified while it is written, continued where an
//! earlier download stopped.

mod part;
mod target;

use std::io::{BufRead, Read, Write};
use std::time::Duration;

use crate::compression;
use crate::digest::{Algorithm, Digest, Verified};
use crate::error::{During, Kind, Result};
use crate::progress::Progress;
use crate::readahead::Readahead;
use crate::source::Source;
use part::PartFile;

pub(crate) use target::{SavedLayer, Target};

/// So much of a stream is held back until the digest is known.
const HELD: u64 = 256 << 10;

/// What is known of a layer.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) digest: Digest,
    pub(crate) size: Option<u64>,
    /// The digest of the tar inside.
    pub(crate) diff_id: Option<Digest>,
}

/// What is to be done with a layer.
pub(crate) struct Download<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) layer: Layer,
    /// Whether the tar inside is wanted.
    pub(crate) unpack: bool,
    /// Whether another content may be overwritten.
    pub(crate) force: bool,
    /// How long a silence is waited for.
    pub(crate) timeout: Duration,
    pub(crate) progress: &'a Progress,
}

impl Download<'_> {
    /// The file appears when it is whole and right. One that is there already is left alone.
    pub(crate) fn to_file(&self, target: &Target) -> Result<SavedLayer> {
        let digest = &self.layer.digest;
        if let Some(saved) = self.find(target)? {
            self.progress.skip(saved.size);
            return Ok(saved);
        }
        let mut part = PartFile::open(target.part(digest, ""), digest.algorithm(), self.timeout)?;
        self.progress.skip(part.size());
        // Whoever had the part before us may have finished.
        if let Some(saved) = self.find(target)? {
            part.remove();
            return Ok(saved);
        }
        let saved = self.complete(&mut part);
        let saved = saved.and_then(|()| self.save(&part, target));
        if let Err(error) = &saved
            && (error.kind() == Kind::Corrupt || part.size() == 0)
        {
            part.remove();
        }
        saved
    }

    /// Hands the content on as it comes, but the last of it only when the digest is right: a reader
    /// sees wrong content cut short, never whole.
    pub(crate) fn to_stream(&self, out: &mut impl Write) -> Result<()> {
        let Layer {
            digest,
            size,
            diff_id,
        } = self.layer.clone();
        let blob = self.source.blob(&digest, 0)?;
        let size = size.or(blob.size);
        self.progress.expect(size);
        let arriving = Readahead::start(self.progress.watch(blob.reader))?;
        let packed = Verified::new(arriving, digest, size);
        if !self.unpack {
            return hand_on(packed, out);
        }
        let (_, tar) = compression::unpacked(packed)?;
        match diff_id {
            Some(diff_id) => hand_on(Verified::new(tar, diff_id, None), out),
            None => hand_on(tar, out),
        }
    }

    /// Fetches what is missing of the part, and all of it if that does not fit.
    fn complete(&self, part: &mut PartFile) -> Result<()> {
        let digest = &self.layer.digest;
        let begun = part.size();
        if begun > 0 && part.verify(digest, self.layer.size).is_ok() {
            return Ok(());
        }
        let expected = match self.receive(part) {
            Ok(size) if begun == 0 => return part.verify(digest, size),
            Ok(size) if part.verify(digest, size).is_ok() => return Ok(()),
            Ok(size) => size,
            Err(error) if error.kind() == Kind::Corrupt => self.layer.size,
            Err(error) => return Err(error),
        };
        // What came at different times is not of one piece.
        self.progress.lose(part.size());
        part.start_over()?;
        let size = self.receive(part)?.or(expected);
        part.verify(digest, size)
    }

    /// Appends what follows the part, and says how long the whole should be.
    fn receive(&self, part: &mut PartFile) -> Result<Option<u64>> {
        let blob = self.source.blob(&self.layer.digest, part.size())?;
        if blob.from != part.size() {
            self.progress.lose(part.size());
            part.start_over()?;
        }
        let size = self.layer.size.or(blob.size);
        self.progress.expect(size);
        pour(self.progress.watch(blob.reader), part, size)?;
        Ok(size)
    }

    fn save(&self, part: &PartFile, target: &Target) -> Result<SavedLayer> {
        let digest = &self.layer.digest;
        if self.unpack {
            return self.save_unpacked(part, target);
        }
        let path = target.path(digest, part.compression()?);
        // Only now it is known what the file will be called.
        self.compare(&path)?;
        part.keep(&path)?;
        Ok(SavedLayer {
            path,
            size: part.size(),
            is_new: true,
        })
    }

    fn save_unpacked(&self, part: &PartFile, target: &Target) -> Result<SavedLayer> {
        let Layer {
            digest, diff_id, ..
        } = &self.layer;
        let (_, tar) = compression::unpacked(part.reader()?)?;
        let algorithm = diff_id
            .as_ref()
            .map_or(Algorithm::Sha256, Digest::algorithm);
        let mut whole = PartFile::open(target.part(digest, ".tar"), algorithm, self.timeout)?;
        let path = target.path(digest, compression::Compression::None);
        let saved = whole
            .start_over()
            .and_then(|()| pour(tar, &mut whole, None))
            .and_then(|()| match diff_id {
                Some(diff_id) => whole.verify(diff_id, None).during("diff ID"),
                None => Ok(()),
            })
            .and_then(|()| whole.keep(&path));
        if let Err(error) = saved {
            whole.remove();
            return Err(error);
        }
        part.remove();
        Ok(SavedLayer {
            path,
            size: whole.size(),
            is_new: true,
        })
    }
}

/// Appends all that comes, but hardly more than there should be.
fn pour(content: impl Read + Send + 'static, part: &mut PartFile, size: Option<u64>) -> Result<()> {
    let mut content = Readahead::start(content)?;
    loop {
        let block = content.fill_buf()?;
        let length = block.len();
        if length == 0 || size.is_some_and(|size| part.size() > size) {
            return Ok(());
        }
        part.append(block)?;
        content.consume(length);
    }
}

fn hand_on(content: impl Read, out: &mut impl Write) -> Result<()> {
    let mut content = content;
    let (mut held, mut block) = (Vec::new(), Vec::new());
    loop {
        block.clear();
        content.by_ref().take(HELD).read_to_end(&mut block)?;
        out.write_all(&held)?;
        if block.is_empty() {
            return Ok(out.flush()?);
        }
        std::mem::swap(&mut held, &mut block);
    }
}
