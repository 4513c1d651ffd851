//! What may be on its way at any moment of a run: the entries of the world's one queue. Words only.

use riverrun_client::{Event, Failed, Question};
use riverrun_core::{Principal, Scope};

use super::edge::Asker;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Happening {
    /// A question reaches the server.
    Asked(Asker, Principal, Question),
    /// Something reaches a client's life.
    Event(usize, u64, Event),
    /// A plain sender has its answer, or none.
    FormAnswered(usize, u64, Result<String, Failed>),
    /// A plain sender tries.
    FormTries(usize),
    /// A plain sender begins, one of many.
    Floods(Scope),
    /// A connection reaches the server.
    Connects(u64),
    /// A frame reaches the server.
    Frame(u64, String),
    /// The disk of a client's life is done with a write.
    Stored(usize, u64, u64),
    /// A client's moment has come, if it is still the one it waits for.
    Wakes(usize, u64),
    /// The server takes a micro-step.
    Serves,
    /// The server looks at its clock.
    Ticks,
    /// The server looks at ages.
    Rounds,
    /// The server's process starts again.
    Starts,
    /// The store has room again.
    Room,
    /// Rights are given back.
    Rights,
    /// A client is online again.
    Online(usize),
    /// A connection's reader reads again.
    Reads(u64),
    /// Nothing answers in the server's place any more.
    Direct,
}
