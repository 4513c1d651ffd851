//! Rows as the engine's types, and back. What does not read as it was written is damage and is told as such, never
//! skipped; JSON texts come back byte for byte.

use std::collections::BTreeMap;

use riverrun_core::{
    Accepted, ClientId, Code, Cursor, Digest, IdError, Json, Millis, MutationId, Principal, Rejected, Scope, Seq,
    Verdict,
};
use riverrun_engine::store::{Entry, Head, Origin, Record, StoreError, Watermark};
use rusqlite::Row;

use crate::error::{Fallible, Fault, corrupt};

/// A count as SQL's integer, for writing. SQLite's integers end at 2^63 − 1.
pub(crate) fn count(what: &str, number: u64) -> Fallible<i64> {
    i64::try_from(number).map_err(|_| StoreError::Other(format!("{what} {number} is too large to be stored")).into())
}

/// A count as SQL's integer, for comparing: above everything stored if it is too large.
pub(crate) fn at_most(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// 64 bits as SQL's integer.
pub(crate) fn bits(number: u64) -> i64 {
    number.cast_signed()
}

fn counted(row: &Row<'_>, column: usize) -> Fallible<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| corrupt(format!("a count of {number}")).into())
}

fn digest(row: &Row<'_>, column: usize) -> Fallible<Digest> {
    Ok(Digest(row.get::<_, i64>(column)?.cast_unsigned()))
}

/// An id made from a stored text.
pub(crate) fn id<T>(made: Result<T, IdError>) -> Fallible<T> {
    made.map_err(|error| corrupt(format!("a stored id is none: {error}")).into())
}

/// A stored text of a row, without a copy.
pub(crate) fn text<'r>(row: &'r Row<'_>, column: usize) -> Fallible<&'r str> {
    row.get_ref(column)?.as_str().map_err(|error| corrupt(format!("a text does not read: {error}")).into())
}

/// A stored JSON text.
pub(crate) fn json(row: &Row<'_>, column: usize) -> Fallible<Json> {
    Ok(Json::trusted(text(row, column)?))
}

/// `cursor, digest, floor, floor_digest` of this scope.
pub(crate) fn head(row: &Row<'_>, scope: &Scope) -> Fallible<Head> {
    let head = Head {
        cursor: Cursor(counted(row, 0)?),
        digest: digest(row, 1)?,
        floor: Cursor(counted(row, 2)?),
        floor_digest: digest(row, 3)?,
    };
    if head.floor > head.cursor {
        let error = format!("{scope}: the floor is kept as {}, above the head {}", head.floor, head.cursor);
        return Err(corrupt(error).into());
    }
    Ok(head)
}

/// `first, last, digest, time, mutation, changes`.
pub(crate) fn entry(row: &Row<'_>) -> Fallible<Entry> {
    let (first, last) = (counted(row, 0)?, counted(row, 1)?);
    let changes: Vec<Json> = serde_json::from_str(text(row, 5)?)
        .map_err(|error| corrupt(format!("the changes up to cursor {last} do not read: {error}")))?;
    if first == 0 || last.checked_sub(first).and_then(|more| more.checked_add(1)) != Some(changes.len() as u64) {
        let found = changes.len();
        return Err(corrupt(format!("the log's entry {first} to {last} holds {found} changes")).into());
    }
    Ok(Entry {
        first: Cursor(first),
        digest: digest(row, 2)?,
        time: Millis(row.get(3)?),
        mutation: id(MutationId::new(text(row, 4)?))?,
        changes,
    })
}

/// The changes of an entry as one JSON array.
pub(crate) fn joined(changes: &[Json]) -> String {
    let bytes: usize = changes.iter().map(|change| change.as_str().len() + 1).sum();
    let mut array = String::with_capacity(bytes + 1);
    for change in changes {
        array.push(if array.is_empty() { '[' } else { ',' });
        array.push_str(change.as_str());
    }
    array.push(']');
    array
}

/// `type, args, principal, client, seq`.
pub(crate) fn origin(row: &Row<'_>) -> Fallible<Origin> {
    origin_from(row, 0)
}

/// The same from a column on.
pub(crate) fn origin_from(row: &Row<'_>, column: usize) -> Fallible<Origin> {
    Ok(Origin {
        name: row.get(column)?,
        args: json(row, column + 1)?,
        principal: id(Principal::new(text(row, column + 2)?))?,
        place: place(row, column + 3)?,
    })
}

/// `client, seq` from a column on.
pub(crate) fn place(row: &Row<'_>, column: usize) -> Fallible<Option<(ClientId, Seq)>> {
    if row.get_ref(column)? == rusqlite::types::ValueRef::Null {
        return Ok(None);
    }
    Ok(Some((id(ClientId::new(text(row, column)?))?, Seq(counted(row, column + 1)?))))
}

/// `client, seq, fingerprint, time, cursor, digest, cursors, code, reason, error`.
pub(crate) fn record(row: &Row<'_>, id: &MutationId) -> Fallible<Record> {
    let verdict = match row.get::<_, Option<String>>(7)? {
        None => {
            let cursors = match row.get::<_, Option<String>>(6)? {
                Some(text) => serde_json::from_str::<BTreeMap<Scope, Cursor>>(&text)
                    .map_err(|error| corrupt(format!("a verdict's cursors do not read: {error}")))?,
                None => BTreeMap::new(),
            };
            Verdict::Accepted(Accepted { cursor: Cursor(counted(row, 4)?), digest: digest(row, 5)?, cursors })
        }
        Some(code) => Verdict::Rejected(Rejected {
            code: known(&code)?,
            reason: row.get(8)?,
            error: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
        }),
    };
    Ok(Record {
        id: id.clone(),
        place: place(row, 0)?,
        fingerprint: row.get::<_, i64>(2)?.cast_unsigned(),
        time: Millis(row.get(3)?),
        verdict,
    })
}

fn known(code: &str) -> Fallible<Code> {
    let found = Code::ALL.iter().find(|known| known.as_str() == code);
    found.copied().ok_or_else(|| corrupt(format!("a verdict has the code {code}, which is none")).into())
}

/// The other scopes' cursors of a verdict, as JSON; nothing for none.
pub(crate) fn cursors(accepted: &Accepted) -> Fallible<Option<String>> {
    if accepted.cursors.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&accepted.cursors);
    text.map(Some)
        .map_err(|error| Fault::Store(StoreError::Other(format!("a verdict's cursors can't be written: {error}"))))
}

/// `last_seq, seen`.
pub(crate) fn watermark(row: &Row<'_>) -> Fallible<Watermark> {
    Ok(Watermark { last_seq: Seq(counted(row, 0)?), seen: Millis(row.get(1)?), made: Millis(row.get(2)?) })
}
