//! The log as a chain: cursors without a gap, each digest out of the one before it. After a broken link it goes on from
//! what it finds, so that one flaw is told once.

use riverrun_core::{Cursor, Digest};

use super::{Flaw, Report};
use crate::{
    digests,
    store::{Entry, Head},
};

/// Where the walk stands.
pub(super) struct Chain {
    floor: Cursor,
    at: Cursor,
    /// The digest kept there.
    kept: Digest,
    /// The digest that follows from what was read, if that is another one.
    follows: Digest,
    /// The entry before left a gap: no digest can be judged by it.
    broken: bool,
    /// An entry below the floor was told of.
    below: bool,
}

impl Chain {
    pub(super) fn new(head: &Head) -> Self {
        Self {
            floor: head.floor,
            at: head.floor,
            kept: head.floor_digest,
            follows: head.floor_digest,
            broken: false,
            below: false,
        }
    }

    /// Takes the next entry. Says whether it belongs to the log at all: one below the floor is in the base already.
    pub(super) fn link(&mut self, entry: &Entry, report: &mut Report) -> bool {
        if entry.first <= self.floor {
            if !self.below {
                report.wrong(Flaw::BelowFloor { found: entry.first, floor: self.floor });
                self.below = true;
            }
            if entry.last() <= self.floor {
                return false;
            }
            self.broken = true;
        } else if entry.first != self.at.next() {
            report.wrong(Flaw::Gap { expected: self.at.next(), found: entry.first });
            self.broken = true;
        }
        let roll = |from| digests::roll(from, entry, entry.changes.len());
        let follows = roll(self.follows);
        let well = self.broken || follows == entry.digest || roll(self.kept) == entry.digest;
        if !well {
            report.wrong(Flaw::Digest(entry.last()));
        }
        self.follows = if well { entry.digest } else { follows };
        (self.at, self.kept, self.broken) = (entry.last(), entry.digest, false);
        true
    }

    /// Compares the end with the head.
    pub(super) fn end(&self, head: &Head, report: &mut Report) {
        if head.floor > head.cursor {
            report.wrong(Flaw::FloorAboveHead { floor: head.floor, head: head.cursor });
        } else if self.at != head.cursor {
            report.wrong(Flaw::Head { head: head.cursor, log: self.at });
        } else if self.kept != head.digest {
            report.wrong(Flaw::HeadDigest(head.cursor));
        }
    }
}
