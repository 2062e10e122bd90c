//! What commands answer, over HTTP: pages for people, JSON for programs.

mod http;
