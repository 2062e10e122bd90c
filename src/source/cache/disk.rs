//! The disk cache: values under keys, each in its own file.
//!
//! A file holds a line with the checksum of the rest, a line with its key, and the value. A file
//! whose checksum is wrong, or that another user owns or may write to, counts as absent, and so
//! does everything in a directory like that. Files get their name only when they are complete, so
//! several processes can use the cache at the same time.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, SystemTime};

use crate::content;
use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::say;
use crate::file::{self, open_owned};
use crate::memory;

/// How many bytes all files may have together.
const LIMIT: u64 = 256 << 20;

/// How many bytes a file may have: a document or a page of the largest size, and its key.
const LARGEST: u64 = content::LIMIT + (64 << 10);

/// A temporary file of this age was left by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The cache is swept when all processes together have written this part of the limit: an eighth. A
/// sweep leaves three quarters of the limit, so the cache stays below it.
const SWEEP: u64 = 8;

/// A directory of the cache, by what its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// Manifests and configurations, by repository and digest.
    Content,
    /// What is in a layer, by its digest alone: many repositories have the same.
    Layers,
    /// What a tag led to, and lists of tags.
    Tags,
    /// Challenges and anonymous tokens.
    Registries,
}

impl Namespace {
    const ALL: [Namespace; 4] =
        [Namespace::Content, Namespace::Layers, Namespace::Tags, Namespace::Registries];

    fn name(self) -> &'static str {
        ["content", "layers", "tags", "registries"][self as usize]
    }
}

pub(crate) struct DiskCache {
    directory: PathBuf,
    limit: u64,
    clock: fn() -> SystemTime,
    /// Whether to report that a value could not be written.
    is_verbose: bool,
    complaint: Once,
}

/// A value and how long ago it was written.
pub(crate) struct Entry {
    pub(crate) value: Vec<u8>,
    pub(crate) age: Duration,
}

impl DiskCache {
    /// The directory is read or created only when it is needed.
    pub(crate) fn new(directory: PathBuf, clock: fn() -> SystemTime, is_verbose: bool) -> Self {
        DiskCache { directory, limit: LIMIT, clock, is_verbose, complaint: Once::new() }
    }

    pub(crate) fn get(&self, namespace: Namespace, key: &str) -> Option<Entry> {
        if let Err(error) = self.is_ours(namespace) {
            self.complain("used", &error);
            return None;
        }
        let (found, entry) = self.read(&self.path(namespace, key))?;
        (found == key).then_some(entry)
    }

    /// A key and its value, if the checksum is right and only we can have written the file.
    fn read(&self, path: &Path) -> Option<(String, Entry)> {
        let file = open_owned(OpenOptions::new().read(true), path).ok()?;
        let metadata = file.metadata().ok()?;
        if metadata.len() > LARGEST || file::Status::of(&metadata).is_open_to_others() {
            return None;
        }
        // What is not had now counts as not kept.
        memory::take(metadata.len().try_into().ok()?).ok()?;
        let mut value = Vec::new();
        file.take(LARGEST).read_to_end(&mut value).ok()?;
        let (key, rest) = checked(&value)?;
        let (key, start) = (str::from_utf8(key).ok()?.to_owned(), value.len() - rest.len());
        value.drain(..start);
        // A file with a time in the future is never fresh.
        let written = metadata.modified().ok()?;
        let age = (self.clock)().duration_since(written).unwrap_or(Duration::MAX);
        Some((key, Entry { value, age }))
    }

    /// Writes a value; an empty one deletes the entry. A failure is only reported: the next run
    /// asks again.
    pub(crate) fn put(&self, namespace: Namespace, key: &str, value: &[u8]) {
        let path = self.path(namespace, key);
        let done = self.is_ours(namespace).and_then(|()| match value {
            [] => remove(&path),
            value => self.write(&path, key, value),
        });
        if let Err(error) = done {
            self.complain("written", &error);
        }
    }

    /// The keys of a namespace, in no order.
    pub(crate) fn keys(&self, namespace: Namespace) -> Vec<String> {
        let files = self.files(namespace).unwrap_or_default().into_iter();
        files.filter_map(|file| Some(self.read(&file.path())?.0)).collect()
    }

