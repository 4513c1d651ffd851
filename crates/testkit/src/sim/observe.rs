//! For whoever wants to see what the clients of a run see: every event given to a core, and the core after it.

use riverrun_client::{Config, Core, Effect, Event, Saved};
use riverrun_core::Millis;

/// One step of one client, after it was made.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Seen<'a> {
    /// Which client.
    pub client: usize,
    /// Which of its lives; 0 is the first.
    pub life: u64,
    /// The client's own moment.
    pub now: Millis,
    /// What it was given.
    pub event: &'a Event,
    /// What it asked for.
    pub effects: &'a [Effect],
    /// The client, to be asked for its view, cursor and pending mutations.
    pub core: &'a Core,
}

/// Watches the clients of a run; see [`Sim::observer`](super::Sim::observer).
pub trait Observer {
    /// A client begins a life, with what its storage holds.
    fn born(&mut self, client: usize, life: u64, config: &Config, saved: &Saved);

    /// A client made a step.
    fn step(&mut self, seen: &Seen<'_>);
}
