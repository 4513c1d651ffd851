//! The words and rules of riverrun, shared by server, clients and simulation.
//!
//! What stands here is true on every side of the wire: identities, the shape of a mutation and of a change, what a
//! verdict is, which JSON is let in, how large anything may be. It has no standard library, so it cannot reach a file,
//! a socket, a thread or a clock: time, randomness and storage are handed in by whoever calls.
#![no_std]

extern crate alloc;

mod change;
mod code;
mod ctx;
mod digest;
mod entity;
mod id;
mod json;
pub mod limits;
mod machine;
mod mutation;
mod mutators;
#[doc(hidden)]
pub mod planted;
mod reject;
mod time;
mod tx;
mod verdict;
pub mod wire;

pub use change::{Change, CollectionChange};
pub use code::Code;
pub use ctx::Ctx;
pub use digest::Digest;
pub use entity::Entity;
pub use id::{ClientId, Cursor, Epoch, IdError, MutationId, Principal, Scope, Seq};
pub use json::{Json, JsonRefused};
pub use machine::Machine;
pub use mutation::Mutation;
pub use mutators::{Mutators, MutatorsError};
pub use reject::Reject;
pub use time::Millis;
pub use tx::{Journal, State, Tx, Unavailable};
pub use verdict::{Accepted, Rejected, Verdict};
