//! What the application stores and decides.

pub mod todo;
