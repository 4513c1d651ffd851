//! One client's storage in one SQLite file: every write is a transaction that is on disk before it is confirmed. The file
//! belongs to one process at a time, since two senders under one client id would refuse each other's mutations.

use std::path::Path;

use riverrun_core::{ClientId, Cursor, Epoch, Json, Millis, MutationId, Scope, Seq};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Storage, StorageError};
use crate::{
    saved::{Mark, Saved, SavedBase, Write},
    words::{Accepted, Entry},
};

/// The form of the tables. A file of another form is refused, never guessed at.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT;
    CREATE TABLE queue (
        place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, args TEXT NOT NULL,
        schema INTEGER, created INTEGER NOT NULL, seq INTEGER, cursor INTEGER, epoch TEXT
    ) STRICT;
    CREATE TABLE base (
        collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, id)
    ) WITHOUT ROWID, STRICT;
";

/// See the file's head.
#[derive(Debug)]
pub struct SqliteFile(Connection);

/// A mark as it is written down.
#[derive(Serialize, Deserialize)]
struct KeptMark {
    cursor: Cursor,
    digest: riverrun_core::Digest,
    epoch: Epoch,
    last_seq: Seq,
    held: Vec<MutationId>,
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

fn damaged(what: impl std::fmt::Display) -> StorageError {
    StorageError(format!("the file holds what no client wrote: {what}"))
}

impl SqliteFile {
    /// Opens the file, or makes it. One file is for one scope of one server and one signed-in user; that it is the scope's
    /// is checked. Fails where another process has it open.
    pub fn open(path: impl AsRef<Path>, scope: &Scope) -> Result<Self, StorageError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Saved means saved: with less, a power cut takes back what was confirmed.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        match version {
            0 => {
                tx.execute_batch(TABLES)?;
                tx.pragma_update(None, "user_version", VERSION)?;
                set(&tx, "scope", scope.as_str())?;
            }
            VERSION => {
                let of = get(&tx, "scope")?;
                if of.as_deref() != Some(scope.as_str()) {
                    let of = of.unwrap_or_default();
                    return Err(StorageError(format!("the file belongs to the scope {of:?}, not to {scope}")));
                }
            }
            other => return Err(StorageError(format!("the file has form {other}, this client knows form {VERSION}"))),
        }
        tx.commit()?;
        Ok(Self(connection))
    }
}

impl Storage for SqliteFile {
    fn load(&mut self) -> Result<Saved, StorageError> {
        let tx = self.0.transaction()?;
        let mut saved = Saved {
            client: get(&tx, "client")?.map(ClientId::new).transpose().map_err(damaged)?,
            last: Seq(get(&tx, "last")?.map_or(Ok(0), |text| text.parse()).map_err(damaged)?),
            epoch: get(&tx, "epoch")?.map(Epoch::new).transpose().map_err(damaged)?,
            ..Saved::default()
        };
        let mut rows = tx.prepare("SELECT place, id, name, args, schema, created, seq, cursor, epoch FROM queue")?;
        for entry in rows.query_map([], |row| Ok(entry(row)))? {
            let entry = entry??;
            saved.entries.insert(entry.order, entry);
        }
        if let Some(mark) = get(&tx, "mark")? {
            let KeptMark { cursor, digest, epoch, last_seq, held } = serde_json::from_str(&mark).map_err(damaged)?;
            let mark = Mark { cursor, digest, epoch, last_seq, held };
            let mut base = SavedBase { mark, rows: std::collections::BTreeMap::new() };
            let mut rows = tx.prepare("SELECT collection, id, value FROM base")?;
            for row in rows.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?)))? {
                let (key, value) = row?;
                base.rows.insert(key, Json::trusted(value));
            }
            saved.base = Some(base);
        }
        Ok(saved)
    }

    fn write(&mut self, writes: Vec<Write>) -> Result<(), StorageError> {
        let tx = self.0.transaction()?;
        for write in writes {
            apply(&tx, write)?;
        }
        Ok(tx.commit()?)
    }
}

