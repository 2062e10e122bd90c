//! podman's and skopeo's `registries.conf`, version 2 (containers-registries.conf(5) and
//! containers-registries.conf.d(5)).

use std::fs;
use std::path::{Path, PathBuf};

use super::file::{self, Table, warn};
use super::{Access, Endpoint, MirrorSettings};
use crate::error::{Error, Result};
use crate::reference::{Host, TagOrDigest, is_repository};

/// One `[[registry]]`.
#[derive(Clone, Debug, Default)]
pub(super) struct RegistryTable {
    pub(super) file: PathBuf,
    /// Which images it is about.
    pub(super) prefix: String,
    pub(super) is_blocked: bool,
    /// What stands in place of the prefix; `None` for the prefix itself.
    location: Option<String>,
    is_insecure: bool,
    mirrors: Vec<MirrorTable>,
}

/// One `[[registry.mirror]]`.
#[derive(Clone, Debug)]
struct MirrorTable {
    location: String,
    is_insecure: bool,
    has_tags: bool,
    has_digests: bool,
}

/// The tables of all files that count: the user's, or else the system's.
pub(super) fn read(settings: &MirrorSettings) -> Vec<RegistryTable> {
    let of_roots = |name: &str| -> Vec<PathBuf> {
        settings.roots.iter().map(|root| root.join("containers").join(name)).collect()
    };
    let (main, mut directories) = (of_roots("registries.conf"), of_roots("registries.conf.d"));
    let main = match &settings.registries_conf {
        Some(path) => {
            if !path.exists() {
                warn(path, "there is no such file");
            }
            Some(path)
        }
        None => main.iter().find(|path| path.exists()),
    };
    if settings.registries_conf.is_none()
        && main.is_some_and(|path| path.starts_with(&settings.roots[0]))
    {
        directories.truncate(1);
    }
    // Those of the user come later, and replace those of the system.
    let directories = directories.iter().rev().flat_map(|directory| drop_ins(directory));
    let mut tables: Vec<RegistryTable> = Vec::new();
    for path in main.cloned().into_iter().chain(directories) {
        for table in file::toml(&path, |root| tables_of(&path, root)).unwrap_or_default() {
            tables.retain(|other| other.prefix != table.prefix);
            tables.push(table);
        }
    }
    tables
}

/// The `*.conf` of a directory, in the order of their names.
fn drop_ins(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "conf")).collect();
    paths.sort();
    paths
}

fn tables_of(path: &Path, root: Table) -> Vec<RegistryTable> {
    if root.has("registries") {
        root.warn("registries", "version 1 of the format is not read");
    }
    let tables = root.tables("registry").into_iter();
    tables.filter_map(|table| RegistryTable::read(path, table)).collect()
}

impl RegistryTable {
    fn read(path: &Path, table: Table) -> Option<Self> {
        let location = location(table);
        let prefix = table.word("prefix").map(str::to_owned).filter(|prefix| !prefix.is_empty());
        let by_digest = table.is("mirror-by-digest-only");
        let mirrors = table.tables("mirror").into_iter();
        Some(RegistryTable {
            file: path.to_owned(),
            prefix: prefix.or(location.clone())?,
            is_blocked: table.is("blocked"),
            location,
            is_insecure: table.is("insecure"),
            mirrors: mirrors.filter_map(|mirror| MirrorTable::read(mirror, by_digest)).collect(),
        })
    }
}

impl MirrorTable {
    fn read(table: Table, by_digest: bool) -> Option<Self> {
        let (has_tags, has_digests) = match table.word("pull-from-mirror").unwrap_or_default() {
            "" | "all" => (!by_digest, true),
            "digest-only" => (false, true),
            "tag-only" => (true, false),
            _ => {
                table.warn("pull-from-mirror", "expected all, digest-only or tag-only");
                return None;
            }
        };
        let is_insecure = table.is("insecure");
        Some(MirrorTable { location: location(table)?, is_insecure, has_tags, has_digests })
    }
}

/// `HOST[:PORT][/PATH]`
fn location(table: Table) -> Option<String> {
    let text = table.word("location")?.trim_end_matches('/');
    if text.is_empty() {
        return None;
    }
    let sound = place(text).inspect_err(|why| table.warn("location", why)).ok();
    sound.map(|_| text.to_owned())
}

