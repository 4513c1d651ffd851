//! One scope as a client sees it: a base that only the server's history writes, the queue of pending mutations, and the
//! view, which is always base + pending replayed. It does no I/O; whoever calls it tells the user and the storage what
//! became of it, once per step.

use std::collections::{BTreeMap, BTreeSet};

use riverrun_core::{
    Change, ClientId, CollectionChange, Cursor, Digest, Epoch, Json, MutationId, Seq,
    planted::{Bug, is},
    wire::SnapshotAnswer,
};

use super::{
    item::{Item, Knows},
    keep::Kept,
    layer::Layer,
    run::{Ran, Runner},
};
use crate::{
    event::News,
    words::{Entry, Refused, Verdict},
};

/// Changes that follow each other, from a page of a pull or a live frame.
#[derive(Debug)]
pub(super) struct Page {
    /// The cursor they follow on.
    pub(super) from: Cursor,
    /// The cursor after them.
    pub(super) cursor: Cursor,
    pub(super) digest: Digest,
    /// The history they belong to, where the answer says.
    pub(super) epoch: Option<Epoch>,
    pub(super) changes: Vec<Change>,
    /// The watermark read with them; only where the page reached the head of its transaction.
    pub(super) last_seq: Option<Seq>,
    /// It was asked for after every verdict known here: what another history accepted would be seen in it.
    pub(super) is_last_word: bool,
}

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It is part of the base, now or since before.
    Yes,
    /// Something before it is missing: pull.
    Gap,
    /// It is of another history: reset.
    Foreign,
    /// There is no base to apply it to.
    Invalid,
}

/// Where places have been given out.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    /// The last one given out.
    pub(super) last: Seq,
    /// The history they count in.
    pub(super) epoch: Option<Epoch>,
}

/// See the file's head.
// Each of its bools is a fact of its own: any of them may hold beside any other.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Replica {
    /// Everything up to here is in the base.
    pub(super) cursor: Cursor,
    pub(super) digest: Digest,
    pub(super) epoch: Option<Epoch>,
    /// There is a base that the server's changes may be applied to.
    pub(super) valid: bool,
    /// What was read may no longer be read.
    pub(super) dropped: bool,
    /// Which base this is: answers to questions about an earlier one are of no use.
    pub(super) generation: u64,
    /// How many mutations were accepted in this life.
    pub(super) acceptances: u64,
    /// How often places were given anew from a watermark in this life.
    pub(super) renumberings: u64,
    pub(super) places: Places,
    pub(super) client: Option<ClientId>,
    pub(super) kept: Kept,
    /// The view or the pending mutations changed since that was told last.
    pub(super) changed: bool,
    pub(super) base: Layer,
    pub(super) view: Layer,
    pub(super) items: BTreeMap<u64, Item>,
    orders: BTreeMap<MutationId, u64>,
    next_order: u64,
    pub(super) last_seq: Seq,
    /// A watermark read at a head this base has not reached yet.
    ahead: Option<(Cursor, Seq)>,
    /// The history itself changed: cursors of old verdicts mean nothing any more.
    other_history: bool,
    /// Places count in a history this base may not belong to: nothing is judged by watermarks until that is known.
    pub(super) suspicious: bool,
    /// The view has to be made anew.
    stale: bool,
    runner: Runner,
}

impl Replica {
    pub(super) fn new(runner: Runner) -> Self {
        Self {
            cursor: Cursor::ZERO,
            digest: Digest::EMPTY,
            epoch: None,
            valid: false,
            dropped: false,
            generation: 0,
            acceptances: 0,
            renumberings: 0,
            places: Places::default(),
            client: None,
            kept: Kept::default(),
            changed: false,
            base: Layer::default(),
            view: Layer::default(),
            items: BTreeMap::new(),
            orders: BTreeMap::new(),
            next_order: 0,
            last_seq: Seq::ZERO,
            ahead: None,
            other_history: false,
            suspicious: false,
            stale: false,
            runner,
        }
    }

    /// Takes a queued mutation of an earlier life.
    pub(super) fn adopt(&mut self, item: Item) {
        self.next_order = self.next_order.max(item.entry.order + 1);
        self.orders.insert(item.entry.id.clone(), item.entry.order);
        self.items.insert(item.entry.order, item);
        (self.stale, self.changed) = (true, true);
    }

    /// Applies a new local mutation and gives it its order. Refused by its mutator, it is not pending.
    pub(super) fn mutate(&mut self, mut entry: Entry, saved: bool) -> Result<Entry, Refused> {
        self.refresh();
        match self.runner.run(&entry, self.client.as_ref(), [&self.view, &self.base]) {
            Ran::Wrote(written) => self.view.absorb(written),
            Ran::Refused(no) => return Err(no.into()),
            Ran::Unsure => {}
        }
        entry.order = self.next_order;
        self.next_order += 1;
        self.orders.insert(entry.id.clone(), entry.order);
        self.items.insert(entry.order, Item { entry: entry.clone(), saved, gone: None });
        self.changed = true;
        Ok(entry)
    }

