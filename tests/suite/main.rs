//! The program as its users see it: the built binary against registries that run in the test.

mod answers;
mod batch;
mod cache;
mod catalog;
mod credentials;
mod delete;
mod downloads;
mod faults;
mod filter;
mod harness;
mod hello;
mod helpers;
mod identities;
mod laws;
mod media_types;
mod patience;
mod platform;
mod proxies;
mod ratelimit;
mod requests;
mod script;
mod secrets;
mod tls;
mod tokens;
mod usage;
mod verifytool;
