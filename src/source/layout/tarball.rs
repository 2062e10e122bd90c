//! The files in a tar, by their names.
//!
//! A plain tar is read by position. A compressed one is unpacked again up to each file that is asked
//! for; only its small files are remembered, those that may be JSON.

use std::collections::HashMap;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use tar::{Archive, EntryType};

use super::files::{Files, part};
use crate::compression::{Compression, unpacked};
use crate::content::LIMIT;
use crate::error::{During, Error, Kind, Result};
use crate::file::{self, SharedFile};
use crate::header_limit::{HeaderLimit, damage};
use crate::source::Blob;
use crate::terminal;

/// How many entries a tar may have, and how many bytes their names.
const ENTRIES: usize = 1 << 17;
const NAMES: usize = 16 << 20;
/// How many bytes are remembered of a compressed tar.
const REMEMBERED: u64 = 4 * LIMIT;

pub(super) struct Tarball {
    file: SharedFile,
    compression: Compression,
    pub(super) entries: HashMap<String, Entry>,
}

pub(super) enum Entry {
    File(TarFile),
    /// The name of another entry.
    Link(String),
}

/// Where a file lies in the unpacked tar.
#[derive(Clone)]
pub(super) struct TarFile {
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) compression: Compression,
    remembered: Option<Arc<[u8]>>,
}

impl Entry {
    /// A file that the tar does not have.
    pub(super) fn made(content: String) -> Self {
        let bytes = content.into_bytes();
        let (size, compression) = (bytes.len() as u64, Compression::None);
        Entry::File(TarFile { offset: 0, size, compression, remembered: Some(bytes.into()) })
    }
}

impl Tarball {
    /// Reads the whole tar once. `Kind::NotFound` if there is no such file, `Kind::Local` if it is
    /// not a tar.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let there = path.display();
        let file = if path == Path::new("-") { piped() } else { opened(path) };
        file.and_then(|file| Tarball::scan(file).map_err(damage)).during(there)
    }

    fn scan(file: SharedFile) -> io::Result<Self> {
        let (compression, reader) = unpacked(file.clone())?;
        let limit = HeaderLimit::default();
        let entries = match compression {
            Compression::None => {
                let mut archive = Archive::new(limit.of(file.clone()));
                scan(archive.entries_with_seek()?, &limit, 0)?
            }
            _ => scan(Archive::new(limit.of(reader)).entries()?, &limit, REMEMBERED)?,
        };
        Ok(Tarball { file, compression, entries })
    }

    /// The file of that name; links are followed.
    pub(super) fn find(&self, name: &str) -> Option<&TarFile> {
        const LINKS: usize = 8;
        let mut name = normal("", name)?;
        for _ in 0..LINKS {
            match self.entries.get(&name)? {
                Entry::File(file) => return Some(file),
                Entry::Link(target) => name.clone_from(target),
            }
        }
        None
    }

    pub(super) fn read(&self, file: &TarFile, from: u64) -> io::Result<Blob> {
        let (offset, size) = (file.offset, file.size);
        let reader: Box<dyn Read + Send> = match &file.remembered {
            Some(bytes) => Box::new(Cursor::new(bytes.clone())),
            None if self.compression == Compression::None => {
                return part(self.file.clone(), offset, size, from);
            }
            None => {
                let (_, mut reader) = unpacked(self.file.clone())?;
                io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
                Box::new(reader.take(size))
            }
        };
        Ok(Blob { reader, from: 0, size: Some(size) })
    }
}

fn opened(path: &Path) -> Result<SharedFile> {
    let opened = file::open(path).map_err(|error| match error.kind() {
        _ if path.is_dir() => Error::new(Kind::Local, "not a file")
            .hint(format!("a layout in a directory is oci:{}", path.display())),
        ErrorKind::NotFound => Error::new(Kind::NotFound, "no such file"),
        _ => error.into(),
    });
    opened.map(SharedFile::from)
}

/// What comes from standard input, which is read once, whoever asks for it.
fn piped() -> Result<SharedFile> {
    static PIPED: OnceLock<Result<SharedFile>> = OnceLock::new();
    let read = || Ok(file::unnamed(terminal::archive()?)?.into());
    PIPED.get_or_init(read).clone()
}

impl Files for Tarball {
    fn open(&self, name: &str, from: u64) -> Result<Option<Blob>> {
        self.find(name).map(|file| self.read(file, from).during(name)).transpose()
    }
}

/// All files and links. The last entry of a name counts, as when a tar is unpacked. `budget` is
/// what may be remembered, 0 where the tar can be read again.
fn scan<R: Read>(
    mut entries: tar::Entries<R>,
    limit: &HeaderLimit,
    mut budget: u64,
) -> io::Result<HashMap<String, Entry>> {
    let is_stream = budget > 0;
    let (mut found, mut names) = (HashMap::new(), 0);
    while let Some(entry) = limit.headers(|| entries.next()) {
        let mut entry = entry?;
        names += entry.path_bytes().len() + entry.link_name_bytes().unwrap_or_default().len();
        found.extend(named(&mut entry, &mut budget)?);
        if found.len() > ENTRIES || names > NAMES {
            let message = format!(
                "the tar has more than {ENTRIES} entries, or names of more than {NAMES} bytes"
            );
            return Err(Error::new(Kind::Local, message).into());
        }
        if is_stream {
            io::copy(&mut entry, &mut io::sink())?;
        }
    }
    Ok(found)
}

/// The name of a file or link, and what it is. `None` for everything else.
fn named<R: Read>(
    entry: &mut tar::Entry<R>,
    budget: &mut u64,
) -> io::Result<Option<(String, Entry)>> {
    let name = str::from_utf8(&entry.path_bytes()).ok().and_then(|name| normal("", name));
    let Some(name) = name else {
        return Ok(None);
    };
    let target = entry.link_name_bytes().unwrap_or_default().into_owned();
    let target = str::from_utf8(&target).unwrap_or_default();
    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
    let found = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => Some(Entry::File(tar_file(entry, budget)?)),
        EntryType::Symlink => normal(parent, target).map(Entry::Link),
        EntryType::Link => normal("", target).map(Entry::Link),
        _ => None,
    };
    Ok(found.map(|found| (name, found)))
}

fn tar_file<R: Read>(entry: &mut tar::Entry<R>, budget: &mut u64) -> io::Result<TarFile> {
    let (offset, size) = (entry.raw_file_position(), entry.size());
    let (compression, mut bytes) = Compression::of(entry)?;
    let may_be_json = bytes.first().is_some_and(|first| b"{[ \t\r\n".contains(first));
    let mut remembered = None;
    if may_be_json && size <= LIMIT && size <= *budget {
        *budget -= size;
        entry.read_to_end(&mut bytes)?;
        remembered = Some(bytes.into());
    }
    Ok(TarFile { offset, size, compression, remembered })
}

/// The name without `.`, `..` and doubled slashes; `None` if it leads out of the tar.
fn normal(parent: &str, name: &str) -> Option<String> {
    if name.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in parent.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
