//! How a store is opened: every choice with its default and its reason, and the order in which opening looks, locks,
//! checks and writes. Nothing here changes a file before it is known to be riverrun's to change.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{OpenError, Sqlite, checkpoint::Checkpoint, connection, guard::Guard, host::Host, inspect, lock::Lock};
use crate::{
    place::{self, Place},
    pool::Readers,
    schema,
    store::Parts,
};

/// Connections that read at the same time: as many as a small machine has use for; each keeps 2 MiB of pages.
const READERS: usize = 4;

/// How long another program may hold the database before the store calls it busy: a backup or a shell's statement takes
/// less, and a client's request should not wait longer.
const BUSY: Duration = Duration::from_secs(5);

/// The longest busy timeout: SQLite counts it in milliseconds of 32 bits, and nobody waits longer than a day.
const BUSY_MAX: Duration = Duration::from_hours(24);

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// When it is on stable storage. The only setting under which an answer survives a power cut.
    #[default]
    Full,
    /// When the system has taken it: a crash of the process loses nothing, a power cut may lose **answered** mutations.
    /// For tests and measurements.
    Normal,
}

/// How to open a store; made by [`Sqlite::options`].
#[derive(Debug, Clone)]
#[must_use = "options open nothing by themselves"]
pub struct Options {
    pub(crate) path: Option<PathBuf>,
    pub(crate) readers: usize,
    pub(crate) busy: Duration,
    synchronous: Synchronous,
    schema: Vec<String>,
    quick_check: bool,
}

impl Options {
    /// Options for a file.
    pub fn at(path: impl AsRef<Path>) -> Self {
        Self { path: Some(path.as_ref().to_path_buf()), ..Self::in_memory() }
    }

    /// Options for a database of no file, for tests: it ends with the store, and reads wait for writes.
    pub fn in_memory() -> Self {
        Self {
            path: None,
            readers: READERS,
            busy: BUSY,
            synchronous: Synchronous::default(),
            schema: Vec::new(),
            quick_check: false,
        }
    }

    /// How many reads can run at a time, at least 1; more wait for one to end. Default 4.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How long to wait for another program's lock, or for a free reading connection, before it is
    /// [`Busy`](riverrun_engine::store::StoreError::Busy). Default 5 s, at most a day.
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy = timeout.min(BUSY_MAX);
        self
    }

    /// When a commit counts as done. Default [`Synchronous::Full`].
    pub fn synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Tables of the application's own: statements run at every open, in one transaction, so they say `IF NOT EXISTS`.
    /// Names that begin with `rr_`, `PRAGMA`, `ON CONFLICT ROLLBACK` and `DEFERRED` foreign keys are refused. May be
    /// called several times.
    pub fn schema(mut self, sql: impl Into<String>) -> Self {
        self.schema.push(sql.into());
        self
    }

    /// Reads the whole file and checks its structure before anything is written; takes time in proportion to its size.
    /// Default off.
    pub fn quick_check(mut self, check: bool) -> Self {
        self.quick_check = check;
        self
    }

    /// Opens the store.
    pub fn open(self) -> Result<Sqlite, OpenError> {
        riverrun_engine::planted::from_environment();
        match &self.path {
            Some(path) => self.open_file(path),
            None => self.open_memory(),
        }
    }

    fn open_file(&self, given: &Path) -> Result<Sqlite, OpenError> {
        let path = inspect::locate(given)?;
        inspect::inspect(&path)?;
        let lock = Lock::take(&path)?;
        let sql = |error: rusqlite::Error| OpenError::from_sql(&path, &error);
        let conn = connection::writer(&path, self.busy).map_err(sql)?;
        schema::check(&conn, &path)?;
        if conn.is_readonly("main").map_err(sql)? {
            return Err(OpenError::Unwritable { path, why: "it is read-only; change its permissions".into() });
        }
        if self.quick_check {
            let found: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sql)?;
            if found != "ok" {
                return Err(OpenError::Corrupt { path, detail: found });
            }
        }
        let journal = connection::durable(&conn, self.synchronous).map_err(sql)?;
        if journal != "wal" {
            let detail = format!("its directory allows no write-ahead log (journal mode {journal}); use a local disk");
            return Err(OpenError::Io { path, detail });
        }
        let (writer, checkpoint) = self.prepare(conn, &path)?;
        place::settle(&path).map_err(|error| OpenError::from_io(&path, &error))?;
        let readers = Readers::open(&path, self.readers, self.busy).map_err(sql)?;
        let shown = format!("SQLite, {}", given.display());
        let place = Place::of(&path);
        Ok(Sqlite::of(Parts {
            readers: Some(readers),
            writer,
            checkpoint,
            place: Some(place),
            shown,
            lock: Some(lock),
        }))
    }

    fn open_memory(&self) -> Result<Sqlite, OpenError> {
        let path = Path::new("memory");
        let conn = connection::memory().map_err(|error| OpenError::from_sql(path, &error))?;
        let (writer, checkpoint) = self.prepare(conn, path)?;
        let shown = "SQLite, in memory".into();
        Ok(Sqlite::of(Parts { readers: None, writer, checkpoint, place: None, shown, lock: None }))
    }

    fn prepare(&self, mut conn: rusqlite::Connection, path: &Path) -> Result<(Host, Checkpoint), OpenError> {
        let sql = |error: rusqlite::Error| OpenError::from_sql(path, &error);
        schema::migrate(&mut conn, path)?;
        let checkpoint = Checkpoint::install(&mut conn).map_err(sql)?;
        let guard = Guard::install(&mut conn).map_err(sql)?;
        let host = Host::new(conn, guard);
        schema::of_the_application(&host, path, &self.schema)?;
        Ok((host, checkpoint))
    }
}
