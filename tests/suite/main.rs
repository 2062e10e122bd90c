//! The program as its users see it: the built binary against registries that run in the test.

mod answers;
mod batch;
mod credentials;
mod filter;
mod catalog;
mod delete;
mod harness;
mod hello;
mod helpers;
mod identities;
mod laws;
mod media_types;
mod platform;
mod requests;
mod script;
mod patience;
mod proxies;
mod secrets;
mod tls;
mod tokens;
mod ratelimit;
