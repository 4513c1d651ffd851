//! A scope's collections as they were at a cursor, folded from base and log: for people who ask what happened. It knows no
//! application, so it can't answer for one that keeps a state of its own.

use std::collections::BTreeMap;

use riverrun_core::{CollectionChange, Cursor, Json, Scope};

use crate::{
    app::MACHINE_BASE,
    store::{Layer, ReadTx, StoreError, StoreResult},
};

/// The collection and id under which the base layer holds a state of the application's own.
pub const OWN_STATE: (&str, &str) = MACHINE_BASE;

/// Entities by collection and id.
pub type Rows = BTreeMap<(String, String), Json>;

/// The state at a cursor between floor and head; inside a mutation it is one nobody ever saw. Needs memory for the state.
pub fn state_at(tx: &mut dyn ReadTx, scope: &Scope, cursor: Cursor) -> StoreResult<Rows> {
    let head = tx.head(scope)?.unwrap_or_default();
    if cursor > head.cursor {
        return Err(StoreError::Other(format!("{scope} stands at cursor {}; {cursor} is not there yet", head.cursor)));
    }
    if cursor < head.floor {
        return Err(StoreError::Other(format!(
            "the log of {scope} was trimmed up to cursor {}; what was before it is not kept",
            head.floor
        )));
    }
    let mut rows = Rows::new();
    let mut own_state = false;
    tx.each_entity(scope, Layer::Base, &mut |collection, id, json| {
        own_state |= (collection, id) == MACHINE_BASE;
        rows.insert((collection.into(), id.into()), Json::trusted(json));
        Ok(())
    })?;
    if own_state {
        return Err(StoreError::Other(format!(
            "the application keeps a state of its own in {scope}; only it can say what that was"
        )));
    }
    tx.entries(scope, head.floor, &mut |entry| {
        for (at, change) in (entry.first.0..).map(Cursor).zip(&entry.changes) {
            if at > cursor {
                return false;
            }
            fold(&mut rows, CollectionChange::read(change));
        }
        true
    })?;
    Ok(rows)
}

/// One more change. What is no collection's is left out.
pub fn fold(rows: &mut Rows, change: Option<CollectionChange>) {
    match change {
        Some(CollectionChange::Put { collection, id, value }) => {
            rows.insert((collection, id), value);
        }
        Some(CollectionChange::Del { collection, id }) => {
            rows.remove(&(collection, id));
        }
        None => {}
    }
}
