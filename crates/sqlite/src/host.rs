//! One connection with what the store knows about it: its guard, and the first failure of the transaction on it. It is the
//! type an application's transaction is found by inside a mutator. A transaction that is dropped is rolled back, so that
//! neither an error nor a panic leaves one open.

use std::cell::RefCell;

use riverrun_engine::store::{StoreError, StoreResult};
use rusqlite::Connection;

use crate::{error::classify, guard::Guard};

/// A connection of the store's.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) conn: Connection,
    pub(crate) guard: Guard,
    failed: RefCell<Option<StoreError>>,
}

impl Host {
    /// Takes over an opened connection.
    pub(crate) fn new(conn: Connection, guard: Guard) -> Self {
        Self { conn, guard, failed: RefCell::default() }
    }

    /// Why the open transaction can't be committed any more, if it can't.
    pub(crate) fn failed(&self) -> Option<StoreError> {
        self.failed.borrow().clone()
    }

    /// Remembers the first failure of the open transaction.
    pub(crate) fn fail(&self, error: StoreError) {
        self.failed.borrow_mut().get_or_insert(error);
    }

    /// Begins a transaction with this statement.
    pub(crate) fn begin(&self, how: &str) -> StoreResult<Open<'_>> {
        self.failed.borrow_mut().take();
        self.end();
        self.run(how)?;
        Ok(Open { host: self })
    }

    fn run(&self, sql: &str) -> StoreResult<()> {
        self.conn
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map_err(|error| classify(&error))?;
        Ok(())
    }

    fn end(&self) {
        if self.conn.is_autocommit() {
            return;
        }
        if let Err(error) = self.run("ROLLBACK") {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }
}

/// An open transaction; dropped, it is rolled back.
#[derive(Debug)]
pub(crate) struct Open<'a> {
    host: &'a Host,
}

impl Open<'_> {
    /// Commits. On an error nothing of it is visible, though a failed sync leaves open what a restart finds.
    pub(crate) fn commit(self) -> StoreResult<()> {
        self.host.run("COMMIT")
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.host.end();
    }
}