    pub(super) fn item(&mut self, id: &MutationId) -> Option<&mut Item> {
        self.items.get_mut(self.orders.get(id)?)
    }

    /// Takes a mutation out of the queue.
    pub(super) fn remove(&mut self, id: &MutationId) -> Option<Item> {
        let item = self.items.remove(&self.orders.remove(id)?)?;
        self.stale |= item.is_shown();
        self.changed = true;
        self.kept.removed.push(id.clone());
        Some(item)
    }

    /// Places were given out or changed.
    pub(super) fn number(&mut self, given: &[(MutationId, Seq)]) {
        for (id, seq) in given {
            if let Some(item) = self.item(id) {
                item.entry.seq = Some(*seq);
            }
        }
        self.settle(None);
    }

    /// A verdict arrived. A refused mutation leaves at once, an accepted one when the base has reached its cursor. Gives
    /// the mutation back, unless it was decided before or is not known.
    pub(super) fn decide(&mut self, id: &MutationId, verdict: &Verdict) -> Option<Entry> {
        let item = self.item(id).filter(|item| item.is_open())?;
        if let Verdict::Accepted(accepted) = verdict {
            item.entry.accepted = Some(accepted.clone());
            let entry = item.entry.clone();
            self.acceptances += 1;
            return Some(entry);
        }
        if is(Bug::ClientRejectedStays) {
            return Some(item.entry.clone());
        }
        self.remove(id).map(|item| item.entry)
    }

    /// Applies changes in cursor order. Nothing is applied unless all of them follow on the base without a gap.
    pub(super) fn apply(&mut self, page: Page, news: &mut Vec<News>) -> Applied {
        if !self.valid {
            return Applied::Invalid;
        }
        if page.epoch.is_some() && page.epoch != self.epoch {
            return Applied::Foreign;
        }
        if page.from > self.cursor && !is(Bug::ClientGapApplied) {
            return Applied::Gap;
        }
        if page.cursor == self.cursor && page.digest != self.digest && !is(Bug::ClientNoDigest) {
            return Applied::Foreign;
        }
        let fresh: Vec<Change> = page.changes.into_iter().filter(|change| change.cursor > self.cursor).collect();
        let follows = fresh.iter().zip(self.cursor.0 + 1..).all(|(change, cursor)| change.cursor.0 == cursor);
        let ends = fresh.last().map_or(page.cursor <= self.cursor, |last| last.cursor == page.cursor);
        if (!follows || !ends) && !is(Bug::ClientGapApplied) {
            return Applied::Gap;
        }
        if page.is_last_word && page.last_seq.is_some() {
            self.release_strays();
        }
        let named: BTreeSet<MutationId> = fresh.iter().map(|change| change.mutation.clone()).collect();
        if !fresh.is_empty() {
            (self.cursor, self.digest) = (page.cursor, page.digest);
            (self.stale, self.changed, self.kept.moved) = (true, true, true);
        }
        for change in fresh {
            self.write(change, news);
        }
        if page.cursor == self.cursor {
            self.learn(page.cursor, page.last_seq);
        }
        self.settle(Some(&named));
        Applied::Yes
    }

    /// The client's watermark as of a head. It counts once the base has reached that head.
    pub(super) fn watermark(&mut self, at: Cursor, last_seq: Seq) {
        self.learn(at, Some(last_seq));
        self.settle(None);
    }

    /// A new base. Pending mutations stay and are replayed on it. Returns false where it would go back in time.
    pub(super) fn reset(&mut self, snapshot: SnapshotAnswer, last_seq: Seq, news: &mut Vec<News>) -> bool {
        let same_epoch = self.epoch.as_ref() == Some(&snapshot.epoch);
        if self.valid && same_epoch && snapshot.cursor <= self.cursor && !is(Bug::ClientGoesBack) {
            self.watermark(snapshot.cursor, last_seq);
            return false;
        }
        if self.other_history || (self.epoch.is_some() && !same_epoch) {
            self.forget_history(&snapshot.epoch, same_epoch);
        }
        (self.other_history, self.suspicious, self.ahead) = (false, false, None);
        self.base = Layer::default();
        // Anything else is an application's own form of state, and no collection of ours.
        let data: BTreeMap<String, Json> = snapshot.data.read().unwrap_or_default();
        for (collection, rows) in data {
            for (id, value) in rows.read::<BTreeMap<String, Json>>().unwrap_or_default() {
                self.base.set(&collection, &id, Some(value));
            }
        }
        (self.cursor, self.digest, self.epoch) = (snapshot.cursor, snapshot.digest, Some(snapshot.epoch));
        (self.valid, self.dropped) = (true, false);
        self.generation += 1;
        (self.kept.whole, self.kept.moved) = (true, true);
        self.learn(snapshot.cursor, Some(last_seq));
        news.push(News::Snapshot(snapshot.data, snapshot.cursor));
        (self.stale, self.changed) = (true, true);
        self.settle(None);
        true
    }

