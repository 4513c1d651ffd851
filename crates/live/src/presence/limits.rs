//! The limits of presence, each with its reason, and what is said to whoever meets one. Nothing here depends on how the
//! rest is configured.

use std::time::Duration;

/// 1 KiB: a name, a colour and a place in a text. What needs more belongs into synced data.
pub const STATE_BYTES: usize = 1024;

/// 64 bytes: the id of a tab is a UUID of 36.
pub const NAME_BYTES: usize = 64;

/// 16: the tabs that one connection speaks for. More than that nobody looks at.
pub const NAMES_PER_SEAT: usize = 16;

/// 256: more faces than a page can show. Who comes later is counted, and told of when others leave.
pub const PEERS_TOLD: usize = 256;

/// 4,096: those who are counted, too, cost memory.
pub const PEERS_PER_TOPIC: usize = 4096;

/// 65,536: with states of the full size all topics together hold less than 100 MiB.
pub const PEERS: usize = 65_536;

/// 100 ms: below what an eye calls late; a pointer that moves is told ten times a second, not sixty.
pub const TELL_EVERY: Duration = Duration::from_millis(100);

/// 5,000: frames told per second in one topic. Above 500 readers the pauses grow, so that a crowd's comings and goings
/// never take a server's whole time.
pub const TOLD_PER_SECOND: u32 = 5_000;

/// 24 KiB: what one frame tells, but for one that is larger alone; the rest follows with the next. A third of a session's
/// queue, so that ordered changes always find room beside it.
pub const DELTA_BYTES: usize = 24 * 1024;

/// Frames a reader may be behind; beyond them it gets the whole list anew. With [`DELTA_BYTES`] this is what a topic's
/// slowest readers hold in memory together.
pub(super) const FRAMES_KEPT: usize = 8;

/// Why a state was not taken. The text is fit for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceRefused {
    /// The state is JSON, but no object.
    #[error("a presence's state is a JSON object")]
    NotAnObject,
    /// The state is longer than [`STATE_BYTES`].
    #[error("a presence's state is at most {STATE_BYTES} bytes")]
    StateTooLarge,
    /// The name is longer than [`NAME_BYTES`].
    #[error("the name of a presence is at most {NAME_BYTES} bytes")]
    NameTooLong,
    /// This connection speaks for [`NAMES_PER_SEAT`] already.
    #[error("one connection is present as at most {NAMES_PER_SEAT}")]
    TooManyNames,
    /// The topic has [`PEERS_PER_TOPIC`], or the server [`PEERS`].
    #[error("too many are here: try again later")]
    Full,
    /// This seat was given up. Take another.
    #[error("no longer here")]
    Gone,
}
