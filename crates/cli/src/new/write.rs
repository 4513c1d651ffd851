//! Writing the new application: all of it in a directory beside, which then takes the name, or nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use super::Files;

/// Refuses a place where something is already.
pub(crate) fn is_free(directory: &Path) -> Result<()> {
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => bail!("{} is not empty; name a directory that is not there yet", directory.display()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            bail!("{} is a file; name a directory that is not there yet", directory.display())
        }
        Err(error) => Err(error).with_context(|| format!("{} can't be used", directory.display())),
    }
}

/// Writes the files and then gives the directory its name. `finish` is run on it before, and undoes all if it fails.
pub(crate) fn write(directory: &Path, files: &Files, finish: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    is_free(directory)?;
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("{} can't be made", parent.display()))?;
    let name = directory.file_name().context("the path names no directory")?.to_string_lossy();
    let beside = parent.join(format!(".{name}.{}", std::process::id()));
    let made = fill(&beside, files).and_then(|()| finish(&beside)).and_then(|()| take_name(&beside, directory));
    if made.is_err() {
        // What was begun goes; the failure itself is told.
        let _ = fs::remove_dir_all(&beside);
    }
    made
}

fn fill(beside: &Path, files: &Files) -> Result<()> {
    fs::create_dir(beside).with_context(|| format!("{} can't be made", beside.display()))?;
    for (path, bytes) in files {
        let file: PathBuf = beside.join(path);
        let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, bytes));
        written.with_context(|| format!("{path} can't be written"))?;
    }
    Ok(())
}

fn take_name(beside: &Path, directory: &Path) -> Result<()> {
    // A directory that is there is empty, and a rename takes its place; Windows wants it gone first.
    if cfg!(windows) && directory.is_dir() {
        fs::remove_dir(directory)?;
    }
    fs::rename(beside, directory).with_context(|| format!("{} can't be given its name", directory.display()))
}
