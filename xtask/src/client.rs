//! `cargo xtask client`: builds the browser client, whose built file is committed and embedded by the server. The build
//! itself is the package's own `npm run build`; nothing about it is decided here.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{
    process::{command, find, stream},
    repo::Repo,
};

/// Where the browser client lives.
pub(crate) const CLIENT: &str = "packages/client";

/// Builds `packages/client/dist`, after installing the package's tools when they are missing.
pub(crate) fn build(repo: &Repo) -> Result<()> {
    install(repo, CLIENT)?;
    npm(repo, CLIENT, &["run", "build"])
}

/// Runs npm in a package's folder.
pub(crate) fn npm(repo: &Repo, package: &str, args: &[&str]) -> Result<()> {
    println!("in {package}:");
    stream(command("npm", &repo.path(package), args))
}

/// `npm ci`, but only when what is installed is older than the lock file.
pub(crate) fn install(repo: &Repo, package: &str) -> Result<()> {
    ensure!(find("npm").is_some(), "npm is not installed: install Node 20 or later, with npm");
    let lock = repo.path(package).join("package-lock.json");
    ensure!(lock.is_file(), "{package}/package-lock.json does not exist");
    // npm writes this file last, so a half-done installation counts as none.
    let installed = repo.path(package).join("node_modules/.package-lock.json");
    if is_newer(&installed, &lock)? {
        println!("{package}/node_modules is newer than package-lock.json: nothing to install");
        return Ok(());
    }
    npm(repo, package, &["ci", "--no-audit", "--no-fund"])
}

/// Whether `made` exists and is not older than `source`.
fn is_newer(made: &Path, source: &Path) -> Result<bool> {
    let changed = |path: &Path| {
        fs::metadata(path)
            .and_then(|meta| meta.modified())
            .with_context(|| format!("failed to look at {}", path.display()))
    };
    Ok(made.is_file() && changed(made)? >= changed(source)?)
}