    fn files(&self, namespace: Namespace) -> io::Result<Vec<fs::DirEntry>> {
        self.is_ours(namespace)?;
        let listed = fs::read_dir(self.directory.join(namespace.name()));
        Ok(listed.into_iter().flatten().flatten().collect())
    }

    /// An error if another user could have written files of the namespace; none if the directory
    /// does not exist yet.
    fn is_ours(&self, namespace: Namespace) -> io::Result<()> {
        for directory in [&self.directory, &self.directory.join(namespace.name())] {
            // Writing will report whatever else is wrong with it.
            if let Ok(metadata) = fs::symlink_metadata(directory) {
                file::verify_directory(&metadata)?;
            }
        }
        Ok(())
    }

    fn path(&self, namespace: Namespace, key: &str) -> PathBuf {
        let name = Digest::of(Algorithm::Sha256, key.as_bytes());
        self.directory.join(namespace.name()).join(name.hex())
    }

    fn write(&self, path: &Path, key: &str, value: &[u8]) -> io::Result<()> {
        let mut sum = Hasher::new(Algorithm::Sha256);
        [key.as_bytes(), b"\n", value].into_iter().for_each(|part| sum.update(part));
        let head = format!("{}\n{key}\n", sum.digest());
        let length = (head.len() + value.len()) as u64;
        if length > LARGEST {
            return Err(io::Error::other("too large"));
        }
        // Readable by the user alone: what is cached may need credentials to be fetched.
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(path.parent().unwrap_or(&self.directory))?;
        file::replace_private(path, &[head.as_bytes(), value])?;
        self.count(length)
    }

    /// Adds to the bytes written since the last sweep: a file with one byte for each KiB, to which
    /// processes can append without waiting for one another.
    fn count(&self, bytes: u64) -> io::Result<()> {
        let path = self.directory.join("written");
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let mut written = open_owned(&mut options, &path).or_else(|_| {
            remove(&path)?;
            open_owned(&mut options, &path)
        })?;
        written.write_all(&b".".repeat(bytes.div_ceil(1024) as usize))?;
        if written.metadata()?.len() < self.limit / SWEEP / 1024 {
            return Ok(());
        }
        written.set_len(0)?;
        self.sweep()
    }

    /// Deletes temporary files of killed processes, and the oldest files until the rest is small
    /// enough.
    fn sweep(&self) -> io::Result<()> {
        let now = (self.clock)();
        let (mut files, mut size) = (Vec::new(), 0);
        for namespace in Namespace::ALL {
            for file in self.files(namespace)? {
                // Another process may have swept it away.
                let Ok(metadata) = file.metadata() else {
                    continue;
                };
                let (path, modified) = (file.path(), metadata.modified()?);
                let age = now.duration_since(modified).unwrap_or_default();
                if file::is_temporary(&path) && age > ABANDONED {
                    let _ = remove(&path);
                    continue;
                }
                size += metadata.len();
                files.push((modified, metadata.len(), path));
            }
        }
        files.sort();
        for (_, length, path) in files {
            if size <= self.limit / 4 * 3 {
                break;
            }
            let _ = remove(&path);
            size -= length;
        }
        Ok(())
    }

    fn complain(&self, what: &str, error: &io::Error) {
        let directory = self.directory.display();
        let message = format!("docker-registry: the cache {directory} cannot be {what}: {error}");
        if self.is_verbose {
            self.complaint.call_once(|| say(&message));
        }
    }
}

/// Removes a file or a directory.
fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => fs::remove_dir_all(path).map_err(|_| error),
    })
}

/// Key and value, if the checksum is right.
fn checked(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sum, rest) = line(file)?;
    let sum: Digest = str::from_utf8(sum).ok()?.parse().ok()?;
    sum.verify(rest).ok()?;
    line(rest)
}

