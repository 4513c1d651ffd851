//! The one sender of a client id: gives out places, pushes, and carries the verdicts back. There is never more than one
//! push on its way; a place is stored before it is sent; nothing but a verdict takes a mutation out of the queue.

use std::collections::BTreeSet;

use riverrun_core::{
    Epoch, Json, Millis, MutationId, limits,
    planted::{Bug, is},
};

use super::{
    Core,
    backoff::Backoff,
    cx::Cx,
    judge::{Judgement, Voids, judge},
    standing::About,
    timers::Timer,
    verb::Numbered,
};
use crate::{
    event::{Effect, News, Question, Route},
    limits::{PUSH_HEAD_BYTES, RETRY_AFTER_MAX_MS, WRITE_MS},
    mint::mint_client,
    saved::Write,
    wire,
    words::{Entry, Failed, Refused, Verdict},
};

/// What the sender is busy with.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// Nothing is on its way.
    #[default]
    Idle,
    /// Places are being stored.
    Storing(u64),
    /// A push is on its way.
    Sent { ask: u64, live: bool, batch: Vec<MutationId>, epoch: Option<Epoch> },
    /// The watermark is being asked for.
    Asked { ask: u64, why: Why },
}

/// Why the watermark is asked for.
#[derive(Debug)]
pub(super) enum Why {
    /// Another history was found: places given out so far may be wrong in it.
    History,
    /// An answer said so: these need new places whatever the watermark says, and this is why the first one is open.
    Answer { forced: BTreeSet<MutationId>, open: Failed },
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Sender {
    pub(super) phase: Phase,
    voids: Voids,
    backoff: Backoff,
    /// How many mutations the next push may hold.
    room: Room,
    /// Places given so far may be wrong: the watermark is asked for before anything else is sent.
    distrusts: bool,
    /// New places were given out, and no verdict came since.
    renumbered: bool,
    /// The server refused this history as not its own.
    refused: Option<Epoch>,
    last_try: Option<Millis>,
    /// The server asked not to be asked before.
    not_before: Option<Millis>,
}

#[derive(Debug)]
struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(limits::PUSH_MUTATIONS)
    }
}

impl Core {
    /// There is something new to send: a wait is cut short, but not every time.
    pub(super) fn push_soon(&mut self, cx: &Cx<'_>) {
        let tried = self.sender.last_try.is_some_and(|last| cx.now.0 - last.0 < WRITE_MS);
        if !tried {
            self.push_now(cx);
        }
    }

    /// The world changed: try now, unless the server asked to wait.
    pub(super) fn push_now(&mut self, cx: &Cx<'_>) {
        if self.sender.not_before.is_none_or(|moment| cx.now >= moment) {
            self.timers.cancel(Timer::Push);
        }
    }

    /// Places given so far may be wrong.
    pub(super) fn distrust(&mut self) {
        self.sender.distrusts = true;
    }

    /// Takes the next step, if it is time for one.
    pub(super) fn pump(&mut self, cx: &mut Cx<'_>) {
        while matches!(self.sender.phase, Phase::Idle) && !self.timers.has(Timer::Push) {
            if self.sender.distrusts {
                self.sender.distrusts = false;
                self.sender.last_try = Some(cx.now);
                return self.ask_watermark(Why::History, Route::Pull, cx);
            }
            let (batch, texts) = self.batch();
            if !batch.is_empty() {
                self.sender.last_try = Some(cx.now);
                return self.send(batch, texts, cx);
            }
            if !self.give_places(cx) {
                return;
            }
        }
    }

    /// The writes with this number are safe.
    pub(super) fn places_stored(&mut self, store: u64) {
        if matches!(self.sender.phase, Phase::Storing(of) if of == store) {
            self.sender.phase = Phase::Idle;
        }
    }

