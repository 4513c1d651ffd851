//! One step: an event is taken in, what is due is done, and what follows leaves in one order: first what has to be safe,
//! then what goes to the network, then what the user is told.

use rand::RngCore;
use riverrun_core::Millis;

use super::{Core, cx::Cx, push::Phase, timers::Timer};
use crate::{
    event::{Effect, Event, News},
    limits::{ANSWER_MS, GRACE_MS, KEEP_MS},
    mint::mint_client,
    saved::Write,
    words::Failed,
};

impl Core {
    /// Takes an event in and says what follows. `now` is any clock in milliseconds, best that of the world, since ids and
    /// mutators see it; a moment before an earlier one counts as that one.
    pub fn step(&mut self, event: Event, now: Millis, rng: &mut dyn RngCore) -> Vec<Effect> {
        self.now = self.now.max(now);
        let mut cx = Cx::new(self.now, rng);
        self.take(event, &mut cx);
        while let Some(timer) = self.timers.due(cx.now) {
            self.fire(timer, &mut cx);
        }
        self.ask_for_changes(&mut cx);
        self.pump(&mut cx);
        // The sender may have found that there is something to read.
        self.ask_for_changes(&mut cx);
        self.finish(cx)
    }

    fn take(&mut self, event: Event, cx: &mut Cx<'_>) {
        match event {
            Event::Start => self.start(cx),
            Event::Mutate { id, name, args } => self.mutate(id, name, args, cx),
            Event::Undo(id) => self.undo(id, cx),
            Event::Wake => {
                self.push_now(cx);
                self.probe(cx);
                self.connect(cx);
                if !self.link.is_live() {
                    self.catch_up();
                }
            }
            Event::Stored(store) => self.stored(store, true, cx),
            Event::StoreFailed(_, error) => self.store_failed(error, cx),
            Event::Answered(ask, answer) => self.answered(ask, answer, cx),
            Event::Frame(link, text) if self.link.is(link) => self.frame(&text, cx),
            Event::Closed(link, code) if self.link.is(link) => self.closed(code, cx),
            Event::Frame(..) | Event::Closed(..) | Event::Tick => {}
        }
    }

    fn start(&mut self, cx: &mut Cx<'_>) {
        if self.replica.client.is_none() {
            let client = mint_client(cx.now, cx.rng);
            self.replica.client = Some(client.clone());
            cx.writes.push(Write::Client(client));
        }
        self.connect(cx);
        self.timers.set(Timer::Poll, cx.after(if self.config.live { GRACE_MS } else { 0 }));
        self.expect_changes(cx);
    }

    fn fire(&mut self, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            // Its presence is what the sender waits for.
            Timer::Push => {}
            Timer::Poll => {
                if self.must_ask() {
                    self.catch_up();
                }
            }
            Timer::Connect => self.connect(cx),
            Timer::Subscribe => self.subscribe_timer(cx),
            Timer::Expect => {
                if self.is_expecting() {
                    self.catch_up();
                }
            }
            Timer::Keep => self.keep = true,
            Timer::Hello => self.hang_up(cx),
            Timer::Ping => self.ping_timer(cx),
            Timer::Probe => self.probe_timer(cx),
            Timer::Answer(ask) => self.answered(ask, Err(Failed::lost("no answer")), cx),
        }
    }

    /// A number for a question, and a moment after which it counts as lost.
    pub(super) fn ask_number(&mut self, cx: &Cx<'_>) -> u64 {
        let ask = self.ask_only();
        self.timers.set(Timer::Answer(ask), cx.after(ANSWER_MS));
        ask
    }

    pub(super) fn ask_only(&mut self) -> u64 {
        self.next_ask += 1;
        self.next_ask - 1
    }

    /// A question ended. One that ended before, or never was, is nobody's.
    pub(super) fn answered(&mut self, ask: u64, answer: Result<String, Failed>, cx: &mut Cx<'_>) {
        self.timers.cancel(Timer::Answer(ask));
        let is_sender_s = match &self.sender.phase {
            Phase::Sent { ask: of, .. } | Phase::Asked { ask: of, .. } => *of == ask,
            Phase::Idle | Phase::Storing(_) => false,
        };
        if is_sender_s {
            self.sender_answered(ask, answer, cx);
        } else {
            self.reader_answered(ask, answer, cx);
        }
    }

    fn stored(&mut self, store: u64, kept: bool, cx: &mut Cx<'_>) {
        for id in self.storing.remove(&store).unwrap_or_default() {
            if let Some(item) = self.replica.item(&id) {
                item.saved = true;
                if kept {
                    cx.tell(News::Saved(id));
                }
            }
        }
        self.places_stored(store);
        self.push_soon(cx);
    }

    fn store_failed(&mut self, error: String, cx: &mut Cx<'_>) {
        if std::mem::replace(&mut self.volatile, true) {
            return;
        }
        cx.tell(News::StorageFailed(error));
        for store in 1..self.next_store {
            self.stored(store, false, cx);
        }
    }

    fn finish(&mut self, mut cx: Cx<'_>) -> Vec<Effect> {
        let changed = self.replica.refresh();
        let removed = self.replica.take_removed();
        if self.config.own_state {
            self.replica.forget_moves();
        } else if self.replica.has_moved() {
            if removed.is_some() || self.keep {
                cx.writes.extend(self.replica.take_base());
                self.timers.cancel(Timer::Keep);
            } else if !self.timers.has(Timer::Keep) {
                self.timers.set(Timer::Keep, cx.after(KEEP_MS));
            }
        }
        self.keep = false;
        cx.writes.extend(removed);

        let mut effects = Vec::new();
        if !cx.writes.is_empty() && !self.volatile {
            effects.push(Effect::Store(self.next_store, std::mem::take(&mut cx.writes)));
            self.next_store += 1;
        }
        effects.append(&mut cx.out);
        effects.extend(cx.news.into_iter().map(Effect::Tell));
        effects.extend(self.standing.news().map(|status| Effect::Tell(News::Status(status))));
        if changed {
            effects.push(Effect::Tell(News::Changed));
        }
        let next = self.timers.next();
        if next != self.woken_at {
            self.woken_at = next;
            effects.push(Effect::WakeAt(next));
        }
        effects
    }
}