/// The first line, and the rest.
pub(super) fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..end], &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> (tempfile::TempDir, DiskCache) {
        let directory = tempfile::tempdir().unwrap();
        let cache = DiskCache::new(directory.path().join("cache"), SystemTime::now, false);
        (directory, cache)
    }

    fn value(cache: &DiskCache, key: &str) -> Option<Vec<u8>> {
        cache.get(Namespace::Content, key).map(|entry| entry.value)
    }

    #[test]
    fn what_was_put_is_there_until_it_is_forgotten() {
        let (_directory, cache) = cache();
        assert_eq!(value(&cache, "a"), None);
        cache.put(Namespace::Content, "a", b"one\ntwo");
        cache.put(Namespace::Tags, "a", b"other");
        assert_eq!(value(&cache, "a").as_deref(), Some(&b"one\ntwo"[..]));
        assert_eq!(cache.keys(Namespace::Content), ["a"]);
        cache.put(Namespace::Content, "a", b"");
        cache.put(Namespace::Content, "a", b"");
        assert_eq!(value(&cache, "a"), None);
    }

    #[test]
    fn a_file_that_is_damaged_or_of_another_key_is_not_believed() {
        let (_directory, cache) = cache();
        cache.put(Namespace::Content, "a", b"value");
        let path = cache.path(Namespace::Content, "a");
        let whole = fs::read(&path).unwrap();
        fs::copy(&path, cache.path(Namespace::Content, "b")).unwrap();
        assert_eq!(value(&cache, "b"), None);
        let flipped: Vec<u8> = whole[..whole.len() - 1].iter().copied().chain(*b"E").collect();
        for damaged in [&whole[..whole.len() - 1], &whole[..10], b"", b"\n", &flipped] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(value(&cache, "a"), None, "{damaged:?}");
        }
    }

    #[test]
    fn the_oldest_go_when_there_is_too_much() {
        let (_directory, mut cache) = cache();
        assert_eq!(cache.limit, 256 << 20);
        cache.limit = 1 << 20;
        let long = vec![0; 32 << 10];
        let written = SystemTime::now() - Duration::from_secs(3600);
        for n in 0..40u64 {
            cache.put(Namespace::Content, &n.to_string(), &long);
            let path = cache.path(Namespace::Content, &n.to_string());
            let time = written + Duration::from_secs(n);
            OpenOptions::new().write(true).open(path).unwrap().set_modified(time).unwrap();
            let files = fs::read_dir(cache.directory.join("content")).unwrap();
            let size: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
            assert!(size <= cache.limit, "{size} bytes after {n} files");
            assert!(size > cache.limit / 2 || n < 24, "{size} bytes after {n} files");
        }
        assert!(value(&cache, "0").is_none() && value(&cache, "39").is_some());
    }

    #[test]
    fn every_eighth_of_the_limit_is_swept_after() {
        let (_directory, mut cache) = cache();
        cache.limit = 1 << 20;
        let written = || fs::metadata(cache.directory.join("written")).unwrap().len();
        for n in 1..=16 {
            // With its checksum and key, 16 KiB.
            cache.put(Namespace::Tags, "a", &vec![0; (16 << 10) - 74]);
            assert_eq!(written(), n % 8 * 16, "{n}");
        }
    }

    #[test]
    fn a_value_is_as_large_as_a_file_may_be() {
        let (_directory, cache) = cache();
        let room = LARGEST as usize - 74;
        for (length, is_kept) in [(room, true), (room + 1, false)] {
            cache.put(Namespace::Content, "a", b"");
            cache.put(Namespace::Content, "a", &vec![0; length]);
            let path = cache.path(Namespace::Content, "a");
            assert_eq!(path.exists(), is_kept, "{length}");
            assert_eq!(value(&cache, "a").is_some(), is_kept, "{length}");
        }
        let (longest, largest) = ("k".repeat(60_000), vec![0; content::LIMIT as usize]);
        cache.put(Namespace::Content, &longest, &largest);
        assert!(value(&cache, &longest).is_some());
    }

    #[test]
    fn what_is_gone_is_removed_already() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        assert!(remove(&path).is_ok());
        fs::create_dir(&path).unwrap();
        assert!(remove(&path).is_ok() && !path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, cache) = cache();
        cache.put(Namespace::Registries, "token", b"secret");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cache.path(Namespace::Registries, "token")), 0o600);
        assert_eq!(mode(&cache.directory), 0o700);
    }
}
