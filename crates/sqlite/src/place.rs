//! Whether the file that was opened is still the one its path names. A database moved away or replaced under a running
//! server would take commits that nobody finds again, so a store looks before each commit; it repairs nothing.

use std::path::{Path, PathBuf};

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
