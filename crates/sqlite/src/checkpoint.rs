//! Moving committed pages from the write-ahead log into the database. SQLite would do it by itself after a commit and drop
//! the error; a sync that fails there matters as much as one in a commit, so the store does it and looks.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use riverrun_engine::store::StoreResult;
use rusqlite::Connection;

use crate::{error::classify, host::Host};

/// Pages in the log after which they are moved: 4 MiB, SQLite's own measure. More makes a reader search longer.
const PAGES: i32 = 1000;

/// Whether the log has grown enough; told by SQLite at each commit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checkpoint(Arc<AtomicBool>);

impl Checkpoint {
    /// Takes over from SQLite's own checkpoints on this connection.
    pub(crate) fn install(conn: &mut Connection) -> rusqlite::Result<Self> {
        let checkpoint = Self::default();
        let due = Arc::clone(&checkpoint.0);
        conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            due.store(pages >= PAGES, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(checkpoint)
    }

    /// Makes the next [`Self::run`] move what it can, however little it is.
    pub(crate) fn demand(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Moves what no reader needs any more, if the log has grown enough. Waits for nobody.
    pub(crate) fn run(&self, host: &Host) -> StoreResult<()> {
        if !self.0.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let moved = host.conn.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)").and_then(|mut statement| {
            statement.query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
        });
        let (in_log, moved) = moved.map_err(|error| classify(&error))?;
        tracing::trace!(in_log, moved, "checkpoint");
        Ok(())
    }
}
