//! What the memory store forgets, oldest first. It decides no span: the moments and counts are the caller's.

use riverrun_core::Millis;

use super::{
    keys::{DecidedKey, MarkKey, SeenKey},
    tables::Tables,
};
use crate::store::{Forgotten, Record};

/// Removes verdicts decided before a moment, but not those of a known client's last places.
pub(super) fn verdicts(tables: &mut Tables, before: Millis, keep: u64, limit: usize) -> Forgotten {
    let goes: Vec<DecidedKey> = tables
        .verdicts_by_time
        .iter()
        .map(|(key, ())| key)
        .take_while(|key| key.time < before)
        .filter(|key| tables.verdicts.get(&key.verdict).is_some_and(|record| !kept(tables, key, record, keep)))
        .take(limit)
        .cloned()
        .collect();
    let mut forgotten = Forgotten { verdicts: goes.len(), by_id_alone: 0 };
    for key in goes {
        let record = tables.verdicts.get(&key.verdict);
        forgotten.by_id_alone += usize::from(record.is_some_and(|record| record.place.is_none()));
        tables.remove_verdict(key.verdict);
    }
    forgotten
}

fn kept(tables: &Tables, key: &DecidedKey, record: &Record, keep: u64) -> bool {
    let Some((client, seq)) = &record.place else { return false };
    let mark = MarkKey { client: client.clone(), scope: key.verdict.scope.clone() };
    tables.marks.get(&mark).is_some_and(|mark| seq.0.saturating_add(keep) > mark.last_seq.0)
}

/// Removes watermarks last seen before a moment, and the owners of clients left without one.
pub(super) fn clients(tables: &mut Tables, before: Millis, limit: usize) -> usize {
    let goes: Vec<SeenKey> = tables
        .marks_by_seen
        .iter()
        .map(|(key, ())| key)
        .take_while(|key| key.seen < before)
        .take(limit)
        .cloned()
        .collect();
    let count = goes.len();
    for key in goes {
        let client = key.mark.client.clone();
        tables.remove_mark(key);
        let next = tables.marks.from(|mark| mark.client < client).next();
        if next.is_none_or(|(mark, _)| mark.client != client) {
            tables.owners.remove(&client);
        }
    }
    count
}
