//! Putting a backup in a database's place. The history it brings is another one than the clients saw last, so it gets an
//! epoch of its own before anyone can open it; what stood there before is moved aside, never destroyed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use riverrun_core::Epoch;
use riverrun_engine::store::{self, StoreError};
use rusqlite::Connection;

use crate::{OpenError, Options, backup, connection, inspect, lock::Lock, schema};

/// What a database's name has added while its successor is made.
const RESTORING: &str = "-restoring";

/// What SQLite puts beside a file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// A restored database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The new history's identity.
    pub epoch: Epoch,
    /// Where the database that stood there before is now.
    pub aside: Option<PathBuf>,
}

/// Makes `database` of a backup, with a new epoch: clients of the old history resync and keep what is pending. A database
/// that is there already is refused, or with `replace` moved aside. Fails while a server runs on it. Nothing is changed
/// unless all of it succeeds.
pub fn restore(from: &Path, database: &Path, replace: bool) -> Result<Restored, OpenError> {
    let source = inspect::locate(from)?;
    let path = inspect::locate(database)?;
    if !source.exists() {
        return Err(OpenError::Missing { path: source });
    }
    if source == path {
        return Err(OpenError::InTheWay { path, advice: "it is the backup itself; name another database".into() });
    }
    inspect::inspect(&source)?;
    let there = path.exists();
    if there && !replace {
        let advice = "say that it may be replaced, or name another database".into();
        return Err(OpenError::InTheWay { path, advice });
    }
    let lock = Lock::take(&path)?;
    let made = backup::beside(&path, RESTORING);
    let restored = prepare(&source, &made).and_then(|epoch| {
        let aside = if there { Some(move_aside(&path)?) } else { None };
        let io = |error: io::Error| OpenError::from_io(&path, &error);
        fs::rename(&made, &path).map_err(io)?;
        backup::settle(&path).map_err(io)?;
        Ok(Restored { epoch, aside })
    });
    let sweep = if restored.is_ok() { &["-lock"][..] } else { &["", "-wal", "-shm", "-lock"] };
    for suffix in sweep {
        // Remains of a failure that is told already, or of the opening in between.
        let _ = fs::remove_file(backup::beside(&made, suffix));
    }
    drop(lock);
    restored
}

/// The successor: all pages of the backup, brought up to date, checked, with a new epoch, closed and on the disk.
fn prepare(source: &Path, made: &Path) -> Result<Epoch, OpenError> {
    for suffix in ["", "-wal", "-shm"] {
        match fs::remove_file(backup::beside(made, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(OpenError::from_io(made, &error)),
            _ => {}
        }
    }
    let reader = connection::reader(source, std::time::Duration::ZERO).map_err(|e| OpenError::from_sql(source, &e))?;
    schema::check_a_log(&reader.conn, source)?;
    backup::copy(&reader.conn, made, &mut |_, _| ()).map_err(|error| OpenError::from_sql(made, &error))?;
    let opened = Options::at(made).quick_check(true).open()?;
    let failed = |error: StoreError| OpenError::Io { path: made.to_path_buf(), detail: error.to_string() };
    let epoch = Epoch::new(uuid::Uuid::now_v7().to_string())
        .map_err(|error| OpenError::Io { path: made.to_path_buf(), detail: error.to_string() })?;
    store::write(&opened, |tx| tx.set_epoch(&epoch)).map_err(failed)?;
    drop(opened);
    let left = fs::metadata(backup::beside(made, "-wal")).is_ok_and(|log| log.len() > 0);
    if left {
        return Err(failed(StoreError::Io("its write-ahead log could not be emptied".into())));
    }
    fs::File::open(made).and_then(|file| file.sync_all()).map_err(|error| OpenError::from_io(made, &error))?;
    Ok(epoch)
}

/// Moves the old database aside. Its name keeps naming it until the successor takes it over; its write-ahead log must go
/// first, because SQLite would play it into the successor.
fn move_aside(path: &Path) -> Result<PathBuf, OpenError> {
    let io = |error: io::Error| OpenError::from_io(path, &error);
    // Best into the file; one too damaged for that keeps its log beside it.
    if let Ok(old) = Connection::open(path) {
        let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let aside = backup::beside(path, &format!(".replaced-{now}"));
    fs::hard_link(path, &aside).or_else(|_| fs::copy(path, &aside).map(drop)).map_err(io)?;
    for suffix in COMPANIONS {
        let companion = backup::beside(path, suffix);
        if companion.exists() {
            fs::rename(&companion, backup::beside(&aside, suffix)).map_err(io)?;
        }
    }
    Ok(aside)
}
