//! A look at a file before SQLite touches it: opening a stranger's database would already change it. It only reads; what
//! may lie in a write-ahead log is looked at again once the database is open.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{OpenError, schema::APPLICATION_ID};

/// How every SQLite file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Bytes of SQLite's header; a database that was ever written has at least these.
const HEADER_BYTES: usize = 100;

/// Where the header holds the application id, four bytes, the highest first.
const APPLICATION_ID_AT: usize = 68;

/// The one path of a file, whatever links lead to it: two servers must meet at the same lock.
pub(crate) fn locate(path: &Path) -> Result<PathBuf, OpenError> {
    let unwritable = |why: String| OpenError::Unwritable { path: path.to_path_buf(), why };
    if let Ok(found) = fs::canonicalize(path) {
        return if found.is_dir() { Err(unwritable("it is a directory; name a file in it".into())) } else { Ok(found) };
    }
    let Some(name) = path.file_name() else { return Err(unwritable("it names no file".into())) };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let shown = directory.display();
    match fs::canonicalize(directory) {
        Ok(directory) if directory.is_dir() => Ok(directory.join(name)),
        Ok(_) => Err(unwritable(format!("{shown} is not a directory"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(unwritable(format!("the directory {shown} does not exist; create it first")))
        }
        Err(error) => Err(unwritable(error.to_string())),
    }
}

/// Refuses a file that is no database, or plainly another program's.
pub(crate) fn inspect(path: &Path) -> Result<(), OpenError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    match File::open(path) {
        Ok(file) => file.take(HEADER_BYTES as u64).read_to_end(&mut header),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => Err(error),
    }
    .map_err(|error| OpenError::from_io(path, &error))?;
    if header.is_empty() {
        return Ok(());
    }
    if header.len() < HEADER_BYTES || !header.starts_with(MAGIC) {
        return Err(OpenError::NotADatabase { path: path.to_path_buf() });
    }
    let id = header[APPLICATION_ID_AT..].first_chunk().map_or(0, |bytes| i32::from_be_bytes(*bytes));
    known(path, id)
}

/// Refuses the mark of another program.
pub(crate) fn known(path: &Path, id: i32) -> Result<(), OpenError> {
    if id == 0 || id == APPLICATION_ID {
        return Ok(());
    }
    Err(OpenError::NotRiverrun { path: path.to_path_buf(), why: format!("its application id is {id:#x}") })
}
