//! A layer's tar as it arrives: its entries, and the content of one of them.

use std::io::{self, Read};

use tar::{Archive, EntryType};

use super::entry::{Entry, EntryKind};
use super::path::{FilePath, followed, readable};
use super::tree::{Room, Tree};
use crate::error::{Error, Kind, Result};
use crate::file::{Spool, spool};
use crate::header_limit::{HeaderLimit, damage};

/// How large a sparse file may be that is unpacked: its holes take no room in the layer.
const SPARSE: u64 = 1 << 30;

/// A regular file that was met on the way.
pub(super) struct Content {
    pub(super) path: FilePath,
    pub(super) bytes: Spool,
}

/// Reads a tar to its end. `wanted` is the path whose content is kept: where the symlinks that come
/// before lead.
pub(super) fn read(
    tar: impl Read,
    wanted: Option<&str>,
    layer: u32,
    room: &Room,
) -> Result<(Tree, Option<Content>)> {
    let limit = HeaderLimit::default();
    let mut archive = Archive::new(limit.of(tar));
    let (mut tree, mut content) = (Tree::default(), None);
    let mut target = wanted.map(FilePath::new);
    let mut entries = archive.entries().map_err(damage)?;
    while let Some(entry) = limit.headers(|| entries.next()) {
        let mut item = entry.map_err(damage)?;
        let Some((name, entry)) = described(&mut item, layer)? else { continue };
        let kind = entry.kind;
        let path = tree.add(&name, entry, room)?;
        if let (EntryKind::Symlink, Some(wanted)) = (kind, wanted) {
            target = followed(wanted, |path| Ok(tree.symlink(path))).ok();
        }
        if Some(&path) == target.as_ref() {
            content = match kind {
                EntryKind::File => Some(Content { path, bytes: kept(&mut item)? }),
                _ => None,
            };
        }
        // What is left of the content would be read with the next headers.
        io::copy(&mut item, &mut io::sink()).map_err(damage)?;
    }
    // The digest is compared at the end, which may come after that of the tar.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(damage)?;
    Ok((tree, content))
}

/// The name of an entry and what is said of it; `None` for what is no file of any kind.
pub(super) fn described(
    item: &mut tar::Entry<impl Read>,
    layer: u32,
) -> Result<Option<(String, Entry)>> {
    let header = item.header();
    let kind = match header.entry_type() {
        EntryType::Directory => EntryKind::Directory,
        EntryType::Symlink => EntryKind::Symlink,
        EntryType::Link => EntryKind::HardLink,
        EntryType::Char => EntryKind::CharDevice,
        EntryType::Block => EntryKind::BlockDevice,
        EntryType::Fifo => EntryKind::Fifo,
        EntryType::XGlobalHeader => return Ok(None),
        // Before POSIX.
        EntryType::Regular if item.path_bytes().ends_with(b"/") => EntryKind::Directory,
        // POSIX: what is of another type is treated as a regular file.
        _ => EntryKind::File,
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let link = match kind {
        EntryKind::Symlink | EntryKind::HardLink => {
            readable(&item.link_name_bytes().unwrap_or_default())
        }
        _ => String::new(),
    };
    let mut entry = Entry {
        kind,
        mode: header.mode().map_err(damage)? & 0o7777,
        uid: small(header.uid().map_err(damage)?),
        gid: small(header.gid().map_err(damage)?),
        size: if kind == EntryKind::File { item.size() } else { 0 },
        modified: header.mtime().map_err(damage)?.try_into().unwrap_or(i64::MAX),
        link: link.into(),
        layer,
    };
    let mut name = readable(&item.path_bytes());
    for extension in item.pax_extensions().map_err(damage)?.into_iter().flatten() {
        let extension = extension.map_err(damage)?;
        let value = String::from_utf8_lossy(extension.value_bytes());
        match extension.key().unwrap_or_default() {
            "mtime" => entry.modified = seconds(&value).unwrap_or(entry.modified),
            // The forms of sparse files for which GNU tar uses extended headers.
            "GNU.sparse.name" => name = readable(extension.value_bytes()),
            "GNU.sparse.size" | "GNU.sparse.realsize" => {
                entry.size = value.parse().unwrap_or(entry.size);
            }
            _ => {}
        }
    }
    Ok(Some((name, entry)))
}

/// The whole seconds of a number like `-1.5`, downwards.
fn seconds(number: &str) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let seconds: i64 = whole.parse().ok()?;
    let is_less = number.starts_with('-') && fraction.bytes().any(|digit| digit != b'0');
    Some(seconds.saturating_sub(is_less.into()))
}

/// The content of a regular file.
fn kept(item: &mut tar::Entry<impl Read>) -> Result<Spool> {
    let is_sparse = |key: &str| key.starts_with("GNU.sparse.");
    let extensions = item.pax_extensions().map_err(damage)?.into_iter().flatten().flatten();
    if extensions.filter_map(|it| it.key().ok().map(is_sparse)).any(|is_so| is_so) {
        let message = "a sparse file in an extended header's form, which is not supported";
        return Err(Error::new(Kind::Protocol, message));
    }
    if item.header().entry_type() == EntryType::GNUSparse && item.size() > SPARSE {
        let message = format!("a sparse file of more than {} MiB", SPARSE >> 20);
        return Err(Error::new(Kind::Protocol, message));
    }
    let mut bytes = spool();
    io::copy(item, &mut bytes).map_err(damage)?;
    Ok(bytes)
}
