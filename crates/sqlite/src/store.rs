//! The store itself: who may use which connection when, and what a failed commit means for the commits after it. A panic
//! inside a transaction rolls it back and leaves the store usable; a failed sync ends its writing for good.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use riverrun_core::planted::{Bug, is};
use riverrun_engine::{
    Store,
    store::{ReadTx, StoreError, StoreResult, WriteTx},
};
use rusqlite::config::DbConfig;

use crate::{
    OpenError, Options,
    checkpoint::Checkpoint,
    error::{Fallible, Fault, classify},
    host::Host,
    lock::Lock,
    place::Place,
    pool::Readers,
    session::{Session, Shared},
};

/// A log, its state and the application's tables in one SQLite file. Cheap to clone; the file is closed, and free for
/// another server, when the last clone is dropped.
///
/// One write runs at a time; reads run beside it, each on one snapshot. All methods block: call them from threads that
/// drive no async runtime.
#[derive(Debug, Clone)]
pub struct Sqlite {
    pub(crate) inner: Arc<Inner>,
}

/// What opening puts together.
pub(crate) struct Parts {
    pub(crate) readers: Option<Readers>,
    pub(crate) writer: Host,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) place: Option<Place>,
    pub(crate) shown: String,
    pub(crate) lock: Option<Lock>,
}

/// In the order in which they are dropped: the writing connection is closed last, to empty the write-ahead log, and the
/// lock is let go after it.
#[derive(Debug)]
pub(crate) struct Inner {
    /// `None` where there is no file: then the writing connection reads, too.
    pub(crate) readers: Option<Readers>,
    writer: Mutex<Host>,
    shared: Shared,
    checkpoint: Checkpoint,
    place: Option<Place>,
    shown: String,
    /// Why this store writes no more.
    sync_failed: OnceLock<String>,
    _lock: Option<Lock>,
}

impl Sqlite {
    /// Opens a database, and creates it if there is none.
    ///
    /// The file is locked against other servers for as long as the store lives (`app.db-lock` beside it holds the process
    /// id). An SQLite file with tables of the application's own is taken over; another program's is refused.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Options::at(path).open()
    }

    /// Options to open a database with.
    ///
    /// ```
    /// # fn main() -> Result<(), riverrun_sqlite::OpenError> {
    /// # let path = std::env::temp_dir().join(format!("riverrun-doc-{}.db", std::process::id()));
    /// use riverrun_sqlite::Sqlite;
    /// let store = Sqlite::options(&path).readers(2).schema("CREATE TABLE IF NOT EXISTS audit (what TEXT)").open()?;
    /// # drop(store);
    /// # for end in ["", "-lock"] { let _ = std::fs::remove_file(format!("{}{end}", path.display())); }
    /// # Ok(())
    /// # }
    /// ```
    pub fn options(path: impl AsRef<Path>) -> Options {
        Options::at(path)
    }

    /// A database of no file, for tests. Reads wait for writes.
    pub fn in_memory() -> Result<Self, OpenError> {
        Options::in_memory().open()
    }

    pub(crate) fn of(parts: Parts) -> Self {
        let Parts { readers, writer, checkpoint, place, shown, lock } = parts;
        let inner = Inner {
            readers,
            writer: Mutex::new(writer),
            shared: Shared::default(),
            checkpoint,
            place,
            shown,
            sync_failed: OnceLock::new(),
            _lock: lock,
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Inner {
    /// The writing connection. A panic while it was held rolled back on its way out, so there is nothing to fear in it.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Host> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` on a connection to read from.
    pub(crate) fn reading<T>(&self, work: impl FnOnce(&Host) -> StoreResult<T>) -> StoreResult<T> {
        match &self.readers {
            Some(readers) => readers.with(work),
            None => work(&self.writer()),
        }
    }

    /// One transaction. An error of the closure's own is told apart from the store's: it says nothing about the disk.
    fn commit_on(&self, host: &Host, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> Fallible<()> {
        let open = host.begin("BEGIN IMMEDIATE")?;
        let mut session = Session::writing(host, &self.shared);
        let outcome = work(&mut session);
        // What failed underneath is the cause, whatever the closure made of it.
        if let Some(failed) = host.failed() {
            return Err(failed.into());
        }
        outcome.map_err(Fault::Caller)?;
        let learned = session.finish()?;
        if let Some(place) = &self.place {
            place.check()?;
        }
        let committed = open.commit();
        if !is(Bug::SqliteCommitIgnored) {
            committed?;
        }
        self.shared.learn(learned);
        Ok(())
    }

    fn writable(&self) -> StoreResult<()> {
        self.sync_failed.get().map_or(Ok(()), |why| Err(StoreError::SyncFailed(why.clone())))
    }

    /// After a failed sync the system may call pages clean that never reached the disk. Nothing more is written, and the
    /// write-ahead log is left as it is for the next start to read.
    fn watch(&self, host: &Host, error: &StoreError) {
        let StoreError::SyncFailed(why) = error else { return };
        if is(Bug::SqliteSyncRetried) {
            return;
        }
        if self.sync_failed.set(why.clone()).is_ok() {
            tracing::error!(%why, store = %self.shown, "a sync to disk failed; the store writes no more until a restart");
        }
        if let Err(error) = host.conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true) {
            tracing::error!(%error, "the write-ahead log could not be kept from being emptied at the end");
        }
    }

    /// Moves pages out of the write-ahead log, if it is time. The transaction before it is decided by now: what fails here
    /// must not make it look undone.
    fn tidy(&self, host: &Host) {
        if let Err(error) = self.checkpoint.run(host) {
            self.watch(host, &error);
            tracing::warn!(%error, store = %self.shown, "a checkpoint failed; the write-ahead log grows until one succeeds");
        }
    }
}

impl Store for Sqlite {
    fn write(&self, work: &mut dyn FnMut(&mut dyn WriteTx) -> StoreResult<()>) -> StoreResult<()> {
        let inner = &*self.inner;
        let host = inner.writer();
        inner.writable()?;
        let outcome = inner.commit_on(&host, work).map_err(|fault| {
            let error = match fault {
                Fault::Caller(error) => return error,
                Fault::Store(error) => error,
                Fault::Sql(error) => classify(&error),
            };
            inner.watch(&host, &error);
            if error == StoreError::Full {
                // A log whose pages are all moved is written from its beginning again, and needs no more room.
                inner.checkpoint.demand();
            }
            error
        });
        inner.tidy(&host);
        outcome
    }

    fn read(&self, work: &mut dyn FnMut(&mut dyn ReadTx) -> StoreResult<()>) -> StoreResult<()> {
        self.inner.reading(|host| {
            let _open = host.begin("BEGIN DEFERRED")?;
            work(&mut Session::reading(host, &self.inner.shared))
        })
    }

    fn describe(&self) -> String {
        self.inner.shown.clone()
    }

    fn backup(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> StoreResult<()> {
        self.inner.reading(|host| crate::backup::backup(host, file, progress))
    }
}