    /// A question of the sender's ended.
    pub(super) fn sender_answered(&mut self, ask: u64, answer: Result<String, Failed>, cx: &mut Cx<'_>) {
        match std::mem::take(&mut self.sender.phase) {
            Phase::Sent { ask: of, batch, epoch, .. } if of == ask => {
                let read = |text: String| serde_json::from_str(&text).map_err(|error| Failed::lost(error.to_string()));
                match answer.and_then(read) {
                    Ok(answer) => self.push_answered(&batch, answer, cx),
                    Err(failed) => self.push_refused(&batch, epoch, failed, cx),
                }
            }
            Phase::Asked { ask: of, why } if of == ask => self.watermark_answered(why, answer, cx),
            other => self.sender.phase = other,
        }
    }

    /// The connection is gone, and with it the answer to what was asked over it.
    pub(super) fn push_lost(&mut self, cx: &mut Cx<'_>) {
        if let Phase::Sent { ask, live: true, .. } = self.sender.phase {
            self.answered(ask, Err(Failed::lost("disconnected")), cx);
        }
    }

    /// The first mutations that have their place and no verdict, as far as one push goes.
    fn batch(&self) -> (Vec<MutationId>, Vec<Json>) {
        let (mut batch, mut texts, mut bytes) = (Vec::new(), Vec::new(), PUSH_HEAD_BYTES);
        let open = self.replica.items.values().filter(|item| item.is_open());
        for item in open.take_while(|item| item.saved && item.entry.seq.is_some()) {
            let text = wire::mutation(&item.entry, self.sender.voids.contains_key(&item.entry.id));
            bytes += text.len() + 1;
            // The first one goes whatever its size: alone it gets an answer, behind a limit it would wait for ever.
            if !batch.is_empty() && (batch.len() >= self.sender.room.0 || bytes > limits::PUSH_BYTES) {
                break;
            }
            batch.push(item.entry.id.clone());
            texts.push(Json::trusted(text));
        }
        (batch, texts)
    }

    /// Gives the next mutations their places; says whether there were any that can be sent at once.
    fn give_places(&mut self, cx: &mut Cx<'_>) -> bool {
        let mut last = self.replica.places.last;
        let mut given = Vec::new();
        let waiting =
            self.replica.items.values().filter(|item| item.is_open() && item.saved && item.entry.seq.is_none());
        for item in waiting.take(self.sender.room.0) {
            last = last.next();
            given.push((item.entry.id.clone(), last));
        }
        if given.is_empty() {
            return false;
        }
        let epoch = self.replica.places.epoch.clone().or_else(|| self.replica.epoch.clone());
        self.set_places(Numbered { given, last, epoch, watermark: None }, cx);
        true
    }

    /// Says whether the places count in a history the base may not belong to.
    fn set_places(&mut self, numbered: Numbered, cx: &mut Cx<'_>) -> bool {
        let Numbered { last, epoch, given, .. } = numbered.clone();
        if !is(Bug::ClientSeqUnstored) {
            cx.writes.push(Write::Places { last, epoch, given });
        }
        let at_once = self.volatile || is(Bug::ClientSendsUnstored) || is(Bug::ClientSeqUnstored);
        self.sender.phase = if at_once { Phase::Idle } else { Phase::Storing(self.next_store) };
        self.replica.number(numbered)
    }

    fn send(&mut self, batch: Vec<MutationId>, mutations: Vec<Json>, cx: &mut Cx<'_>) {
        let Some(client) = self.replica.client.clone() else { return };
        let ask = self.ask_number(cx);
        let epoch = self.replica.places.epoch.clone();
        let scope = &self.config.scope;
        let mut push =
            wire::Push { kind: None, reference: None, client: &client, epoch: epoch.as_ref(), scope, mutations };
        let live = self.link.ready().map(|link| {
            push.kind = Some("push");
            push.reference = Some(ask.to_string());
            (link, wire::text(&wire::Envelope { topic: &self.topic, data: &push }))
        });
        let live = live.filter(|(_, frame)| frame.len() <= limits::LIVE_PUSH_BYTES);
        let is_live = live.is_some();
        cx.out.push(if let Some((link, frame)) = live {
            Effect::Send(link, frame)
        } else {
            (push.kind, push.reference) = (None, None);
            Effect::Ask(Question { ask, route: Route::Push, body: wire::text(&push) })
        });
        self.sender.phase = Phase::Sent { ask, live: is_live, batch, epoch };
    }

