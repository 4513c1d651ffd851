//! The engine's tables and how a file comes to have them. The schema's version is the file's `user_version`; each step
//! brings it one further, in one transaction with the number, so a file is never between two versions. A file is marked
//! as riverrun's only together with its tables, and a stranger's file is refused unchanged.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{OpenError, guard::is_the_engines, inspect, words};

/// The mark in a file's header: `rrun`.
pub(crate) const APPLICATION_ID: i32 = 0x7272_756e;

/// What brings a file from each version to the next.
const STEPS: [&str; VERSION as usize] = [STEP_1, STEP_2];

/// The version this program writes.
const VERSION: i32 = 2;

/// Digests and fingerprints are 64 bits as SQLite's signed integers. Every table is found by its key, in the key's order;
/// texts compare by their bytes, which is SQLite's own way.
const STEP_1: &str = "
CREATE TABLE rr_meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE rr_scope (
    key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    cursor INTEGER NOT NULL, digest INTEGER NOT NULL, floor INTEGER NOT NULL, floor_digest INTEGER NOT NULL
) STRICT;
CREATE TABLE rr_log (
    scope INTEGER NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL, digest INTEGER NOT NULL,
    time INTEGER NOT NULL, mutation TEXT NOT NULL, type TEXT NOT NULL, args TEXT NOT NULL, principal TEXT NOT NULL,
    client TEXT, seq INTEGER, changes TEXT NOT NULL,
    PRIMARY KEY (scope, last)
) STRICT, WITHOUT ROWID;
CREATE TABLE rr_entity (
    scope INTEGER NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (scope, collection, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE rr_base (
    scope INTEGER NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (scope, collection, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE rr_verdict (
    scope INTEGER NOT NULL, principal TEXT NOT NULL, id TEXT NOT NULL,
    client TEXT, seq INTEGER, fingerprint INTEGER NOT NULL, time INTEGER NOT NULL,
    cursor INTEGER, digest INTEGER, cursors TEXT,
    code TEXT, reason TEXT, error TEXT,
    PRIMARY KEY (scope, principal, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX rr_verdict_place ON rr_verdict (scope, client, seq) WHERE client IS NOT NULL;
CREATE INDEX rr_verdict_time ON rr_verdict (time, scope, principal, id);
CREATE TABLE rr_watermark (
    scope INTEGER NOT NULL, client TEXT NOT NULL, last_seq INTEGER NOT NULL, seen INTEGER NOT NULL,
    PRIMARY KEY (scope, client)
) STRICT, WITHOUT ROWID;
CREATE INDEX rr_watermark_seen ON rr_watermark (seen);
CREATE INDEX rr_watermark_client ON rr_watermark (client);
CREATE TABLE rr_owner (client TEXT PRIMARY KEY, principal TEXT NOT NULL) STRICT, WITHOUT ROWID;
";

/// When the youngest of a client's decided mutations was made.
const STEP_2: &str = "ALTER TABLE rr_watermark ADD COLUMN made INTEGER NOT NULL DEFAULT 0;";

/// Refuses a file this program must not write: another program's, or one of a later version's.
pub(crate) fn check(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let sql = |error: rusqlite::Error| OpenError::from_sql(path, &error);
    let strangers = |why: &str| OpenError::NotRiverrun { path: path.to_path_buf(), why: why.into() };
    let id = number(conn, "application_id").map_err(sql)?;
    let version = number(conn, "user_version").map_err(sql)?;
    inspect::known(path, id)?;
    let encoding: String = conn.pragma_query_value(None, "encoding", |row| row.get(0)).map_err(sql)?;
    if encoding != "UTF-8" {
        return Err(strangers("its texts are not in UTF-8"));
    }
    if id == APPLICATION_ID {
        let (path, found, known) = (path.to_path_buf(), version, VERSION);
        return if found > known { Err(OpenError::NewerSchema { path, found, known }) } else { Ok(()) };
    }
    if version != 0 {
        return Err(strangers("its user_version is in use, which numbers riverrun's schema"));
    }
    let tables = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE lower(substr(name, 1, 3)) = 'rr_')";
    if conn.query_row(tables, [], |row| row.get(0)).map_err(sql)? {
        return Err(strangers("it has tables whose names begin with rr_"));
    }
    Ok(())
}

/// Refuses a file that holds no log.
pub(crate) fn check_a_log(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    check(conn, path)?;
    if number(conn, "application_id").map_err(|error| OpenError::from_sql(path, &error))? == APPLICATION_ID {
        return Ok(());
    }
    Err(OpenError::NotRiverrun { path: path.to_path_buf(), why: "it holds no log of riverrun's".into() })
}

/// Refuses a file that can't be read as it is: no log of riverrun's, or one of another version's schema.
pub(crate) fn check_to_read(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    check_a_log(conn, path)?;
    let found = number(conn, "user_version").map_err(|error| OpenError::from_sql(path, &error))?;
    if found < VERSION {
        return Err(OpenError::OlderSchema { path: path.to_path_buf(), found, known: VERSION });
    }
    Ok(())
}

/// Brings a checked file to the version this program knows.
pub(crate) fn migrate(conn: &mut Connection, path: &Path) -> Result<(), OpenError> {
    steps(conn).map_err(|error| OpenError::from_sql(path, &error))
}

fn steps(conn: &mut Connection) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = number(&tx, "user_version")?;
    let done = usize::try_from(version).unwrap_or(0);
    if done >= STEPS.len() {
        return Ok(());
    }
    for step in &STEPS[done..] {
        tx.execute_batch(step)?;
    }
    if done == 0 {
        let epoch = uuid::Uuid::now_v7().to_string();
        tx.execute("INSERT INTO rr_meta (key, value) VALUES ('epoch', ?1), ('forgotten_before', 0)", [epoch])?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// Makes the application's own tables, all of them or none, and refuses what would let one mutation fail its neighbours.
pub(crate) fn of_the_application(host: &crate::host::Host, path: &Path, texts: &[String]) -> Result<(), OpenError> {
    let refused = |detail: String| OpenError::Schema { detail };
    if let Some(why) = texts.iter().find_map(|text| words::refused(text)) {
        return Err(refused(why.into()));
    }
    let told = |error| OpenError::Schema { detail: format!("{error}") };
    let sql = |error: rusqlite::Error| {
        if crate::error::is_the_database(&error) {
            OpenError::from_sql(path, &error)
        } else {
            refused(error.to_string())
        }
    };
    let open = host.begin("BEGIN IMMEDIATE").map_err(told)?;
    let held = host.guard.hold();
    texts.iter().try_for_each(|text| host.conn.execute_batch(text)).map_err(sql)?;
    drop(held);
    let made = host.conn.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").and_then(|mut found| {
        found.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Vec<(String, String)>>>()
    });
    for (name, text) in made.map_err(sql)? {
        if let (false, Some(why)) = (is_the_engines(&name), words::refused(&text)) {
            return Err(refused(format!("{name}: {why}")));
        }
    }
    match open.commit() {
        Ok(()) => Ok(()),
        Err(riverrun_engine::store::StoreError::Full) => Err(OpenError::Full { path: path.to_path_buf() }),
        Err(error) => Err(told(error)),
    }
}

fn number(conn: &Connection, pragma: &str) -> rusqlite::Result<i32> {
    conn.pragma_query_value(None, pragma, |row| row.get(0))
}
