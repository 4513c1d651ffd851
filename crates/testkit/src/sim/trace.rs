//! What happened, line by line, and how often: the same for the same seed, byte for byte. Nothing is written where nobody
//! asked for it.

use std::{collections::BTreeMap, fmt};

/// Lines longer than this are cut: they are for people.
const LINE: usize = 400;

/// The lines of a run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    on: bool,
    lines: Vec<String>,
}

impl Trace {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, lines: Vec::new() }
    }

    /// Adds a line, if anybody wants lines.
    pub(crate) fn line(&mut self, now: i64, line: impl FnOnce() -> String) {
        if self.on {
            let mut line = format!("{now:>9} {}", line());
            if line.len() > LINE {
                line.truncate(line.floor_char_boundary(LINE));
                line.push('…');
            }
            self.lines.push(line);
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}

/// What a run came to, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// The seed.
    pub seed: u64,
    /// The store it ran over.
    pub store: String,
    /// Mutations that were meant, by clients and plain senders.
    pub mutations: u64,
    /// Of those, accepted and rejected.
    pub accepted: u64,
    /// See above.
    pub rejected: u64,
    /// Transactions the store committed.
    pub commits: u64,
    /// Events given to clients.
    pub events: u64,
    /// Micro-steps of the server.
    pub turns: u64,
    /// Faults that took effect, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Milliseconds of the world's time, in all.
    pub millis: i64,
    /// Of those, from the last fault until everybody agreed.
    pub converged: i64,
    /// The lines of the run, where they were asked for.
    pub trace: Vec<String>,
}

impl Summary {
    /// Counts a fault.
    pub(crate) fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Adds another run's numbers to these.
    pub fn add(&mut self, other: &Self) {
        self.mutations += other.mutations;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.commits += other.commits;
        self.events += other.events;
        self.turns += other.turns;
        self.millis += other.millis;
        self.converged = self.converged.max(other.converged);
        for (kind, count) in &other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mutations, accepted, rejected, commits, events, turns, millis, converged, .. } = self;
        writeln!(f, "{mutations} mutations: {accepted} accepted, {rejected} rejected; {commits} commits")?;
        writeln!(f, "{events} events at clients, {turns} steps of servers, {} s of their time", millis / 1000)?;
        writeln!(f, "the longest way to agreement after the last fault: {converged} ms")?;
        let faults: Vec<_> = self.faults.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        write!(f, "faults: {}", if faults.is_empty() { "none".to_owned() } else { faults.join(", ") })
    }
}
