//! The digest at any cursor the log still covers. Entries keep the digest at their end; one inside an entry is rolled
//! from there, so that a cursor is never believed without proof.

use riverrun_core::{Cursor, Digest, Scope};

use crate::store::{Entry, Head, ReadTx, StoreError, StoreResult};

/// The digest at a cursor between floor and head.
pub(crate) fn at(tx: &mut dyn ReadTx, scope: &Scope, head: &Head, cursor: Cursor) -> StoreResult<Digest> {
    if cursor == head.cursor {
        return Ok(head.digest);
    }
    if cursor == head.floor {
        return Ok(head.floor_digest);
    }
    let entry = held(tx, scope, cursor)?;
    if entry.last() == cursor {
        return Ok(entry.digest);
    }
    let before = Cursor(entry.first.0 - 1);
    let start = if before == head.floor { head.floor_digest } else { held(tx, scope, before)?.digest };
    let upto = usize::try_from(cursor.0 - before.0).unwrap_or(usize::MAX);
    Ok(roll(start, &entry, upto))
}

/// The digest after the first `upto` changes of an entry.
pub(crate) fn roll(start: Digest, entry: &Entry, upto: usize) -> Digest {
    let mut digest = start;
    let mut cursor = entry.first;
    for data in entry.changes.iter().take(upto) {
        digest = digest.roll(cursor, entry.time, &entry.mutation, data.as_str());
        cursor = cursor.next();
    }
    digest
}

fn held(tx: &mut dyn ReadTx, scope: &Scope, cursor: Cursor) -> StoreResult<Entry> {
    tx.entry_at(scope, cursor)?.ok_or_else(|| {
        StoreError::Corrupt(format!("the log of {scope} has no change {cursor}, which lies above its floor"))
    })
}
