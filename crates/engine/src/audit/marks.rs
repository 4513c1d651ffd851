//! What a retry would be answered from, compared with the log: each verdict's cursor and digest, each client's watermark.
//! Verdicts are forgotten in time, so a missing one is no flaw; one that contradicts is.

use riverrun_core::{Accepted, ClientId, Scope, Seq, Verdict};

use super::{
    Flaw, Report,
    table::{self, Table},
};
use crate::store::{Head, ReadTx, Record, StoreResult, Watermark};

/// Rows read at a time.
const PAGE: usize = 1000;

/// Compares the verdicts of the table's slice.
pub(super) fn verdicts(
    tx: &mut dyn ReadTx,
    scope: &Scope,
    head: &Head,
    table: &Table,
    report: &mut Report,
) -> StoreResult<()> {
    let mut page = tx.verdicts(scope, None, PAGE)?;
    let mut client: Option<(ClientId, Option<Watermark>)> = None;
    while let Some((principal, last)) = page.last().map(|(principal, record)| (principal.clone(), record.id.clone())) {
        for (principal, record) in &page {
            let key = table::mutation(principal, &record.id);
            if !table.wants(key) {
                continue;
            }
            report.verdicts += 1;
            if let Verdict::Accepted(accepted) = &record.verdict {
                accepted_at(tx, scope, head, record, accepted, table.mutations.get(&key), report)?;
            }
            let Some((of, seq)) = &record.place else { continue };
            // One client's verdicts mostly stand together.
            if client.as_ref().is_none_or(|(known, _)| known != of) {
                client = Some((of.clone(), tx.watermark(scope, of)?));
            }
            let mark = client.as_ref().and_then(|(_, mark)| *mark);
            beyond(mark, record, of, *seq, report);
        }
        if page.len() < PAGE {
            break;
        }
        page = tx.verdicts(scope, Some((&principal, &last)), PAGE)?;
    }
    Ok(())
}

/// A client that was forgotten leaves verdicts behind for a while; one that is known is marked at its last.
fn beyond(mark: Option<Watermark>, record: &Record, client: &ClientId, seq: Seq, report: &mut Report) {
    if let Some(mark) = mark.filter(|mark| mark.last_seq < seq) {
        report.wrong(Flaw::VerdictBeyondWatermark {
            mutation: record.id.clone(),
            client: client.clone(),
            seq,
            last_seq: mark.last_seq,
        });
    }
}

fn accepted_at(
    tx: &mut dyn ReadTx,
    scope: &Scope,
    head: &Head,
    record: &Record,
    accepted: &Accepted,
    logged: Option<&(riverrun_core::Cursor, riverrun_core::Digest)>,
    report: &mut Report,
) -> StoreResult<()> {
    let (mutation, cursor) = (record.id.clone(), accepted.cursor);
    for (other, at) in &accepted.cursors {
        let there = tx.head(other)?.unwrap_or_default().cursor;
        if *at > there {
            let (mutation, scope) = (mutation.clone(), other.clone());
            report.wrong(Flaw::VerdictPastHead { mutation, cursor: *at, scope, head: there });
        }
    }
    if cursor > head.cursor {
        report.wrong(Flaw::VerdictPastHead { mutation, cursor, scope: scope.clone(), head: head.cursor });
        return Ok(());
    }
    match logged {
        Some((log, _)) if *log != cursor => report.wrong(Flaw::VerdictElsewhere { mutation, cursor, log: *log }),
        Some((_, digest)) if *digest != accepted.digest => report.wrong(Flaw::VerdictDigest { mutation, cursor }),
        Some(_) => {}
        // It was trimmed, or it changed nothing: then it was accepted at what was the head, the end of another one's entry.
        None if cursor <= head.floor => {}
        None => {
            let entry = tx.entry_at(scope, cursor)?;
            if !entry.is_some_and(|entry| entry.last() == cursor && entry.digest == accepted.digest) {
                report.wrong(Flaw::VerdictWithoutEntry { mutation, cursor });
            }
        }
    }
    Ok(())
}

/// Compares the watermarks: the verdict of a client's last seq is kept for as long as its watermark is.
pub(super) fn watermarks(tx: &mut dyn ReadTx, scope: &Scope, report: &mut Report) -> StoreResult<()> {
    let mut page = tx.watermarks(scope, None, PAGE)?;
    while let Some(last) = page.last().map(|(client, _)| client.clone()) {
        let is_last = page.len() < PAGE;
        for (client, mark) in page {
            report.clients += 1;
            if mark.last_seq != Seq(0) && !tx.decided_at(scope, &client, mark.last_seq)? {
                let client = client.clone();
                report.wrong(Flaw::WatermarkBeyondVerdicts { client, last_seq: mark.last_seq });
            }
            if tx.owner(&client)?.is_none() {
                report.wrong(Flaw::NoOwner(client));
            }
        }
        if is_last {
            break;
        }
        page = tx.watermarks(scope, Some(&last), PAGE)?;
    }
    Ok(())
}
