//! The base of a replica: how the server's changes and snapshots are written to it, and what of the pending mutations it
//! makes superfluous. Nothing else writes to a base, and nothing of another history is ever mixed into one.

use std::collections::{BTreeMap, BTreeSet};

use riverrun_core::{
    Change, CollectionChange, Cursor, Digest, Epoch, Json, MutationId, Seq,
    planted::{Bug, is},
    wire::SnapshotAnswer,
};

use super::{
    Replica,
    item::Knows,
    layer::Layer,
    verb::{Applied, Page, Verb},
};
use crate::event::News;

impl Replica {
    /// Applies changes in cursor order. Nothing is applied unless all of them follow on the base without a gap, and on the
    /// very place they were asked for: what overlaps with changes that came meanwhile may be of another history than they
    /// are. Changes that are no collection's are told.
    pub fn apply(&mut self, page: Page, news: &mut Vec<News>) -> Applied {
        self.hear(|| Verb::Apply(page.clone()));
        if !self.valid {
            return Applied::Invalid;
        }
        if page.epoch.is_some() && page.epoch != self.epoch {
            return Applied::Foreign;
        }
        let overlaps = page.from < self.cursor && page.cursor > self.cursor;
        if (page.from > self.cursor || overlaps) && !is(Bug::ClientGapApplied) {
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
            if self.was_accepted_beyond(page.cursor) {
                return Applied::Foreign;
            }
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
    pub fn watermark(&mut self, at: Cursor, last_seq: Seq) {
        self.hear(|| Verb::Watermark(at, last_seq));
        self.learn(at, Some(last_seq));
        self.settle(None);
    }

    /// A new base. Pending mutations stay and are replayed on it. `last_seq` is the client's watermark in it; where it is
    /// not known, what was sent and has no verdict is not shown until it is. Returns false where the base would go back
    /// in time.
    pub fn reset(&mut self, snapshot: SnapshotAnswer, last_seq: Option<Seq>, news: &mut Vec<News>) -> bool {
        self.hear(|| Verb::Reset(snapshot.clone(), last_seq));
        let same_epoch = self.epoch.as_ref() == Some(&snapshot.epoch);
        if self.valid && same_epoch && snapshot.cursor <= self.cursor && !is(Bug::ClientGoesBack) {
            self.learn(snapshot.cursor, last_seq);
            self.settle(None);
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
        self.doubts = last_seq.is_none();
        for item in self.items.values_mut() {
            item.doubted = last_seq.is_none() && item.entry.seq.is_some();
        }
        self.learn(snapshot.cursor, last_seq);
        news.push(News::Snapshot(snapshot.data, snapshot.cursor));
        (self.stale, self.changed) = (true, true);
        self.settle(None);
        true
    }

    /// The base can't be continued; it stays visible until the next one. `other_history`: its cursors mean nothing now.
    pub fn invalidate(&mut self, other_history: bool) {
        self.hear(|| Verb::Invalidate(other_history));
        self.lose(other_history);
    }

    /// The scope may no longer be read: its data goes, the pending mutations stay for their verdicts.
    pub fn drop_base(&mut self) {
        self.hear(|| Verb::Drop);
        self.lose(false);
        self.dropped = true;
        self.base = Layer::default();
        (self.cursor, self.digest) = (Cursor::ZERO, Digest::EMPTY);
        (self.kept.whole, self.kept.moved) = (true, true);
        (self.stale, self.changed) = (true, true);
    }

    fn lose(&mut self, other_history: bool) {
        self.valid = false;
        self.generation += 1;
        self.ahead = None;
        self.other_history |= other_history;
    }

    /// Places count in another history than the base belongs to.
    pub(super) fn has_foreign_places(&self) -> bool {
        self.places.epoch.is_some() && self.places.epoch != self.epoch
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
            if item.is_over() {
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

    /// This history accepted something above what is now its head: it was put back to an earlier state, and goes on
    /// under the same name.
    fn was_accepted_beyond(&self, head: Cursor) -> bool {
        let mut accepted = self.items.values().filter_map(|item| item.entry.accepted.as_ref());
        accepted.any(|accepted| Some(&accepted.epoch) == self.epoch.as_ref() && accepted.cursor > head)
    }

    /// The head of the one history there is: what another one accepted is not coming.
    fn release_strays(&mut self) {
        let epoch = self.epoch.as_ref();
        let is_stray = |accepted: &crate::words::Accepted| Some(&accepted.epoch) != epoch;
        let strays = self.items.values().filter(|item| item.entry.accepted.as_ref().is_some_and(is_stray));
        for id in strays.map(|item| item.entry.id.clone()).collect::<Vec<_>>() {
            self.remove(&id);
        }
    }

    pub(super) fn learn(&mut self, at: Cursor, last_seq: Option<Seq>) {
        if let Some(last_seq) = last_seq.filter(|_| self.ahead.is_none_or(|(ahead, _)| at >= ahead)) {
            self.ahead = Some((at, last_seq));
        }
        let Some((_, last_seq)) = self.ahead.filter(|(at, _)| self.cursor >= *at) else { return };
        self.ahead = None;
        // What is known of another history than the one the places count in explains nothing.
        self.suspicious &= self.has_foreign_places();
        self.doubts = false;
        for item in self.items.values_mut().filter(|item| item.doubted) {
            item.doubted = false;
            (self.stale, self.changed) = (true, true);
        }
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
