//! What is kept, and for how long. Trimming moves the floor up to a mutation's end, folding what it passes into the base,
//! so that state = fold(base, log) stays true; pruning forgets verdicts and clients beyond their spans. Both go in small
//! transactions, so that no push waits for long.

use riverrun_core::{Cursor, Millis, Scope};

use crate::{
    kernel::Kernel,
    planted::{Bug, is},
    store::{self, Entry, Head, StoreResult},
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Entries folded into the base in one transaction: a few milliseconds of the writer's time.
const TRIM_STEP: usize = 500;

/// The same in bytes of change data, or one entry if that is more.
const TRIM_BYTES: usize = 4 << 20;

/// Rows forgotten in one transaction, for the same reason.
const FORGET_STEP: usize = 1000;

/// How long things are kept. Spans in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Changes a scope's log holds at most; the oldest are trimmed. It may pass this by a tenth before that is done.
    pub changes: u64,
    /// Changes older than this are trimmed.
    pub age: i64,
    /// Verdicts decided longer ago are forgotten; a client's last ones are kept all the same.
    pub verdicts: i64,
    /// Places of a client whose verdicts are kept however old; the last one always is, for a watermark without it would
    /// look like one that ran ahead.
    pub verdicts_per_client: u64,
    /// A client not seen for longer is forgotten.
    pub clients: i64,
}

impl Default for Retention {
    /// 100,000 changes of at most 30 days in a scope: a reader away for longer takes a snapshot. Verdicts 30 days and a
    /// client's last 1,000; clients 180 days: the spans of the protocol.
    fn default() -> Self {
        Self { changes: 100_000, age: 30 * DAY, verdicts: 30 * DAY, verdicts_per_client: 1000, clients: 180 * DAY }
    }
}

impl Retention {
    /// Whether a log has so many changes that it is worth trimming.
    pub(crate) fn outgrown(&self, head: &Head) -> bool {
        head.cursor.0 - head.floor.0 > self.changes.saturating_add(self.changes / 10)
    }
}

impl Kernel {
    /// Trims one step of a scope's log, by count and age. Says whether there is more to trim.
    pub fn trim(&self, scope: &Scope) -> StoreResult<bool> {
        let old = self.clock.now().minus(self.retention.age);
        let keep = self.retention.changes;
        self.trim_while(scope, |head, entry| entry.time < old || head.cursor.0 - entry.first.0 >= keep)
    }

    /// Trims one step of a scope's log up to a cursor, or the mutation's end before it.
    pub fn trim_to(&self, scope: &Scope, cursor: Cursor) -> StoreResult<bool> {
        self.trim_while(scope, |_, entry| entry.last() <= cursor)
    }

    fn trim_while(&self, scope: &Scope, goes: impl Fn(&Head, &Entry) -> bool) -> StoreResult<bool> {
        // Most scopes have nothing to trim: that is seen without troubling the writer's transaction.
        let due = store::read(&*self.store, |tx| {
            let Some(head) = tx.head(scope)? else { return Ok(false) };
            let mut due = false;
            tx.entries(scope, head.floor, &mut |entry| {
                due = goes(&head, &entry);
                false
            })?;
            Ok(due)
        })?;
        if !due {
            return Ok(false);
        }
        store::write(&*self.store, |tx| {
            let mut head = tx.lock(scope)?;
            let mut step = Vec::new();
            let (mut more, mut bytes) = (false, 0);
            tx.entries(scope, head.floor, &mut |entry| {
                if !goes(&head, &entry) {
                    return false;
                }
                more = step.len() == TRIM_STEP || bytes >= TRIM_BYTES;
                if !more {
                    bytes += entry.changes.iter().map(|data| data.as_str().len()).sum::<usize>();
                    step.push(entry);
                }
                !more
            })?;
            if let Some(last) = step.last() {
                if !is(Bug::TrimWithoutBase) {
                    self.app.move_base(tx, scope, &step)?;
                }
                head.floor = last.last();
                if !is(Bug::TrimKeepsDigest) {
                    head.floor_digest = last.digest;
                }
                tx.trim(scope, head.floor)?;
                tx.set_head(scope, &head)?;
            }
            Ok(more)
        })
    }

    /// Forgets one step of verdicts and clients beyond their spans. Says whether there is more to forget.
    pub fn forget(&self) -> StoreResult<bool> {
        let now = self.clock.now();
        let (verdicts, clients) = (now.minus(self.retention.verdicts), now.minus(self.retention.clients));
        store::write(&*self.store, |tx| {
            let gone = tx.forget_verdicts(verdicts, self.retention.verdicts_per_client.max(1), FORGET_STEP)?;
            let left = tx.forget_clients(clients, FORGET_STEP)?;
            // Any of them may come back by its id alone, also one that had a place when it was decided.
            if gone.verdicts > 0 || left > 0 {
                let moment: Millis = tx.forgotten_before()?.max(verdicts);
                tx.set_forgotten_before(moment)?;
            }
            Ok(gone.verdicts == FORGET_STEP || left == FORGET_STEP)
        })
    }

    /// Up to `limit` scopes after this one, for whoever goes through all of them.
    pub fn scopes(&self, after: Option<&Scope>, limit: usize) -> StoreResult<Vec<Scope>> {
        store::read(&*self.store, |tx| tx.scopes(after, limit))
    }
}
