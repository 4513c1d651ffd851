//! A copy of the template application that stands alone, as an application made from it would, but builds on this
//! checkout of riverrun. It lies below the target folder and shares the workspace's build, so that what is compiled once
//! is not compiled again; its own results it keeps apart, because it has the template's name.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::TEMPLATE;
use crate::{metadata::Metadata, process, repo::Repo};

/// The template's package, and its program.
pub(super) const PACKAGE: &str = "myapp";

/// How the template names the crates of the checkout it lies in.
const CRATES: &str = "\"../../crates/";

pub(super) struct Copy {
    /// For everything of one walk.
    pub(super) folder: PathBuf,
    /// The application's own folder.
    pub(super) app: PathBuf,
    /// Where the workspace builds.
    build: PathBuf,
}

impl Copy {
    /// Cargo, in the copy.
    pub(super) fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = process::cargo(&self.app, args);
        cargo.env("CARGO_TARGET_DIR", self.results()).env("CARGO_BUILD_BUILD_DIR", &self.build);
        cargo
    }

    /// The program that `cargo test` builds for the application's tests.
    pub(super) fn program(&self) -> PathBuf {
        self.results().join("debug").join(PACKAGE)
    }

    fn results(&self) -> PathBuf {
        self.folder.join("results")
    }
}

/// Makes the copy anew.
pub(super) fn make(repo: &Repo, metadata: &Metadata) -> Result<Copy> {
    let folder = metadata.target_directory.join("xtask/tutorial");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to remove {}", folder.display()))?;
    }
    let app = folder.join(PACKAGE);
    let inside = format!("{TEMPLATE}/");
    for path in repo.files()? {
        let (Some(below), file) = (path.strip_prefix(&inside), repo.path(&path)) else { continue };
        if file.is_file() {
            let bytes = fs::read(&file).with_context(|| format!("failed to read {path}"))?;
            write(&app.join(below), &bytes)?;
        }
    }
    let read = |path: &str| fs::read_to_string(repo.path(path)).with_context(|| format!("failed to read {path}"));
    let manifest = stand_alone(&read(&format!("{TEMPLATE}/Cargo.toml"))?, &read("Cargo.toml")?, &repo.root)?;
    write(&app.join("Cargo.toml"), manifest.as_bytes())?;
    write(&app.join("Cargo.lock"), read("Cargo.lock")?.as_bytes())?;
    // The target folder may lie elsewhere, where the house's way to format is not found by itself.
    write(&app.join("rustfmt.toml"), read("rustfmt.toml")?.as_bytes())?;
    Ok(Copy { folder, app, build: metadata.target_directory.clone() })
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("failed to make {}", folder.display()))?;
    fs::write(file, bytes).with_context(|| format!("failed to write {}", file.display()))
}

/// The template's manifest as that of a workspace of its own, with the profiles of the one it came from: with others
/// everything would be compiled once more.
fn stand_alone(manifest: &str, workspace: &str, root: &Path) -> Result<String> {
    ensure!(manifest.contains(CRATES), "{TEMPLATE}/Cargo.toml names no crate by {CRATES}");
    let crates = format!("\"{}/crates/", root.display().to_string().replace('\\', "/"));
    let mut whole = manifest.replace(CRATES, &crates) + "\n[workspace]\n";
    let mut is_profile = false;
    for line in workspace.lines() {
        if line.starts_with('[') {
            is_profile = line.starts_with("[profile.");
        }
        if is_profile {
            whole.push_str(line);
            whole.push('\n');
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::stand_alone;

    #[test]
    fn the_copy_s_manifest_names_the_checkout_and_keeps_its_profiles() {
        let workspace = "[workspace]\nmembers = []\n\n[profile.dev]\ndebug = false\n\n[lints]\nx = 1\n";
        let told = stand_alone("riverrun = { path = \"../../crates/riverrun\" }\n", workspace, Path::new("/srv/r"));
        let expected =
            "riverrun = { path = \"/srv/r/crates/riverrun\" }\n\n[workspace]\n[profile.dev]\ndebug = false\n\n";
        assert_eq!(told.unwrap(), expected);
    }

    #[test]
    fn a_template_that_names_its_crates_in_another_way_is_an_error() {
        assert!(stand_alone("riverrun = \"1\"\n", "", Path::new("/srv/r")).is_err());
    }
}