    fn push_answered(&mut self, batch: &[MutationId], answer: wire::PushAnswer, cx: &mut Cx<'_>) {
        self.standing.heard(About::Pushing, None);
        if self.replica.places.epoch.is_none() {
            // Sent before anything was known of any history: the answer says which one the places count in.
            let (last, epoch) = (self.replica.places.last, Some(answer.epoch.clone()));
            self.replica.number(Numbered { given: Vec::new(), last, epoch: epoch.clone(), watermark: None });
            cx.writes.push(Write::Places { last, epoch, given: Vec::new() });
        }
        let Judgement { mut decided, conflicts, client_unknown, open } = judge(batch, answer, &self.sender.voids);
        if client_unknown {
            decided.extend(self.also_unknown(&decided));
        }
        if !decided.is_empty() {
            self.sender.renumbered = false;
        }
        self.decide(decided, cx);
        if client_unknown {
            self.renew(cx);
        }
        if !conflicts.is_empty() || open.as_ref().is_some_and(|open| open.code == "out_of_order") {
            let open = open.unwrap_or_else(|| Failed::of_code("seq_conflict", "the place belongs to another mutation"));
            self.ask_watermark(Why::Answer { forced: conflicts, open }, Route::Pull, cx);
        } else if let Some(open) = open {
            self.put_off(&open, cx);
        } else {
            self.sender.backoff.reset();
            self.sender.room.0 = (self.sender.room.0 * 2).min(limits::PUSH_MUTATIONS);
        }
    }

    fn push_refused(&mut self, batch: &[MutationId], epoch: Option<Epoch>, failed: Failed, cx: &mut Cx<'_>) {
        self.standing.heard(About::Pushing, Some(&failed));
        if is(Bug::ClientQueueDropped) && failed.is_denial() {
            for id in batch {
                self.replica.remove(id);
            }
        }
        if matches!(failed.status, 400 | 413) {
            return self.split(batch, &failed, cx);
        }
        if failed.code != "epoch_changed" {
            return self.put_off(&failed, cx);
        }
        self.distrust();
        self.catch_up();
        if self.sender.refused.is_some() && self.sender.refused == epoch {
            // Refused once already, and nothing could be learned since.
            self.put_off(&failed, cx);
        }
        self.sender.refused = epoch;
    }

    /// Refused as a whole: smaller, down to the one that can't be read; that one only takes up its place.
    fn split(&mut self, batch: &[MutationId], failed: &Failed, cx: &mut Cx<'_>) {
        match batch {
            // A void can't be refused for what it says, and a 400 without the contract's words is not the server's.
            [one] if failed.code == "http_400" || self.sender.voids.contains_key(one) => self.put_off(failed, cx),
            [one] => {
                self.sender.voids.insert(one.clone(), Refused::new(&failed.code, &failed.error));
            }
            _ => self.sender.room.0 = batch.len().div_ceil(2),
        }
    }

    fn put_off(&mut self, failed: &Failed, cx: &mut Cx<'_>) {
        let retry_after = failed.retry_after.min(RETRY_AFTER_MAX_MS);
        self.sender.not_before = (retry_after > 0).then(|| cx.after(retry_after));
        let mut wait = self.sender.backoff.next(retry_after, cx.rng);
        if is(Bug::ClientNoRetry) {
            wait = i64::from(u32::MAX);
        }
        self.timers.set(Timer::Push, cx.after(wait));
    }

    /// Carries verdicts to the queue, the storage and the user.
    fn decide(&mut self, decided: Vec<(MutationId, Verdict)>, cx: &mut Cx<'_>) {
        for (id, _) in &decided {
            self.sender.voids.remove(id);
        }
        for (Entry { id, name, args, .. }, verdict) in self.replica.decide(decided) {
            if let Verdict::Accepted(accepted) = &verdict
                && self.replica.is_pending(&id)
            {
                cx.writes.push(Write::Accepted(id.clone(), accepted.clone()));
            }
            cx.tell(News::Decided { id, name, args, verdict });
        }
        self.expect_changes(cx);
    }

