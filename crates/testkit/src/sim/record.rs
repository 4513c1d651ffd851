//! A transaction that remembers what each mutator saw and wrote in it, and fails at one call if it is told to. Every call is
//! passed on unchanged.

use std::{any::Any, collections::VecDeque};

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, MutationId, Principal, Scope, Seq};
use riverrun_engine::store::{
    Entry, Forgotten, Head, Layer, Origin, Range, ReadTx, Record, StoreError, StoreResult, Survey, Watermark, WriteTx,
};

use super::disk::Done;

/// A question a mutator asked of the state, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Get { scope: Scope, collection: String, id: String, found: Option<Json> },
    List { asked: Asked, found: Listed },
}

/// What a list was asked of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    scope: Scope,
    pub(crate) collection: String,
    pub(crate) prefix: String,
    after: Option<String>,
    limit: usize,
}

impl Asked {
    pub(crate) fn new(scope: &Scope, collection: &str, range: Range<'_>) -> Self {
        let Range { prefix, after, limit } = range;
        let (collection, prefix, after) = (collection.into(), prefix.into(), after.map(Into::into));
        Self { scope: scope.clone(), collection, prefix, after, limit }
    }
}

/// Ids and values.
pub(crate) type Listed = Vec<(Box<str>, Json)>;

/// What one run of a mutator saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) looks: VecDeque<Look>,
}

/// See the file's head.
pub(crate) struct Recorder<'t> {
    tx: &'t mut dyn WriteTx,
    calls: usize,
    at: Option<usize>,
    running: bool,
    run: Option<Run>,
    done: Done,
}

impl<'t> Recorder<'t> {
    pub(crate) fn new(tx: &'t mut dyn WriteTx, at: Option<usize>) -> Self {
        Self { tx, calls: 0, at, running: false, run: None, done: Done::default() }
    }

    pub(crate) fn done(self) -> Done {
        self.done
    }

    fn call(&mut self) -> StoreResult<&mut dyn WriteTx> {
        self.calls += 1;
        if self.at == Some(self.calls) {
            return Err(StoreError::Io(format!("call {} fails, as the simulation wants it", self.calls)));
        }
        Ok(&mut *self.tx)
    }

    fn saw(&mut self, look: impl FnOnce() -> Look) {
        if self.running
            && let Some(run) = &mut self.run
        {
            run.looks.push_back(look());
        }
    }
}

macro_rules! passed_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&mut self $(, $arg: $type)*) -> StoreResult<$result> {
            self.call()?.$name($($arg),*)
        })*
    };
}

impl ReadTx for Recorder<'_> {
    passed_on! {
        epoch() -> Epoch;
        head(scope: &Scope) -> Option<Head>;
        entry_at(scope: &Scope, cursor: Cursor) -> Option<Entry>;
        entries(scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry) -> bool) -> ();
        origin(scope: &Scope, last: Cursor) -> Option<Origin>;
        each_entity(scope: &Scope, layer: Layer, sink: &mut dyn FnMut(&str, &str, &str) -> StoreResult<()>) -> ();
        owner(client: &ClientId) -> Option<Principal>;
        watermark(scope: &Scope, client: &ClientId) -> Option<Watermark>;
        verdict(scope: &Scope, principal: &Principal, id: &MutationId) -> Option<Record>;
        decided_at(scope: &Scope, client: &ClientId, seq: Seq) -> bool;
        forgotten_before() -> Millis;
        scopes(after: Option<&Scope>, limit: usize) -> Vec<Scope>;
    }

    fn entity(&mut self, scope: &Scope, collection: &str, id: &str) -> StoreResult<Option<Json>> {
        let found = self.call()?.entity(scope, collection, id)?;
        self.saw(|| Look::Get {
            scope: scope.clone(),
            collection: collection.into(),
            id: id.into(),
            found: found.clone(),
        });
        Ok(found)
    }

    fn entities(&mut self, scope: &Scope, collection: &str, range: Range<'_>) -> StoreResult<Listed> {
        let found = self.call()?.entities(scope, collection, range)?;
        self.saw(|| Look::List { asked: Asked::new(scope, collection, range), found: found.clone() });
        Ok(found)
    }

    fn host(&self) -> Option<&dyn Any> {
        self.tx.host()
    }
}

impl Survey for Recorder<'_> {
    passed_on! {
        logged(scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry, Origin) -> StoreResult<bool>) -> ();
        verdicts(scope: &Scope, after: Option<(&Principal, &MutationId)>, limit: usize) -> Vec<(Principal, Record)>;
        watermarks(scope: &Scope, after: Option<&ClientId>, limit: usize) -> Vec<(ClientId, Watermark)>;
        owners(after: Option<&ClientId>, limit: usize) -> Vec<(ClientId, Principal)>;
        defects(sink: &mut dyn FnMut(&str)) -> ();
    }
}

impl WriteTx for Recorder<'_> {
    passed_on! {
        lock(scope: &Scope) -> Head;
        set_head(scope: &Scope, head: &Head) -> ();
        put(scope: &Scope, layer: Layer, collection: &str, id: &str, value: &Json) -> ();
        del(scope: &Scope, layer: Layer, collection: &str, id: &str) -> ();
        set_owner(client: &ClientId, principal: &Principal) -> ();
        set_watermark(scope: &Scope, client: &ClientId, watermark: &Watermark) -> ();
        trim(scope: &Scope, up_to: Cursor) -> ();
        set_forgotten_before(moment: Millis) -> ();
        set_epoch(epoch: &Epoch) -> ();
    }

    fn append(&mut self, scope: &Scope, entry: &Entry, origin: &Origin) -> StoreResult<()> {
        self.call()?.append(scope, entry, origin)?;
        self.done.appended.push((scope.clone(), entry.clone(), origin.clone()));
        Ok(())
    }

    fn savepoint(&mut self) -> StoreResult<()> {
        self.call()?.savepoint()?;
        (self.running, self.run) = (true, Some(Run::default()));
        Ok(())
    }

    fn rollback(&mut self) -> StoreResult<()> {
        self.running = false;
        self.call()?.rollback()
    }

    fn release(&mut self) -> StoreResult<()> {
        self.running = false;
        self.call()?.release()
    }

    fn record(&mut self, scope: &Scope, principal: &Principal, record: &Record) -> StoreResult<()> {
        self.call()?.record(scope, principal, record)?;
        let run = self.run.take();
        self.done.records.push((scope.clone(), principal.clone(), record.clone(), run));
        Ok(())
    }

    fn forget_verdicts(&mut self, before: Millis, keep: u64, limit: usize) -> StoreResult<Forgotten> {
        let gone = self.call()?.forget_verdicts(before, keep, limit)?;
        self.done.forgot |= gone.verdicts > 0;
        Ok(gone)
    }

    fn forget_clients(&mut self, before: Millis, limit: usize) -> StoreResult<usize> {
        let gone = self.call()?.forget_clients(before, limit)?;
        self.done.forgot |= gone > 0;
        Ok(gone)
    }
}
