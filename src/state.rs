//! The state file of `changed`: JSON, `{"images": {IMAGE: {PLATFORM: entry}}}`.
//!
//! It is read without a lock, since it is always replaced as a whole. A writer holds the lock while
//! it reads the file again, adds entries and replaces it, so that no process's entries are lost.
//! Entries that are printed within a second are written together.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::error::{During, Error, Kind, Result};
use crate::file::{self, Lock};
use crate::json;

/// How long printed entries wait for more before they are written.
const INTERVAL: Duration = Duration::from_secs(1);

/// All state files of this process.
static OPEN: Mutex<Vec<Arc<State>>> = Mutex::new(Vec::new());

#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    /// How long to wait for other processes.
    timeout: Duration,
    known: Mutex<Known>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    /// The content of the file, as long as it was not replaced.
    file: Option<(Identity, Arc<Value>)>,
    /// Entries that are printed but not written yet.
    printed: VecDeque<Entry>,
    writer: Option<JoinHandle<()>>,
    is_over: bool,
}

/// Identifies a file, so that a replaced one is noticed.
type Identity = (u64, u64, Option<SystemTime>);

/// The state of an image on a platform, to be saved when it has been printed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    state: Arc<State>,
    image: String,
    platform: String,
    value: Value,
}

impl Entry {
    /// Marks the entry as printed. It is written to the file within a second, or when the program
    /// ends.
    pub(crate) fn printed(&self) {
        let state = &self.state;
        let mut known = state.known();
        known.printed.push_back(self.clone());
        if known.writer.is_none() {
            let writing = state.clone();
            let writer = thread::Builder::new().spawn(move || writing.write_at_intervals());
            // Without a thread it is written when the program ends.
            known.writer = writer.ok();
        }
    }
}

/// Writes all entries that are printed but not written yet. Several threads may end the program at
/// the same time; none of them does before this is done.
pub(crate) fn finish() -> Result<()> {
    let open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.iter().try_for_each(|state| state.finish())
}

impl State {
    /// The one of this process for the file.
    pub(crate) fn at(path: &Path, timeout: Duration) -> Arc<Self> {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = open.iter().find(|state| state.path == path) {
            return state.clone();
        }
        let state = Arc::new(State {
            path: path.to_owned(),
            timeout,
            known: Mutex::default(),
            over: Condvar::new(),
        });
        open.push(state.clone());
        state
    }

    pub(crate) fn get(&self, image: &str, platform: &str) -> Result<Option<Value>> {
        let mut known = self.known();
        let is_it = |entry: &&Entry| entry.image == image && entry.platform == platform;
        if let Some(entry) = known.printed.iter().rfind(is_it) {
            return Ok(Some(entry.value.clone()));
        }
        let all = self.look(&mut known).during(self.path.display())?;
        drop(known);
        Ok(all["images"][image].get(platform).cloned())
    }

    /// An entry to be saved when it has been printed. Fails at once if the file cannot be written.
    pub(crate) fn entry(
        self: &Arc<Self>,
        image: String,
        platform: String,
        value: Value,
    ) -> Result<Entry> {
        let writable = file::place(&self.path).and_then(|_| Lock::verify(&self.lock_path()));
        writable.during(self.path.display())?;
        Ok(Entry { state: self.clone(), image, platform, value })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the file unless it is the one that was read before.
    fn look(&self, known: &mut Known) -> Result<Arc<Value>> {
        let identity = identity(&self.path);
        if let (Some(identity), Some((same, file))) = (identity, &known.file)
            && identity == *same
        {
            return Ok(file.clone());
        }
        let file = Arc::new(self.read()?);
        known.file = identity.map(|identity| (identity, file.clone()));
        Ok(file)
    }

    /// Repeats until all printed entries are written. If that fails, it is tried again when the
    /// program ends.
    fn write_at_intervals(&self) {
        let mut known = self.known();
        loop {
            let is_running = |known: &mut Known| !known.is_over;
            let waited = self.over.wait_timeout_while(known, INTERVAL, is_running);
            known = waited.unwrap_or_else(PoisonError::into_inner).0;
            if known.is_over {
                return;
            }
            if known.printed.is_empty() {
                known.writer = None;
                return;
            }
            drop(known);
            let _ = self.write();
            known = self.known();
        }
    }

    fn finish(&self) -> Result<()> {
        let mut known = self.known();
        known.is_over = true;
        let writer = known.writer.take();
        drop(known);
        self.over.notify_all();
        if let Some(writer) = writer {
            // A writer that panicked has written nothing.
            let _ = writer.join();
        }
        self.write().during(self.path.display())
    }

    fn write(&self) -> Result<()> {
        let printed: Vec<Entry> = self.known().printed.iter().cloned().collect();
        if printed.is_empty() {
            return Ok(());
        }
        let lock = Lock::take(&self.lock_path(), self.timeout)?;
        let mut all = self.read()?;
        for entry in &printed {
            all["images"][&entry.image][&entry.platform] = entry.value.clone();
        }
        file::replace(&self.path, format!("{all:#}\n").as_bytes())?;
        lock.release()?;
        self.known().printed.drain(..printed.len());
        Ok(())
    }

    /// Not the file itself: its lock would be lost whenever the file is replaced.
    fn lock_path(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".lock");
        path.into()
    }

    /// A file that is missing or empty has no entries.
    fn read(&self) -> Result<Value> {
        let bytes = match file::place(&self.path).and_then(|path| file::read(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            bytes => bytes?,
        };
        if bytes.trim_ascii().is_empty() {
            return Ok(json!({"images": {}}));
        }
        let all = json::parse(&bytes).ok().filter(|all| {
            let images = all["images"].as_object();
            images.is_some_and(|images| images.values().all(Value::is_object))
        });
        all.ok_or_else(|| Error::new(Kind::Local, "not a file that --state wrote"))
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let metadata = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let number = 0;
    Some((number, metadata.len(), metadata.modified().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_printed_is_known_by_image_and_platform() {
        let directory = tempfile::tempdir().unwrap();
        let state = State::at(&directory.path().join("state"), Duration::ZERO);
        let (image, platform) = ("a".to_owned(), "linux/amd64".to_owned());
        state.entry(image, platform, json!(1)).unwrap().printed();
        for (image, platform, known) in [
            ("a", "linux/amd64", Some(json!(1))),
            ("a", "linux/arm64", None),
            ("b", "linux/amd64", None),
        ] {
            let found = state.get(image, platform).unwrap();
            assert_eq!(found, known, "{image} {platform}");
        }
    }

    #[test]
    fn what_another_process_writes_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        let state = State::at(&path, Duration::ZERO);
        for value in [1, 2, 2] {
            let all = json!({"images": {"a": {"linux/amd64": value}}});
            file::replace(&path, all.to_string().as_bytes()).unwrap();
            let found = state.get("a", "linux/amd64").unwrap();
            assert_eq!(found, Some(json!(value)));
        }
    }
}
