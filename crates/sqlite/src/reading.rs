//! Opening a database only to look at it, beside a server that runs or without one. It takes no lock that a server needs,
//! raises no schema and makes no file that was not there, the write-ahead log's own two aside.

use std::path::Path;

use crate::{
    OpenError, Options, Sqlite, checkpoint::Checkpoint, connection, inspect, pool::Readers, schema, store::Parts,
};

impl Options {
    /// Opens the store to read only, also while a server has it open: neither waits for the other, except that a very long
    /// read lets the server's write-ahead log grow until it ends. A write fails.
    pub fn open_to_read(self) -> Result<Sqlite, OpenError> {
        let Some(given) = &self.path else { return self.open() };
        let path = inspect::locate(given)?;
        if !path.exists() {
            return Err(OpenError::Missing { path });
        }
        inspect::inspect(&path)?;
        let sql = |error: rusqlite::Error| OpenError::from_sql(&path, &error);
        // Where the writing connection would be: it can't write either, and keeps the store of one shape.
        let writer = connection::reader(&path, self.busy).map_err(sql)?;
        schema::check_to_read(&writer.conn, &path)?;
        let readers = Readers::open(&path, self.readers, self.busy).map_err(sql)?;
        Ok(Sqlite::of(Parts {
            readers: Some(readers),
            writer,
            checkpoint: Checkpoint::default(),
            place: None,
            shown: shown(given),
            lock: None,
        }))
    }
}

/// How a store that is only read is called.
fn shown(given: &Path) -> String {
    format!("SQLite, {}, to read", given.display())
}
