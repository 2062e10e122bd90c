//! What lies in an image's file system, found out without unpacking anything.
//!
//! An image is a stack of layers (image-spec, layer.md). Each is a tar of what it adds and changes;
//! what it removes it names by whiteouts. [`layer`] reads a tar as it arrives and gives a [`Tree`],
//! the entries by their paths; [`Tree::apply`] lays one tree over another as overlayfs does. To find
//! one file, [`Search`] goes from the top layer down and reads no layer below the one that has or
//! hides it.
//!
//! Some layers have a table of contents, which [`toc`] reads in the place of the whole layer. It is
//! believed as far as its digest is right, as runtimes do that mount such layers.
//!
//! Nothing that comes of a layer is used before its digest has been compared. What a layer holds is
//! remembered by the source, under the layer's digest.

mod entry;
mod layer;
mod path;
mod table;
mod toc;
mod tree;

use std::collections::BTreeSet;
use std::io::{BufReader, Cursor};
use std::sync::{Arc, Condvar, Mutex};

use crate::compression::{self, UNPACKING};
use crate::content::Layer;
use crate::digest::Verified;
use crate::error::{During, Error, Kind, Result};
use crate::file::Spool;
use crate::image::{Budget, Image};
use crate::memory;
use crate::parallel::{Pool, lock};
use crate::progress::Progress;
use crate::readahead::Readahead;
use crate::source::Source;
use layer::Content;
use path::followed;
use toc::Toc;

pub(crate) use entry::{Entry, EntryKind};
pub(crate) use path::FilePath;
pub(crate) use tree::{Room, Tree};

/// The layers of an image, or one of them.
pub(crate) struct Filesystem<'a> {
    source: &'a dyn Source,
    pool: &'a Pool,
    budget: &'a Budget,
    progress: &'a Progress,
    /// The lowest first.
    layers: Vec<Layer>,
    /// Whether one layer is looked at alone.
    is_one: bool,
}

impl<'a> Filesystem<'a> {
    pub(crate) fn of(image: &'a Image, progress: &'a Progress) -> Result<Self> {
        let (source, pool, budget) = (&*image.source, &*image.pool, &*image.budget);
        Ok(Filesystem { source, pool, budget, progress, layers: image.layers()?, is_one: false })
    }

    /// One layer alone: by its digest, or its number from 1 for the lowest.
    pub(crate) fn only(mut self, wanted: &str) -> Result<Self> {
        let count = self.layers.len();
        let at = match wanted.parse::<usize>() {
            Ok(number) => number.checked_sub(1).filter(|at| *at < count),
            Err(_) => self.layers.iter().position(|layer| layer.digest.to_string() == wanted),
        };
        let Some(at) = at else {
            let message = format!("the image has no layer '{wanted}'");
            let hint = format!("it has {count}; the command 'layers' shows their digests");
            return Err(Error::new(Kind::NotFound, message).hint(hint));
        };
        let layers = vec![self.layers.swap_remove(at)];
        Ok(Filesystem { layers, is_one: true, ..self })
    }

    pub(crate) fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Everything that a container of the image sees; of one layer, what it has.
    pub(crate) fn tree(&self, room: &Room) -> Result<Tree> {
        let mut tree = Tree::default();
        for (n, packed) in self.each()?.into_iter().enumerate() {
            let upper = unpacked(packed, n, room)?;
            match self.is_one {
                true => tree = upper,
                false => tree.apply(upper, room),
            }
        }
        if !self.is_one && !self.layers.is_empty() {
            tree.with_root();
        }
        Ok(tree)
    }

    /// The bytes of all files in all layers, also of those that a layer above replaces.
    pub(crate) fn unpacked(&self) -> Result<u64> {
        let mut sum = 0_u64;
        for (n, packed) in self.each()?.into_iter().enumerate() {
            let tree = memory::passing(|| unpacked(packed, n, &Room::default()))?;
            let files = tree.0.values().filter(|entry| entry.kind == EntryKind::File);
            sum = files.map(|entry| entry.size).fold(sum, u64::saturating_add);
        }
        Ok(sum)
    }

    /// The entries of each layer as packed lines, which are little, the lowest layer first.
    fn each(&self) -> Result<Vec<Arc<[u8]>>> {
        self.progress.expect(self.layers.iter().map(|layer| layer.size).sum());
        let numbers = (0..self.layers.len()).collect();
        self.pool.all(numbers, |n| memory::passing(|| Ok(self.packed(n, None)?.0)))
    }

    /// The content of the file that a path leads to.
    pub(crate) fn file(&self, path: &str) -> Result<Spool> {
        let mut search =
            Search { filesystem: self, path, trees: Vec::new(), met: None, room: Room::default() };
        let target = followed(path, |path| {
            let found = search.find(path, self.layers.len())?;
            let link = found.filter(|(_, entry)| entry.kind == EntryKind::Symlink);
            Ok(link.map(|(_, entry)| entry.link))
        })?;
        search.content(target)
    }

