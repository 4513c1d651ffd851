//! What of base and queue is not stored yet, and the writes that store it. The base is kept in the same transaction that
//! removes what it holds from the queue, so that a crash can't lose sight of a mutation between the two.

use std::collections::BTreeSet;

use riverrun_core::MutationId;

use super::{Replica, item::Item, layer::Layer, replica::Places, verb::Verb};
use crate::saved::{Mark, Saved, SavedBase, Write};

/// What changed since it was stored last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// These left the queue.
    pub(super) removed: Vec<MutationId>,
    /// These rows of the base changed.
    pub(super) rows: BTreeSet<(String, String)>,
    /// All rows are new.
    pub(super) whole: bool,
    /// Something about the base changed.
    pub(super) moved: bool,
}

impl Replica {
    /// Begins with what an earlier life kept: its base, unless the one there is already is newer, and its queue.
    pub fn restore(&mut self, saved: Saved) {
        self.hear(|| Verb::Restore(saved.clone()));
        self.client = saved.client;
        self.places = Places { last: saved.last, epoch: saved.epoch };
        let is_newer =
            |mark: &Mark| self.epoch.as_ref().is_none_or(|epoch| *epoch == mark.epoch && mark.cursor >= self.cursor);
        let base = saved.base.filter(|base| is_newer(&base.mark));
        let doubts = self.doubts && base.is_none();
        for entry in saved.entries.into_values() {
            if self.is_pending(&entry.id) {
                continue;
            }
            let doubted = doubts && entry.seq.is_some();
            self.insert(Item { doubted, ..Item::new(entry, true) });
            self.stale = true;
        }
        let Some(SavedBase { mark, rows }) = base else { return self.settle(None) };
        if !self.valid || mark.cursor > self.cursor {
            self.base = Layer::default();
            for ((collection, id), value) in rows {
                self.base.set(&collection, &id, Some(value));
            }
            (self.cursor, self.digest, self.epoch) = (mark.cursor, mark.digest, Some(mark.epoch));
            (self.valid, self.stale, self.changed) = (true, true, true);
        }
        self.suspicious = self.has_foreign_places();
        self.learn(mark.cursor, Some(mark.last_seq));
        self.settle(Some(&mark.held.into_iter().collect()));
    }

    /// Whether the base is not stored as it is.
    pub(super) fn has_moved(&self) -> bool {
        self.kept.moved
    }

    /// The base is not stored at all: what changed in it need not be remembered.
    pub(super) fn forget_moves(&mut self) {
        let removed = std::mem::take(&mut self.kept.removed);
        self.kept = Kept { removed, ..Kept::default() };
    }

    /// The mutations that left the queue since the last time.
    pub(super) fn take_removed(&mut self) -> Option<Write> {
        (!self.kept.removed.is_empty()).then(|| Write::Remove(std::mem::take(&mut self.kept.removed)))
    }

    /// What stores the base as it is now.
    pub(super) fn take_base(&mut self) -> Option<Write> {
        if !std::mem::take(&mut self.kept.moved) {
            return None;
        }
        let (rows, clear) = (std::mem::take(&mut self.kept.rows), std::mem::take(&mut self.kept.whole));
        let epoch = self.epoch.clone().filter(|_| !self.dropped);
        let Some(epoch) = epoch else { return Some(Write::ForgetBase) };
        let rows = if clear {
            let all = self.base.rows();
            all.map(|(collection, id, value)| (collection.into(), id.into(), Some(value.clone()))).collect()
        } else {
            let value = |collection: &str, id: &str| self.base.get(collection, id).cloned().flatten();
            rows.into_iter()
                .map(|(collection, id)| (value(&collection, &id), collection, id))
                .map(|(v, c, i)| (c, i, v))
                .collect()
        };
        let held = self.items.values().filter(|item| item.gone.is_some() && item.is_open());
        let mark = Mark {
            cursor: self.cursor,
            digest: self.digest,
            epoch,
            last_seq: self.last_seq,
            held: held.map(|item| item.entry.id.clone()).collect(),
        };
        Some(Write::Base { clear, rows, mark })
    }
}
