//! Tries whatever libFuzzer thinks of on the target that the environment names.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("TARGET").unwrap_or_default();
    let target = fuzz::TARGETS.iter().find(|(known, _)| *known == name);
    target.unwrap_or_else(|| panic!("no target '{name}'")).1
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
