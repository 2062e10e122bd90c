//! The state file of `changed`: JSON, `{"images": {IMAGE: {PLATFORM: entry}}}`.
//!
//! It is read without a lock, since it is always replaced as a whole. A writer holds the lock while
//! it reads the file again, adds entries and replaces it, so that no process's entries are lost.
//! Entries that are printed within a second are written together.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::error::{During, Error, Kind, Result};
use crate::file;
use crate::json;
use crate::parallel::lock;

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
    /// Held while the file is written.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// The content of the file, as long as it was not replaced.
    file: Option<(Identity, Arc<Value>)>,
    /// Entries that are printed but not written yet.
    printed: Vec<Entry>,
    has_writer: bool,
}

/// What tells a file from the one that replaced it: device and inode, size, time. `None` without one.
type Identity = Option<((u64, u64), u64, Option<SystemTime>)>;

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
        let state = self.state.clone();
        let mut known = lock(&self.state.known);
        known.printed.push(self.clone());
        if !known.has_writer {
            let write_at_intervals = move || loop {
                thread::sleep(INTERVAL);
                // What fails is tried again, at last when the program ends.
                let _ = state.write();
            };
            known.has_writer = thread::Builder::new().spawn(write_at_intervals).is_ok();
        }
    }
}

/// Writes all entries that are printed but not written yet. Several threads may end the program at
/// the same time; none of them does before this is done.
pub(crate) fn finish() -> Result<()> {
    let open = lock(&OPEN);
    open.iter().try_for_each(|state| state.write().during(state.path.display()))
}

impl State {
    /// The one of this process for the file.
    pub(crate) fn at(path: &Path, timeout: Duration) -> Arc<Self> {
        let mut open = lock(&OPEN);
        if let Some(state) = open.iter().find(|state| state.path == path) {
            return state.clone();
        }
        let path = path.to_owned();
        let state = State { path, timeout, known: Mutex::default(), writing: Mutex::default() };
        open.push(Arc::new(state));
        open[open.len() - 1].clone()
    }

    pub(crate) fn get(&self, image: &str, platform: &str) -> Result<Option<Value>> {
        let mut known = lock(&self.known);
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
        let writable = file::place(&self.path).and_then(|_| file::open_lock(&self.lock_path()));
        writable.during(self.path.display())?;
        Ok(Entry { state: self.clone(), image, platform, value })
    }

    /// Reads the file unless it is the one that was read before.
    fn look(&self, known: &mut Known) -> Result<Arc<Value>> {
        let identity = fs::metadata(&self.path).ok().map(|metadata| {
            let identity = file::Status::of(&metadata).identity;
            (identity, metadata.len(), metadata.modified().ok())
        });
        if let Some((same, file)) = &known.file
            && identity == *same
        {
            return Ok(file.clone());
        }
        let file = Arc::new(self.read()?);
        known.file = Some((identity, file.clone()));
        Ok(file)
    }

    fn write(&self) -> Result<()> {
        let _writing = lock(&self.writing);
        let printed = lock(&self.known).printed.clone();
        if printed.is_empty() {
            return Ok(());
        }
        let _lock = file::lock(&self.lock_path(), self.timeout)?;
        let mut all = self.read()?;
        for entry in &printed {
            all["images"][&entry.image][&entry.platform] = entry.value.clone();
        }
        file::replace(&self.path, format!("{all:#}\n").as_bytes())?;
        lock(&self.known).printed.drain(..printed.len());
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
        let mut bytes = Vec::new();
        match file::place(&self.path).and_then(|path| file::open(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            file => drop(file?.read_to_end(&mut bytes)?),
        }
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
