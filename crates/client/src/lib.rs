//! The Rust client of riverrun: act at once, send the intent up, see what every reader sees.
//!
//! [`Core`] is the client without its world: events in, effects out, the same every time. The shell (feature `tokio`)
//! gives it a clock, HTTP, a WebSocket and a storage. The core follows the contract in `docs/protocol.md` and knows the
//! wire, never the server's types.

#[cfg(feature = "tokio")]
mod collection;
mod core;
mod event;
pub mod limits;
mod mint;
mod saved;
#[cfg(feature = "tokio")]
mod shell;
#[cfg(feature = "tokio")]
mod signal;
mod store;
mod wire;
mod words;

pub use crate::{
    core::{Applied, Config, Core, Numbered, Page, Pending, Recorder, Replica, Verb},
    event::{Effect, Event, News, Question, Route},
    mint::mint,
    saved::{Mark, Saved, SavedBase, Write},
    store::{Memory, Storage, StorageError},
    words::{Accepted, Entry, Failed, Refused, Status, Verdict},
};

#[cfg(feature = "sqlite")]
pub use crate::store::sqlite::SqliteFile;

#[cfg(feature = "tokio")]
pub use crate::{
    collection::{Collection, EntityHandle, Unreadable, plain_mutators},
    shell::{Client, OpenError, Options, Sent, UrlError},
    signal::{Effect as SignalEffect, Signal},
};
