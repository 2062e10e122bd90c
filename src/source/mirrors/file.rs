//! Configurations as they are read: what is not as it should be is a warning with its line.

use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::Server;
use crate::error::{self, Error};
use crate::json;

/// A file that is there and can be read.
pub(super) fn text(path: &Path) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            None
        }
        Err(error) => {
            warn(path, Error::from(error));
            None
        }
    }
}

pub(super) fn warn(path: &Path, why: impl Display) {
    error::warn(format_args!("{}: {why}", path.display()));
}

/// A table of a TOML file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    path: &'a Path,
    text: &'a str,
    table: &'a DeTable<'a>,
}

/// What `make` makes of a TOML file; `None` for one that is not there.
pub(super) fn toml<T>(path: &Path, make: impl FnOnce(Table) -> T) -> Option<T> {
    let text = text(path)?;
    match DeTable::parse(&text) {
        Ok(table) => Some(make(Table { path, text: &text, table: table.get_ref() })),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            warn_at(path, &text, at, error.message());
            None
        }
    }
}

fn warn_at(path: &Path, text: &str, at: usize, why: impl Display) {
    let before = text.as_bytes().iter().take(at);
    let line = before.filter(|byte| **byte == b'\n').count() + 1;
    warn(path, format_args!("line {line}: {why}"));
}

impl<'a> Table<'a> {
    /// Warns of a value, or of a key that should not be there.
    pub(super) fn warn(self, key: &str, why: impl Display) {
        let at = self.table.get(key).map_or(0, |value| value.span().start);
        warn_at(self.path, self.text, at, format_args!("{key}: {why}"));
    }

    pub(super) fn has(self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key, if it is what is wanted.
    fn value<T>(
        self,
        key: &str,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let read = read(self.table.get(key)?.get_ref());
        if read.is_none() {
            self.warn(key, format_args!("expected {wanted}"));
        }
        read
    }

    pub(super) fn is(self, key: &str) -> bool {
        self.value(key, "true or false", DeValue::as_bool).unwrap_or_default()
    }

    pub(super) fn word(self, key: &str) -> Option<&'a str> {
        self.value(key, "a string", |value| value.as_str())
    }

    /// What a string means.
    pub(super) fn parsed<T: FromStr<Err = Error>>(self, key: &str) -> Option<T> {
        let parsed = self.word(key)?.parse();
        parsed.inspect_err(|why| self.warn(key, why)).ok()
    }

    /// A string or several of them.
    pub(super) fn words(self, key: &str) -> Option<Vec<&'a str>> {
        self.value(key, "a string or an array of strings", |value| match value {
            DeValue::Array(array) => array.iter().map(|item| item.get_ref().as_str()).collect(),
            value => value.as_str().map(|word| vec![word]),
        })
    }

    /// A file, files, or files of a certificate and its key: the first certificate. The key may be
    /// in the same file.
    pub(super) fn pair(self, key: &str) -> Option<(&'a str, &'a str)> {
        self.value(key, "a file, or an array of files or of pairs of them", |value| {
            let Some(first) = value.as_array().map(|array| array.first()) else {
                return value.as_str().map(|file| (file, file));
            };
            match first?.get_ref() {
                DeValue::Array(pair) => {
                    let cert = pair.first()?.get_ref().as_str()?;
                    let key = pair.get(1).map_or(Some(""), |key| key.get_ref().as_str())?;
                    Some((cert, if key.is_empty() { cert } else { key }))
                }
                file => file.as_str().map(|file| (file, file)),
            }
        })
    }

    pub(super) fn tables(self, key: &str) -> Vec<Table<'a>> {
        let tables = self.value(key, "an array of tables", |value| {
            let tables = value.as_array()?.iter().map(|table| table.get_ref().as_table());
            tables.collect::<Option<Vec<_>>>()
        });
        tables.unwrap_or_default().into_iter().map(|table| Table { table, ..self }).collect()
    }

    pub(super) fn table(self, key: &str) -> Option<Table<'a>> {
        let table = self.value(key, "a table", DeValue::as_table)?;
        Some(Table { table, ..self })
    }

    /// In the order of the file.
    pub(super) fn keys(self) -> impl Iterator<Item = &'a str> {
        let mut keys: Vec<_> = self.table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().as_ref())
    }

    /// A file that is named in this one, perhaps relative to it.
    pub(super) fn beside(self, file: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(file)
    }
}

/// The mirrors of Docker Hub in docker's `daemon.json`, of the first root that has one.
pub(super) fn registry_mirrors(roots: &[PathBuf]) -> Vec<Server> {
    const KEY: &str = "registry-mirrors";
    let mut files = roots.iter().map(|root| root.join("docker/daemon.json"));
    let Some((path, text)) = files.find_map(|path| text(&path).map(|text| (path, text))) else {
        return Vec::new();
    };
    let value = json::parse(text.as_bytes()).inspect_err(|error| warn(&path, error));
    let value = value.map(|mut value| value[KEY].take()).unwrap_or_default();
    let at = text.find(&format!("\"{KEY}\"")).unwrap_or_default();
    let warn = |why: &dyn Display| warn_at(&path, &text, at, format_args!("{KEY}: {why}"));
    let list = value.as_array().map_or(&[][..], Vec::as_slice);
    let Some(urls) = list.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
        warn(&"expected an array of strings");
        return Vec::new();
    };
    let servers = urls.into_iter().map(str::parse);
    servers.filter_map(|it| it.inspect_err(|why: &Error| warn(why)).ok()).collect()
}
