//! Paths inside an image, and how links lead from one to another.

use std::fmt::{self, Display, Write};

use crate::error::{Error, Kind, Result};

/// How many symlinks may lead to one another, as in Linux (path_resolution(7)).
const LINKS: usize = 40;

/// The names that lead from the root to a file: the root's path has none. In order, a directory is
/// followed by all that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FilePath(
    /// The names with zeros between them, which are less than all that a name has.
    Box<str>,
);

impl FilePath {
    /// `..` above the root is the root.
    pub(crate) fn new(text: &str) -> Self {
        let mut path = FilePath::default();
        text.split('/').for_each(|name| path = path.to(name));
        path
    }

    fn to(&self, name: &str) -> FilePath {
        match name {
            "" | "." => self.clone(),
            ".." => self.parent().unwrap_or_default(),
            name => self.join(name),
        }
    }

    pub(crate) fn join(&self, name: &str) -> FilePath {
        let between = if self.is_root() { "" } else { "\0" };
        FilePath([&self.0, between, name].concat().into())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('\0').filter(|name| !name.is_empty())
    }

    /// The last name.
    pub(crate) fn name(&self) -> &str {
        self.0.rsplit_once('\0').map_or(&self.0, |(_, name)| name)
    }

    /// `None` for the root.
    pub(crate) fn parent(&self) -> Option<FilePath> {
        let parent = self.0.rsplit_once('\0').map_or("", |(parent, _)| parent);
        (!self.is_root()).then(|| FilePath(parent.into()))
    }

    /// The directories that it is in, from the innermost to the root.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = FilePath> + use<> {
        std::iter::successors(self.parent(), FilePath::parent)
    }

    pub(crate) fn is_in(&self, directory: &FilePath) -> bool {
        match self.0.strip_prefix(&*directory.0) {
            Some(rest) if directory.is_root() => !rest.is_empty(),
            rest => rest.is_some_and(|rest| rest.starts_with('\0')),
        }
    }
}

impl Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "/{}", self.0.replace('\0', "/"))
    }
}

/// Where a path leads when symlinks are followed inside the image, as in a chroot. `link` tells what
/// the symlink of this path says, `None` for everything else. `Kind::Protocol` for a loop.
pub(crate) fn followed(
    path: &str,
    mut link: impl FnMut(&FilePath) -> Result<Option<Box<str>>>,
) -> Result<FilePath> {
    let mut here = FilePath::default();
    let mut links = 0;
    let mut ahead: Vec<Box<str>> = path.rsplit('/').map(Box::from).collect();
    while let Some(name) = ahead.pop() {
        let there = here.to(&name);
        let target = if there.is_in(&here) { link(&there)? } else { None };
        let Some(target) = target else {
            here = there;
            continue;
        };
        links += 1;
        if links > LINKS {
            let path = FilePath::new(path);
            return Err(Error::new(Kind::Protocol, format!("{path}: too many symlinks")));
        }
        if target.starts_with('/') {
            here = FilePath::default();
        }
        ahead.extend(target.rsplit('/').map(Box::from));
    }
    Ok(here)
}

/// The text of a name in a tar: bytes that are not UTF-8, and zeros, become `\xNN`.
pub(crate) fn readable(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text += &chunk.valid().replace('\0', "\\x00");
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a String takes everything");
        }
    }
    text
}
