//! The entries of a layer, or of several that are laid over one another (image-spec, layer.md).

use std::collections::BTreeMap;
use std::io::BufRead;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::entry::{Entry, EntryKind};
use super::path::{FilePath, followed};
use crate::error::{Error, Kind, Result};
use crate::memory;

/// image-spec, layer.md, "Whiteouts": what is called so hides what has the rest of the name.
const WHITEOUT: &str = ".wh.";

/// image-spec, layer.md, "Opaque Whiteout": hides all that lower layers have in the directory.
const OPAQUE: &str = ".wh..wh..opq";

/// AUFS's own files, which are no part of an image.
const AUFS: &str = ".wh..wh.";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) BTreeMap<FilePath, Entry>);

impl Tree {
    pub(crate) fn get(&self, path: &FilePath) -> Option<&Entry> {
        self.0.get(path)
    }

    /// What the symlink of this path says.
    pub(crate) fn symlink(&self, path: &FilePath) -> Option<Box<str>> {
        let entry = self.get(path).filter(|entry| entry.kind == EntryKind::Symlink);
        entry.map(|entry| entry.link.clone())
    }

    /// Adds the next entry of a layer, as it would be unpacked to an empty directory: the last of a
    /// path counts, and names are looked up through the layer's own symlinks. Gives the path.
    pub(super) fn add(&mut self, name: &str, mut entry: Entry, room: &Room) -> Result<FilePath> {
        let path = self.place(name)?;
        if path.is_root() && entry.kind != EntryKind::Directory {
            return Err(Error::new(Kind::Corrupt, "the root is no directory"));
        }
        if path.name() == WHITEOUT || [".wh..", ".wh..."].contains(&path.name()) {
            return Err(Error::new(Kind::Corrupt, format!("{path}: a whiteout of nothing")));
        }
        let in_aufs = |path: &FilePath| path.name().starts_with(AUFS) && path.name() != OPAQUE;
        if in_aufs(&path) || path.ancestors().any(|path| in_aufs(&path)) {
            return Ok(path);
        }
        if path.name().starts_with(WHITEOUT) {
            entry.kind = EntryKind::Whiteout;
        }
        if entry.kind == EntryKind::HardLink {
            let target = self.place(&entry.link)?;
            entry.link = target.to_string().into();
            if let Some(same) = self.get(&target).filter(|same| !same.kind.is_directory()) {
                let link = if same.link.is_empty() { entry.link } else { same.link.clone() };
                entry = Entry { link, ..same.clone() };
            }
        }
        for parent in path.ancestors().filter(|path| !path.is_root()) {
            if self.get(&parent).is_some_and(|entry| entry.kind.is_directory()) {
                break;
            }
            room.take(&parent, "")?;
            self.put(parent, Entry::parent(entry.layer), room);
        }
        room.take(&path, &entry.link)?;
        self.put(path.clone(), entry, room);
        Ok(path)
    }

    /// Where a path leads: through symlinks, but not through the last if no slash follows.
    pub(crate) fn find(&self, path: &str) -> Result<FilePath> {
        match path.ends_with('/') {
            true => followed(path, |path| Ok(self.symlink(path))),
            false => self.place(path),
        }
    }

    /// Where an entry of this name is put: only the last name is never followed.
    fn place(&self, name: &str) -> Result<FilePath> {
        let name = name.trim_end_matches('/');
        let (parent, last) = name.rsplit_once('/').unwrap_or(("", name));
        match last {
            "." | ".." => followed(name, |path| Ok(self.symlink(path))),
            "" => Ok(FilePath::default()),
            last => Ok(self.directory(parent)?.join(last)),
        }
    }

    fn directory(&self, name: &str) -> Result<FilePath> {
        let path = FilePath::new(name);
        // What is in a directory that has an entry is there by no symlink.
        let is_there = self.get(&path).is_some_and(|entry| entry.kind.is_directory());
        match is_there && !name.contains("..") {
            true => Ok(path),
            false => followed(name, |path| Ok(self.symlink(path))),
        }
    }

    /// Puts an entry in the place of another. A directory keeps what is in it.
    fn put(&mut self, path: FilePath, entry: Entry, room: &Room) {
        if !entry.kind.is_directory() {
            self.empty(&path, room);
        }
        self.remove(&path, room);
        self.0.insert(path, entry);
    }

    fn remove(&mut self, path: &FilePath, room: &Room) {
        if let Some(entry) = self.0.remove(path) {
            room.give(path, &entry.link);
        }
    }

    /// Removes all that is in a directory.
    fn empty(&mut self, directory: &FilePath, room: &Room) {
        while let Some((path, _)) = self.0.range((Excluded(directory), Unbounded)).next()
            && path.is_in(directory)
        {
            self.remove(&path.clone(), room);
        }
    }

