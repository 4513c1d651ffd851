//! The names of entities that are missing: the table has only their hashes, so base and log are read once more, and only
//! when something is missing.

use riverrun_core::{CollectionChange, Scope};

use super::{
    Flaw, Report, Wrong,
    rebuild::origin,
    table::{self, Table},
};
use crate::store::{Head, Layer, ReadTx, StoreResult};

/// Tells of each entity left in the table, and empties it.
pub(super) fn missing(
    tx: &mut dyn ReadTx,
    scope: &Scope,
    head: &Head,
    table: &mut Table,
    report: &mut Report,
) -> StoreResult<()> {
    if table.entities.is_empty() {
        return Ok(());
    }
    tx.each_entity(scope, Layer::Base, &mut |collection, id, _| {
        tell(table, collection, id, report);
        Ok(())
    })?;
    tx.entries(scope, head.floor, &mut |entry| {
        for change in &entry.changes {
            if let Some(CollectionChange::Put { collection, id, .. }) = CollectionChange::read(change) {
                tell(table, &collection, &id, report);
            }
        }
        !table.entities.is_empty()
    })
}

fn tell(table: &mut Table, collection: &str, id: &str, report: &mut Report) {
    if let Some(value) = table.entities.remove(&table::entity(collection, id)) {
        let (collection, id) = (collection.into(), id.into());
        report.wrong(Flaw::Entity { collection, id, wrong: Wrong::Missing, cursor: origin(value) });
    }
}
