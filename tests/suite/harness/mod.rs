//! What the tests are written with: the program under test, registries of both kinds, and images.

#![allow(
    dead_code,
    unused_imports,
    reason = "tests take from the harness what they need"
)]

mod client;
mod faults;
mod http;
mod image;
mod index;
mod layer;
mod output;
mod push;
mod registry;
mod running;
mod server;
mod store;
#[cfg(unix)]
mod terminal;
mod tls;
mod tokens;
mod tool;
mod wire;

pub use client::Client;
pub use faults::Fault;
pub use http::{Request, Response};
pub use image::{Destination, Image};
pub use index::Index;
pub use output::Output;
pub use registry::Registry;
pub use running::Running;
pub use store::sha256;
pub use tls::Tls;
pub use tokens::Tokens;
pub use tool::Tool;
