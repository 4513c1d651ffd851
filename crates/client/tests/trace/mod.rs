//! Conformance traces: what is done to a client's replica, step by step, and what must be seen after each. The format is
//! told in `conformance/README.md`; the browser client replays the same files.

// Each binary uses a part of it, and what fails here fails a test.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

pub mod app;
pub mod form;
pub mod model;
pub mod naive;
pub mod player;
pub mod random;
pub mod record;
