//! Where the new application takes riverrun from: a released version, a git revision, or a checkout on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use toml_edit::InlineTable;

/// A checkout's crate, below its root.
const CRATE: &str = "crates/riverrun/Cargo.toml";

/// Where riverrun comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A version from the registry.
    Version(String),
    /// A repository, at a revision or its default branch.
    Git { url: String, revision: Option<String> },
    /// The root of a checkout.
    Path(PathBuf),
}

impl Source {
    /// A checkout.
    pub(crate) fn path(given: &Path) -> Result<Self> {
        let root = std::path::absolute(given).with_context(|| format!("{} is no path", given.display()))?;
        ensure!(root.join(CRATE).is_file(), "{} is no checkout of riverrun: it has no {CRATE}", given.display());
        // Windows' own absolute form would not be read back by cargo.
        let root = if cfg!(unix) { root.canonicalize()? } else { root };
        Ok(Self::Path(root))
    }

    /// Where this very binary came from: the checkout it was built in, if that is still there, else the version it is.
    pub(crate) fn own() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self::path(&here).unwrap_or_else(|_| Self::Version(env!("CARGO_PKG_VERSION").to_owned()))
    }

    /// What a dependency on one of riverrun's crates says. `folder` is the crate's place in a checkout.
    pub(crate) fn dependency(&self, folder: &str) -> InlineTable {
        let mut table = InlineTable::new();
        match self {
            Self::Version(version) => {
                table.insert("version", version.as_str().into());
            }
            Self::Git { url, revision } => {
                table.insert("git", url.as_str().into());
                if let Some(revision) = revision {
                    table.insert("rev", revision.as_str().into());
                }
            }
            Self::Path(root) => {
                let path = root.join(folder).to_string_lossy().replace('\\', "/");
                table.insert("path", path.into());
            }
        }
        table
    }

    /// For people.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Version(version) => format!("version {version}"),
            Self::Git { url, revision: Some(revision) } => format!("{url} at {revision}"),
            Self::Git { url, revision: None } => url.clone(),
            Self::Path(root) => format!("the checkout in {}", root.display()),
        }
    }
}
