//! The repository on disk: where its root is and which text files belong to it. It only reads.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::process::{cargo, command, output};

/// Folders that hold what tools made, in case git is not there to say so.
const MADE_BY_TOOLS: [&str; 3] = [".git", "node_modules", "target"];

/// The repository that the command was started in.
pub(crate) struct Repo {
    /// The folder of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
}

/// One text file of the repository.
pub(crate) struct TextFile {
    /// Relative to the root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Repo {
    /// Finds the workspace around the current folder.
    pub(crate) fn find() -> Result<Self> {
        let manifest = output(cargo(Path::new("."), &["locate-project", "--workspace", "--message-format", "plain"]))?;
        let root = Path::new(manifest.trim_end()).parent().context("the workspace's Cargo.toml lies in no folder")?;
        Ok(Self { root: root.to_owned() })
    }

    /// A path inside the repository.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The paths of the files that are committed or would be by `git add --all`, relative to the root and sorted. One
    /// that was deleted a moment ago may be among them.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut paths = self.listed_by_git().map_or_else(|_| self.walked(), Ok)?;
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    /// Those of [`Self::files`] that are text. A file that is not UTF-8 is no text file.
    pub(crate) fn text_files(&self) -> Result<Vec<TextFile>> {
        let paths = self.files()?;
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            match fs::read(self.path(&path)) {
                Ok(bytes) => files.extend(String::from_utf8(bytes).ok().map(|text| TextFile { path, text })),
                // Deleted but still in git's index, or a link to a folder.
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) => {}
                Err(error) => return Err(error).with_context(|| format!("failed to read {path}")),
            }
        }
        Ok(files)
    }

    fn listed_by_git(&self) -> Result<Vec<String>> {
        // A checkout that belongs to another user is usual in containers, and listing names is harmless.
        let args = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = output(command("git", &self.root, &args))?;
        Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
    }

    /// For an unpacked archive, or a machine without git.
    fn walked(&self) -> Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(self.path(&folder)).with_context(|| format!("failed to list {folder:?}"))? {
                let entry = entry?;
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if !entry.file_type()?.is_dir() {
                    files.push(path);
                } else if !MADE_BY_TOOLS.contains(&name.as_str()) {
                    folders.push(path);
                }
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::Repo;

    #[test]
    fn git_and_a_walk_agree_on_this_crate_s_own_sources() {
        let repo = Repo::find().unwrap();
        let own = |mut paths: Vec<String>| {
            paths.retain(|path| path.starts_with("xtask/src/"));
            paths.sort();
            paths
        };
        let walked = own(repo.walked().unwrap());
        assert!(walked.contains(&"xtask/src/repo.rs".to_owned()), "{walked:?}");
        if let Ok(listed) = repo.listed_by_git() {
            assert_eq!(own(listed), walked);
        }
    }
}
