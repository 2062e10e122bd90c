//! What the tests are written with: the program under test, registries of both kinds, and images.
//!
//! A test says what is there and what goes wrong, runs the program, and compares all of its output:
//!
//! ```
//! let registry = Registry::start();
//! let image = Image::new("linux/amd64").label("a", "b").layer("hello", b"hello");
//! image.push_to(&registry, "a", "v1");
//! registry.fail("/v2/a/manifests/v1", 503);
//! let labels = Tool::new().args(["labels", "-r", &registry.image("a:v1")]);
//! labels.run().success("{\"a\":\"b\"}\n");
//! assert_eq!(registry.connections(), 1);
//! ```

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
mod served;
mod server;
mod store;
#[cfg(target_os = "linux")]
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
pub use output::{Output, indented};
pub use proxy::{Proxy, relay};
pub use real::{Real, installed, program, skopeo};
pub use registry::Registry;
pub use running::Running;
pub use schema1::Schema1;
pub use served::Served;
pub use server::{NOBODY, Server};
pub use store::{Oddity, sha256};
pub use tls::{Purpose, Tls, accept};
pub use tokens::Tokens;
pub use tool::Tool;
