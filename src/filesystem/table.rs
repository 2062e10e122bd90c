//! The JSON of a table of contents: one entry after the other, whatever its length.

use std::io::{self, BufRead, BufReader, Read};

use jiff::Timestamp;
use serde_json::Value;

use super::entry::{Entry, EntryKind};
use super::path::{FilePath, followed, readable};
use super::tree::{Room, Tree};
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::json;

/// How many bytes an entry of the table may have.
const LONGEST: usize = 1 << 20;

/// A piece of a file's content.
pub(super) struct Chunk {
    pub(super) size: u64,
    pub(super) digest: Digest,
}

/// Where a file's content is.
pub(super) struct File {
    pub(super) path: FilePath,
    pub(super) size: u64,
    pub(super) offset: u64,
    /// Where in the unpacked stream, if that begins with something else.
    pub(super) inner: u64,
    pub(super) end: Option<u64>,
    pub(super) chunks: Vec<Chunk>,
}

/// A table of contents on its way.
pub(super) struct Table<'a> {
    pub(super) tree: Tree,
    wanted: Option<&'a str>,
    /// Where the wanted path leads, as far as is known.
    pub(super) target: Option<FilePath>,
    /// What is at the target.
    pub(super) file: Option<File>,
    n: u32,
    room: &'a Room,
}

impl<'a> Table<'a> {
    pub(super) fn new(wanted: Option<&'a str>, n: u32, room: &'a Room) -> Self {
        let target = wanted.map(FilePath::new);
        Table { tree: Tree::default(), wanted, target, file: None, n, room }
    }

    /// Reads the JSON to its end, where its digest is compared: what is wrong with it before is of
    /// interest only if that is right.
    pub(super) fn read(&mut self, json: impl Read) -> Result<()> {
        let mut bytes = BufReader::with_capacity(64 << 10, json);
        let read = self.entries(&mut bytes);
        io::copy(&mut bytes, &mut io::sink())?;
        read
    }

    fn entries(&mut self, bytes: &mut impl BufRead) -> Result<()> {
        let (mut item, mut depth, mut is_text, mut is_escaped) = (Vec::new(), 0, false, false);
        loop {
            let block = bytes.fill_buf()?;
            if block.is_empty() {
                return Ok(());
            }
            let length = block.len();
            for byte in block {
                // An entry is an object in the list in the object that is all.
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if is_text => is_escaped = true,
                    b'"' => is_text = !is_text,
                    b'{' | b'[' if !is_text => depth += 1,
                    b'}' | b']' if !is_text => depth -= 1,
                    _ => {}
                }
                if depth >= 3 || !item.is_empty() {
                    item.push(*byte);
                }
                if depth == 2 && !item.is_empty() {
                    self.entry(&json::parse(&item)?)?;
                    item.clear();
                }
                if item.len() > LONGEST {
                    let message = format!("an entry has more than {LONGEST} bytes");
                    return Err(Error::new(Kind::Protocol, message));
                }
            }
            bytes.consume(length);
        }
    }

    fn entry(&mut self, json: &Value) -> Result<()> {
        let text = |name: &str| readable(json[name].as_str().unwrap_or_default().as_bytes());
        let number = |name: &str| json[name].as_u64().unwrap_or_default();
        let small = |name: &str| u32::try_from(number(name)).unwrap_or(u32::MAX);
        let kind = match json["type"].as_str().unwrap_or_default() {
            "dir" => EntryKind::Directory,
            "reg" => EntryKind::File,
            "symlink" => EntryKind::Symlink,
            "hardlink" => EntryKind::HardLink,
            "char" => EntryKind::CharDevice,
            "block" => EntryKind::BlockDevice,
            "fifo" => EntryKind::Fifo,
            "chunk" => return self.chunk(&text("name"), json),
            other => {
                let message = format!("an entry is of type '{other}'");
                return Err(Error::new(Kind::Protocol, message));
            }
        };
        let modified = json["modtime"].as_str().and_then(|date| date.parse::<Timestamp>().ok());
        let entry = Entry {
            kind,
            mode: small("mode") & 0o7777,
            uid: small("uid"),
            gid: small("gid"),
            size: number("size"),
            modified: modified.map_or(0, Timestamp::as_second),
            link: text("linkName").into(),
            layer: self.n,
        };
        let path = self.tree.add(&text("name"), entry, self.room)?;
        if let (EntryKind::Symlink, Some(wanted)) = (kind, self.wanted) {
            self.target = followed(wanted, |path| Ok(self.tree.symlink(path))).ok();
        }
        self.close(number("offset"));
        if Some(&path) == self.target.as_ref() {
            self.file = (kind == EntryKind::File).then(|| File {
                path,
                size: number("size"),
                offset: number("offset"),
                inner: number("innerOffset"),
                end: json["endOffset"].as_u64(),
                chunks: Vec::new(),
            });
            return self.chunk(&text("name"), json);
        }
        Ok(())
    }

    /// The content of the file ends where that of another one begins.
    fn close(&mut self, offset: u64) {
        if let Some(file) = self.file.as_mut().filter(|file| offset > file.offset) {
            file.end.get_or_insert(offset);
        }
    }

    /// A chunk of the wanted file; of another one if the path is another.
    fn chunk(&mut self, name: &str, json: &Value) -> Result<()> {
        let number = |name: &str| json[name].as_u64().unwrap_or_default();
        let Some(file) = self.file.as_mut().filter(|file| file.path == FilePath::new(name)) else {
            self.close(number("offset"));
            return Ok(());
        };
        let left = file.size.saturating_sub(number("chunkOffset"));
        if left == 0 {
            return Ok(());
        }
        let digest = ["chunkDigest", "digest"].map(|name| json[name].as_str().unwrap_or_default());
        let digest = digest.into_iter().find(|digest| !digest.is_empty()).unwrap_or_default();
        let digest = digest.parse().map_err(|_| {
            let message = format!("{}: a chunk without a digest", file.path);
            Error::new(Kind::Corrupt, message)
        })?;
        self.room.take(&file.path, "")?;
        let size = Some(number("chunkSize")).filter(|size| *size > 0).unwrap_or(left);
        file.chunks.push(Chunk { size, digest });
        Ok(())
    }
}
