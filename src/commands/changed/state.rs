//! What `changed` remembers: a JSON file, `{"images": {IMAGE: {PLATFORM: entry}}}`.
//!
//! It is read without a lock, as it is replaced as a whole. Who writes holds the lock while reading
//! it again, adding an entry and replacing it, so that nobody's entry is lost.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{During, Error, Kind, Result};
use crate::json;
use crate::replace::replace;

pub(super) struct State<'a> {
    path: &'a Path,
}

impl<'a> State<'a> {
    pub(super) fn at(path: &'a Path) -> Self {
        State { path }
    }

    pub(super) fn get(&self, image: &str, platform: &str) -> Result<Option<Value>> {
        let all = self.read().during(self.path.display())?;
        Ok(all["images"][image].get(platform).cloned())
    }

    pub(super) fn put(&self, image: &str, platform: &str, entry: &Value) -> Result<()> {
        self.add(image, platform, entry).during(self.path.display())
    }

    fn add(&self, image: &str, platform: &str, entry: &Value) -> Result<()> {
        let lock = self.lock()?;
        let mut all = self.read()?;
        all["images"][image][platform] = entry.clone();
        replace(self.path, format!("{all:#}\n").as_bytes())?;
        Ok(lock.unlock()?)
    }

    /// Never the file itself: whoever waits for its lock would get that of a file which is replaced.
    fn lock(&self) -> io::Result<File> {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(PathBuf::from(path))?;
        file.lock()?;
        Ok(file)
    }

    /// A file that is missing or empty remembers nothing.
    fn read(&self) -> Result<Value> {
        let bytes = match fs::read(self.path) {
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
        all.ok_or_else(|| Error::new(Kind::Local, "this is no file that --state has written"))
    }
}
