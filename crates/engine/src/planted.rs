//! What the bugs of `riverrun_core::planted` need more than a line for. Never reached unless one is chosen, which only
//! builds with the feature `planted` can do.

use riverrun_core::{ClientId, Cursor, Scope, Seq};

use crate::{
    Decision,
    decide::fingerprint,
    kernel::{Kernel, Push, PushItem, Settled},
    store::{self, Head, Record, StoreResult, Watermark},
};

pub(crate) use riverrun_core::planted::{Bug, is};

/// Sequences that no rollback takes back.
#[derive(Default)]
pub(crate) struct Sequences {
    #[cfg(feature = "planted")]
    last: std::sync::Mutex<std::collections::HashMap<Scope, u64>>,
}

impl Sequences {
    /// The next cursor of a scope.
    #[cfg(feature = "planted")]
    pub(crate) fn next(&self, scope: &Scope, head: &Head, changes: usize) -> Cursor {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let last = last.entry(scope.clone()).or_default();
        let first = (*last).max(head.cursor.0) + 1;
        *last = first + changes as u64 - 1;
        Cursor(first)
    }

    /// The next cursor of a scope.
    #[cfg(not(feature = "planted"))]
    #[allow(clippy::unused_self, reason = "the shape of the one above")]
    pub(crate) fn next(&self, _: &Scope, head: &Head, _: usize) -> Cursor {
        head.cursor.next()
    }
}

/// Takes a bug's name from the environment (`RIVERRUN_PLANTED`), for servers started by a test.
pub fn from_environment() {
    #[cfg(feature = "planted")]
    if let Ok(name) = std::env::var("RIVERRUN_PLANTED") {
        riverrun_core::planted::plant(Bug::named(&name));
        tracing::warn!(bug = name, "a planted bug is awake");
    }
}

impl Kernel {
    /// Settles, and says so whatever became of the commit.
    pub(crate) fn settle_regardless(&self, pushes: &[Push]) -> StoreResult<Settled> {
        let mut decided = None;
        let written = store::write(&*self.store, |tx| {
            decided = Some(self.settle_in(tx, pushes)?.0);
            Ok(())
        });
        match decided {
            Some(settled) => Ok(settled),
            None => Err(written.err().unwrap_or(store::StoreError::Full)),
        }
    }

    /// Does after the commit what belongs into it.
    pub(crate) fn after_commit(&self, pushes: &[Push], settled: &Settled) -> StoreResult<()> {
        store::write(&*self.store, |tx| {
            for (push, decisions) in pushes.iter().zip(&settled.pushes) {
                let Ok(decisions) = decisions else { continue };
                for (item, decision) in push.items.iter().zip(decisions) {
                    let Decision::Decided { verdict, duplicate: false, .. } = decision else { continue };
                    let PushItem { mutation, .. } = item;
                    let time = self.clock.now();
                    if is(Bug::VerdictApart) {
                        let fingerprint = fingerprint(mutation);
                        let (id, place, verdict) = (mutation.id.clone(), mutation.place.clone(), verdict.clone());
                        let record = Record { id, place, fingerprint, time, verdict };
                        tx.record(&mutation.scope, &push.principal, &record)?;
                    }
                    if let Some((client, seq)) = mutation.place.as_ref().filter(|_| is(Bug::MarkApart)) {
                        mark(tx, &mutation.scope, client, *seq, time)?;
                    }
                }
            }
            Ok(())
        })
    }
}

fn mark(
    tx: &mut dyn store::WriteTx,
    scope: &Scope,
    client: &ClientId,
    seq: Seq,
    seen: riverrun_core::Millis,
) -> StoreResult<()> {
    tx.set_watermark(scope, client, &Watermark { last_seq: seq, seen, made: riverrun_core::Millis(0) })
}
