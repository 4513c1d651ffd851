//! One transaction as the engine sees it: the connection, the scopes' numbers it learned, and whether it may write. The
//! numbers of scopes it created stay its own until its commit. The first failure of a write ends it, whatever follows.

use std::sync::{Mutex, PoisonError};

use riverrun_core::{
    Scope,
    planted::{Bug, is},
};
use riverrun_engine::store::{StoreError, StoreResult};
use rusqlite::{OptionalExtension, Params, Row};

use crate::{
    error::{Fallible, Fault, classify},
    forget::Place,
    host::Host,
    keys::ScopeKeys,
};

/// What all transactions of a store know together; only what is committed.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    keys: ScopeKeys,
    /// Where the last pruning of verdicts ended; the next one goes on from there.
    pruned: Mutex<Round>,
}

/// A pruning of verdicts.
#[derive(Debug, Clone, Default)]
struct Round {
    /// Where it ended short of the end.
    ended: Option<Place>,
}

/// What a transaction leaves behind for others once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    created: Vec<(Scope, i64)>,
    pruned: Option<Round>,
}

impl Shared {
    /// Takes over what a committed transaction learned.
    pub(crate) fn learn(&self, learned: Learned) {
        for (scope, key) in learned.created {
            self.keys.keep(&scope, key);
        }
        if let Some(pruned) = learned.pruned {
            *self.pruned.lock().unwrap_or_else(PoisonError::into_inner) = pruned;
        }
    }
}

/// An open transaction.
pub(crate) struct Session<'a> {
    pub(crate) host: &'a Host,
    shared: &'a Shared,
    writes: bool,
    learned: Learned,
    /// How many scopes were created before the open savepoint.
    savepoint: Option<usize>,
}

impl<'a> Session<'a> {
    pub(crate) fn reading(host: &'a Host, shared: &'a Shared) -> Self {
        Self { host, shared, writes: false, learned: Learned::default(), savepoint: None }
    }

    pub(crate) fn writing(host: &'a Host, shared: &'a Shared) -> Self {
        Self { writes: true, ..Self::reading(host, shared) }
    }

    /// Whether it may write.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// What it leaves behind, right before its commit.
    pub(crate) fn finish(self) -> StoreResult<Learned> {
        match self.savepoint {
            None => Ok(self.learned),
            Some(_) => Err(StoreError::Other("a savepoint was neither released nor rolled back".into())),
        }
    }

    /// Does one thing of the contract. In a write, the first failure is kept: a transaction with a hole in it must not be
    /// committed, whatever its closure returns.
    pub(crate) fn run<T>(&mut self, work: impl FnOnce(&mut Self) -> Fallible<T>) -> StoreResult<T> {
        if self.writes
            && let Some(failed) = self.host.failed()
        {
            return Err(failed);
        }
        let error = match work(self) {
            Ok(done) => return Ok(done),
            Err(Fault::Caller(error)) => return Err(error),
            Err(Fault::Store(error)) => error,
            Err(Fault::Sql(error)) => classify(&error),
        };
        if self.writes {
            self.host.fail(error.clone());
        }
        Err(error)
    }

    /// Executes a statement and says how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: impl Params) -> Fallible<usize> {
        Ok(self.host.conn.prepare_cached(sql)?.execute(params)?)
    }

    /// The one row of a query, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Fallible<T>,
    ) -> Fallible<Option<T>> {
        let mut statement = self.host.conn.prepare_cached(sql)?;
        statement.query_row(params, |row| Ok(read(row))).optional()?.transpose()
    }

    /// The rows of a query, until `sink` returns `false`.
    pub(crate) fn each(
        &self,
        sql: &str,
        params: impl Params,
        mut sink: impl FnMut(&Row<'_>) -> Fallible<bool>,
    ) -> Fallible<()> {
        let mut statement = self.host.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            if !sink(row)? {
                break;
            }
        }
        Ok(())
    }

    /// The number of a scope, if it has a row.
    pub(crate) fn key(&self, scope: &Scope) -> Fallible<Option<i64>> {
        if let Some((_, key)) = self.learned.created.iter().find(|(created, _)| created == scope) {
            return Ok(Some(*key));
        }
        if let Some(key) = self.shared.keys.get(scope) {
            return Ok(Some(key));
        }
        let found = self.one("SELECT key FROM rr_scope WHERE name = ?1", [scope.as_str()], |row| Ok(row.get(0)?))?;
        // Rows of its own making are listed above, so this one is committed.
        if let Some(key) = found {
            self.shared.keys.keep(scope, key);
        }
        Ok(found)
    }

    /// The number of a scope, which gets a row if it has none.
    pub(crate) fn make_key(&mut self, scope: &Scope) -> Fallible<i64> {
        if let Some(key) = self.key(scope)? {
            return Ok(key);
        }
        let sql = "INSERT INTO rr_scope (name, cursor, digest, floor, floor_digest) VALUES (?1, 0, 0, 0, 0)";
        self.execute(sql, [scope.as_str()])?;
        let key = self.host.conn.last_insert_rowid();
        self.learned.created.push((scope.clone(), key));
        if is(Bug::SqliteKeyBeforeCommit) {
            self.shared.keys.keep(scope, key);
        }
        Ok(key)
    }

    /// Opens the savepoint.
    pub(crate) fn mark(&mut self) -> Fallible<()> {
        if self.savepoint.is_some() {
            return Err(StoreError::Other("savepoints can't be nested".into()).into());
        }
        self.execute("SAVEPOINT rr_mutation", [])?;
        self.savepoint = Some(self.learned.created.len());
        Ok(())
    }

    /// Closes the savepoint, keeping or undoing what was done since.
    pub(crate) fn unmark(&mut self, keep: bool) -> Fallible<()> {
        let Some(created) = self.savepoint.take() else {
            return Err(StoreError::Other("there is no savepoint".into()).into());
        };
        if !keep {
            self.execute("ROLLBACK TO rr_mutation", [])?;
            self.learned.created.truncate(created);
        }
        self.execute("RELEASE rr_mutation", [])?;
        Ok(())
    }

    /// Where the last pruning of verdicts ended.
    pub(crate) fn pruned(&self) -> Option<Place> {
        match &self.learned.pruned {
            Some(round) => round.ended.clone(),
            None => self.shared.pruned.lock().unwrap_or_else(PoisonError::into_inner).ended.clone(),
        }
    }

    /// Remembers where a pruning of verdicts ended.
    pub(crate) fn set_pruned(&mut self, ended: Option<Place>) {
        self.learned.pruned = Some(Round { ended });
    }
}
