//! Templates in a folder on disk, and how a change of one is noticed. A file is found by the exact name the folder lists,
//! so that a file system which ignores case does not hide a mistake that the embedded templates would show. It must never
//! follow a name out of the root.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{MAX_TEMPLATE_BYTES, SourceError};
use crate::name;

/// How deep folders may be nested: a link back to its own parent must not be walked for ever.
const MAX_DEPTH: usize = 16;

/// How long after a write a file's time is not trusted. Two writes of equal length within one tick of the file system's
/// clock look alike; the coarsest one in use (FAT) ticks every two seconds.
const RACY: Duration = Duration::from_millis(2_500);

/// A folder of templates.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn open(root: PathBuf) -> Result<Self, SourceError> {
        if root.is_dir() { Ok(Self { root }) } else { Err(SourceError::NotAFolder { root }) }
    }

    /// The files of all templates, in order.
    pub(crate) fn list(&self) -> Result<Vec<String>, SourceError> {
        let mut files = Vec::new();
        self.walk("", 0, &mut files)?;
        files.sort_unstable();
        Ok(files)
    }

    fn walk(&self, below: &str, depth: usize, files: &mut Vec<String>) -> Result<(), SourceError> {
        if depth > MAX_DEPTH {
            return Err(SourceError::TooDeep { folder: below.to_owned() });
        }
        let unreadable = |error| SourceError::Unreadable { file: format!("{below}/"), error };
        for entry in fs::read_dir(self.root.join(below)).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(part) = entry.file_name().into_string() else { continue };
            if part.starts_with('.') {
                continue;
            }
            let file = if below.is_empty() { part } else { format!("{below}/{part}") };
            // A link counts as what it leads to; a dangling one, as editors leave for a lock, as nothing.
            match fs::metadata(entry.path()) {
                Ok(data) if data.is_dir() => self.walk(&file, depth + 1, files)?,
                Ok(data) if data.is_file() && name::is_template(&file) => files.push(file),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether there is a template `file`, spelt exactly so.
    pub(crate) fn has(&self, file: &str) -> bool {
        if !name::is_template(file) {
            return false;
        }
        let mut folder = self.root.clone();
        for part in file.split('/') {
            let Ok(entries) = fs::read_dir(&folder) else { return false };
            if !entries.flatten().any(|entry| entry.file_name() == part) {
                return false;
            }
            folder.push(part);
        }
        folder.is_file()
    }

    /// The text of `file`; `None` if there is no such template.
    pub(crate) fn read(&self, file: &str) -> Result<Option<String>, SourceError> {
        if !self.has(file) {
            return Ok(None);
        }
        let path = self.path(file);
        match fs::metadata(&path) {
            Ok(data) if data.len() > MAX_TEMPLATE_BYTES => {
                return Err(SourceError::TooLarge { file: file.to_owned() });
            }
            _ => {}
        }
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(SourceError::NotUtf8 { file: file.to_owned() })
            }
            Err(error) => Err(SourceError::Unreadable { file: file.to_owned(), error }),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        file.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    /// What `file` looked like when `text` was read from it. Taken before the read, so that a write in between shows.
    pub(crate) fn stamp(&self, file: &str) -> Stamp {
        let path = self.path(file);
        let seen = Seen::of(&path);
        let trusted = seen.as_ref().is_some_and(|seen| !seen.is_racy());
        Stamp { path, seen, trusted }
    }
}

/// What a file looked like at a moment, to tell whether it changed since.
#[derive(Debug)]
pub(crate) struct Stamp {
    path: PathBuf,
    seen: Option<Seen>,
    /// Whether equal times mean equal text: not if the file was young when it was read.
    trusted: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    modified: SystemTime,
    bytes: u64,
}

impl Seen {
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok()?;
        Some(Self { modified: data.modified().ok()?, bytes: data.len() })
    }

    /// Whether the file was written so recently that its time can't tell the next write from the last one.
    fn is_racy(&self) -> bool {
        self.modified.elapsed().map_or(true, |age| age < RACY)
    }
}

impl Stamp {
    /// Whether the file still holds `text`. Costs one look at the file's metadata, and a read as well if the file had
    /// just been written when it was stamped.
    pub(crate) fn is_current(&self, text: &str) -> bool {
        match (&self.seen, Seen::of(&self.path)) {
            (Some(seen), Some(now)) if *seen == now => {
                self.trusted || fs::read_to_string(&self.path).is_ok_and(|now| now == text)
            }
            _ => false,
        }
    }
}