fn apply(tx: &Transaction<'_>, write: Write) -> Result<(), StorageError> {
    match write {
        Write::Client(client) => {
            set(tx, "client", client.as_str())?;
            tx.execute("DELETE FROM meta WHERE key IN ('last', 'epoch')", [])?;
            tx.execute("UPDATE queue SET seq = NULL", [])?;
        }
        Write::Append(Entry { order, id, name, args, schema, created, seq, accepted }) => {
            let (cursor, epoch) = accepted.map(|a| (number(a.cursor.0), a.epoch.to_string())).unzip();
            tx.prepare_cached("INSERT OR REPLACE INTO queue VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
                params![
                    number(order),
                    id.as_str(),
                    name,
                    args.as_str(),
                    schema.map(number),
                    created.0,
                    seq.map(|seq| number(seq.0)),
                    cursor,
                    epoch
                ],
            )?;
        }
        Write::Places { last, epoch, given } => {
            set(tx, "last", &last.0.to_string())?;
            match epoch {
                Some(epoch) => set(tx, "epoch", epoch.as_str())?,
                None => drop(tx.execute("DELETE FROM meta WHERE key = 'epoch'", [])?),
            }
            let mut place = tx.prepare_cached("UPDATE queue SET seq = ?2 WHERE id = ?1")?;
            for (id, seq) in given {
                place.execute(params![id.as_str(), number(seq.0)])?;
            }
        }
        Write::Accepted(id, accepted) => {
            tx.prepare_cached("UPDATE queue SET cursor = ?2, epoch = ?3 WHERE id = ?1")?.execute(params![
                id.as_str(),
                number(accepted.cursor.0),
                accepted.epoch.as_str()
            ])?;
        }
        Write::Remove(ids) => {
            let mut remove = tx.prepare_cached("DELETE FROM queue WHERE id = ?1")?;
            for id in ids {
                remove.execute([id.as_str()])?;
            }
        }
        Write::Base { clear, rows, mark } => {
            if clear {
                tx.execute("DELETE FROM base", [])?;
            }
            let mut put = tx.prepare_cached("INSERT OR REPLACE INTO base VALUES (?1, ?2, ?3)")?;
            let mut del = tx.prepare_cached("DELETE FROM base WHERE collection = ?1 AND id = ?2")?;
            for (collection, id, value) in rows {
                match value {
                    Some(value) => put.execute([&collection, &id, value.as_str()])?,
                    None => del.execute([&collection, &id])?,
                };
            }
            let Mark { cursor, digest, epoch, last_seq, held } = mark;
            let mark = KeptMark { cursor, digest, epoch, last_seq, held };
            set(tx, "mark", &serde_json::to_string(&mark).map_err(damaged)?)?;
        }
        Write::ForgetBase => {
            tx.execute("DELETE FROM base", [])?;
            tx.execute("DELETE FROM meta WHERE key = 'mark'", [])?;
        }
    }
    Ok(())
}

fn get(tx: &Transaction<'_>, key: &str) -> Result<Option<String>, StorageError> {
    Ok(tx.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?)
}

fn set(tx: &Transaction<'_>, key: &str, value: &str) -> Result<(), StorageError> {
    tx.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?1, ?2)")?.execute([key, value])?;
    Ok(())
}

/// SQLite's integers are signed; the contract's end far below.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(damaged)
}

fn entry(row: &Row<'_>) -> Result<Entry, StorageError> {
    let (cursor, epoch): (Option<i64>, Option<String>) = (row.get(7)?, row.get(8)?);
    let accepted = match (cursor, epoch) {
        (Some(cursor), Some(epoch)) => {
            Some(Accepted { cursor: Cursor(unsigned(cursor)?), epoch: Epoch::new(epoch).map_err(damaged)? })
        }
        _ => None,
    };
    Ok(Entry {
        order: unsigned(row.get(0)?)?,
        id: MutationId::new(row.get::<_, String>(1)?).map_err(damaged)?,
        name: row.get(2)?,
        // The queue is sent as it stands: what is no JSON here would be none on its way.
        args: Json::parse(&row.get::<_, String>(3)?).map_err(damaged)?,
        schema: row.get::<_, Option<i64>>(4)?.map(unsigned).transpose()?,
        created: Millis(row.get(5)?),
        seq: row.get::<_, Option<i64>>(6)?.map(unsigned).transpose()?.map(Seq),
        accepted,
    })
}