    /// Lays the next layer over this one (image-spec, layer.md, "Applying Changesets").
    pub(super) fn apply(&mut self, upper: Tree, room: &Room) {
        for path in upper.0.iter().filter(|(_, entry)| entry.kind == EntryKind::Whiteout) {
            let directory = path.0.parent().unwrap_or_default();
            let hidden = match path.0.name() {
                OPAQUE => directory,
                name => directory.join(&name[WHITEOUT.len()..]),
            };
            self.empty(&hidden, room);
            if path.0.name() != OPAQUE {
                self.remove(&hidden, room);
            }
        }
        for (path, mut entry) in upper.0 {
            let is_directory = self.get(&path).is_some_and(|below| below.kind.is_directory());
            if entry.kind == EntryKind::Whiteout || entry.kind == EntryKind::Parent && is_directory
            {
                room.give(&path, &entry.link);
                continue;
            }
            if entry.kind == EntryKind::HardLink
                && let Some(same) = self.get(&FilePath::new(&entry.link))
            {
                entry = Entry { link: entry.link, layer: entry.layer, ..same.clone() };
            }
            self.put(path, entry, room);
        }
    }

    /// Adds the root, which is there even if no layer has an entry for it.
    pub(super) fn with_root(&mut self) {
        self.0.entry(FilePath::default()).or_insert(Entry::parent(0));
    }

    /// Whether this layer hides what lower ones have at a path.
    pub(super) fn hides(&self, path: &FilePath) -> bool {
        let whiteout = |path: &FilePath| {
            let parent = path.parent().unwrap_or_default();
            self.get(&parent.join(&format!("{WHITEOUT}{}", path.name()))).is_some()
        };
        let blocks = |path: &FilePath| {
            whiteout(path)
                || self.get(&path.join(OPAQUE)).is_some()
                || self.get(path).is_some_and(|entry| !entry.kind.is_directory())
        };
        whiteout(path) || path.ancestors().any(|path| blocks(&path))
    }

    /// The entries in the form in which they are remembered: numbers, the path and the link, each of
    /// the last two ended by a zero.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(path, entry)| {
            let Entry { kind, mode, uid, gid, size, modified, link, .. } = entry;
            let letter = kind.row().1;
            format!("{letter} {mode:o} {uid} {gid} {size} {modified} {path}\0{link}\0")
        })
    }

    /// What [`Tree::lines`] wrote.
    pub(super) fn of_lines(mut lines: impl BufRead, layer: u32, room: &Room) -> Result<Self> {
        let mut tree = Tree::default();
        let mut text = || {
            let mut text = Vec::new();
            lines.read_until(0, &mut text).ok()?;
            text.pop_if(|last| *last == 0);
            String::from_utf8(text).ok()
        };
        loop {
            let line = text().ok_or_else(strange)?;
            if line.is_empty() {
                return Ok(tree);
            }
            let link = text().ok_or_else(strange)?;
            let (path, entry) = entry(&line, link, layer).ok_or_else(strange)?;
            room.take(&path, &entry.link)?;
            tree.0.insert(path, entry);
        }
    }
}

fn entry(line: &str, link: String, layer: u32) -> Option<(FilePath, Entry)> {
    let mut fields = line.splitn(7, ' ');
    let letter = fields.next()?;
    let row = EntryKind::ALL.into_iter().find(|row| letter.starts_with(row.1))?;
    let entry = Entry {
        kind: row.0,
        mode: u32::from_str_radix(fields.next()?, 8).ok()?,
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
        size: fields.next()?.parse().ok()?,
        modified: fields.next()?.parse().ok()?,
        link: link.into(),
        layer,
    };
    Some((FilePath::new(fields.next()?), entry))
}

/// What stands under a layer's digest has another form.
fn strange() -> Error {
    Error::new(Kind::Local, "what was remembered of the layer cannot be read")
        .hint("--no-cache reads it again")
}

/// How many bytes of memory the entries of all layers may have together.
const ROOM: usize = 40 << 20;

/// What an entry has besides its names, about.
const EACH: usize = 160;

/// The memory of all trees that are there at a time.
#[derive(Debug, Default)]
pub(crate) struct Room(AtomicUsize);

impl Room {
    /// `Kind::Protocol` when there is no more.
    pub(super) fn take(&self, path: &FilePath, link: &str) -> Result<()> {
        let bytes = weight(path, link);
        memory::take(bytes)?;
        if self.0.fetch_add(bytes, Ordering::Relaxed) + bytes <= ROOM {
            return Ok(());
        }
        let message = format!("the layers list more files than fit into {} MiB", ROOM >> 20);
        Err(Error::new(Kind::Protocol, message))
    }

    /// Says that an entry is gone.
    fn give(&self, path: &FilePath, link: &str) {
        let bytes = weight(path, link);
        memory::give(bytes);
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn weight(path: &FilePath, link: &str) -> usize {
    EACH + path.len() + link.len()
}
