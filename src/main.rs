//! docker-registry: ask a container registry.
#![allow(dead_code, unused_imports)]

mod cli;
mod compression;
mod digest;
mod document;
mod encoding;
mod error;
mod platform;
mod query;
mod reference;
mod secret;
mod source;

fn main() {}
