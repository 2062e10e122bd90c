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
mod layout;
mod output;
mod proxy;
mod push;
mod real;
mod registry;
mod reply;
mod running;
pub mod schema1;
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
pub use layer::{gzip, tar};
pub use layout::Layout;
pub use output::Output;
pub use proxy::Proxy;
pub use real::{Real, skopeo};
pub use registry::Registry;
pub use running::Running;
pub use schema1::Schema1;
pub use store::sha256;
pub use tls::Tls;
pub use tokens::Tokens;
pub use tool::Tool;
