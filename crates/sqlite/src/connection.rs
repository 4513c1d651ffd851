//! How connections are opened and what each is told. Whatever makes an answer durable is set here, for every connection
//! alike, and never left to SQLite's defaults or to a build's.

use std::{path::Path, time::Duration};

use riverrun_core::planted::{Bug, is};
use rusqlite::{Connection, OpenFlags};

use crate::{Synchronous, guard::Guard, host::Host};

/// Prepared statements a connection keeps: all of the store's, and as many again for the application.
const STATEMENTS: usize = 128;

/// Bytes the write-ahead log's file is cut back to after a checkpoint: a burst must not hold the disk for ever.
const WAL_BYTES: i64 = 64 << 20;

/// KiB of pages the writing connection keeps (SQLite counts KiB as negative): the warm end of each table and index.
const WRITER_CACHE_KIB: i64 = -16 << 10;

/// The connection that writes, before anything is known about the file.
pub(crate) fn writer(path: &Path, busy: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    common(&conn, busy)?;
    Ok(conn)
}

/// A connection to a database of no file.
pub(crate) fn memory() -> rusqlite::Result<Connection> {
    let conn = Connection::open_in_memory()?;
    common(&conn, Duration::ZERO)?;
    Ok(conn)
}

/// Sets how the writing connection makes commits durable. Says which journal the file has now.
pub(crate) fn durable(conn: &Connection, synchronous: Synchronous) -> rusqlite::Result<String> {
    let journal = switch_to_wal(conn)?;
    conn.pragma_update(
        None,
        "synchronous",
        match synchronous {
            _ if is(Bug::SqliteNormal) => "NORMAL",
            Synchronous::Full => "FULL",
            Synchronous::Normal => "NORMAL",
        },
    )?;
    // On macOS an ordinary fsync leaves the data in the disk's own cache; elsewhere these change nothing.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "journal_size_limit", WAL_BYTES)?;
    conn.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
    Ok(journal)
}

/// Gives the file a write-ahead log, and says which journal it has then. The switch of a new file is a commit that happens
/// after the statement has given its row: only a statement that is run to its end tells a sync that failed there. Unnoticed,
/// the file would keep its old journal, whose removal SQLite does not sync: a power cut could undo what was answered.
fn switch_to_wal(conn: &Connection) -> rusqlite::Result<String> {
    let mut statement = conn.prepare("PRAGMA journal_mode = WAL")?;
    let mut rows = statement.query([])?;
    let mut journal = String::new();
    while let Some(row) = rows.next()? {
        journal = row.get(0)?;
    }
    Ok(journal)
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path, busy: Duration) -> rusqlite::Result<Host> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut conn = Connection::open_with_flags(path, flags)?;
    common(&conn, busy)?;
    conn.pragma_update(None, "query_only", true)?;
    let guard = Guard::install(&mut conn)?;
    Ok(Host::new(conn, guard))
}

fn common(conn: &Connection, busy: Duration) -> rusqlite::Result<()> {
    conn.busy_timeout(busy)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // A read error in a mapped file is a signal that ends the process; in a read call it is an error to tell.
    conn.pragma_update(None, "mmap_size", 0)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "foreign_keys", true)
}
