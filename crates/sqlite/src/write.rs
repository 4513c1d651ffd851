//! What can be written in one transaction, each by one statement where one is enough: a batch does all of this a hundred
//! times before its one sync. Numbers are given out by the engine and only kept here.

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, Principal, Scope, Seq, Verdict};
use riverrun_engine::store::{
    Entry, Forgotten, Head, Layer, Origin, ReadTx, Record, StoreError, StoreResult, Watermark, WriteTx,
};
use rusqlite::params;

use crate::{
    decode::{at_most, bits, count, cursors, joined},
    error::Fallible,
    session::Session,
};

/// A place among a client's mutations, as two columns.
fn columns(place: Option<&(ClientId, Seq)>) -> Fallible<(Option<&str>, Option<i64>)> {
    match place {
        Some((client, seq)) => Ok((Some(client.as_str()), Some(count("a seq of", seq.0)?))),
        None => Ok((None, None)),
    }
}

impl WriteTx for Session<'_> {
    fn savepoint(&mut self) -> StoreResult<()> {
        self.run(Self::mark)
    }

    fn rollback(&mut self) -> StoreResult<()> {
        self.run(|s| s.unmark(false))
    }

    fn release(&mut self) -> StoreResult<()> {
        self.run(|s| s.unmark(true))
    }

    /// The write transaction itself keeps every other writer away.
    fn lock(&mut self, scope: &Scope) -> StoreResult<Head> {
        Ok(self.head(scope)?.unwrap_or_default())
    }

    fn set_head(&mut self, scope: &Scope, head: &Head) -> StoreResult<()> {
        self.run(|s| {
            let key = s.make_key(scope)?;
            let (cursor, floor) = (count("a cursor of", head.cursor.0)?, count("a floor of", head.floor.0)?);
            let sql = "UPDATE rr_scope SET cursor = ?2, digest = ?3, floor = ?4, floor_digest = ?5 WHERE key = ?1";
            s.execute(sql, params![key, cursor, bits(head.digest.0), floor, bits(head.floor_digest.0)])?;
            Ok(())
        })
    }

    fn append(&mut self, scope: &Scope, entry: &Entry, origin: &Origin) -> StoreResult<()> {
        self.run(|s| {
            if entry.changes.is_empty() || entry.first == Cursor::ZERO {
                return Err(StoreError::Other("an entry of the log has changes, from cursor 1 on".into()).into());
            }
            let key = s.make_key(scope)?;
            let last = count("a cursor of", entry.last().0)?;
            let (client, seq) = columns(origin.place.as_ref())?;
            let sql = "INSERT INTO rr_log
                (scope, last, first, digest, time, mutation, type, args, principal, client, seq, changes)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
            s.execute(
                sql,
                params![
                    key,
                    last,
                    at_most(entry.first.0),
                    bits(entry.digest.0),
                    entry.time.0,
                    entry.mutation.as_str(),
                    origin.name,
                    origin.args.as_str(),
                    origin.principal.as_str(),
                    client,
                    seq,
                    joined(&entry.changes),
                ],
            )?;
            Ok(())
        })
    }

    fn put(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str, value: &Json) -> StoreResult<()> {
        let sql = match layer {
            Layer::Current => "INSERT OR REPLACE INTO rr_entity (scope, collection, id, value) VALUES (?1, ?2, ?3, ?4)",
            Layer::Base => "INSERT OR REPLACE INTO rr_base (scope, collection, id, value) VALUES (?1, ?2, ?3, ?4)",
        };
        self.run(|s| {
            let key = s.make_key(scope)?;
            s.execute(sql, params![key, collection, id, value.as_str()])?;
            Ok(())
        })
    }

    fn del(&mut self, scope: &Scope, layer: Layer, collection: &str, id: &str) -> StoreResult<()> {
        let sql = match layer {
            Layer::Current => "DELETE FROM rr_entity WHERE scope = ?1 AND collection = ?2 AND id = ?3",
            Layer::Base => "DELETE FROM rr_base WHERE scope = ?1 AND collection = ?2 AND id = ?3",
        };
        self.run(|s| {
            if let Some(key) = s.key(scope)? {
                s.execute(sql, params![key, collection, id])?;
            }
            Ok(())
        })
    }

    fn set_owner(&mut self, client: &ClientId, principal: &Principal) -> StoreResult<()> {
        self.run(|s| {
            let sql = "INSERT OR REPLACE INTO rr_owner (client, principal) VALUES (?1, ?2)";
            s.execute(sql, params![client.as_str(), principal.as_str()])?;
            Ok(())
        })
    }

    fn set_watermark(&mut self, scope: &Scope, client: &ClientId, watermark: &Watermark) -> StoreResult<()> {
        self.run(|s| {
            let key = s.make_key(scope)?;
            let last_seq = count("a seq of", watermark.last_seq.0)?;
            let sql = "INSERT INTO rr_watermark (scope, client, last_seq, seen, made) VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET last_seq = excluded.last_seq, seen = excluded.seen, made = excluded.made";
            s.execute(sql, params![key, client.as_str(), last_seq, watermark.seen.0, watermark.made.0])?;
            Ok(())
        })
    }

    fn record(&mut self, scope: &Scope, principal: &Principal, record: &Record) -> StoreResult<()> {
        self.run(|s| {
            let key = s.make_key(scope)?;
            let (client, seq) = columns(record.place.as_ref())?;
            let (accepted, rejected) = match &record.verdict {
                Verdict::Accepted(accepted) => (Some(accepted), None),
                Verdict::Rejected(rejected) => (None, Some(rejected)),
            };
            let sql = "INSERT INTO rr_verdict
                (scope, principal, id, client, seq, fingerprint, time, cursor, digest, cursors, code, reason, error)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
            s.execute(
                sql,
                params![
                    key,
                    principal.as_str(),
                    record.id.as_str(),
                    client,
                    seq,
                    bits(record.fingerprint),
                    record.time.0,
                    accepted.map(|accepted| count("a cursor of", accepted.cursor.0)).transpose()?,
                    accepted.map(|accepted| bits(accepted.digest.0)),
                    accepted.map(cursors).transpose()?.flatten(),
                    rejected.map(|rejected| rejected.code.as_str()),
                    rejected.and_then(|rejected| rejected.reason.as_deref()),
                    rejected.map(|rejected| rejected.error.as_str()),
                ],
            )?;
            Ok(())
        })
    }

    fn trim(&mut self, scope: &Scope, up_to: Cursor) -> StoreResult<()> {
        self.run(|s| {
            if let Some(key) = s.key(scope)? {
                s.execute("DELETE FROM rr_log WHERE scope = ?1 AND last <= ?2", params![key, at_most(up_to.0)])?;
            }
            Ok(())
        })
    }

    fn forget_verdicts(&mut self, before: Millis, keep: u64, limit: usize) -> StoreResult<Forgotten> {
        self.run(|s| s.prune_verdicts(before, keep, limit))
    }

    fn forget_clients(&mut self, before: Millis, limit: usize) -> StoreResult<usize> {
        self.run(|s| s.prune_clients(before, limit))
    }

    fn set_forgotten_before(&mut self, moment: Millis) -> StoreResult<()> {
        self.run(|s| {
            let sql = "INSERT OR REPLACE INTO rr_meta (key, value) VALUES ('forgotten_before', ?1)";
            s.execute(sql, [moment.0])?;
            Ok(())
        })
    }

    fn set_epoch(&mut self, epoch: &Epoch) -> StoreResult<()> {
        self.run(|s| {
            s.execute("INSERT OR REPLACE INTO rr_meta (key, value) VALUES ('epoch', ?1)", [epoch.as_str()])?;
            Ok(())
        })
    }
}
