//! What a layer says of one file, directory or link.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    /// The permissions, setuid, setgid and sticky bits.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    /// In seconds since 1970.
    pub(crate) modified: i64,
    /// What a symlink says, or which other path a hard link is the same file as; else empty.
    pub(crate) link: Box<str>,
    /// The layer that it is of, from 0 for the lowest.
    pub(crate) layer: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    /// A directory that has entries and no entry of its own.
    Parent,
    Symlink,
    /// To a file of a lower layer. One to a file of its own layer is that file.
    HardLink,
    CharDevice,
    BlockDevice,
    Fifo,
    Whiteout,
}

impl EntryKind {
    /// With the letter under which it is remembered, and the name that users see.
    pub(super) const ALL: [(EntryKind, char, &str); 9] = [
        (EntryKind::File, '-', "file"),
        (EntryKind::Directory, 'd', "directory"),
        (EntryKind::Parent, 'D', "directory"),
        (EntryKind::Symlink, 'l', "symlink"),
        (EntryKind::HardLink, 'h', "file"),
        (EntryKind::CharDevice, 'c', "character device"),
        (EntryKind::BlockDevice, 'b', "block device"),
        (EntryKind::Fifo, 'p', "fifo"),
        (EntryKind::Whiteout, 'w', "whiteout"),
    ];

    pub(super) fn row(self) -> (EntryKind, char, &'static str) {
        let mut rows = EntryKind::ALL.into_iter();
        rows.find(|(kind, ..)| *kind == self).expect("all are listed")
    }

    pub(crate) fn name(self) -> &'static str {
        self.row().2
    }

    /// The first letter of a line of `ls -l`.
    pub(crate) fn letter(self) -> char {
        match self {
            EntryKind::Parent => 'd',
            EntryKind::HardLink => '-',
            kind => kind.row().1,
        }
    }

    pub(super) fn is_directory(self) -> bool {
        matches!(self, EntryKind::Directory | EntryKind::Parent)
    }
}

impl Entry {
    /// What a runtime makes of a directory that has no entry.
    pub(super) fn parent(layer: u32) -> Self {
        let link = Box::default();
        let kind = EntryKind::Parent;
        Entry { kind, mode: 0o755, uid: 0, gid: 0, size: 0, modified: 0, link, layer }
    }
}
