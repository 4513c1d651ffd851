//! A store as lines, on one snapshot, row by row: its memory is bounded however much there is.

use std::io::{self, Write};

use riverrun::{
    core::{ClientId, Cursor, Digest, Json, MutationId, Principal, Scope, Verdict},
    engine::store::{Layer, ReadTx, StoreError, StoreResult},
};

use super::{Line, Told, VERSION};

/// Rows read at a time.
const PAGE: usize = 1000;

/// Writes lines and counts them. The first failure of the writing is kept apart from the store's.
pub(crate) struct Lines<'a> {
    to: &'a mut dyn Write,
    pub(crate) count: u64,
    pub(crate) failed: Option<io::Error>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(to: &'a mut dyn Write) -> Self {
        Self { to, count: 0, failed: None }
    }

    fn put(&mut self, line: &Line) -> StoreResult<()> {
        let written = serde_json::to_writer(&mut self.to, line).map_err(io::Error::from);
        let done = written.and_then(|()| self.to.write_all(b"\n"));
        self.count += 1;
        done.map_err(|error| {
            let told = StoreError::Other(format!("the export can't be written: {error}"));
            self.failed = Some(error);
            told
        })
    }
}

/// Writes everything.
pub(crate) fn write(tx: &mut dyn ReadTx, lines: &mut Lines<'_>, progress: &mut dyn FnMut(u64)) -> StoreResult<()> {
    lines.put(&Line::Riverrun { version: VERSION, epoch: tx.epoch()?, forgotten_before: tx.forgotten_before()? })?;
    let mut last: Option<ClientId> = None;
    loop {
        let page = tx.owners(last.as_ref(), PAGE)?;
        let end = page.len() < PAGE;
        for (client, principal) in page {
            last = Some(client.clone());
            lines.put(&Line::Owner { client, principal })?;
        }
        if end {
            break;
        }
    }
    let mut last: Option<Scope> = None;
    loop {
        let page = tx.scopes(last.as_ref(), PAGE)?;
        let end = page.len() < PAGE;
        for scope in page {
            one(tx, &scope, lines, progress)?;
            last = Some(scope);
        }
        if end {
            break;
        }
    }
    lines.put(&Line::End { lines: lines.count })
}

fn one(tx: &mut dyn ReadTx, scope: &Scope, lines: &mut Lines<'_>, progress: &mut dyn FnMut(u64)) -> StoreResult<()> {
    let head = tx.head(scope)?.unwrap_or_default();
    lines.put(&Line::Scope {
        scope: scope.clone(),
        cursor: head.cursor,
        digest: head.digest,
        floor: head.floor,
        floor_digest: head.floor_digest,
    })?;
    tx.each_entity(scope, Layer::Base, &mut |collection, id, json| {
        lines.put(&Line::Base { collection: collection.into(), id: id.into(), value: Json::trusted(json) })
    })?;
    tx.logged(scope, Cursor::ZERO, &mut |entry, origin| {
        progress(entry.changes.len() as u64);
        lines.put(&Line::Entry {
            first: entry.first,
            digest: entry.digest,
            time: entry.time,
            mutation: entry.mutation,
            name: origin.name,
            args: origin.args,
            principal: origin.principal,
            place: origin.place,
            changes: entry.changes,
        })?;
        Ok(true)
    })?;
    let mut last: Option<ClientId> = None;
    loop {
        let page = tx.watermarks(scope, last.as_ref(), PAGE)?;
        let end = page.len() < PAGE;
        for (client, mark) in page {
            last = Some(client.clone());
            lines.put(&Line::Watermark { client, last_seq: mark.last_seq, seen: mark.seen, made: mark.made })?;
        }
        if end {
            break;
        }
    }
    verdicts(tx, scope, lines)
}

fn verdicts(tx: &mut dyn ReadTx, scope: &Scope, lines: &mut Lines<'_>) -> StoreResult<()> {
    let mut last: Option<(Principal, MutationId)> = None;
    loop {
        let page = tx.verdicts(scope, last.as_ref().map(|(principal, id)| (principal, id)), PAGE)?;
        let end = page.len() < PAGE;
        for (principal, record) in page {
            last = Some((principal.clone(), record.id.clone()));
            lines.put(&Line::Verdict {
                mutation: record.id,
                principal,
                place: record.place,
                fingerprint: Digest(record.fingerprint),
                time: record.time,
                outcome: match record.verdict {
                    Verdict::Accepted(to) => {
                        Told::Accepted { cursor: to.cursor, digest: to.digest, cursors: to.cursors }
                    }
                    Verdict::Rejected(no) => Told::Rejected { code: no.code, reason: no.reason, error: no.error },
                },
            })?;
        }
        if end {
            return Ok(());
        }
    }
}
