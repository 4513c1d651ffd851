//! `cargo xtask bundle`: puts the templates into the folder of `crates/cli`, for packing that crate: a package holds nothing
//! from outside of its folder, and no folder that is a package of its own. The bundle is no second source: it is made anew
//! each time, not committed, and not looked at where the templates themselves are there.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::repo::Repo;

/// Where the crate's build looks for them.
const BUNDLE: &str = "crates/cli/bundle";

/// What a new application is made of: the templates, and how the workspace builds them.
const PARTS: [&str; 4] = ["templates/sync/", "templates/minimal/", "Cargo.toml", "Cargo.lock"];

/// What a manifest's name has added, so that its folder is no package.
const SUFFIX: &str = ".bundled";

/// Makes the bundle.
pub(crate) fn make(repo: &Repo) -> Result<()> {
    let bundle = repo.path(BUNDLE);
    if bundle.exists() {
        fs::remove_dir_all(&bundle).with_context(|| format!("failed to remove {BUNDLE}"))?;
    }
    let mut count = 0;
    for path in repo.files()? {
        let belongs = PARTS.iter().any(|part| path == *part || (part.ends_with('/') && path.starts_with(part)));
        if !belongs || !repo.path(&path).is_file() {
            continue;
        }
        let is_manifest = Path::new(&path).file_name().is_some_and(|name| name == "Cargo.toml");
        let to = bundle.join(if is_manifest { format!("{path}{SUFFIX}") } else { path.clone() });
        let folder = to.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
        fs::copy(repo.path(&path), &to).with_context(|| format!("failed to copy {path}"))?;
        count += 1;
    }
    println!("{count} files are in {BUNDLE}; `cargo package --package riverrun-cli --allow-dirty` packs them");
    Ok(())
}
