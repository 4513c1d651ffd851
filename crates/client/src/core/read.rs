//! Keeps the base at the server's head: live where there is a connection, by asking where there is none, and by both in
//! turn when the network can't decide. It writes to the base only through the replica, which refuses what does not
//! follow on.

use riverrun_core::{
    ClientId, Cursor, Millis,
    planted::{Bug, is},
    wire::{PullAnswer, SnapshotAnswer},
};

use super::{
    Core,
    backoff::Backoff,
    cx::Cx,
    standing::About,
    timers::Timer,
    verb::{Applied, Page},
};
use crate::{
    event::{Effect, Question, Route},
    limits::{CALM_MS, CATCH_UP_RESETS, EXPECT_MS, POLL_MS, POLL_WAIT_SECONDS, PULL_CHANGES},
    wire,
    words::Failed,
};

/// A question on its way, and what was true when it was asked.
#[derive(Debug)]
struct Asking {
    ask: u64,
    at: Millis,
    route: Route,
    cursor: Cursor,
    generation: u64,
    acceptances: u64,
    renumberings: u64,
    client: Option<ClientId>,
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Somebody wants to know what is new since the last question.
    again: bool,
    asking: Option<Asking>,
    /// Snapshots taken since the base was last at the head.
    snapshots: u32,
    /// The last answer brought something.
    fruitful: bool,
    last_reset: Option<Millis>,
    polls: Backoff,
    pub(super) resets: Backoff,
}

impl Core {
    /// Asks for everything up to the head. Several at a time are one.
    pub(super) fn catch_up(&mut self) {
        self.reader.again = true;
    }

    /// Asks, if somebody wants to know and nothing is asked already.
    pub(super) fn ask_for_changes(&mut self, cx: &mut Cx<'_>) {
        if !self.reader.again || self.reader.asking.is_some() {
            return;
        }
        self.reader.again = false;
        let ask = self.ask_number(cx);
        let replica = &self.replica;
        let route = if replica.valid { Route::Pull } else { Route::Snapshot };
        let mut question =
            wire::Read { scope: Some(&self.config.scope), client: replica.client.as_ref(), ..wire::Read::default() };
        if replica.valid {
            question.cursor = Some(replica.cursor);
            let digest = Some(replica.digest).filter(|_| !is(Bug::ClientNoDigest));
            (question.epoch, question.digest) = (replica.epoch.as_ref(), digest);
            question.limit = Some(PULL_CHANGES);
            // The first answer must come at once, to know that there is one.
            question.wait = (!self.config.live && self.standing.answers()).then_some(POLL_WAIT_SECONDS);
        }
        let body = wire::text(&question);
        self.reader.asking = Some(Asking {
            ask,
            at: cx.now,
            route,
            cursor: replica.cursor,
            generation: replica.generation,
            acceptances: replica.acceptances,
            renumberings: replica.renumberings,
            client: replica.client.clone(),
        });
        cx.out.push(Effect::Ask(Question { ask, route, body }));
    }

    /// A question of the reader's ended.
    pub(super) fn reader_answered(&mut self, ask: u64, answer: Result<String, Failed>, cx: &mut Cx<'_>) {
        let Some(asked) = self.reader.asking.take_if(|asking| asking.ask == ask) else { return };
        self.reader.fruitful = false;
        let read = answer.and_then(|text| match asked.route {
            Route::Snapshot => self.snapshot_answered(&asked, &text, cx),
            _ => self.pull_answered(&asked, &text, cx),
        });
        match read {
            Ok(()) => {
                self.standing.heard(About::Reading, None);
                if !self.reader.again {
                    self.caught_up(&asked, cx);
                }
            }
            Err(failed) if failed.is_reset() && self.reader.snapshots < CATCH_UP_RESETS => {
                self.reader.snapshots += 1;
                // Unless a frame brought a new base while this question was on its way.
                let is_same = self.replica.generation == asked.generation;
                let wait = if is_same { self.lose(&failed.code, cx) } else { 0 };
                // A server that takes back each base it gives is asked less and less, not without a pause.
                self.reader.again = wait == 0;
                if wait > 0 {
                    self.timers.set(Timer::Poll, cx.after(wait));
                }
            }
            Err(failed) => {
                self.denied(&failed);
                (self.reader.again, self.reader.snapshots) = (false, 0);
                if self.must_ask() {
                    let wait = self.reader.polls.next(failed.retry_after, cx.rng);
                    self.timers.set(Timer::Poll, cx.after(wait));
                }
                self.expect_later(cx);
            }
        }
    }

    /// The base is at the head.
    fn caught_up(&mut self, asked: &Asking, cx: &mut Cx<'_>) {
        self.reader.snapshots = 0;
        self.expect_later(cx);
        if self.link.is_live() {
            return;
        }
        self.reader.polls.reset();
        // A base that came by HTTP because it was too large for a frame: live again from there.
        self.subscribe(cx);
        let wait = POLL_MS * 3 / 4 + cx.spread(POLL_MS / 2);
        let at = match self.config.live {
            true => cx.after(wait),
            // The server holds the next question back; where it doesn't, it is not asked without a pause.
            false if self.reader.fruitful => cx.now,
            false => cx.now.max(Millis(asked.at.0 + wait)),
        };
        self.timers.set(Timer::Poll, at);
    }

