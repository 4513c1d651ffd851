//! The open transaction inside a mutator, for tables of the application's own: they commit with the log or not at all. It
//! hands out no connection, and its errors are the mutator's: a broken constraint is a `conflict`, a failing disk is never
//! a verdict, and a mistake in the SQL is told to the server's log only.

use std::any::Any;

use riverrun_core::{Code, Reject, Tx};
use rusqlite::{Error as Sql, ErrorCode, Params, Row, Statement};

use crate::{
    error::{classify, is_the_database},
    host::Host,
    words,
};

/// Begins each of the application's statements. It keeps them apart from the store's own in the cache of prepared
/// statements: one of the store's was prepared without asking the guard.
const MARK: &str = "/*app*/ ";

/// What is told instead of an SQL mistake's text.
const MISTAKE: &str = "the application's SQL failed; the server's log says why";

/// The open transaction of a mutator.
///
/// Its statements see the mutator's writes and are undone with them. They may do anything to tables of the application's
/// own, but not touch the transaction, other files, settings, temporary tables, or write to tables that begin with `rr_`.
///
/// ```
/// use riverrun_core::{Reject, Tx};
/// use riverrun_sqlite::rusqlite::params;
///
/// fn note(tx: &mut Tx<'_>) -> Result<(), Reject> {
///     let mut sql = riverrun_sqlite::tx(tx)?;
///     sql.execute("INSERT INTO audit (what) VALUES (?1)", params!["noted"])?;
///     let count: Option<i64> = sql.query_row("SELECT count(*) FROM audit", [], |row| row.get(0))?;
///     if count > Some(1000) { return Err(Reject::new("audit_full", "the audit is full")) }
///     Ok(())
/// }
/// ```
pub struct SqlTx<'a> {
    tx: &'a mut (dyn Latch + 'a),
}

/// The open SQLite transaction of a mutator.
///
/// Fails with `internal_error` if the engine runs on another store.
pub fn tx<'a>(tx: &'a mut Tx<'_>) -> Result<SqlTx<'a>, Reject> {
    if host(tx.host()).is_none() {
        tracing::error!("a mutator asked for the SQLite transaction, but the engine runs on another store");
        return Err(mistake());
    }
    Ok(SqlTx { tx })
}

impl SqlTx<'_> {
    /// Executes one statement and says how many rows it changed.
    ///
    /// A constraint it breaks is a `conflict` with the constraint's text; its effects are undone, earlier ones are not.
    pub fn execute(&mut self, sql: &str, params: impl Params) -> Result<usize, Reject> {
        self.run(sql, |statement| statement.execute(params))
    }

    /// The first row of a query, if there is one.
    pub fn query_row<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Reject> {
        self.run(sql, |statement| statement.query(params)?.next()?.map(read).transpose())
    }

    /// All rows of a query; the statement's own `LIMIT` bounds them.
    pub fn query_map<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Reject> {
        self.run(sql, |statement| statement.query_map(params, read)?.collect())
    }

    fn run<T>(&mut self, sql: &str, work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>) -> Result<T, Reject> {
        if let Some(why) = words::refused(sql) {
            tracing::error!(%why, %sql, "an application's statement was refused");
            return Err(mistake());
        }
        let Some(host) = host(self.tx.host()) else { return Err(mistake()) };
        // A mutator that goes on after a failure must not write into a transaction that is gone.
        if host.failed().is_some() {
            return Err(self.tx.latch());
        }
        let held = host.guard.hold();
        let done = host.conn.prepare_cached(&format!("{MARK}{sql}")).and_then(|mut statement| work(&mut statement));
        drop(held);
        let error = match done {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let ended = host.conn.is_autocommit();
        if ended || is_the_database(&error) {
            tracing::error!(%error, ended, "the database failed under an application's statement");
            host.fail(classify(&error));
            return Err(self.tx.latch());
        }
        Err(refusal(sql, &error))
    }
}

fn refusal(sql: &str, error: &Sql) -> Reject {
    if let Sql::SqliteFailure(failure, text) = error
        && failure.code == ErrorCode::ConstraintViolation
    {
        return Reject::conflict(text.clone().unwrap_or_else(|| failure.to_string()));
    }
    tracing::error!(%error, %sql, "an application's statement failed");
    mistake()
}

fn mistake() -> Reject {
    Reject::with(Code::InternalError, None, MISTAKE)
}

fn host(any: Option<&dyn Any>) -> Option<&Host> {
    any?.downcast_ref()
}

/// What is needed of [`Tx`], whatever it borrows.
trait Latch {
    fn host(&self) -> Option<&dyn Any>;
    fn latch(&mut self) -> Reject;
}

impl Latch for Tx<'_> {
    fn host(&self) -> Option<&dyn Any> {
        Tx::host(self)
    }

    fn latch(&mut self) -> Reject {
        Tx::latch(self)
    }
}
