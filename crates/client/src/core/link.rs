//! One WebSocket connection after the other: the greeting, pings both ways, the subscription. It knows that a link is
//! dead before the network says so, and never leaves reading to the connection alone.

use riverrun_core::{
    ClientId, Millis,
    planted::{Bug, is},
};

use super::{Core, backoff::Backoff, cx::Cx, standing::About, timers::Timer};
use crate::{
    event::Effect,
    limits::{HELLO_MS, PING_SECONDS, PING_SECONDS_RANGE, POLL_MS, SUBSCRIBE_MS},
    wire,
    words::Failed,
};

/// The link is dead when nothing was heard for this many half intervals: two pings may be lost, and time to arrive.
const SILENCE_HALVES: i64 = 5;

/// After a wake, a link that stays silent for this many milliseconds is dead.
const PROBE_MS: i64 = 5_000;

/// How far a subscription is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Subscription {
    #[default]
    None,
    Asked,
    Live,
}

/// How far a connection is.
#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Down,
    Opening,
    Ready,
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Link {
    number: u64,
    state: State,
    subscription: Subscription,
    /// The subscription's `ref`, and whose watermark it asked for.
    pub(super) reference: String,
    pub(super) client: Option<ClientId>,
    heard: Millis,
    probed: Millis,
    half_ping_ms: i64,
    pings: bool,
    pub(super) reconnects: Backoff,
}

impl Link {
    /// The connection, while questions may be asked over it.
    pub(super) fn ready(&self) -> Option<u64> {
        (self.state == State::Ready).then_some(self.number)
    }

    /// Changes arrive by themselves.
    pub(super) fn is_live(&self) -> bool {
        self.subscription == Subscription::Live
    }

    /// Whether this is the connection there is.
    pub(super) fn is(&self, number: u64) -> bool {
        self.state != State::Down && self.number == number
    }

    pub(super) fn hears(&mut self, now: Millis) {
        self.heard = now;
    }

    /// The subscription was answered.
    pub(super) fn goes_live(&mut self) {
        self.subscription = Subscription::Live;
        self.reconnects.reset();
    }
}

impl Core {
    /// Opens a connection, where there may be any and is none.
    pub(super) fn connect(&mut self, cx: &mut Cx<'_>) {
        if !self.config.live || self.link.state != State::Down {
            return;
        }
        self.link.number += 1;
        self.link.state = State::Opening;
        self.link.heard = cx.now;
        self.timers.cancel(Timer::Connect);
        self.timers.set(Timer::Hello, cx.after(HELLO_MS));
        cx.out.push(Effect::Connect(self.link.number));
    }

    /// The server greeted. `seconds` between pings, as it names them.
    pub(super) fn greeted(&mut self, seconds: Option<i64>, cx: &mut Cx<'_>) {
        if self.link.state != State::Opening {
            return;
        }
        let (least, most) = PING_SECONDS_RANGE;
        self.link.state = State::Ready;
        self.link.half_ping_ms = seconds.unwrap_or(PING_SECONDS).clamp(least, most) * 500;
        self.timers.cancel(Timer::Hello);
        self.timers.set(Timer::Ping, cx.after(self.link.half_ping_ms));
        self.subscribe(cx);
        self.push_now(cx);
    }

    /// Asks to be kept at the head, unless that was asked already.
    pub(super) fn subscribe(&mut self, cx: &mut Cx<'_>) {
        let Some(number) = self.link.ready() else { return };
        if self.link.subscription != Subscription::None {
            return;
        }
        let reference = format!("s{}", self.ask_only());
        let replica = &self.replica;
        let mut question = wire::Read {
            kind: Some("subscribe"),
            reference: Some(&reference),
            client: replica.client.as_ref(),
            ..wire::Read::default()
        };
        if replica.valid {
            question.cursor = Some(replica.cursor);
            let digest = Some(replica.digest).filter(|_| !is(Bug::ClientNoDigest));
            (question.epoch, question.digest) = (replica.epoch.as_ref(), digest);
        }
        cx.out.push(Effect::Send(number, wire::text(&wire::Envelope { topic: &self.topic, data: question })));
        self.link.subscription = Subscription::Asked;
        self.link.client.clone_from(&replica.client);
        self.link.reference = reference;
        self.timers.set(Timer::Subscribe, cx.after(SUBSCRIBE_MS));
    }

    /// Subscribes again later.
    pub(super) fn subscribe_in(&mut self, millis: i64, cx: &mut Cx<'_>) {
        self.timers.set(Timer::Subscribe, cx.after(millis));
    }

    /// The timer of that: later is now; or the answer is overdue and the connection of no use.
    pub(super) fn subscribe_timer(&mut self, cx: &mut Cx<'_>) {
        if self.link.subscription == Subscription::Asked { self.hang_up(cx) } else { self.subscribe(cx) }
    }

    /// The subscription has ended: changes have to be asked for.
    pub(super) fn unsubscribed(&mut self, cx: &mut Cx<'_>) {
        self.link.subscription = Subscription::None;
        self.timers.cancel(Timer::Subscribe);
        self.standing.live(false);
        let wait = cx.spread(POLL_MS);
        self.timers.set(Timer::Poll, cx.after(wait));
    }

    /// Ends the connection from this side.
    pub(super) fn hang_up(&mut self, cx: &mut Cx<'_>) {
        if self.link.state != State::Down {
            cx.out.push(Effect::Close(self.link.number));
            self.closed(None, cx);
        }
    }

    /// The connection is gone.
    pub(super) fn closed(&mut self, code: Option<u16>, cx: &mut Cx<'_>) {
        self.link.state = State::Down;
        for timer in [Timer::Hello, Timer::Ping, Timer::Probe] {
            self.timers.cancel(timer);
        }
        if code == Some(4401) {
            let failed = Failed::of_code("unauthenticated", "the connection was closed: who is asking is not known");
            self.standing.heard(About::Reading, Some(&failed));
        }
        self.unsubscribed(cx);
        self.push_lost(cx);
        let wait = self.link.reconnects.next(0, cx.rng);
        self.timers.set(Timer::Connect, cx.after(wait));
    }

    /// Pings, and gives up when nothing was heard for too long. Twice per interval, so that an answer has time to come.
    pub(super) fn ping_timer(&mut self, cx: &mut Cx<'_>) {
        let half = self.link.half_ping_ms;
        let left = self.link.heard.0 + SILENCE_HALVES * half - cx.now.0;
        if left <= 0 {
            return self.hang_up(cx);
        }
        self.link.pings = !self.link.pings;
        if self.link.pings {
            self.say("ping", cx);
        }
        self.timers.set(Timer::Ping, cx.after(half.min(left)));
    }

    /// Finds out soon whether the other side is still there.
    pub(super) fn probe(&mut self, cx: &mut Cx<'_>) {
        if self.link.ready().is_some() {
            self.link.probed = cx.now;
            self.say("ping", cx);
            self.timers.set(Timer::Probe, cx.after(PROBE_MS));
        }
    }

    pub(super) fn probe_timer(&mut self, cx: &mut Cx<'_>) {
        // Heard in the very moment it was asked counts for what came before it.
        if self.link.heard <= self.link.probed {
            self.hang_up(cx);
        }
    }

    /// A word on the connection's own topic.
    pub(super) fn say(&mut self, kind: &'static str, cx: &mut Cx<'_>) {
        let frame = wire::text(&wire::Envelope { topic: "sys", data: wire::Bare { kind } });
        cx.out.push(Effect::Send(self.link.number, frame));
    }
}