    /// The base can't be continued; it stays visible until the next one. `other_history`: its cursors mean nothing now.
    pub(super) fn invalidate(&mut self, other_history: bool) {
        self.valid = false;
        self.generation += 1;
        self.ahead = None;
        self.other_history |= other_history;
    }

    /// The scope may no longer be read: its data goes, the pending mutations stay for their verdicts.
    pub(super) fn drop_base(&mut self) {
        self.invalidate(false);
        self.dropped = true;
        self.base = Layer::default();
        (self.cursor, self.digest) = (Cursor::ZERO, Digest::EMPTY);
        (self.kept.whole, self.kept.moved) = (true, true);
        (self.stale, self.changed) = (true, true);
    }

    /// Places count in another history than the base belongs to.
    pub(super) fn has_foreign_places(&self) -> bool {
        self.places.epoch.is_some() && self.places.epoch != self.epoch
    }

    /// A new client id: old places and watermarks belong to the old one.
    pub(super) fn renew(&mut self, client: ClientId) {
        self.client = Some(client);
        self.places = Places::default();
        (self.last_seq, self.ahead) = (Seq::ZERO, None);
        self.kept.moved = true;
        for item in self.items.values_mut() {
            item.entry.seq = None;
        }
        self.settle(None);
    }

    /// Makes the view anew where something under it changed: replays what is pending on the base. A mutator that says no
    /// has no effect in this view and stays pending; the server decides.
    pub(super) fn refresh(&mut self) {
        if !std::mem::take(&mut self.stale) || is(Bug::ClientNoRebase) {
            return;
        }
        self.view = Layer::default();
        for item in self.items.values().filter(|item| item.is_shown()) {
            if let Ran::Wrote(written) = self.runner.run(&item.entry, self.client.as_ref(), [&self.view, &self.base]) {
                self.view.absorb(written);
            }
        }
    }

    /// Lets go of what the base now holds.
    pub(super) fn settle(&mut self, named: Option<&BTreeSet<MutationId>>) {
        let knows = Knows {
            cursor: self.cursor,
            epoch: self.epoch.as_ref(),
            last_seq: (!self.other_history && !self.suspicious).then_some(self.last_seq),
            named,
        };
        let mut over = Vec::new();
        for item in self.items.values_mut() {
            if item.let_go(&knows) {
                (self.stale, self.changed, self.kept.moved) = (true, true, true);
            }
            if item.entry.accepted.is_some() && !item.is_shown() {
                over.push(item.entry.id.clone());
            }
        }
        for id in over {
            self.remove(&id);
        }
    }

    /// Another history begins: what the old one accepted is over, what it let go of is pending again.
    fn forget_history(&mut self, next: &Epoch, same_epoch: bool) {
        self.last_seq = Seq::ZERO;
        let mut over = Vec::new();
        for item in self.items.values_mut() {
            match &item.entry.accepted {
                // Accepted by the history that begins: its cursor can be waited for.
                Some(accepted) if !same_epoch && accepted.epoch == *next => {}
                Some(_) => over.push(item.entry.id.clone()),
                None => item.gone = None,
            }
        }
        for id in over {
            self.remove(&id);
        }
    }

    /// The head of the one history there is: what another one accepted is not coming.
    fn release_strays(&mut self) {
        let epoch = self.epoch.as_ref();
        let strays = self.items.values().filter(|item| {
            item.is_shown() && item.entry.accepted.as_ref().is_some_and(|accepted| Some(&accepted.epoch) != epoch)
        });
        for id in strays.map(|item| item.entry.id.clone()).collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    fn learn(&mut self, at: Cursor, last_seq: Option<Seq>) {
        if let Some(last_seq) = last_seq.filter(|_| self.ahead.is_none_or(|(ahead, _)| at >= ahead)) {
            self.ahead = Some((at, last_seq));
        }
        let Some((at, last_seq)) = self.ahead.filter(|(at, _)| self.cursor >= *at) else { return };
        debug_assert!(at <= self.cursor);
        self.ahead = None;
        // What is known of another history than the one the places count in explains nothing.
        self.suspicious &= self.has_foreign_places();
        if last_seq > self.last_seq {
            self.last_seq = last_seq;
            self.kept.moved = true;
        }
    }

    fn write(&mut self, change: Change, news: &mut Vec<News>) {
        match CollectionChange::read(&change.data) {
            Some(CollectionChange::Put { collection, id, value }) => {
                self.base.set(&collection, &id, Some(value));
                self.kept.rows.insert((collection, id));
            }
            Some(CollectionChange::Del { collection, id }) => {
                self.base.remove(&collection, &id);
                self.kept.rows.insert((collection, id));
            }
            None => news.push(News::Change(change)),
        }
    }
}
