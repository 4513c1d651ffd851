//! The state made once more, from base and log, and compared with the one that is kept. Only hashes are remembered.

use riverrun_core::{CollectionChange, Cursor, Scope};

use super::{
    Flaw, Report, Wrong,
    chain::Chain,
    table::{self, Table, Value},
};
use crate::{
    app::MACHINE_BASE,
    store::{Head, Layer, ReadTx, StoreResult},
};

/// Entries between two words of progress.
const STRIDE: u64 = 1000;

/// Folds base and log into the table; the first pass also walks the chain.
pub(super) fn rebuild(
    tx: &mut dyn ReadTx,
    scope: &Scope,
    head: &Head,
    table: &mut Table,
    first: bool,
    report: &mut Report,
    progress: &mut dyn FnMut(u64),
) -> StoreResult<()> {
    tx.each_entity(scope, Layer::Base, &mut |collection, id, json| {
        if (collection, id) == MACHINE_BASE {
            report.own_state = true;
        } else {
            table.put_entity(table::entity(collection, id), Value::new(json, Cursor::ZERO));
        }
        Ok(())
    })?;
    let mut chain = Chain::new(head);
    let mut quiet = Report::default();
    let mut untold = (0, 0);
    // From the very beginning: what lies below the floor should not be there.
    tx.logged(scope, Cursor::ZERO, &mut |entry, origin| {
        if !chain.link(&entry, if first { &mut *report } else { &mut quiet }) {
            return Ok(true);
        }
        for (cursor, change) in (entry.first.0..).map(Cursor).zip(&entry.changes) {
            match CollectionChange::read(change) {
                Some(CollectionChange::Put { collection, id, value }) => {
                    table.put_entity(table::entity(&collection, &id), Value::new(value.as_str(), cursor));
                }
                Some(CollectionChange::Del { collection, id }) => {
                    table.entities.remove(&table::entity(&collection, &id));
                }
                None => report.own_changes += u64::from(first),
            }
        }
        let key = table::mutation(&origin.principal, &entry.mutation);
        if let Some((before, _)) = table.mutations.get(&key) {
            let (first, again) = (*before, entry.last());
            report.wrong(Flaw::Doubled { mutation: entry.mutation.clone(), first, again });
        } else {
            table.put_mutation(key, (entry.last(), entry.digest));
        }
        untold = (untold.0 + 1, untold.1 + entry.changes.len() as u64);
        if first && untold.0 >= STRIDE {
            report.changes += untold.1;
            progress(untold.1);
            untold = (0, 0);
        }
        Ok(true)
    })?;
    if first {
        report.changes += untold.1;
        progress(untold.1);
        chain.end(head, report);
    }
    Ok(())
}

/// Compares the kept state with the table's slice; what is left in the table afterwards is missing.
pub(super) fn compare(tx: &mut dyn ReadTx, scope: &Scope, table: &mut Table, report: &mut Report) -> StoreResult<()> {
    tx.each_entity(scope, Layer::Current, &mut |collection, id, json| {
        let key = table::entity(collection, id);
        if !table.wants(key) {
            return Ok(());
        }
        report.entities += 1;
        let entity = |wrong, cursor| Flaw::Entity { collection: collection.into(), id: id.into(), wrong, cursor };
        match table.entities.remove(&key) {
            None => report.wrong(entity(Wrong::Extra, None)),
            Some(value) if !value.is(json) => report.wrong(entity(Wrong::Changed, origin(value))),
            Some(_) => {}
        }
        Ok(())
    })
}

/// The change that made a value.
pub(super) fn origin(value: Value) -> Option<Cursor> {
    (value.cursor != Cursor::ZERO).then_some(value.cursor)
}