/// The host and the name that begin or make up an image.
fn place(text: &str) -> Result<(Host, String)> {
    let (host, name) = text.split_once('/').unwrap_or((text, ""));
    if !name.is_empty() && !is_repository(name) {
        return Err(Error::usage("expected HOST[:PORT][/PATH]"));
    }
    Ok((host.parse()?, name.to_owned()))
}

/// An image and the table that is about it.
pub(super) struct Located<'a> {
    pub(super) table: &'a RegistryTable,
    /// Of the image's name, what is not covered by the prefix.
    rest: String,
    is_digest: bool,
}

/// The table with the longest prefix of the image.
pub(super) fn find<'a>(
    tables: &'a [RegistryTable],
    host: &Host,
    name: &str,
    at: Option<&TagOrDigest>,
) -> Option<Located<'a>> {
    let slash = if name.is_empty() { "" } else { "/" };
    let name = format!("{host}{slash}{name}");
    let image = at.map_or_else(|| name.clone(), |at| format!("{name}{at}"));
    let fitting = tables.iter().filter_map(|table| Some((table, covered(&table.prefix, &image)?)));
    let (table, end) = fitting.max_by_key(|(table, _)| table.prefix.len())?;
    let is_digest = matches!(at, Some(TagOrDigest::Digest { .. }));
    Some(Located { table, rest: name.get(end..).unwrap_or_default().to_owned(), is_digest })
}

/// How much of the image the prefix covers; `None` if it is about others.
fn covered(prefix: &str, image: &str) -> Option<usize> {
    let end = match prefix.strip_prefix('*').filter(|domain| domain.starts_with('.')) {
        Some(domain) => {
            let start = image.find(domain).filter(|start| !image[..*start].contains('/'))?;
            start + domain.len()
        }
        None => image.starts_with(prefix).then_some(prefix.len())?,
    };
    matches!(image.as_bytes().get(end), None | Some(b':' | b'/' | b'@')).then_some(end)
}

impl Located<'_> {
    /// The mirrors that are asked for such an image. They are asked for all of it.
    pub(super) fn mirrors(&self) -> impl Iterator<Item = Endpoint> {
        let mirrors = self.table.mirrors.iter();
        let wanted = mirrors.filter(|it| if self.is_digest { it.has_digests } else { it.has_tags });
        wanted.filter_map(|mirror| self.endpoint(&mirror.location, mirror.is_insecure))
    }

    /// What is asked last, where that is not the registry itself as it is asked anyway.
    pub(super) fn location(&self, itself: &Endpoint) -> Option<Endpoint> {
        let is_insecure = self.table.is_insecure;
        let there = match &self.table.location {
            Some(location) => self.endpoint(location, is_insecure)?,
            None => Endpoint { access: access(is_insecure), ..itself.clone() },
        };
        (there != *itself).then_some(there)
    }

    fn endpoint(&self, location: &str, is_insecure: bool) -> Option<Endpoint> {
        let place = place(&format!("{location}{}", self.rest));
        let (host, name) = place.inspect_err(|why| warn(&self.table.file, why)).ok()?;
        Some(Endpoint { access: access(is_insecure), ..Endpoint::new(host, name) })
    }
}

fn access(is_insecure: bool) -> Access {
    Access { is_unverified: is_insecure, may_be_plain: is_insecure, ..Access::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_part_of_the_name_does() {
        for (prefix, image, rest) in [
            ("example.com", "example.com/a:v1", Some("/a:v1")),
            ("example.com", "example.com:5000/a", Some(":5000/a")),
            ("example.com", "example.com.evil/a", None),
            ("example.com/a", "example.com/a/b", Some("/b")),
            ("example.com/a", "example.com/ab", None),
            ("example.com/a:v1", "example.com/a:v1", Some("")),
            ("example.com/a:v1", "example.com/a:v1@sha256:0", Some("@sha256:0")),
            ("example.com/a:v1", "example.com/a:v10", None),
            ("*.example.com", "a.example.com/b", Some("/b")),
            ("*.example.com", "a.b.example.com:5000/b", Some(":5000/b")),
            ("*.example.com", "example.com/b", None),
            ("*.example.com", "a.example.com.evil/b", None),
            ("*.example.com", "evil/a.example.com", None),
            ("*", "example.com/b", None),
        ] {
            let covered = covered(prefix, image).map(|end| &image[end..]);
            assert_eq!(covered, rest, "{prefix} {image}");
        }
    }
}
