//! The clocks of a session: when to ping, and when to give up on a peer that is silent, stalled, not authenticated or
//! no longer so. All of them share one timer, looked at when the nearest could be due; no message touches a timer.

use std::time::Duration;

use tokio::time::Instant;

use crate::{CloseReason, Options, SessionId};

/// An hour: the longest the one timer sleeps, so that spans without an end need no special case.
const LONGEST_NAP: Duration = Duration::from_hours(1);

/// 5 ms: whatever spans are configured, a session's timer does not spin.
const SHORTEST_NAP: Duration = Duration::from_millis(5);

/// Thirty years: a span too long for the clock ends after the program does.
const NEVER: Duration = Duration::from_hours(24 * 365 * 30);

pub(crate) enum Due {
    Nothing,
    Ping,
    End(CloseReason),
}

/// How writing stands, as the writer says.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    /// When something was last in the kernel's hands.
    pub(crate) last: Instant,
    /// When what is being written counts as stalled; `None` when nothing is.
    pub(crate) stalled_at: Option<Instant>,
}

pub(crate) struct Vitals {
    ping: Duration,
    silence: Duration,
    stall: Duration,
    heard: Instant,
    pinged: Instant,
    auth_by: Option<Instant>,
    expires: Option<Instant>,
}

impl Vitals {
    pub(crate) fn new(options: &Options, id: SessionId, now: Instant) -> Self {
        // Up to a fifth earlier, never later: the peer was told the full interval and counts on it.
        let early = options.ping / 5 / 256 * u32::from(id.spread());
        Self {
            ping: options.ping.saturating_sub(early),
            silence: options.silence,
            stall: options.stall,
            heard: now,
            pinged: now,
            auth_by: Some(after(now, options.auth_within)),
            expires: None,
        }
    }

    /// The peer has an identity, which holds for a while or for as long as the session.
    pub(crate) fn authenticated(&mut self, expires_in: Option<Duration>, now: Instant) {
        self.auth_by = None;
        self.expires = expires_in.map(|span| after(now, span));
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(crate) fn pinged(&mut self, now: Instant) {
        self.pinged = now;
    }

    /// When to look again. A write that begins meanwhile cannot count as stalled any sooner.
    pub(crate) fn next(&self, now: Instant, writing: Writing, reading: bool) -> Instant {
        let silent = reading.then(|| after(self.heard, self.silence));
        [self.auth_by, self.expires, writing.stalled_at, silent]
            .into_iter()
            .flatten()
            .chain([self.ping_at(writing), after(now, self.stall), after(now, LONGEST_NAP)])
            .min()
            .unwrap_or(now)
            .max(after(now, SHORTEST_NAP))
    }

    /// What is due. `reading` is false while a hook is at work: what was not read then says nothing about the peer.
    pub(crate) fn check(&self, now: Instant, writing: Writing, reading: bool) -> Due {
        let over = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if over(self.auth_by) {
            Due::End(CloseReason::AuthTimeout)
        } else if over(self.expires) {
            Due::End(CloseReason::AuthExpired)
        } else if over(writing.stalled_at) {
            Due::End(CloseReason::Stalled)
        } else if reading && after(self.heard, self.silence) <= now {
            Due::End(CloseReason::Idle)
        } else if self.ping_at(writing) <= now {
            Due::Ping
        } else {
            Due::Nothing
        }
    }

    /// A ping is due when one direction was quiet for the interval, and at most once in it.
    fn ping_at(&self, writing: Writing) -> Instant {
        after(self.pinged.max(self.heard.min(writing.last)), self.ping)
    }
}

/// `Instant + Duration` without the panic: spans may come from a token.
pub(crate) fn after(instant: Instant, span: Duration) -> Instant {
    instant.checked_add(span).unwrap_or(instant + NEVER)
}