    /// The lines of a layer's tree, remembered or made, and in the latter case the content of a file
    /// in it if it was met on the way. A layer that is listed twice is read once, and nobody reads it
    /// meanwhile for another image.
    fn packed(&self, n: usize, wanted: Option<&str>) -> Result<(Arc<[u8]>, Option<Content>)> {
        let digest = &self.layers[n].digest;
        // Of one layer, tables may say different things: nothing but their digests vouches for them.
        let name = match Toc::of(self.source, &self.layers[n]) {
            Some(toc) => format!("files of {digest} by {}", toc.digest),
            None => format!("files of {digest}"),
        };
        let mut read = None;
        let packed = self.budget.trees.get(name.clone(), || {
            let _turn = Turn::wait(&name);
            let packed = match self.source.recall(&name) {
                Some(packed) => packed,
                None => {
                    let (tree, content) = self.read_layer(n, wanted)?;
                    read = Some(content);
                    let packed = compression::packed(tree.lines());
                    self.source.remember(&name, &packed);
                    packed
                }
            };
            self.budget.hold(packed.len())?;
            Ok(packed.into())
        })?;
        if read.is_none() {
            self.progress.skip(self.layers[n].size.unwrap_or_default());
        }
        Ok((packed, read.flatten()))
    }

    fn read_layer(&self, n: usize, wanted: Option<&str>) -> Result<(Tree, Option<Content>)> {
        let (layer, room) = (&self.layers[n], Room::default());
        let read = || {
            let toc = Toc::of(self.source, layer);
            if let Some(toc) = toc
                && let Some(found) = toc.read(wanted, n as u32, &room)?
            {
                self.progress.skip(layer.size.unwrap_or_default());
                return Ok(found);
            }
            let blob = self.source.blob(&layer.digest, 0)?;
            let size = layer.size.or(blob.size);
            let arriving = Readahead::start(self.progress.watch(blob.reader))?;
            let packed = Verified::new(arriving, layer.digest.clone(), size);
            let (_, tar) = compression::unpacked(packed)?;
            layer::read(tar, wanted, n as u32, &room)
        };
        UNPACKING.hold(read).during(format_args!("layer {}", layer.digest))
    }
}

fn unpacked(packed: Arc<[u8]>, n: usize, room: &Room) -> Result<Tree> {
    let (_, lines) = compression::unpacked(Cursor::new(packed))?;
    Tree::of_lines(BufReader::new(lines), n as u32, room)
}

/// The names of the layers that are being read.
static READING: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static READ: Condvar = Condvar::new();

/// The right to read a layer, until it is dropped.
struct Turn<'a>(&'a str);

impl<'a> Turn<'a> {
    fn wait(name: &'a str) -> Self {
        let is_taken = |reading: &mut BTreeSet<String>| !reading.insert(name.to_owned());
        drop(READ.wait_while(lock(&READING), is_taken));
        Turn(name)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&READING).remove(self.0);
        READ.notify_all();
    }
}

/// The search for one file, from the top layer down.
struct Search<'a> {
    filesystem: &'a Filesystem<'a>,
    path: &'a str,
    /// Of the layers that were looked at, the top one first.
    trees: Vec<Tree>,
    /// The content that was met while a layer was read, and which layer that is.
    met: Option<(usize, Content)>,
    room: Room,
}

impl Search<'_> {
    /// The entry of a path in the layers below this number, and the layer's number.
    fn find(&mut self, path: &FilePath, below: usize) -> Result<Option<(usize, Entry)>> {
        for n in (0..below).rev() {
            let tree = self.layer(n)?;
            if let Some(entry) = tree.get(path) {
                return Ok(Some((n, entry.clone())));
            }
            if tree.hides(path) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn layer(&mut self, n: usize) -> Result<&Tree> {
        let count = self.filesystem.layers.len();
        while self.trees.len() < count - n {
            let next = count - self.trees.len() - 1;
            let read = || self.filesystem.packed(next, Some(self.path));
            let (packed, content) = memory::passing(read)?;
            let tree = unpacked(packed, next, &self.room)?;
            self.met = self.met.take().or(content.map(|content| (next, content)));
            self.trees.push(tree);
        }
        Ok(&self.trees[count - n - 1])
    }

    /// The content of a file that is no symlink.
    fn content(mut self, mut path: FilePath) -> Result<Spool> {
        let mut below = self.filesystem.layers.len();
        let n = loop {
            let Some((n, entry)) = self.find(&path, below)? else {
                return Err(Error::new(Kind::NotFound, format!("{path}: no such file")));
            };
            match entry.kind {
                EntryKind::File if entry.link.is_empty() => break n,
                // Layers above may have another file there.
                EntryKind::File => (path, below) = (FilePath::new(&entry.link), n + 1),
                EntryKind::HardLink => (path, below) = (FilePath::new(&entry.link), n),
                kind => {
                    let message = format!("{path}: a {}, not a file", kind.name());
                    let error = Error::new(Kind::Local, message);
                    return Err(error.hint("the command 'files' shows what there is"));
                }
            }
        };
        if let Some((_, content)) = self.met.take_if(|(at, met)| *at == n && met.path == path) {
            return Ok(content.bytes);
        }
        let (_, content) = self.filesystem.read_layer(n, Some(&path.to_string()))?;
        let content = content.filter(|content| content.path == path);
        content.map(|content| content.bytes).ok_or_else(|| {
            Error::new(Kind::Protocol, format!("{path}: the layer has it in an unusual place"))
        })
    }
}