    fn pull_answered(&mut self, asked: &Asking, text: &str, cx: &mut Cx<'_>) -> Result<(), Failed> {
        let answer: PullAnswer = read(text)?;
        if self.replica.generation != asked.generation || !self.replica.valid {
            self.reader.again |= !self.replica.valid;
            return Ok(());
        }
        // Read at the head: it says nothing about a base that has not got there yet. And another client's says nothing.
        let counts = !answer.has_more && self.is_current(asked);
        self.reader.again |= answer.has_more;
        self.reader.fruitful = !answer.changes.is_empty();
        let page = Page {
            from: asked.cursor,
            cursor: answer.next_cursor,
            digest: answer.digest,
            epoch: Some(answer.epoch),
            changes: answer.changes,
            last_seq: counts.then_some(answer.last_seq.unwrap_or_default()),
            is_last_word: asked.acceptances == self.replica.acceptances,
        };
        let has_moved = self.replica.cursor != asked.cursor;
        match self.replica.apply(page, &mut cx.news) {
            // Changes came by themselves meanwhile; whether this answer goes on from there is asked once more.
            Applied::Gap if has_moved => {
                self.reader.again = true;
                Ok(())
            }
            Applied::Foreign => Err(Failed::of_code("epoch_changed", "the answer is of another history")),
            Applied::Gap => Err(Failed::lost("the answer does not follow on what was asked")),
            Applied::Yes | Applied::Invalid => Ok(()),
        }
    }

    fn snapshot_answered(&mut self, asked: &Asking, text: &str, cx: &mut Cx<'_>) -> Result<(), Failed> {
        let answer: SnapshotAnswer = read(text)?;
        // A base that came meanwhile and was given up again, or places given since: this answer may be older than both.
        let given_up = self.replica.generation != asked.generation && !self.replica.valid;
        if given_up || !self.is_current(asked) {
            self.reader.again = true;
            return Ok(());
        }
        let last_seq = answer.last_seq.unwrap_or_default();
        self.replica.reset(answer, Some(last_seq), &mut cx.news);
        self.reader.fruitful = true;
        // What was accepted elsewhere is judged by a page from the head.
        self.reader.again |= self.replica.items.values().any(|item| !item.is_open());
        Ok(())
    }

    /// The watermark that came with an answer is that of the places there are now.
    fn is_current(&self, asked: &Asking) -> bool {
        asked.client == self.replica.client && asked.renumberings == self.replica.renumberings
    }

    /// Accepted mutations wait for the base: what they wait for arrives, or it is fetched.
    pub(super) fn expect_changes(&mut self, cx: &mut Cx<'_>) {
        if self.is_expecting() && !self.timers.has(Timer::Expect) {
            let wait = if self.link.is_live() { EXPECT_MS } else { 0 };
            self.timers.set(Timer::Expect, cx.after(wait));
        }
    }

    /// The same after a look that did not help: while the changes come by themselves, another look later.
    fn expect_later(&mut self, cx: &mut Cx<'_>) {
        if self.link.is_live() {
            self.expect_changes(cx);
        }
    }

    /// Changes don't come by themselves, or there is no base they could be applied to.
    pub(super) fn must_ask(&self) -> bool {
        !self.link.is_live() || !self.replica.valid
    }

    pub(super) fn is_expecting(&self) -> bool {
        self.replica.items.values().any(|item| !item.is_open())
    }

    /// Reading was refused. What may no longer be read must not stay readable here.
    pub(super) fn denied(&mut self, failed: &Failed) {
        if failed.status == 403 {
            self.replica.drop_base();
        }
        self.standing.heard(About::Reading, Some(failed));
    }

    /// Gives up the base and says how long to wait before asking for another.
    pub(super) fn lose(&mut self, code: &str, cx: &mut Cx<'_>) -> i64 {
        let other = code == "epoch_changed";
        self.replica.invalidate(other);
        if other {
            self.distrust();
        }
        self.pause(cx)
    }

    /// Milliseconds to wait before asking for another base, or for what it lacks: none the first time, longer and longer in a
    /// loop.
    pub(super) fn pause(&mut self, cx: &mut Cx<'_>) -> i64 {
        let calm = self.reader.last_reset.is_none_or(|last| cx.now.0 - last.0 > CALM_MS);
        self.reader.last_reset = Some(cx.now);
        if calm {
            self.reader.resets.reset();
        }
        let wait = self.reader.resets.next(0, cx.rng);
        if calm { 0 } else { wait }
    }
}

/// An answer that can't be read is none.
pub(super) fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failed> {
    serde_json::from_str(text).map_err(|error| Failed::lost(format!("an answer that can't be read: {error}")))
}
