//! Reports as they are kept in `tests/fixtures/reports`.

use std::fs;
use std::path::Path;

use crate::harness::Registry;

/// Compares a report with the file of this name, in which the registry is `localhost:5000`.
/// `BLESS=1` writes the file.
#[track_caller]
pub fn golden(registry: &Registry, name: &str, report: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports");
    let path = path.join(name);
    let report = report.replace(&registry.host(), "localhost:5000");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &report).expect("the report");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, report, "{name}; BLESS=1 writes it anew");
}
