//! Templates that are part of the binary, indexed by the names a folder would give them. It must never allocate for a
//! lookup or look at the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use include_dir::{Dir, DirEntry};

use super::{MAX_TEMPLATE_BYTES, SourceError};
use crate::name;

/// The templates of the binary.
#[derive(Debug, Clone)]
pub(crate) struct Embedded {
    files: Arc<BTreeMap<&'static str, &'static str>>,
}

impl Embedded {
    pub(crate) fn new(dir: &'static Dir<'static>) -> Result<Self, SourceError> {
        let mut files = BTreeMap::new();
        collect(dir, &mut files)?;
        Ok(Self { files: Arc::new(files) })
    }

    pub(crate) fn list(&self) -> impl Iterator<Item = &'static str> {
        self.files.keys().copied()
    }

    pub(crate) fn get(&self, file: &str) -> Option<&'static str> {
        self.files.get(file).copied()
    }
}

fn collect(dir: &'static Dir<'static>, files: &mut BTreeMap<&'static str, &'static str>) -> Result<(), SourceError> {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => collect(dir, files)?,
            DirEntry::File(file) => {
                let Some(path) = file.path().to_str().filter(|path| name::is_template(path)) else { continue };
                if file.contents().len() as u64 > MAX_TEMPLATE_BYTES {
                    return Err(SourceError::TooLarge { file: path.to_owned() });
                }
                let text = file.contents_utf8().ok_or_else(|| SourceError::NotUtf8 { file: path.to_owned() })?;
                files.insert(path, text);
            }
        }
    }
    Ok(())
}
