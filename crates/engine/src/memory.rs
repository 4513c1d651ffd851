//! The memory store: the whole contract of [`crate::store`] without a disk, for tests, simulations and throw-away servers.
//! It must never be looser than a store on disk: what it lets pass, a program learns to lean on.
//!
//! The tables are sorted maps that share what they have in common (see `tree`), so a copy of all of them costs a few
//! counters. That one property is all of its isolation: a transaction works on a copy of its own, a savepoint is a copy
//! to go back to, a read is a copy nobody writes to, and a commit puts the copy in the place of what was there. A
//! transaction that fails or panics is dropped, and nothing of it was ever anywhere else.

mod forget;
mod keys;
mod reads;
mod survey;
mod tables;
mod tree;
mod writes;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use riverrun_core::Epoch;
use tables::Tables;
use uuid::Uuid;
use writes::Transaction;

use crate::store::{ReadTx, Store, StoreResult, WriteTx};

/// A store in memory, gone with its last handle. Its only bound is the machine's memory: it holds the rows it was given
/// and nothing else.
///
/// **A clone is another handle to the same log**: a simulation drops an engine and starts the next one over a clone, as if
/// over the same file. [`Self::copy`] makes a log apart. A commit is as durable as the process.
///
/// Reads never wait for a write's closure; a write waits for the write before it. A write begun inside a write's closure
/// on the same log would wait for itself and never returns.
#[derive(Clone)]
pub struct Memory {
    log: Arc<Log>,
}

struct Log {
    /// What is committed. Held only for as long as it takes to copy or replace a few pointers.
    committed: Mutex<Tables>,
    /// Held by the one write that is running.
    writing: Mutex<()>,
}

impl Memory {
    /// An empty log with an epoch of its own, a fresh `UUIDv7`. Minting it is the only time the clock is looked at.
    pub fn new() -> Self {
        let epoch = Epoch::new(Uuid::now_v7().to_string());
        // can't fail: 36 letters, digits and dashes are within an epoch's limits.
        Self::with_epoch(epoch.expect("a UUID's 36 letters are an epoch"))
    }

    /// An empty log with this epoch: for simulations, which must be the same at every run.
    pub fn with_epoch(epoch: Epoch) -> Self {
        Self::over(Tables::new(epoch))
    }

    /// A log apart from this one that holds what is committed here now, its epoch too: a file copied while nobody
    /// looked. Put back later, it is the history that clients must notice.
    pub fn copy(&self) -> Self {
        Self::over(self.committed().clone())
    }

    fn over(tables: Tables) -> Self {
        Self { log: Arc::new(Log { committed: Mutex::new(tables), writing: Mutex::new(()) }) }
    }

    fn committed(&self) -> MutexGuard<'_, Tables> {
        // Nothing that can panic runs under this lock, and what it guards is replaced whole.
        self.log.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Store for Memory {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        // The lock guards the turn and no data: a closure that panicked left nothing half-done behind it.
        let _turn = self.log.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.committed().clone();
        let mut transaction = Transaction::new(before);
        work(&mut transaction)?;
        let tables = transaction.finish()?;
        let replaced = mem::replace(&mut *self.committed(), tables);
        // Freed only here, where no reader waits: it may be the last hold on many rows.
        drop(replaced);
        Ok(())
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        let moment = self.committed().clone();
        work(&mut Transaction::new(moment))
    }

    fn describe(&self) -> String {
        "memory, gone when the process ends".into()
    }
}

#[cfg(test)]
mod tests;
