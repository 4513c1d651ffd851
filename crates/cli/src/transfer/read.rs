//! Lines into an empty store, in one transaction: all of them or none. The state is made anew from base and log, and each
//! scope is verified before anything is committed.

use std::io::BufRead;

use riverrun::{
    core::{Accepted, CollectionChange, Epoch, Rejected, Scope, Verdict},
    engine::{
        audit::Audit,
        store::{Entry, Head, Layer, Origin, Record, StoreError, StoreResult, Watermark, WriteTx},
    },
};

use super::{Line, Told, VERSION};

/// The longest line: a mutation of the most bytes a push may have, with its arguments and changes, and room to spare.
const LINE_BYTES: u64 = 64 << 20;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) lines: u64,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) changes: u64,
}

/// Reads everything. `epoch` is the log's new identity; without one it keeps the export's.
pub(crate) fn read(
    tx: &mut dyn WriteTx,
    from: &mut dyn BufRead,
    epoch: Option<&Epoch>,
    own_state: bool,
) -> StoreResult<Taken> {
    if !tx.scopes(None, 1)?.is_empty() {
        return Err(StoreError::Other("the database is not empty; import into a new one".into()));
    }
    let mut taken = Taken::default();
    let mut scope: Option<(Scope, Head)> = None;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let mut limited = std::io::Read::take(&mut *from, LINE_BYTES);
        let wrong = |what: String| StoreError::Other(format!("line {}: {what}", taken.lines + 1));
        limited.read_until(b'\n', &mut buffer).map_err(|error| wrong(error.to_string()))?;
        if buffer.is_empty() {
            return Err(wrong("the export ends before its last line; it is not whole".into()));
        }
        let line: Line =
            serde_json::from_slice(&buffer).map_err(|error| wrong(format!("no line of an export: {error}")))?;
        if taken.lines == 0 && !matches!(line, Line::Riverrun { .. }) {
            return Err(wrong("an export begins with {\"riverrun\":…}".into()));
        }
        match line {
            Line::Riverrun { version, .. } if version != VERSION => {
                return Err(wrong(format!("the export has version {version}; this program reads {VERSION}")));
            }
            Line::Riverrun { epoch: theirs, forgotten_before, .. } => {
                tx.set_epoch(epoch.unwrap_or(&theirs))?;
                tx.set_forgotten_before(forgotten_before)?;
            }
            Line::Owner { client, principal } => tx.set_owner(&client, &principal)?,
            Line::Scope { scope: name, cursor, digest, floor, floor_digest } => {
                end(tx, scope.take(), own_state)?;
                let head = Head { cursor, digest, floor, floor_digest };
                tx.lock(&name)?;
                tx.set_head(&name, &head)?;
                taken.scopes.push(name.clone());
                scope = Some((name, head));
            }
            Line::End { lines } if lines == taken.lines => {
                end(tx, scope.take(), own_state)?;
                return Ok(taken);
            }
            Line::End { lines } => return Err(wrong(format!("the export has {lines} lines before its end"))),
            row => {
                let Some((name, _)) = &scope else { return Err(wrong("a row before the first scope".into())) };
                taken.changes += put(tx, name, row)?;
            }
        }
        taken.lines += 1;
    }
}

/// One row of a scope. Says how many changes it holds.
fn put(tx: &mut dyn WriteTx, scope: &Scope, row: Line) -> StoreResult<u64> {
    match row {
        Line::Base { collection, id, value } => {
            tx.put(scope, Layer::Base, &collection, &id, &value)?;
            // An application's own base is no entity.
            if (collection.as_str(), id.as_str()) != riverrun::engine::history::OWN_STATE {
                tx.put(scope, Layer::Current, &collection, &id, &value)?;
            }
        }
        Line::Entry { first, digest, time, mutation, name, args, principal, place, changes } => {
            for change in &changes {
                match CollectionChange::read(change) {
                    Some(CollectionChange::Put { collection, id, value }) => {
                        tx.put(scope, Layer::Current, &collection, &id, &value)?;
                    }
                    Some(CollectionChange::Del { collection, id }) => {
                        tx.del(scope, Layer::Current, &collection, &id)?;
                    }
                    None => {}
                }
            }
            let entry = Entry { first, digest, time, mutation, changes };
            tx.append(scope, &entry, &Origin { name, args, principal, place })?;
            return Ok(entry.changes.len() as u64);
        }
        Line::Watermark { client, last_seq, seen, made } => {
            tx.set_watermark(scope, &client, &Watermark { last_seq, seen, made })?;
        }
        Line::Verdict { mutation, principal, place, fingerprint, time, outcome } => {
            let verdict = match outcome {
                Told::Accepted { cursor, digest, cursors } => Verdict::Accepted(Accepted { cursor, digest, cursors }),
                Told::Rejected { code, reason, error } => Verdict::Rejected(Rejected { code, reason, error }),
            };
            let record = Record { id: mutation, place, fingerprint: fingerprint.0, time, verdict };
            tx.record(scope, &principal, &record)?;
        }
        Line::Riverrun { .. } | Line::Owner { .. } | Line::Scope { .. } | Line::End { .. } => {}
    }
    Ok(0)
}

/// A scope is whole: is it sound? What its verdicts say of later scopes can't be seen yet, so heads elsewhere are left to
/// `verify`.
fn end(tx: &mut dyn WriteTx, scope: Option<(Scope, Head)>, own_state: bool) -> StoreResult<()> {
    let Some((scope, _)) = scope else { return Ok(()) };
    let audit = Audit { own_state, ..Audit::default() };
    let report = audit.within(&mut *tx, &scope, &mut |_| ())?;
    let here = |flaw: &&riverrun::engine::audit::Flaw| !matches!(flaw, riverrun::engine::audit::Flaw::VerdictPastHead { scope: other, .. } if *other != scope);
    match report.flaws.iter().find(here) {
        Some(flaw) => Err(StoreError::Other(format!("the export is damaged, nothing was imported: {scope}: {flaw}"))),
        None => Ok(()),
    }
}
