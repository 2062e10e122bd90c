//! Images as files: a directory in the form of the OCI image layout.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::image::{Destination, descriptor, pretty};
use super::store::sha256;

/// A layout that grows; the names of repositories mean nothing to it.
pub struct Layout {
    path: PathBuf,
    entries: Mutex<Vec<Value>>,
}

impl Layout {
    /// Starts an empty layout in a directory that need not exist.
    pub fn create(path: &Path) -> Layout {
        fs::create_dir_all(path.join("blobs/sha256")).expect("a directory");
        let version = json!({"imageLayoutVersion": "1.0.0"}).to_string();
        fs::write(path.join("oci-layout"), version).expect("oci-layout");
        let layout = Layout {
            path: path.to_owned(),
            entries: Mutex::default(),
        };
        layout.write_index(&[]);
        layout
    }

    /// The file of a blob, for tests that damage it.
    pub fn blob(&self, digest: &str) -> PathBuf {
        self.path.join("blobs").join(digest.replace(':', "/"))
    }

    fn write_index(&self, entries: &[Value]) {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": entries,
        });
        fs::write(self.path.join("index.json"), pretty(&index)).expect("index.json");
    }
}

impl Destination for Layout {
    fn put_blob(&self, _: &str, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        fs::write(self.blob(&digest), bytes).expect("a blob");
        digest
    }

    fn put_manifest(&self, _: &str, tag: Option<&str>, media_type: &str, bytes: &[u8]) -> String {
        let digest = self.put_blob("", bytes);
        if let Some(tag) = tag {
            let mut entry = descriptor(media_type, bytes);
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
            let mut entries = self.entries.lock().unwrap();
            entries.push(entry);
            self.write_index(&entries);
        }
        digest
    }
}
