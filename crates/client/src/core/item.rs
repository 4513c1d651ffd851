//! One pending mutation as the core sees it, and the rule by which it leaves the view: the contract's "When a client lets
//! go of a pending mutation", in one place. It never looks at a push's answer alone.

use std::collections::BTreeSet;

use riverrun_core::{
    Cursor, Epoch, MutationId, Seq,
    planted::{Bug, is},
};

use crate::words::Entry;

/// Why a mutation is no longer replayed: the base is known to hold its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// The base has reached its verdict's cursor.
    Cursor,
    /// The client's watermark that belongs to the base has reached its place.
    Watermark,
    /// A change that names it was applied.
    Change,
}

/// A mutation that is not yet both decided and let go.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) entry: Entry,
    /// It survives a crash, or nothing does any more: it may be sent.
    pub(super) saved: bool,
    /// It left the view, and why. Without a verdict it is still asked for.
    pub(super) gone: Option<Gone>,
    /// It was sent in an earlier life, and the base can't say yet whether it holds it: not shown twice.
    pub(super) doubted: bool,
}

/// What the base knows at this moment.
pub(super) struct Knows<'a> {
    pub(super) cursor: Cursor,
    pub(super) epoch: Option<&'a Epoch>,
    /// The client's watermark; `None` while places and base may be of two histories.
    pub(super) last_seq: Option<Seq>,
    /// Mutations whose changes were just applied.
    pub(super) named: Option<&'a BTreeSet<MutationId>>,
}

impl Item {
    /// One that nothing is known of yet.
    pub(super) fn new(entry: Entry, saved: bool) -> Self {
        Self { entry, saved, gone: None, doubted: false }
    }

    /// Applies the rule and says whether the item's part in the view changed.
    pub(super) fn let_go(&mut self, base: &Knows<'_>) -> bool {
        let before = self.is_shown();
        let reached = self.entry.accepted.as_ref().is_some_and(|accepted| {
            // A cursor of another history can't be waited for; what comes of it is the next base's to say.
            is(Bug::ClientLetGoAtVerdict) || Some(&accepted.epoch) == base.epoch && accepted.cursor <= base.cursor
        });
        if base.named.is_some_and(|named| named.contains(&self.entry.id)) {
            self.gone = Some(Gone::Change);
        } else if reached {
            self.gone.get_or_insert(Gone::Cursor);
        } else if let Some(last_seq) = base.last_seq {
            if self.entry.seq.is_some_and(|seq| seq <= last_seq) {
                self.gone.get_or_insert(Gone::Watermark);
            } else if self.gone == Some(Gone::Watermark) {
                // Renumbered above the watermark: the place that was let go belonged to another mutation.
                self.gone = None;
            }
        }
        before != self.is_shown()
    }

    /// Whether it is replayed on top of the base.
    pub(super) fn is_shown(&self) -> bool {
        self.gone.is_none() && !self.doubted
    }

    /// Whether it is both decided and let go: nothing is left to wait for.
    pub(super) fn is_over(&self) -> bool {
        self.entry.accepted.is_some() && self.gone.is_some()
    }

    /// Whether it has no verdict yet.
    pub(super) fn is_open(&self) -> bool {
        self.entry.accepted.is_none()
    }
}
