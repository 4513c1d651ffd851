//! Makes a fresh Debian machine able to run the browser tests. Elsewhere it installs nothing and says what to install.

use std::{env, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    process::{command, find, output, stream},
    repo::Repo,
};

/// Names a browser of the kind goes by, Debian's first.
const BROWSERS: [&str; 2] = ["chromium", "chromium-browser"];

/// Where the browser tests look for another browser than Debian's.
pub(super) const BROWSER_VARIABLE: &str = "CHROMIUM";

/// The browser to test in: the one named by the environment, or one on the search path.
pub(super) fn browser() -> Option<PathBuf> {
    match env::var_os(BROWSER_VARIABLE) {
        Some(path) => Some(path.into()),
        None => BROWSERS.iter().find_map(|name| find(name)),
    }
}

/// Sees to it that there is a browser: installs Debian's when there is none, this is Debian and we may.
pub(super) fn install_browser(repo: &Repo) -> Result<()> {
    if let Some(path) = browser() {
        println!("the browser is {}", path.display());
        return Ok(());
    }
    if find("apt-get").is_none() || !is_root(repo) {
        bail!(
            "Chromium is not installed: install it (on Debian as root: apt-get install chromium) or run with --no-browser"
        );
    }
    for args in [&["update"][..], &["install", "-y", "--no-install-recommends", "chromium"]] {
        let mut apt = command("apt-get", &repo.root, args);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        stream(apt)?;
    }
    browser().map(drop).context("apt-get installed chromium, but there is no program of that name")
}

fn is_root(repo: &Repo) -> bool {
    output(command("id", &repo.root, &["-u"])).is_ok_and(|user| user.trim() == "0")
}
