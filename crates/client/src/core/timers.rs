//! The moments the core waits for, by what each is for. It reads no clock: it is asked what is due.

use std::collections::BTreeMap;

use riverrun_core::Millis;

/// What a moment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Try to push again.
    Push,
    /// Ask for changes.
    Poll,
    /// Open a connection.
    Connect,
    /// Subscribe again; or, while asked, give the connection up.
    Subscribe,
    /// Look whether what accepted mutations wait for has arrived.
    Expect,
    /// Keep the base.
    Keep,
    /// The greeting is overdue.
    Hello,
    /// Ping, or notice the silence.
    Ping,
    /// The answer to a probe is overdue.
    Probe,
    /// The answer to a question is overdue.
    Answer(u64),
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeMap<Timer, Millis>);

impl Timers {
    pub(super) fn set(&mut self, timer: Timer, at: Millis) {
        self.0.insert(timer, at);
    }

    pub(super) fn cancel(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    pub(super) fn has(&self, timer: Timer) -> bool {
        self.0.contains_key(&timer)
    }

    /// Takes one whose moment has come, the earliest first.
    pub(super) fn due(&mut self, now: Millis) -> Option<Timer> {
        let (&timer, _) = self.0.iter().filter(|(_, at)| **at <= now).min_by_key(|(_, at)| **at)?;
        self.0.remove(&timer);
        Some(timer)
    }

    /// The next moment.
    pub(super) fn next(&self) -> Option<Millis> {
        self.0.values().min().copied()
    }
}
