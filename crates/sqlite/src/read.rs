//! What can be read of one moment, each by one statement over a key. Nothing is collected that can be handed on row by
//! row.

use std::any::Any;

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, MutationId, Principal, Scope, Seq};
use riverrun_engine::store::{Entry, Head, Layer, Origin, Range, ReadTx, Record, StoreResult, Watermark};
use rusqlite::params;

use crate::{
    decode::{self, at_most, id, json, text},
    error::{Fallible, Fault, corrupt},
    session::Session,
};

impl Session<'_> {
    /// Runs a read that needs the scope's number; a scope without one has nothing to read.
    pub(crate) fn within<T: Default>(
        &mut self,
        scope: &Scope,
        work: impl FnOnce(&mut Self, i64) -> Fallible<T>,
    ) -> StoreResult<T> {
        self.run(|s| match s.key(scope)? {
            Some(key) => work(s, key),
            None => Ok(T::default()),
        })
    }
}

impl ReadTx for Session<'_> {
    fn epoch(&mut self) -> StoreResult<Epoch> {
        self.run(|s| {
            let sql = "SELECT value FROM rr_meta WHERE key = 'epoch'";
            let found = s.one(sql, [], |row| id(Epoch::new(text(row, 0)?)))?;
            found.ok_or_else(|| corrupt("the log has no epoch").into())
        })
    }

    fn head(&mut self, scope: &Scope) -> StoreResult<Option<Head>> {
        self.within(scope, |s, key| {
            let sql = "SELECT cursor, digest, floor, floor_digest FROM rr_scope WHERE key = ?1";
            s.one(sql, [key], |row| decode::head(row, scope))
        })
    }

    fn entry_at(&mut self, scope: &Scope, cursor: Cursor) -> StoreResult<Option<Entry>> {
        self.within(scope, |s, key| {
            let sql = "SELECT first, last, digest, time, mutation, changes FROM rr_log
                WHERE scope = ?1 AND last >= ?2 ORDER BY last LIMIT 1";
            let found = s.one(sql, params![key, at_most(cursor.0)], decode::entry)?;
            Ok(found.filter(|entry| entry.first <= cursor && cursor <= entry.last()))
        })
    }

    fn entries(&mut self, scope: &Scope, after: Cursor, sink: &mut dyn FnMut(Entry) -> bool) -> StoreResult<()> {
        self.within(scope, |s, key| {
            let sql = "SELECT first, last, digest, time, mutation, changes FROM rr_log
                WHERE scope = ?1 AND last > ?2 ORDER BY last";
            s.each(sql, params![key, at_most(after.0)], |row| Ok(sink(decode::entry(row)?)))
        })
    }

    fn origin(&mut self, scope: &Scope, last: Cursor) -> StoreResult<Option<Origin>> {
        self.within(scope, |s, key| {
            let sql = "SELECT type, args, principal, client, seq FROM rr_log WHERE scope = ?1 AND last = ?2";
            s.one(sql, params![key, at_most(last.0)], decode::origin)
        })
    }

    fn entity(&mut self, scope: &Scope, collection: &str, id: &str) -> StoreResult<Option<Json>> {
        self.within(scope, |s, key| {
            let sql = "SELECT value FROM rr_entity WHERE scope = ?1 AND collection = ?2 AND id = ?3";
            s.one(sql, params![key, collection, id], |row| json(row, 0))
        })
    }

    fn entities(&mut self, scope: &Scope, collection: &str, range: Range<'_>) -> StoreResult<Vec<(Box<str>, Json)>> {
        let Range { prefix, after, limit } = range;
        if limit == 0 {
            return Ok(Vec::new());
        }
        // Ids with the prefix stand together, and the first of them is the prefix itself.
        let (sql, from) = match after {
            Some(after) if after >= prefix => {
                ("SELECT id, value FROM rr_entity WHERE scope = ?1 AND collection = ?2 AND id > ?3 ORDER BY id", after)
            }
            _ => (
                "SELECT id, value FROM rr_entity WHERE scope = ?1 AND collection = ?2 AND id >= ?3 ORDER BY id",
                prefix,
            ),
        };
        self.within(scope, |s, key| {
            let mut found = Vec::new();
            s.each(sql, params![key, collection, from], |row| {
                let id = text(row, 0)?;
                if !id.starts_with(prefix) {
                    return Ok(false);
                }
                found.push((id.into(), json(row, 1)?));
                Ok(found.len() < limit)
            })?;
            Ok(found)
        })
    }

    fn each_entity(
        &mut self,
        scope: &Scope,
        layer: Layer,
        sink: &mut dyn FnMut(&str, &str, &str) -> StoreResult<()>,
    ) -> StoreResult<()> {
        let sql = match layer {
            Layer::Current => "SELECT collection, id, value FROM rr_entity WHERE scope = ?1 ORDER BY collection, id",
            Layer::Base => "SELECT collection, id, value FROM rr_base WHERE scope = ?1 ORDER BY collection, id",
        };
        self.within(scope, |s, key| {
            s.each(sql, [key], |row| {
                sink(text(row, 0)?, text(row, 1)?, text(row, 2)?).map_err(Fault::Caller)?;
                Ok(true)
            })
        })
    }

    fn owner(&mut self, client: &ClientId) -> StoreResult<Option<Principal>> {
        self.run(|s| {
            let sql = "SELECT principal FROM rr_owner WHERE client = ?1";
            s.one(sql, [client.as_str()], |row| id(Principal::new(text(row, 0)?)))
        })
    }

    fn watermark(&mut self, scope: &Scope, client: &ClientId) -> StoreResult<Option<Watermark>> {
        self.within(scope, |s, key| {
            let sql = "SELECT last_seq, seen, made FROM rr_watermark WHERE scope = ?1 AND client = ?2";
            s.one(sql, params![key, client.as_str()], decode::watermark)
        })
    }

    fn verdict(&mut self, scope: &Scope, principal: &Principal, id: &MutationId) -> StoreResult<Option<Record>> {
        self.within(scope, |s, key| {
            let sql = "SELECT client, seq, fingerprint, time, cursor, digest, cursors, code, reason, error
                FROM rr_verdict WHERE scope = ?1 AND principal = ?2 AND id = ?3";
            s.one(sql, params![key, principal.as_str(), id.as_str()], |row| decode::record(row, id))
        })
    }

    fn decided_at(&mut self, scope: &Scope, client: &ClientId, seq: Seq) -> StoreResult<bool> {
        self.within(scope, |s, key| {
            let sql = "SELECT 1 FROM rr_verdict WHERE scope = ?1 AND client = ?2 AND seq = ?3 LIMIT 1";
            Ok(s.one(sql, params![key, client.as_str(), at_most(seq.0)], |_| Ok(()))?.is_some())
        })
    }

    fn forgotten_before(&mut self) -> StoreResult<Millis> {
        self.run(|s| {
            let sql = "SELECT value FROM rr_meta WHERE key = 'forgotten_before'";
            Ok(Millis(s.one(sql, [], |row| Ok(row.get(0)?))?.unwrap_or(0)))
        })
    }

    fn scopes(&mut self, after: Option<&Scope>, limit: usize) -> StoreResult<Vec<Scope>> {
        self.run(|s| {
            let mut found = Vec::new();
            // No scope's name is empty.
            let from = after.map_or("", Scope::as_str);
            let sql = "SELECT name FROM rr_scope WHERE name > ?1 ORDER BY name LIMIT ?2";
            s.each(sql, params![from, at_most(limit as u64)], |row| {
                found.push(id(Scope::new(text(row, 0)?))?);
                Ok(true)
            })?;
            Ok(found)
        })
    }

    fn host(&self) -> Option<&dyn Any> {
        self.writes().then_some(self.host as &dyn Any)
    }
}
