//! A transaction on the memory store and what it writes: tables of its own, until the store puts them in the place of the
//! committed ones. A misuse of the contract (a head moved without its lock, a savepoint in a savepoint) is an error here,
//! so that it is found before a store on disk makes something of it.

use std::{collections::BTreeSet, sync::Arc};

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, Principal, Scope};

use super::{
    forget,
    keys::{EntityKey, EntryKey, MarkKey, VerdictKey},
    tables::{Logged, Tables},
};
use crate::store::{Entry, Forgotten, Head, Layer, Origin, Record, StoreError, StoreResult, Watermark, WriteTx};

/// One transaction. Reading uses it too: as a moment that nobody writes to.
pub(super) struct Transaction {
    pub(super) tables: Tables,
    savepoint: Option<Tables>,
    locked: BTreeSet<Scope>,
}

impl Transaction {
    /// A transaction that sees these tables.
    pub(super) fn new(tables: Tables) -> Self {
        Self { tables, savepoint: None, locked: BTreeSet::new() }
    }

    /// What it has made of them.
    pub(super) fn finish(self) -> StoreResult<Tables> {
        match self.savepoint {
            None => Ok(self.tables),
            Some(_) => Err(misuse("a savepoint was neither released nor rolled back")),
        }
    }

    fn check_locked(&self, scope: &Scope) -> StoreResult<()> {
        if self.locked.contains(scope) { Ok(()) } else { Err(misuse(&format!("the scope {scope} is not locked"))) }
    }
}

impl WriteTx for Transaction {
    fn savepoint(&mut self) -> StoreResult<()> {
        if self.savepoint.is_some() {
            return Err(misuse("savepoints are not nested"));
        }
        self.savepoint = Some(self.tables.clone());
        Ok(())
    }

    fn rollback(&mut self) -> StoreResult<()> {
        self.tables = self.savepoint.take().ok_or_else(|| misuse("there is no savepoint to go back to"))?;
        Ok(())
    }

    fn release(&mut self) -> StoreResult<()> {
        self.savepoint.take().map(drop).ok_or_else(|| misuse("there is no savepoint to release"))
    }

    fn lock(&mut self, scope: &Scope) -> StoreResult<Head> {
        // There is one writer at a time: the lock is already held, and only remembered for the sake of the checks.
        self.locked.insert(scope.clone());
        Ok(self.tables.heads.get(scope).copied().unwrap_or_default())
    }

    fn set_head(&mut self, scope: &Scope, head: &Head) -> StoreResult<()> {
        self.check_locked(scope)?;
        self.tables.heads.insert(scope.clone(), *head);
        Ok(())
    }

    fn append(&mut self, scope: &Scope, entry: &Entry, origin: &Origin) -> StoreResult<()> {
        self.check_locked(scope)?;
        if entry.changes.is_empty() || entry.first == Cursor::ZERO {
            return Err(misuse("an entry holds at least one change, and cursors begin at 1"));
        }
        self.tables.touch(scope);
        let key = EntryKey { scope: scope.clone(), last: entry.last() };
        let logged = Logged { entry: entry.clone(), origin: origin.clone() };
        match self.tables.log.insert(key, Arc::new(logged)) {
            None => Ok(()),
            Some(_) => Err(misuse(&format!("the log of {scope} already has an entry that ends at {}", entry.last()))),
        }
    }

    fn put(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str, value: &Json) -> StoreResult<()> {
        self.tables.touch(scope);
        let key = EntityKey { scope: scope.clone(), collection: collection.into(), id: id.into() };
        self.tables.layer_mut(layer).insert(key, value.clone());
        Ok(())
    }

    fn del(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str) -> StoreResult<()> {
        self.tables.layer_mut(layer).take(|key| key.order(scope, collection, id));
        Ok(())
    }

    fn set_owner(&mut self, client: &ClientId, principal: &Principal) -> StoreResult<()> {
        self.tables.owners.insert(client.clone(), principal.clone());
        Ok(())
    }

    fn set_watermark(&mut self, scope: &Scope, client: &ClientId, watermark: &Watermark) -> StoreResult<()> {
        self.tables.touch(scope);
        self.tables.set_mark(MarkKey { client: client.clone(), scope: scope.clone() }, *watermark);
        Ok(())
    }

    fn record(&mut self, scope: &Scope, principal: &Principal, record: &Record) -> StoreResult<()> {
        self.tables.touch(scope);
        let key = VerdictKey { scope: scope.clone(), principal: principal.clone(), id: record.id.clone() };
        if self.tables.verdicts.get(&key).is_some() {
            return Err(misuse(&format!("{} already has a verdict in {scope}", record.id)));
        }
        self.tables.add_verdict(key, record.clone());
        Ok(())
    }

    fn trim(&mut self, scope: &Scope, up_to: Cursor) -> StoreResult<()> {
        let goes: Vec<Cursor> =
            self.tables.entries_after(scope, Cursor::ZERO).map(Entry::last).take_while(|last| *last <= up_to).collect();
        for last in goes {
            self.tables.log.remove(&EntryKey { scope: scope.clone(), last });
        }
        Ok(())
    }

    fn forget_verdicts(&mut self, before: Millis, keep: u64, limit: usize) -> StoreResult<Forgotten> {
        Ok(forget::verdicts(&mut self.tables, before, keep, limit))
    }

    fn forget_clients(&mut self, before: Millis, limit: usize) -> StoreResult<usize> {
        Ok(forget::clients(&mut self.tables, before, limit))
    }

    fn set_forgotten_before(&mut self, moment: Millis) -> StoreResult<()> {
        self.tables.forgotten_before = moment;
        Ok(())
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> StoreResult<()> {
        self.tables.epoch = epoch.clone();
        Ok(())
    }
}

fn misuse(what: &str) -> StoreError {
    StoreError::Other(format!("the store was used against its contract: {what}"))
}
