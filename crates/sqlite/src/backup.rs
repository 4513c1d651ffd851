//! Copying a database while others write to it: every page as of one moment, to a file that appears under its name only
//! when it is whole and on the disk. It changes nothing of the database it copies.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use riverrun_engine::store::{StoreError, StoreResult};
use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};

use crate::{error::classify, host::Host};

/// Pages copied between two words of progress: 4 MiB.
const STEP: std::ffi::c_int = 1000;

/// How long to leave the database to whoever holds it in the way of a copy.
const PAUSE: Duration = Duration::from_millis(20);

/// What a file's name has added while it is being written.
const PARTIAL: &str = "-partial";

/// Writes a backup of what `host` reads.
pub(crate) fn backup(host: &Host, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> StoreResult<()> {
    if file.exists() {
        return Err(StoreError::Other(format!("{} is there already; name a new file", file.display())));
    }
    let partial = beside(file, PARTIAL);
    let written = write(host, &partial, progress).and_then(|()| {
        fs::rename(&partial, file).map_err(|error| told(file, &error))?;
        settle(file).map_err(|error| told(file, &error))
    });
    if written.is_err() {
        // What is left is no backup, and the failure is told already.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn write(host: &Host, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> StoreResult<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(file, &error)),
        _ => {}
    }
    // One snapshot for all steps: without it each commit of a server would begin the copy anew.
    let _moment = host.begin("BEGIN DEFERRED")?;
    host.conn.query_row("SELECT count(*) FROM rr_meta", [], |_| Ok(())).map_err(|error| classify(&error))?;
    copy(&host.conn, file, progress).map_err(|error| classify(&error))?;
    fs::File::open(file).and_then(|copied| copied.sync_all()).map_err(|error| told(file, &error))
}

/// Copies all pages to a new file, which is one file then, without a write-ahead log beside it.
pub(crate) fn copy(from: &Connection, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> rusqlite::Result<()> {
    let mut to = Connection::open(file)?;
    let backup = Backup::new(from, &mut to)?;
    loop {
        let step = backup.step(STEP)?;
        let at = backup.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or(0);
        progress(pages(at.pagecount.saturating_sub(at.remaining)), pages(at.pagecount));
        match step {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => thread::sleep(PAUSE),
            _ => {}
        }
    }
    drop(backup);
    to.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    to.close().map_err(|(_, error)| error)
}

/// A file beside another one.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}

/// Makes a rename survive a power cut.
pub(crate) fn settle(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { fs::File::open(directory)?.sync_all() } else { Ok(()) }
}

fn told(file: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Io(format!("{}: {error}", file.display())),
    }
}
