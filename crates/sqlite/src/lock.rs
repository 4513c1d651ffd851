//! The lock that keeps a second server away: two writers with caches of their own would each believe to be the only one.
//! It is the system's lock on a file beside the database, so it ends with the process; the file itself is never removed,
//! because removing it would let two servers lock two files of one name.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};

use crate::OpenError;

/// What the lock file's name adds to the database's.
const SUFFIX: &str = "-lock";

/// Bytes of a lock file that are read: a process id has at most ten digits.
const PID_BYTES: u64 = 16;

/// An exclusive claim on a database, as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Claims a database, or says who has it.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let failed = |error: std::io::Error| OpenError::from_io(path, &error);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_path(path))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked { path: path.to_path_buf(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a process being started elsewhere in this one holds a copy of it for a moment.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "a database's lock could not be let go");
        }
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(SUFFIX);
    name.into()
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(PID_BYTES).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
