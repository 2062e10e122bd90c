//! The description of the interface.

use std::path::Path;

use super::{registry, serving};
use crate::harness::{Tool, program};

#[test]
fn the_description_is_valid() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("target/openapi/bin/openapi-spec-validator");
    let Some(validator) = program(path.to_str().unwrap(), "none; tests/run gets it") else {
        return;
    };
    let (registry, ..) = registry();
    let description = serving(&registry).get("/api/openapi.json");
    assert_eq!(description.get("content-type"), Some("application/json"));
    let validator = validator.file("work/openapi.json", &description.body);
    let output = validator
        .again(["--schema", "3.1", "openapi.json"])
        .run()
        .status(0);
    assert_eq!(output.text(), "openapi.json: OK\n");
}

/// Every command that is described is there, and none of the others.
#[test]
fn what_is_described_is_there() {
    let (registry, ..) = registry();
    let served = serving(&registry);
    let description = served.json(200, "/api/openapi.json");
    let candidates = Tool::new().args(["__complete", ""]).run().status(0);
    let names = candidates.text().lines();
    let names: Vec<&str> = names
        .filter_map(|line| Some(line.split_once('\t')?.0))
        .collect();
    assert!(
        names.contains(&"labels") && names.contains(&"push"),
        "{names:?}"
    );
    let mut described = 0;
    for name in names {
        let path = format!("/api/v1/{name}");
        let is_described = description["paths"][&path].is_object();
        described += usize::from(is_described);
        let expected = if is_described { 400 } else { 404 };
        assert_eq!(served.get(&path).status, expected, "{name}");
    }
    let paths = description["paths"].as_object().unwrap();
    let commands = paths.keys().filter(|path| path.starts_with("/api/v1/"));
    assert_eq!(commands.count(), described);
}
