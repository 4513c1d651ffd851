//! The fuzz targets of riverrun: each takes any bytes and panics if a promise about them is broken.
//!
//! A target is a plain function, so that the inputs kept in `corpus/` are replayed by an ordinary test, and the fuzzer
//! (`cargo xtask fuzz`) drives the very same code. Nothing here may be needed by anything that ships.

mod json;
mod target;
mod targets;

pub use target::{TARGETS, Target};
