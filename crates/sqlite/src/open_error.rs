//! Why a database could not be opened, in sentences that say what to do. What is told here was found before anything of
//! the file was changed, wherever that is possible at all.

use std::{io, path::Path, path::PathBuf};

use riverrun_engine::store::StoreError;
use rusqlite::ErrorCode;

/// Why [`Sqlite::open`](crate::Sqlite::open) gave no store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no file to read.
    #[error("{path} does not exist; name the database the application uses")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is of an earlier schema, which only a server may raise.
    #[error(
        "{path} is of an earlier version (schema {found}, this one needs {known}); start the server once, it brings it up to date"
    )]
    OlderSchema {
        /// The file.
        path: PathBuf,
        /// The schema the file has.
        found: i32,
        /// The schema this version reads.
        known: i32,
    },
    /// A file is in the way.
    #[error("{path} is there already; {advice}")]
    InTheWay {
        /// The file.
        path: PathBuf,
        /// What to do about it.
        advice: String,
    },
    /// The file is something else.
    #[error("{path} is not an SQLite database; name another file, or move this one away")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is an SQLite database of another program's.
    #[error("{path} is a database of another program ({why}); name another file")]
    NotRiverrun {
        /// The file.
        path: PathBuf,
        /// What shows it.
        why: String,
    },
    /// A later version of this program wrote the file.
    #[error(
        "{path} was written by a later version (schema {found}, this one knows {known}); run that version, or restore an older backup"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The schema the file has.
        found: i32,
        /// The last schema this version knows.
        known: i32,
    },
    /// Another server has the file open.
    #[error("{path} is open in another server{}; stop that one first", pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked {
        /// The file.
        path: PathBuf,
        /// The other server's process id, if its lock file tells.
        pid: Option<u32>,
    },
    /// The file can't be made or written where it is.
    #[error("{path} can't be written: {why}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        why: String,
    },
    /// The disk is full.
    #[error("there is no room left on the disk of {path}; make room and start again")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds the file longer than the busy timeout.
    #[error("{path} is held by another program for longer than the busy timeout; close it there and start again")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file contradicts itself.
    #[error("{path} is damaged ({detail}); keep a copy of it and restore a backup")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The schema of the application's own tables was refused.
    #[error("the application's schema was refused: {detail}")]
    Schema {
        /// SQLite's message, or which rule it breaks.
        detail: String,
    },
    /// Reading or writing failed for another reason.
    #[error("{path} could not be opened: {detail}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    /// An error of SQLite's while a file is opened.
    pub(crate) fn from_sql(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        let detail = error.to_string();
        match (error.sqlite_error_code(), crate::error::classify(error)) {
            (Some(ErrorCode::NotADatabase), _) => Self::NotADatabase { path },
            (Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied), _) => Self::Unwritable {
                path,
                why: format!("{detail}; look at the permissions of the file and its directory"),
            },
            (_, StoreError::Full) => Self::Full { path },
            (_, StoreError::Busy(_)) => Self::Busy { path },
            (_, StoreError::Corrupt(_)) => Self::Corrupt { path, detail },
            _ => Self::Io { path, detail },
        }
    }

    /// An error of the system's while a file beside the database is written.
    pub(crate) fn from_io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_path_buf();
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Unwritable {
                path,
                why: format!("{error}; look at the permissions of the file and its directory"),
            },
            _ => Self::Io { path, detail: error.to_string() },
        }
    }
}
