//! What SQLite's result codes mean to the engine. Each failure is named by what can be done about it; none is dropped and
//! none is softened into a success.

use riverrun_engine::store::StoreError;
use rusqlite::{Error as Sql, ErrorCode, ffi};

/// Why something inside the store stopped, before it is told to the engine.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite failed.
    Sql(Sql),
    /// The store itself found something wrong.
    Store(StoreError),
    /// A sink of the caller's returned an error: passed through, and no failure of the store.
    Caller(StoreError),
}

/// What the store's inner functions return.
pub(crate) type Fallible<T> = Result<T, Fault>;

impl From<Sql> for Fault {
    fn from(error: Sql) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What is stored does not read as what was written.
pub(crate) fn corrupt(what: impl Into<String>) -> StoreError {
    StoreError::Corrupt(what.into())
}

/// The engine's word for an error of SQLite's.
pub(crate) fn classify(error: &Sql) -> StoreError {
    let text = error.to_string();
    match error {
        Sql::SqliteFailure(failure, _) => by_code(*failure, text),
        Sql::FromSqlConversionFailure(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::InvalidColumnType(..)
        | Sql::Utf8Error(..) => corrupt(format!("a row does not read as it was written: {text}")),
        _ => StoreError::Other(text),
    }
}

fn by_code(failure: ffi::Error, text: String) -> StoreError {
    match failure.extended_code {
        ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC => return StoreError::SyncFailed(text),
        // The shared memory beside the log could not grow: the only ordinary reason is a full disk.
        ffi::SQLITE_IOERR_SHMSIZE => return StoreError::Full,
        ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA => return corrupt(text),
        ffi::SQLITE_READONLY_DBMOVED => return StoreError::Io(crate::place::MOVED.into()),
        _ => {}
    }
    match failure.code {
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            StoreError::Busy(text)
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => corrupt(text),
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            StoreError::Io(text)
        }
        _ => StoreError::Other(text),
    }
}

/// The database, not the statement, is why this failed: what else the transaction does can't be believed.
pub(crate) fn is_the_database(error: &Sql) -> bool {
    match error {
        Sql::SqliteFailure(failure, _) => {
            !matches!(classify(error), StoreError::Other(_))
                || matches!(failure.code, ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_result_code_is_told_by_what_can_be_done_about_it() {
        let told = |code| classify(&Sql::SqliteFailure(ffi::Error::new(code), None));
        assert_eq!(told(ffi::SQLITE_FULL), StoreError::Full);
        assert_eq!(told(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full);
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_SNAPSHOT, ffi::SQLITE_LOCKED, ffi::SQLITE_PROTOCOL] {
            assert!(matches!(told(code), StoreError::Busy(_)), "{code}");
        }
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC] {
            assert!(matches!(told(code), StoreError::SyncFailed(_)), "{code}");
        }
        for code in
            [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_READ, ffi::SQLITE_CANTOPEN, ffi::SQLITE_READONLY_DBMOVED]
        {
            assert!(matches!(told(code), StoreError::Io(_)), "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_IOERR_CORRUPTFS] {
            assert!(matches!(told(code), StoreError::Corrupt(_)), "{code}");
        }
        assert!(matches!(told(ffi::SQLITE_CONSTRAINT_PRIMARYKEY), StoreError::Other(_)));
    }

    #[test]
    fn a_failing_statement_is_told_from_a_failing_database() {
        let is = |code| is_the_database(&Sql::SqliteFailure(ffi::Error::new(code), None));
        for code in
            [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM, ffi::SQLITE_CORRUPT, ffi::SQLITE_BUSY]
        {
            assert!(is(code), "{code}");
        }
        for code in [ffi::SQLITE_ERROR, ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_AUTH, ffi::SQLITE_TOOBIG] {
            assert!(!is(code), "{code}");
        }
    }
}
