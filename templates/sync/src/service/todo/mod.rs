//! Todo lists. A list is a scope; whoever knows its name may read and write it.

mod mutator;

pub use mutator::{Todo, mutators};
