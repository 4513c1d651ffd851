//! One session: the handle others hold, the task that runs it, and what the two share. Reading and writing are two
//! halves of one task and never wait for each other; whatever the task started ends with it.

mod end;
mod handle;
mod inbound;
mod inner;
mod run;
mod vitals;
mod work;
mod writer;

pub use handle::{JoinError, Session, SessionId};
pub(crate) use run::run;
