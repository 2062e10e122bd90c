//! Downloads a layer to a file or a stream: verified while it is written, resumed where an earlier
//! download stopped.

mod part;
mod target;

use std::io::{Read, Write};
use std::time::Duration;

use crate::compression::{self, Compression};
use crate::digest::{Algorithm, Digest, Verified};
use crate::error::{During, Kind, Result};
use crate::progress::Progress;
use crate::readahead::Readahead;
use crate::source::Source;
use part::PartFile;

pub(crate) use target::{SavedLayer, Target};

/// How many bytes at the end of a stream are held back until the digest is verified.
const HELD: u64 = 256 << 10;

#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) digest: Digest,
    pub(crate) size: Option<u64>,
    /// The digest of the uncompressed tar.
    pub(crate) diff_id: Option<Digest>,
}

pub(crate) struct Download<'a> {
    pub(crate) source: &'a dyn Source,
    pub(crate) layer: Layer,
    /// Whether the uncompressed tar is written.
    pub(crate) unpack: bool,
    /// Whether a file with other content may be overwritten.
    pub(crate) force: bool,
    /// How long to wait for another process that downloads the same layer and makes no progress.
    pub(crate) timeout: Duration,
    pub(crate) progress: &'a Progress,
}

impl Download<'_> {
    /// The file gets its name when it is complete and verified. One that has the right content
    /// already is kept.
    pub(crate) fn to_file(&self, target: &Target) -> Result<SavedLayer> {
        let digest = &self.layer.digest;
        if let Some(saved) = self.find(target)? {
            self.progress.skip(saved.size);
            return Ok(saved);
        }
        let mut part =
            PartFile::open(target.named(digest, ".part"), digest.algorithm(), self.timeout)?;
        self.progress.skip(part.size);
        // The process that held the lock before may have finished the download.
        if let Some(saved) = self.find(target)? {
            part.remove();
            return Ok(saved);
        }
        let saved = self.complete(&mut part);
        let saved = saved.and_then(|()| self.save(&part, target));
        if let Err(error) = &saved
            && (error.kind() == Kind::Corrupt || part.size == 0)
        {
            part.remove();
        }
        saved
    }

    /// Passes the content on as it arrives, but the end only when the digest is right: wrong
    /// content is never complete.
    pub(crate) fn to_stream(&self, out: &mut impl Write) -> Result<()> {
        let Layer { digest, size, diff_id } = self.layer.clone();
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

    /// Fetches the missing rest of the file; if the digest is wrong then, all of it.
    fn complete(&self, part: &mut PartFile) -> Result<()> {
        let Layer { digest, size, .. } = &self.layer;
        let is_resumed = part.size > 0;
        if is_resumed && part.verify(digest, *size).is_ok() {
            return Ok(());
        }
        match self.receive(part).map(|size| part.verify(digest, size)) {
            Ok(verified) if verified.is_ok() || !is_resumed => return verified,
            Err(error) if error.kind() != Kind::Corrupt => return Err(error),
            _ => {}
        }
        // The beginning and the rest do not belong together.
        self.start_over(part)?;
        let size = self.receive(part)?;
        part.verify(digest, size)
    }

    /// Appends the rest, and returns the size of the whole layer, if it is known.
    fn receive(&self, part: &mut PartFile) -> Result<Option<u64>> {
        let blob = self.source.blob(&self.layer.digest, part.size)?;
        if blob.from != part.size {
            self.start_over(part)?;
        }
        let size = self.layer.size.or(blob.size);
        self.progress.expect(size);
        part.append(self.progress.watch(blob.reader), size)?;
        Ok(size)
    }

    fn start_over(&self, part: &mut PartFile) -> Result<()> {
        self.progress.lose(part.size);
        part.start_over()
    }

    fn save(&self, part: &PartFile, target: &Target) -> Result<SavedLayer> {
        let Layer { digest, diff_id, .. } = &self.layer;
        if !self.unpack {
            let (compression, _) = Compression::of(&mut part.reader()?)?;
            let path = target.path(digest, compression);
            // The file's name depends on its compression, which is known only now.
            self.compare(&path)?;
            part.keep(&path)?;
            return Ok(SavedLayer { path, size: part.size, is_new: true });
        }
        let (_, tar) = compression::unpacked(part.reader()?)?;
        let algorithm = diff_id.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let mut whole = PartFile::open(target.named(digest, ".tar.part"), algorithm, self.timeout)?;
        let path = target.path(digest, Compression::None);
        let saved = whole
            .start_over()
            .and_then(|()| whole.append(tar, None))
            .and_then(|()| match diff_id {
                Some(diff_id) => whole.verify(diff_id, None).during("diff ID"),
                None => Ok(()),
            })
            .and_then(|()| whole.keep(&path));
        let used = if saved.is_ok() { part } else { &whole };
        used.remove();
        saved.map(|()| SavedLayer { path, size: whole.size, is_new: true })
    }
}

fn hand_on(mut content: impl Read, out: &mut impl Write) -> Result<()> {
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
