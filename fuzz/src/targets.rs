//! The targets, one file each. They demand what the contract promises; how the code gets there is not theirs to know.

pub(crate) mod core;
pub(crate) mod engine;
pub(crate) mod ids;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod page;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod records;
pub(crate) mod snapshot;
pub(crate) mod storage;