    /// What was sent earlier under a forgotten client, and is not part of this answer, will not be executed either.
    fn also_unknown(&self, decided: &[(MutationId, Verdict)]) -> Vec<(MutationId, Verdict)> {
        let known: BTreeSet<&MutationId> = decided.iter().map(|(id, _)| id).collect();
        let sent = self.replica.items.values().filter(|item| item.is_open() && item.entry.seq.is_some());
        let ids = sent.map(|item| &item.entry.id).filter(|id| !known.contains(id));
        let refused = || Refused::new("client_unknown", "the server has forgotten this client");
        ids.map(|id| (id.clone(), Verdict::Refused(refused()))).collect()
    }

    fn renew(&mut self, cx: &mut Cx<'_>) {
        let client = mint_client(cx.now, cx.rng);
        self.replica.renew(client.clone());
        cx.writes.push(Write::Client(client.clone()));
        cx.tell(News::Client(client));
    }

    fn ask_watermark(&mut self, why: Why, route: Route, cx: &mut Cx<'_>) {
        let ask = self.ask_number(cx);
        // Any page carries the watermark; this one is small. Where the beginning is trimmed, only a snapshot does.
        let small = route == Route::Pull;
        let body = wire::text(&wire::Read {
            scope: Some(&self.config.scope),
            client: self.replica.client.as_ref(),
            cursor: small.then_some(riverrun_core::Cursor::ZERO),
            limit: small.then_some(1),
            ..wire::Read::default()
        });
        cx.out.push(Effect::Ask(Question { ask, route, body }));
        self.sender.phase = Phase::Asked { ask, why };
    }

    fn watermark_answered(&mut self, why: Why, answer: Result<String, Failed>, cx: &mut Cx<'_>) {
        let read = |text: String| {
            serde_json::from_str::<wire::Watermark>(&text).map_err(|error| Failed::lost(error.to_string()))
        };
        match (answer.and_then(read), why) {
            (Ok(mark), why) => self.renumber(why, mark, cx),
            (Err(failed), why) if failed.code == "cursor_too_old" => self.ask_watermark(why, Route::Snapshot, cx),
            // What may no longer be read may still be written: the push itself brings the verdicts.
            (Err(failed), Why::History) if failed.status == 403 => {}
            (Err(failed), why) => {
                self.sender.distrusts |= matches!(why, Why::History);
                self.put_off(&failed, cx);
            }
        }
    }

    /// New places for what was sent: those above the watermark and the forced ones, in queue order.
    fn renumber(&mut self, why: Why, mark: wire::Watermark, cx: &mut Cx<'_>) {
        let mut last = mark.last_seq.unwrap_or_default();
        let watermark = last;
        let forced = match &why {
            Why::History => &BTreeSet::new(),
            Why::Answer { forced, .. } => forced,
        };
        let mut given = Vec::new();
        for item in self.replica.items.values().filter(|item| item.is_open()) {
            let Some(seq) = item.entry.seq else { continue };
            if seq > watermark || forced.contains(&item.entry.id) {
                last = last.next();
                given.push((item.entry.id.clone(), last));
            }
        }
        let same = self.sender.refused.take().is_some_and(|refused| refused == mark.epoch);
        if self.set_places(Numbered { given, last, epoch: Some(mark.epoch), watermark: Some(watermark) }, cx) {
            // The base is of a history that went on, or went away, without it.
            self.catch_up();
        }
        match why {
            // The very epoch that was just refused: the server is between two histories.
            Why::History if same => {
                self.put_off(&Failed::of_code("epoch_changed", "the server is between two histories"), cx);
            }
            Why::History => {}
            // New places help at once or not at all: the second time is waited out.
            Why::Answer { open, .. } if self.sender.renumbered => self.put_off(&open, cx),
            Why::Answer { .. } => self.sender.renumbered = true,
        }
    }
}
