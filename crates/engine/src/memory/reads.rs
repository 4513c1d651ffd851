//! What a transaction on the memory store reads: always its own tables, which nobody else writes to. Nothing here changes
//! a row.

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, MutationId, Principal, Scope, Seq};

use super::{
    keys::{EntityKey, EntryKey, MarkKey, VerdictKey},
    writes::Transaction,
};
use crate::store::{Entry, Head, Layer, Origin, Range, ReadTx, Record, StoreResult, Watermark};

impl ReadTx for Transaction {
    fn epoch(&mut self) -> StoreResult<Epoch> {
        Ok(self.tables.epoch.clone())
    }

    fn head(&mut self, scope: &Scope) -> StoreResult<Option<Head>> {
        Ok(self.tables.heads.get(scope).copied())
    }

    fn entry_at(&mut self, scope: &Scope, cursor: Cursor) -> StoreResult<Option<Entry>> {
        let Some(before) = cursor.0.checked_sub(1) else { return Ok(None) };
        let next = self.tables.entries_after(scope, Cursor(before)).next();
        Ok(next.filter(|entry| entry.first <= cursor).cloned())
    }

    fn entries(&mut self, scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry) -> bool) -> StoreResult<()> {
        for entry in self.tables.entries_after(scope, after) {
            if !sink(entry.clone()) {
                break;
            }
        }
        Ok(())
    }

    fn origin(&mut self, scope: &Scope, last: Cursor) -> StoreResult<Option<Origin>> {
        let key = EntryKey { scope: scope.clone(), last };
        Ok(self.tables.log.get(&key).map(|logged| logged.origin.clone()))
    }

    fn entity(&mut self, scope: &Scope, collection: &str, id: &str) -> StoreResult<Option<Json>> {
        Ok(self.tables.current.find(|key| key.order(scope, collection, id)).cloned())
    }

    fn entities(&mut self, scope: &Scope, collection: &str, range: Range<'_>) -> StoreResult<Vec<(Box<str>, Json)>> {
        let Range { prefix, after, limit } = range;
        let below = |key: &EntityKey| match after.filter(|after| *after >= prefix) {
            Some(after) => key.order(scope, collection, after).is_le(),
            None => key.order(scope, collection, prefix).is_lt(),
        };
        let part =
            self.tables.current.from(below).take_while(|(key, _)| {
                key.scope == *scope && &*key.collection == collection && key.id.starts_with(prefix)
            });
        Ok(part.take(limit).map(|(key, json)| (key.id.as_ref().into(), json.clone())).collect())
    }

    fn each_entity(
        &mut self,
        scope: &Scope,
        layer: Layer,
        sink: &mut dyn FnMut(&str, &str, &str) -> StoreResult<()>,
    ) -> StoreResult<()> {
        let rows = self.tables.layer(layer).from(|key| key.scope < *scope);
        for (key, json) in rows.take_while(|(key, _)| key.scope == *scope) {
            sink(&key.collection, &key.id, json.as_str())?;
        }
        Ok(())
    }

    fn owner(&mut self, client: &ClientId) -> StoreResult<Option<Principal>> {
        Ok(self.tables.owners.get(client).cloned())
    }

    fn watermark(&mut self, scope: &Scope, client: &ClientId) -> StoreResult<Option<Watermark>> {
        let key = MarkKey { client: client.clone(), scope: scope.clone() };
        Ok(self.tables.marks.get(&key).copied())
    }

    fn verdict(&mut self, scope: &Scope, principal: &Principal, id: &MutationId) -> StoreResult<Option<Record>> {
        let key = VerdictKey { scope: scope.clone(), principal: principal.clone(), id: id.clone() };
        Ok(self.tables.verdicts.get(&key).map(|record| Record::clone(record)))
    }

    fn decided_at(&mut self, scope: &Scope, client: &ClientId, seq: Seq) -> StoreResult<bool> {
        let next =
            self.tables.verdicts_by_place.from(|key| (&key.scope, &key.client, key.seq) < (scope, client, seq)).next();
        Ok(next.is_some_and(|(key, ())| key.scope == *scope && key.client == *client && key.seq == seq))
    }

    fn forgotten_before(&mut self) -> StoreResult<Millis> {
        Ok(self.tables.forgotten_before)
    }

    fn scopes(&mut self, after: Option<&Scope>, limit: usize) -> StoreResult<Vec<Scope>> {
        let scopes = self.tables.heads.from(|scope| after.is_some_and(|after| scope <= after));
        Ok(scopes.take(limit).map(|(scope, _)| scope.clone()).collect())
    }
}
