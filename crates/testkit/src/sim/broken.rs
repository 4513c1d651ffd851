//! The promises of the design by name, and what is said when one does not hold. Words only: what checks them stands in the
//! files named after what they look at.

use std::fmt;

/// What a simulation holds the system to: the promises of the design, and what is asked of the application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Promise {
    /// 1: a mutation has at most one effect, an accepted answer means exactly one, retries get the same verdict.
    OneEffect,
    /// 2: per client and scope, mutations are decided in order without holes, and every refusal consumes its place.
    Order,
    /// 3: cursors are 1..N in commit order, the same for all.
    Cursors,
    /// 4: the state is the fold of the log, also across trimming.
    Fold,
    /// 5: changes of one mutation are seen together; a live reader misses none and gets none twice.
    Together,
    /// 6: what was answered is there after a crash; what was not is there whole or not at all.
    Durable,
    /// 7: no cursor goes back within a history, and nobody goes on silently from another one.
    History,
    /// 8: a client's view is base + pending, and its own writes are visible to it until a verdict says no.
    View,
    /// 9: nothing pends forever.
    Settles,
    /// 10: when faults stop, everyone converges in bounded time, and nothing grows without a bound.
    Converges,
    /// 11: no byte of a scope leaves on a session that may not read it.
    Access,
    /// The application's mutators do the same whenever they are run on the same state.
    Deterministic,
    /// An invariant of the application, by its name.
    Invariant(String),
    /// Nothing panics.
    NoPanic,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneEffect => "promise 1 (at most one effect, the same verdict to every retry)",
            Self::Order => "promise 2 (each client's mutations in order, without holes)",
            Self::Cursors => "promise 3 (cursors are 1..N in commit order, the same for all)",
            Self::Fold => "promise 4 (the state is the fold of the log, also across trimming)",
            Self::Together => "promise 5 (a mutation's changes together, live without gap or double)",
            Self::Durable => "promise 6 (answered means there, not answered means whole or absent)",
            Self::History => "promise 7 (no cursor goes back, no other history goes unnoticed)",
            Self::View => "promise 8 (a client's view is base + pending)",
            Self::Settles => "promise 9 (nothing pends forever)",
            Self::Converges => "promise 10 (everyone converges, nothing grows without a bound)",
            Self::Access => "promise 11 (no byte for whom may not read it)",
            Self::Deterministic => "mutators are deterministic",
            Self::Invariant(name) => return write!(f, "the application's invariant {name:?}"),
            Self::NoPanic => "nothing panics",
        })
    }
}

/// A promise that did not hold, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: Promise,
    pub(crate) seen: String,
}

/// What a check comes to.
pub(crate) type Held<T = ()> = Result<T, Broken>;

/// An error unless `holds`.
pub(crate) fn hold(holds: bool, promise: Promise, seen: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(Broken { promise, seen: seen() }) }
}

/// The promise is broken.
pub(crate) fn broken<T>(promise: Promise, seen: impl Into<String>) -> Held<T> {
    Err(Broken { promise, seen: seen.into() })
}
