//! What the tests of the core stand on: the real kernel behind a network that loses, doubles, delays and reorders, and
//! clients that crash. Everything is drawn from one seed.

// Each test binary uses a part of it, and what fails here fails a test.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub(crate) mod app;
pub(crate) mod client;
pub(crate) mod server;
pub(crate) mod world;
