//! The shell around the core: a clock, randomness, HTTP, a WebSocket, a storage, and handles that any task may use. It
//! decides nothing: every rule of the contract is the core's, and what the shell learns it hands on as an event.

mod disk;
mod drive;
mod handle;
mod http;
mod options;
mod socket;
mod url;

pub(crate) use self::handle::Look;
pub use self::{
    handle::{Client, Sent},
    options::{OpenError, Options},
    url::UrlError,
};
