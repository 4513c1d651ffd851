//! The sync engine: it decides mutations, answers pulls and snapshots, feeds live readers, and keeps the log within
//! bounds, over any [`store::Store`]. It knows no HTTP, no SQL and no socket.
//!
//! A verb is a file. What decides stands in [`Kernel`], which blocks and has no threads, so that a simulation can call it
//! in line; [`Engine`] puts the writer thread and the async front around it. [`Builder::inline`] gives the whole engine
//! without threads, for a simulation that wants the front's interleavings too.

mod access;
mod app;
pub mod audit;
mod builder;
mod clock;
mod decide;
mod digests;
mod engine;
mod error;
mod feed;
mod frame;
pub mod history;
mod inline;
mod kernel;
mod memory;
mod mutate;
mod order;
mod pace;
#[doc(hidden)]
pub mod planted;
mod pull;
mod push;
mod reads;
mod retain;
mod right;
mod run;
mod settle;
mod snapshot;
pub mod store;
mod subscribe;
mod verify;
mod writer;

pub use access::{AccessFailed, Action, Authorize, Public};
pub use builder::{Builder, StartError};
pub use clock::{Clock, SystemClock};
pub use decide::Decision;
pub use engine::Engine;
pub use error::Refused;
pub use feed::Commit;
pub use inline::Inline;
pub use kernel::{Edge, Kernel, Push, PushItem, Settled};
pub use memory::Memory;
pub use mutate::MutateError;
pub use pull::Page;
pub use retain::Retention;
pub use right::Right;
pub use store::Store;
pub use subscribe::{Event, Subscription};
pub use verify::{Damage, Verified};
