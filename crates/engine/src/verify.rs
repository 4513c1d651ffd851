//! Rebuilds a scope from base and log and compares it with what is kept: the state, the digests, the cursors. It reads and
//! never mends.

use std::collections::BTreeMap;

use riverrun_core::{CollectionChange, Cursor, Scope};

use crate::{
    digests,
    kernel::Kernel,
    store::{self, Layer, ReadTx, StoreResult},
};

/// What a verification found broken, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// A cursor is missing or doubled.
    #[error("the log goes on with {found} where {expected} belongs")]
    Gap {
        /// The cursor that belongs there.
        expected: Cursor,
        /// The cursor that is there.
        found: Cursor,
    },
    /// A digest does not follow from its changes.
    #[error("the digest kept at {0} does not follow from the changes up to it")]
    Digest(Cursor),
    /// The log ends elsewhere than the head says.
    #[error("the head is kept as {head}, the log ends at {log}")]
    Head {
        /// What the head says.
        head: Cursor,
        /// Where the log ends.
        log: Cursor,
    },
    /// An entity differs from what the log makes of it.
    #[error("{collection} {id} differs from what base and log make of it")]
    Entity {
        /// Its collection.
        collection: String,
        /// Its id.
        id: String,
    },
}

/// A verified scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Its head.
    pub cursor: Cursor,
    /// Changes that were replayed.
    pub changes: u64,
    /// What is broken; empty if all is well.
    pub damage: Vec<Damage>,
}

type Rows = BTreeMap<(String, String), String>;

impl Kernel {
    /// Rebuilds a scope and compares. Needs memory for the scope's state.
    pub fn verify(&self, scope: &Scope) -> StoreResult<Verified> {
        store::read(&*self.store, |tx| {
            let head = tx.head(scope)?.unwrap_or_default();
            let mut rows = if self.app.is_machine() { Rows::new() } else { layer(tx, scope, Layer::Base)? };
            let mut damage = Vec::new();
            let mut at = (head.floor, head.floor_digest);
            let mut changes = 0;
            tx.entries(scope, head.floor, &mut |entry| {
                if entry.first != at.0.next() {
                    damage.push(Damage::Gap { expected: at.0.next(), found: entry.first });
                }
                if digests::roll(at.1, &entry, entry.changes.len()) != entry.digest {
                    damage.push(Damage::Digest(entry.last()));
                }
                changes += entry.changes.len() as u64;
                entry.changes.iter().for_each(|change| fold(&mut rows, CollectionChange::read(change)));
                at = (entry.last(), entry.digest);
                true
            })?;
            if at.0 != head.cursor {
                damage.push(Damage::Head { head: head.cursor, log: at.0 });
            } else if at.1 != head.digest {
                damage.push(Damage::Digest(head.cursor));
            }
            if !self.app.is_machine() {
                let kept = layer(tx, scope, Layer::Current)?;
                let keys: std::collections::BTreeSet<_> = kept.keys().chain(rows.keys()).collect();
                for key in keys.into_iter().filter(|key| kept.get(*key) != rows.get(*key)) {
                    damage.push(Damage::Entity { collection: key.0.clone(), id: key.1.clone() });
                }
            }
            Ok(Verified { cursor: head.cursor, changes, damage })
        })
    }
}

fn fold(rows: &mut Rows, change: Option<CollectionChange>) {
    match change {
        Some(CollectionChange::Put { collection, id, value }) => {
            rows.insert((collection, id), value.as_str().into());
        }
        Some(CollectionChange::Del { collection, id }) => {
            rows.remove(&(collection, id));
        }
        None => {}
    }
}

fn layer(tx: &mut dyn ReadTx, scope: &Scope, layer: Layer) -> StoreResult<Rows> {
    let mut rows = Rows::new();
    tx.each_entity(scope, layer, &mut |collection, id, json| {
        rows.insert((collection.into(), id.into()), json.into());
        Ok(())
    })?;
    Ok(rows)
}
