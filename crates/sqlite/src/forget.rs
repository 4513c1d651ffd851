//! Pruning of verdicts and of clients, oldest first and within a bounded effort. Verdicts a client must keep stand before
//! others that may go, so a pruning remembers where it ended: the next one goes on behind them instead of looking at
//! them again and again.

use riverrun_core::Millis;
use riverrun_engine::store::Forgotten;
use rusqlite::params;

use crate::{decode::at_most, error::Fallible, session::Session};

/// Verdicts one pruning looks at, removed or not: it runs inside the writer, some tens of milliseconds at this number.
const LOOKED_AT: usize = 10_000;

/// A verdict's place in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    time: i64,
    scope: i64,
    principal: String,
    id: String,
}

/// What one pass over old verdicts found.
#[derive(Debug, Default)]
struct Found {
    gone: Vec<Place>,
    by_id_alone: usize,
    looked_at: usize,
    /// Where it stopped for want of effort or of room; `None` if it came to the end.
    stopped: Option<Place>,
}

impl Session<'_> {
    pub(crate) fn prune_verdicts(&mut self, before: Millis, keep: u64, limit: usize) -> Fallible<Forgotten> {
        let mut found = Found::default();
        if limit == 0 {
            return Ok(Forgotten::default());
        }
        let start = self.pruned();
        self.look(&mut found, start.as_ref(), None, before, keep, limit)?;
        if let (Some(start), None) = (&start, &found.stopped) {
            // The end: once around, up to where it began.
            self.look(&mut found, None, Some(start), before, keep, limit)?;
        }
        for verdict in &found.gone {
            let sql = "DELETE FROM rr_verdict WHERE scope = ?1 AND principal = ?2 AND id = ?3";
            self.execute(sql, params![verdict.scope, verdict.principal, verdict.id])?;
        }
        self.set_pruned(found.stopped);
        Ok(Forgotten { verdicts: found.gone.len(), by_id_alone: found.by_id_alone })
    }

    fn look(
        &self,
        found: &mut Found,
        from: Option<&Place>,
        to: Option<&Place>,
        before: Millis,
        keep: u64,
        limit: usize,
    ) -> Fallible<()> {
        let start =
            from.map_or((i64::MIN, i64::MIN, "", ""), |p| (p.time, p.scope, p.principal.as_str(), p.id.as_str()));
        let sql = "SELECT v.time, v.scope, v.principal, v.id, v.seq, w.last_seq
            FROM rr_verdict AS v INDEXED BY rr_verdict_time
            LEFT JOIN rr_watermark AS w ON w.scope = v.scope AND w.client = v.client
            WHERE v.time < ?1 AND (v.time, v.scope, v.principal, v.id) > (?2, ?3, ?4, ?5)
            ORDER BY v.time, v.scope, v.principal, v.id";
        self.each(sql, params![before.0, start.0, start.1, start.2, start.3], |row| {
            let place = Place { time: row.get(0)?, scope: row.get(1)?, principal: row.get(2)?, id: row.get(3)? };
            if to.is_some_and(|to| place > *to) {
                return Ok(false);
            }
            let (seq, last_seq): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
            let kept = match (seq, last_seq) {
                (Some(seq), Some(last_seq)) => seq.saturating_add(at_most(keep)) > last_seq,
                _ => false,
            };
            found.looked_at += 1;
            if !kept {
                found.by_id_alone += usize::from(seq.is_none());
                found.gone.push(place.clone());
            }
            if found.gone.len() >= limit || found.looked_at >= LOOKED_AT {
                found.stopped = Some(place);
                return Ok(false);
            }
            Ok(true)
        })
    }

    pub(crate) fn prune_clients(&mut self, before: Millis, limit: usize) -> Fallible<usize> {
        let mut gone: Vec<(i64, String)> = Vec::new();
        let sql = "SELECT scope, client FROM rr_watermark WHERE seen < ?1 ORDER BY seen LIMIT ?2";
        self.each(sql, params![before.0, at_most(limit as u64)], |row| {
            gone.push((row.get(0)?, row.get(1)?));
            Ok(true)
        })?;
        for (scope, client) in &gone {
            self.execute("DELETE FROM rr_watermark WHERE scope = ?1 AND client = ?2", params![scope, client])?;
            let sql = "DELETE FROM rr_owner WHERE client = ?1 AND NOT EXISTS
                (SELECT 1 FROM rr_watermark WHERE client = ?1)";
            self.execute(sql, params![client])?;
        }
        Ok(gone.len())
    }
}
