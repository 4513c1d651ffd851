//! What tools read: whole scopes in pages along the primary keys, and SQLite's own look at the structure of its file. No
//! request of a client is answered through it.

use riverrun_core::{ClientId, Cursor, MutationId, Principal, Scope};
use riverrun_engine::store::{Entry, Origin, Record, StoreResult, Survey, Watermark};
use rusqlite::params;

use crate::{
    decode::{self, at_most, id, text},
    error::{Fault, classify},
    session::Session,
};

/// Sentences SQLite may say about one file: the first few name the place, thousands more would not help.
const DEFECTS: u32 = 100;

/// Rows whose scope has no row of its own. They are in no scope's reach, so nobody else would notice them.
const STRAYS: [(&str, &str); 5] = [
    ("log entries", "SELECT count(*) FROM rr_log WHERE scope NOT IN (SELECT key FROM rr_scope)"),
    ("entities", "SELECT count(*) FROM rr_entity WHERE scope NOT IN (SELECT key FROM rr_scope)"),
    ("base rows", "SELECT count(*) FROM rr_base WHERE scope NOT IN (SELECT key FROM rr_scope)"),
    ("verdicts", "SELECT count(*) FROM rr_verdict WHERE scope NOT IN (SELECT key FROM rr_scope)"),
    ("watermarks", "SELECT count(*) FROM rr_watermark WHERE scope NOT IN (SELECT key FROM rr_scope)"),
];

impl Survey for Session<'_> {
    fn logged(
        &mut self,
        scope: &Scope,
        after: Cursor,
        sink: &mut dyn FnMut(Entry, Origin) -> StoreResult<bool>,
    ) -> StoreResult<()> {
        self.within(scope, |s, key| {
            let sql = "SELECT first, last, digest, time, mutation, changes, type, args, principal, client, seq
                FROM rr_log WHERE scope = ?1 AND last > ?2 ORDER BY last";
            s.each(sql, params![key, at_most(after.0)], |row| {
                sink(decode::entry(row)?, decode::origin_from(row, 6)?).map_err(Fault::Caller)
            })
        })
    }

    fn verdicts(
        &mut self,
        scope: &Scope,
        after: Option<(&Principal, &MutationId)>,
        limit: usize,
    ) -> StoreResult<Vec<(Principal, Record)>> {
        // Neither a principal nor a mutation's id is empty.
        let (principal, mutation) = after.map_or(("", ""), |(principal, id)| (principal.as_str(), id.as_str()));
        self.within(scope, |s, key| {
            let sql =
                "SELECT client, seq, fingerprint, time, cursor, digest, cursors, code, reason, error, principal, id
                FROM rr_verdict WHERE scope = ?1 AND (principal, id) > (?2, ?3) ORDER BY principal, id LIMIT ?4";
            let mut page = Vec::new();
            s.each(sql, params![key, principal, mutation, at_most(limit as u64)], |row| {
                let mutation = id(MutationId::new(text(row, 11)?))?;
                page.push((id(Principal::new(text(row, 10)?))?, decode::record(row, &mutation)?));
                Ok(true)
            })?;
            Ok(page)
        })
    }

    fn watermarks(
        &mut self,
        scope: &Scope,
        after: Option<&ClientId>,
        limit: usize,
    ) -> StoreResult<Vec<(ClientId, Watermark)>> {
        self.within(scope, |s, key| {
            let sql = "SELECT last_seq, seen, made, client FROM rr_watermark
                WHERE scope = ?1 AND client > ?2 ORDER BY client LIMIT ?3";
            let mut page = Vec::new();
            let after = after.map_or("", ClientId::as_str);
            s.each(sql, params![key, after, at_most(limit as u64)], |row| {
                page.push((id(ClientId::new(text(row, 3)?))?, decode::watermark(row)?));
                Ok(true)
            })?;
            Ok(page)
        })
    }

    fn owners(&mut self, after: Option<&ClientId>, limit: usize) -> StoreResult<Vec<(ClientId, Principal)>> {
        self.run(|s| {
            let sql = "SELECT client, principal FROM rr_owner WHERE client > ?1 ORDER BY client LIMIT ?2";
            let mut page = Vec::new();
            s.each(sql, params![after.map_or("", ClientId::as_str), at_most(limit as u64)], |row| {
                page.push((id(ClientId::new(text(row, 0)?))?, id(Principal::new(text(row, 1)?))?));
                Ok(true)
            })?;
            Ok(page)
        })
    }

    fn defects(&mut self, sink: &mut dyn FnMut(&str)) -> StoreResult<()> {
        let mut told = false;
        let checked = self.run(|s| {
            s.each(&format!("PRAGMA integrity_check({DEFECTS})"), [], |row| {
                let said = text(row, 0)?;
                if said != "ok" {
                    told = true;
                    said.lines().filter(|line| !line.starts_with("***")).for_each(&mut *sink);
                }
                Ok(true)
            })
        });
        // A file so broken that the check itself fails has been found broken, which is the answer.
        if let Err(error) = checked {
            sink(&error.to_string());
            return Ok(());
        }
        if told {
            return Ok(());
        }
        for (what, sql) in STRAYS {
            let count =
                self.host.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| classify(&error))?;
            if count > 0 {
                sink(&format!("{count} {what} belong to a scope that is not there"));
            }
        }
        Ok(())
    }
}
