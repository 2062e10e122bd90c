//! The program once more, and what is tried on it.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/src/main.rs"));

mod targets;

pub use targets::TARGETS;
