//! What cargo knows about the workspace: its packages, what each declares, and what each really stands on. Everything
//! here asks cargo and reads the answer; nothing parses a manifest.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process::{cargo, output};

/// The workspace as `cargo metadata --no-deps` tells it.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) target_directory: std::path::PathBuf,
}

/// One member of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: std::path::PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    /// Each feature's name, and what it switches on.
    pub(crate) features: std::collections::BTreeMap<String, Vec<String>>,
}

/// A dependency as a manifest declares it.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` is a normal dependency; else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Asks cargo.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let told = output(cargo(root, &["metadata", "--format-version", "1", "--no-deps"]))?;
        serde_json::from_str(&told).context("failed to read what `cargo metadata` says")
    }

    /// The member whose manifest lies in `folder`, relative to the root.
    pub(crate) fn in_folder(&self, root: &Path, folder: &str) -> Option<&Package> {
        let manifest = root.join(folder).join("Cargo.toml");
        self.packages.iter().find(|package| package.manifest_path == manifest)
    }

    /// The members under `folder`, relative to the root.
    pub(crate) fn under<'a>(&'a self, root: &Path, folder: &str) -> impl Iterator<Item = &'a Package> {
        let folder = root.join(folder);
        self.packages.iter().filter(move |package| package.manifest_path.starts_with(&folder))
    }
}

/// One crate that a package stands on.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Resolved {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The features it is built with, resolved for the asked package alone.
    pub(crate) features: Vec<String>,
}

/// Every crate `package` is built from, itself included, each once. `edges` is what `cargo tree --edges` takes;
/// `target` is a target triple, or the host.
pub(crate) fn tree(root: &Path, package: &str, edges: &str, target: Option<&str>) -> Result<BTreeSet<Resolved>> {
    let mut args = vec!["tree", "--package", package, "--edges", edges, "--prefix", "none", "--format", "{p}|{f}"];
    args.extend(target.iter().flat_map(|triple| ["--target", *triple]));
    let told = output(cargo(root, &args))?;
    told.lines().filter(|line| !line.trim().is_empty()).map(read_line).collect()
}

/// Reads `serde v1.0.229|alloc,derive (*)`; what follows the version, such as a path or `(proc-macro)`, says nothing
/// about which crate it is.
fn read_line(line: &str) -> Result<Resolved> {
    let unexpected = || format!("failed to read this line of `cargo tree`: {line}");
    let (package, features) = line.split_once('|').with_context(unexpected)?;
    let mut words = package.split_whitespace();
    let name = words.next().with_context(unexpected)?;
    let version = words.next().with_context(unexpected)?;
    let features = features.trim_end_matches("(*)").trim();
    let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect();
    Ok(Resolved { name: name.to_owned(), version: version.to_owned(), features })
}

#[cfg(test)]
mod tests {
    use super::{Resolved, read_line};

    fn check(line: &str, name: &str, version: &str, features: &[&str]) {
        let features = features.iter().map(|&feature| feature.to_owned()).collect();
        let expected = Resolved { name: name.to_owned(), version: version.to_owned(), features };
        assert_eq!(read_line(line).unwrap(), expected, "{line}");
    }

    #[test]
    fn a_line_of_the_tree_is_read_whatever_stands_beside_it() {
        check("memchr v2.8.3|", "memchr", "v2.8.3", &[]);
        check("serde v1.0.229|alloc,derive,rc", "serde", "v1.0.229", &["alloc", "derive", "rc"]);
        check("serde v1.0.229|alloc,derive (*)", "serde", "v1.0.229", &["alloc", "derive"]);
        check("serde_derive v1.0.229 (proc-macro)|default", "serde_derive", "v1.0.229", &["default"]);
        check("riverrun-core v0.1.0 (/srv/riverrun/crates/core)|", "riverrun-core", "v0.1.0", &[]);
    }

    #[test]
    fn a_line_of_another_shape_is_an_error_and_not_an_empty_tree() {
        assert!(read_line("serde v1.0.229").is_err());
        assert!(read_line("|alloc").is_err());
    }
}
