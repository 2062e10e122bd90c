//! docker-registry: ask a container registry.
#![allow(dead_code)]

mod error;
mod secret;

fn main() {}
