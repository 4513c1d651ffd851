//! Reading the application's own tables outside of a mutator: any SQL that reads, on one snapshot. It can't write, end its
//! transaction, reach other files or change a setting.

use riverrun_engine::store::{StoreError, StoreResult};
use rusqlite::{Connection, ErrorCode};

use crate::{
    Sqlite,
    error::{classify, is_the_database},
    host::Host,
};

impl Sqlite {
    /// Runs `work` on a connection that only reads, in one snapshot that holds every commit that had returned. Blocks while
    /// all reading connections are in use, up to the busy timeout.
    ///
    /// An error of `work` comes back as the store's if the database failed, and else (a mistake in the SQL, a statement
    /// that would write, a row that does not read as the type asked for) as
    /// [`Other`](riverrun_engine::store::StoreError::Other).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use riverrun_sqlite::Options;
    /// let store = Options::in_memory().schema("CREATE TABLE IF NOT EXISTS audit (what TEXT)").open()?;
    /// let count: i64 = store.query(|conn| conn.query_row("SELECT count(*) FROM audit", [], |row| row.get(0)))?;
    /// assert_eq!(count, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn query<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> StoreResult<T> {
        self.inner.reading(|host| {
            let _only = ReadOnly::of(host, self.inner.readers.is_none())?;
            let _open = host.begin("BEGIN DEFERRED")?;
            let _held = host.guard.hold();
            work(&host.conn).map_err(|error| told(&error))
        })
    }
}

/// A reading connection refuses to write: that is the statement's mistake, not the database's.
fn told(error: &rusqlite::Error) -> StoreError {
    let refused = error.sqlite_error_code() == Some(ErrorCode::ReadOnly);
    if is_the_database(error) && !refused { classify(error) } else { StoreError::Other(error.to_string()) }
}

/// Keeps the one connection of a database in memory from writing; the connections of a file's readers never can.
struct ReadOnly<'a>(Option<&'a Host>);

impl<'a> ReadOnly<'a> {
    fn of(host: &'a Host, needed: bool) -> StoreResult<Self> {
        if !needed {
            return Ok(Self(None));
        }
        host.conn.pragma_update(None, "query_only", true).map_err(|error| classify(&error))?;
        Ok(Self(Some(host)))
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let Some(host) = self.0 else { return };
        if let Err(error) = host.conn.pragma_update(None, "query_only", false) {
            tracing::error!(%error, "the database in memory can't be written any more");
        }
    }
}
