//! The program as its users see it: the built binary against registries that run in the test.

mod answers;
mod filter;
mod credentials;
mod harness;
mod hello;
mod laws;
mod platform;
mod script;
