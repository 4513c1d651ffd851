//! Whether the file that was opened is still the one its path names. A database moved away or replaced under a running
//! server would take commits that nobody finds again, so a store looks before each commit; it repairs nothing.

use std::{
    io,
    path::{Path, PathBuf},
};

use riverrun_engine::store::{StoreError, StoreResult};

/// What is said when the path names another file now.
pub(crate) const MOVED: &str =
    "the database file was moved, removed or replaced while it was open; stop the server, put it right and start again";

/// A file's path and its identity on the disk.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Place {
    /// Remembers which file a path names now.
    pub(crate) fn of(path: &Path) -> Self {
        Self { path: path.to_path_buf(), identity: identity(path) }
    }

    /// Fails if the path names another file by now. Costs one system call.
    pub(crate) fn check(&self) -> StoreResult<()> {
        if identity(&self.path) == self.identity { Ok(()) } else { Err(StoreError::Io(MOVED.into())) }
    }
}

/// Brings the names of the database and of its write-ahead log to the disk. SQLite does this too, but drops the error, and
/// a power cut would then take the log away with all that was answered from it.
#[cfg(unix)]
pub(crate) fn settle(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| std::fs::File::open(directory)?.sync_all())
}

/// Elsewhere a directory can't be opened to be synced.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "the shape of the one above")]
pub(crate) fn settle(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Elsewhere an open file can't be moved or removed in the first place.
#[cfg(not(unix))]
fn identity(_: &Path) -> Option<(u64, u64)> {
    None
}
