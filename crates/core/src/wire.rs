//! The bodies and frames of the contract, exactly as they stand in the protocol's text. Reading them checks shape and
//! limits; deciding is the engine's.

mod error;
mod live;
mod object;
mod pull;
mod push;
mod snapshot;

pub use error::{BadRequest, ErrorBody};
pub use live::{ClientFrame, PresenceWord, ServerFrame, Subscribe};
pub use pull::{PullAnswer, PullRequest};
pub use push::{PushAnswer, PushRequest, PushResult};
pub use snapshot::{SnapshotAnswer, SnapshotRequest};
