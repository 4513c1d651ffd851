//! What tools read of the memory store. A page is a walk along a table from its key on.

use riverrun_core::{ClientId, Cursor, MutationId, Principal, Scope};

use super::writes::Transaction;
use crate::store::{Entry, Origin, Record, StoreResult, Survey, Watermark};

impl Survey for Transaction {
    fn logged(
        &mut self,
        scope: &Scope,
        after: Cursor,
        sink: &mut dyn FnMut(Entry, Origin) -> StoreResult<bool>,
    ) -> StoreResult<()> {
        let log = self.tables.log.from(|key| (&key.scope, key.last) <= (scope, after));
        for (_, logged) in log.take_while(|(key, _)| key.scope == *scope) {
            if !sink(logged.entry.clone(), logged.origin.clone())? {
                break;
            }
        }
        Ok(())
    }

    fn verdicts(
        &mut self,
        scope: &Scope,
        after: Option<(&Principal, &MutationId)>,
        limit: usize,
    ) -> StoreResult<Vec<(Principal, Record)>> {
        let rows = self.tables.verdicts.from(|key| match after {
            Some((principal, id)) => (&key.scope, &key.principal, &key.id) <= (scope, principal, id),
            None => key.scope < *scope,
        });
        let of_the_scope = rows.take_while(|(key, _)| key.scope == *scope).take(limit);
        Ok(of_the_scope.map(|(key, record)| (key.principal.clone(), Record::clone(record))).collect())
    }

    /// The table is in order of client and then of scope, because clients are what is asked for; a tool can wait.
    fn watermarks(
        &mut self,
        scope: &Scope,
        after: Option<&ClientId>,
        limit: usize,
    ) -> StoreResult<Vec<(ClientId, Watermark)>> {
        let rows = self.tables.marks.from(|key| after.is_some_and(|after| key.client <= *after));
        let of_the_scope = rows.filter(|(key, _)| key.scope == *scope).take(limit);
        Ok(of_the_scope.map(|(key, mark)| (key.client.clone(), *mark)).collect())
    }

    fn owners(&mut self, after: Option<&ClientId>, limit: usize) -> StoreResult<Vec<(ClientId, Principal)>> {
        let rows = self.tables.owners.from(|client| after.is_some_and(|after| client <= after));
        Ok(rows.take(limit).map(|(client, owner)| (client.clone(), owner.clone())).collect())
    }

    /// Rows in memory have no structure that could break without the process breaking first.
    fn defects(&mut self, _: &mut dyn FnMut(&str)) -> StoreResult<()> {
        Ok(())
    }
}
