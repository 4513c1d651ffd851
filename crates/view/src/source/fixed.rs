//! Templates that stay as they are while the program runs: those of the binary, or those of a folder that was read once.
//! They are indexed by the names a folder gives them. They must never look at the disk for a lookup.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use include_dir::{Dir, DirEntry};

use super::{Folder, MAX_TEMPLATE_BYTES, SourceError};
use crate::name;

type Files = BTreeMap<Cow<'static, str>, Cow<'static, str>>;

/// Templates in memory.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    files: Arc<Files>,
}

impl Fixed {
    /// The templates of the binary.
    pub(crate) fn embedded(dir: &'static Dir<'static>) -> Result<Self, SourceError> {
        let mut files = Files::new();
        collect(dir, &mut files)?;
        Ok(Self { files: Arc::new(files) })
    }

    /// The templates of `folder` as they are now.
    pub(crate) fn read(folder: &Folder) -> Result<Self, SourceError> {
        let mut files = Files::new();
        for file in folder.list()? {
            if let Some(text) = folder.read(&file)? {
                files.insert(file.into(), text.into());
            }
        }
        Ok(Self { files: Arc::new(files) })
    }

    /// Every template's name and text, in order. What the binary holds is borrowed from it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Cow<'static, str>, &Cow<'static, str>)> {
        self.files.iter()
    }

    pub(crate) fn get(&self, file: &str) -> Option<&str> {
        self.files.get(file).map(AsRef::as_ref)
    }
}

fn collect(dir: &'static Dir<'static>, files: &mut Files) -> Result<(), SourceError> {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => collect(dir, files)?,
            DirEntry::File(file) => {
                let Some(path) = file.path().to_str().filter(|path| name::is_template(path)) else { continue };
                if file.contents().len() as u64 > MAX_TEMPLATE_BYTES {
                    return Err(SourceError::TooLarge { file: path.to_owned() });
                }
                let text = file.contents_utf8().ok_or_else(|| SourceError::NotUtf8 { file: path.to_owned() })?;
                files.insert(path.into(), text.into());
            }
        }
    }
    Ok(())
}
