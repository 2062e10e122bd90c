//! Layers with a table of contents: what they hold, and the content of one file, by a few requests
//! for parts of the blob.
//!
//! Both formats are tars like any other, compressed so that each file can be unpacked by itself. A
//! table in JSON, `{"version": 1, "entries": [{"name", "type", "size", "offset", …}]}`, has the tar's
//! headers and where in the blob the content of each file begins. An annotation of the layer has the
//! table's digest, and the table has those of the content, in one or more chunks.
//!
//! - eStargz (stargz-snapshotter, docs/estargz.md): gzip. The table is a file in a tar of its own at
//!   the end; the last 51 bytes are an empty gzip member that says where it begins. The digest is of
//!   the JSON.
//! - zstd:chunked (containers/storage, pkg/chunked/internal): zstd. The table is in a frame that is
//!   skipped by who does not know it; an annotation says where. The digest is of the compressed JSON.
//!
//! Where a table cannot be read, the layer is read as any other.

use std::io::{self, Read};
use std::ops::Range;

use tar::Archive;

use super::layer::{Content, described};
use super::table::{Chunk, File, Table};
use super::tree::{Room, Tree};
use crate::compression;
use crate::content::Layer;
use crate::digest::{Digest, Verified};
use crate::error::{During, Error, Kind, Result};
use crate::file::spool;
use crate::header_limit::{HeaderLimit, damage};
use crate::source::Source;

const ESTARGZ_DIGEST: &str = "containerd.io/snapshot/stargz/toc.digest";
const CHUNKED_DIGEST: &str = "io.github.containers.zstd-chunked.manifest-checksum";
const CHUNKED_POSITION: &str = "io.github.containers.zstd-chunked.manifest-position";

/// The length of eStargz's last gzip member (estargz.md, "Footer").
const FOOTER: u64 = 51;

/// A layer's table of contents.
pub(super) struct Toc<'a> {
    source: &'a dyn Source,
    layer: &'a Layer,
    pub(super) digest: Digest,
    /// Where zstd:chunked has it.
    position: Option<Range<u64>>,
}

impl<'a> Toc<'a> {
    /// `None` for a layer that has none.
    pub(super) fn of(source: &'a dyn Source, layer: &'a Layer) -> Option<Self> {
        let annotation = |name: &str| layer.annotations[name].as_str();
        let (digest, position) = match annotation(ESTARGZ_DIGEST) {
            Some(digest) => (digest, None),
            None => {
                let mut numbers = annotation(CHUNKED_POSITION)?.split(':');
                let mut number = || numbers.next()?.parse::<u64>().ok();
                let (start, length) = (number()?, number()?);
                (annotation(CHUNKED_DIGEST)?, Some(start..start.checked_add(length)?))
            }
        };
        Some(Toc { source, layer, digest: digest.parse().ok()?, position })
    }

    /// The entries of the layer, and the content of the wanted file. `None` if the source serves no
    /// parts of a blob, or the blob does not end as eStargz does.
    pub(super) fn read(
        &self,
        wanted: Option<&str>,
        n: u32,
        room: &Room,
    ) -> Result<Option<(Tree, Option<Content>)>> {
        let mut table = Table::new(wanted, n, room);
        let end = match self.position.clone() {
            Some(position) => {
                let end = position.start;
                let size = Some(position.end - position.start);
                let Some(part) = self.part(position)? else { return Ok(None) };
                let packed = Verified::new(part, self.digest.clone(), size);
                table.read(compression::unpacked(packed)?.1).during("table of contents")?;
                end
            }
            None => {
                let Some(size) = self.layer.size.filter(|size| *size > FOOTER) else {
                    return Ok(None);
                };
                let Some(mut part) = self.part(size - FOOTER..size)? else { return Ok(None) };
                let mut footer = Vec::new();
                part.read_to_end(&mut footer)?;
                let start = estargz_offset(&footer).filter(|start| *start < size - FOOTER);
                let Some(start) = start else { return Ok(None) };
                let Some(part) = self.part(start..size - FOOTER)? else { return Ok(None) };
                let limit = HeaderLimit::default();
                let mut archive = Archive::new(limit.of(compression::unpacked(part)?.1));
                let mut entries = archive.entries().map_err(damage)?;
                let Some(item) = limit.headers(|| entries.next()) else { return Ok(None) };
                let mut item = item.map_err(damage)?;
                // The tar of the layer has it as a file too.
                if let Some((name, entry)) = described(&mut item, n)? {
                    table.tree.add(&name, entry, room)?;
                }
                let json = Verified::new(item, self.digest.clone(), None);
                table.read(json).during("table of contents")?;
                start
            }
        };
        let Table { tree, target, file, .. } = table;
        let Some(file) = file.filter(|file| Some(&file.path) == target.as_ref()) else {
            return Ok(Some((tree, None)));
        };
        Ok(self.content(file, end)?.map(|content| (tree, Some(content))))
    }

    /// A part of the blob; `None` if there is nothing in it, or the source serves the whole instead.
    fn part(&self, range: Range<u64>) -> Result<Option<impl Read + Send + 'static>> {
        if range.is_empty() {
            return Ok(None);
        }
        let length = range.end - range.start;
        let blob = self.source.part(&self.layer.digest, range.clone())?;
        Ok((blob.from == range.start).then(|| blob.reader.take(length)))
    }

    /// Unpacks a file, whose chunks follow one another, and compares their digests.
    fn content(&self, file: File, toc: u64) -> Result<Option<Content>> {
        let mut bytes = spool();
        let doing = format!("{}", file.path);
        let wrong = |why: &str| Err(Error::new(Kind::Corrupt, why)).during(&doing);
        let sum = file.chunks.iter().try_fold(0_u64, |sum, chunk| sum.checked_add(chunk.size));
        if sum != Some(file.size) {
            return wrong("the chunks in the table of contents are not the whole file");
        }
        if file.size == 0 {
            return Ok(Some(Content { path: file.path, bytes }));
        }
        let Some(part) = self.part(file.offset..file.end.unwrap_or(toc))? else { return Ok(None) };
        let mut unpacked = compression::unpacked(part)?.1;
        io::copy(&mut unpacked.by_ref().take(file.inner), &mut io::sink())?;
        for Chunk { size, digest } in file.chunks {
            let mut chunk = Verified::new(unpacked.by_ref().take(size), digest, Some(size));
            io::copy(&mut chunk, &mut bytes).during(&doing)?;
        }
        Ok(Some(Content { path: file.path, bytes }))
    }
}

/// estargz.md, "Footer": the extra field of the gzip header is `SG`, its length, the offset as 16
/// hexadecimal digits and `STARGZ`.
fn estargz_offset(footer: &[u8]) -> Option<u64> {
    let extra = footer.strip_prefix(b"\x1f\x8b\x08\x04")?.get(8..)?;
    let extra = extra.strip_prefix(b"SG\x16\x00")?;
    let offset = extra.get(..22)?.strip_suffix(b"STARGZ")?;
    u64::from_str_radix(str::from_utf8(offset).ok()?, 16).ok()
}
