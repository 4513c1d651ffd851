//! A transaction that counts its calls and fails at one of them. It passes every other call on unchanged.

use std::any::Any;

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, MutationId, Principal, Scope, Seq};
use riverrun_engine::store::{
    Entry, Forgotten, Head, Layer, Origin, Range, ReadTx, Record, StoreError, StoreResult, Survey, Watermark, WriteTx,
};

/// Where a write fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// At this call inside the transaction, counted from 1; once.
    Call(usize),
    /// At its commit: nothing is applied.
    Commit,
    /// After its commit: everything is applied, and the answer is an error all the same.
    Answer,
}

/// Counts the calls of a transaction and fails one of them.
pub(super) struct Counting<'a> {
    pub(super) tx: &'a mut dyn WriteTx,
    pub(super) calls: usize,
    /// Whether a verdict was recorded.
    pub(super) recorded: bool,
    pub(super) at: Option<usize>,
}

impl Counting<'_> {
    fn call(&mut self) -> StoreResult<&mut dyn WriteTx> {
        self.calls += 1;
        if self.at == Some(self.calls) {
            return Err(StoreError::Io(format!("call {} fails, as the case wants it", self.calls)));
        }
        Ok(&mut *self.tx)
    }
}

macro_rules! passed_on {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&mut self $(, $arg: $type)*) -> StoreResult<$result> {
            self.call()?.$name($($arg),*)
        })*
    };
}

impl ReadTx for Counting<'_> {
    passed_on! {
        epoch() -> Epoch;
        head(scope: &Scope) -> Option<Head>;
        entry_at(scope: &Scope, cursor: Cursor) -> Option<Entry>;
        entries(scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry) -> bool) -> ();
        origin(scope: &Scope, last: Cursor) -> Option<Origin>;
        entity(scope: &Scope, collection: &str, id: &str) -> Option<Json>;
        entities(scope: &Scope, collection: &str, range: Range<'_>) -> Vec<(Box<str>, Json)>;
        each_entity(scope: &Scope, layer: Layer, sink: &mut dyn FnMut(&str, &str, &str) -> StoreResult<()>) -> ();
        owner(client: &ClientId) -> Option<Principal>;
        watermark(scope: &Scope, client: &ClientId) -> Option<Watermark>;
        verdict(scope: &Scope, principal: &Principal, id: &MutationId) -> Option<Record>;
        decided_at(scope: &Scope, client: &ClientId, seq: Seq) -> bool;
        forgotten_before() -> Millis;
        scopes(after: Option<&Scope>, limit: usize) -> Vec<Scope>;
    }

    fn host(&self) -> Option<&dyn Any> {
        self.tx.host()
    }
}

impl Survey for Counting<'_> {
    passed_on! {
        logged(scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry, Origin) -> StoreResult<bool>) -> ();
        verdicts(scope: &Scope, after: Option<(&Principal, &MutationId)>, limit: usize) -> Vec<(Principal, Record)>;
        watermarks(scope: &Scope, after: Option<&ClientId>, limit: usize) -> Vec<(ClientId, Watermark)>;
        owners(after: Option<&ClientId>, limit: usize) -> Vec<(ClientId, Principal)>;
        defects(sink: &mut dyn FnMut(&str)) -> ();
    }
}

impl WriteTx for Counting<'_> {
    fn record(&mut self, scope: &Scope, principal: &Principal, record: &Record) -> StoreResult<()> {
        self.recorded = true;
        self.call()?.record(scope, principal, record)
    }

    passed_on! {
        savepoint() -> ();
        rollback() -> ();
        release() -> ();
        lock(scope: &Scope) -> Head;
        set_head(scope: &Scope, head: &Head) -> ();
        append(scope: &Scope, entry: &Entry, origin: &Origin) -> ();
        put(scope: &Scope, layer: Layer, collection: &str, id: &str, value: &Json) -> ();
        del(scope: &Scope, layer: Layer, collection: &str, id: &str) -> ();
        set_owner(client: &ClientId, principal: &Principal) -> ();
        set_watermark(scope: &Scope, client: &ClientId, watermark: &Watermark) -> ();
        trim(scope: &Scope, up_to: Cursor) -> ();
        forget_verdicts(before: Millis, keep: u64, limit: usize) -> Forgotten;
        forget_clients(before: Millis, limit: usize) -> usize;
        set_forgotten_before(moment: Millis) -> ();
        set_epoch(epoch: &Epoch) -> ();
    }
}
