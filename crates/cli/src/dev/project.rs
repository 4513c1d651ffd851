//! The application as cargo knows it: its package, its program, what it is built from and where. It must never decide how
//! something is built; cargo does.

use std::{
    collections::{BTreeSet, HashMap},
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, Package, PackageId, TargetKind};

use crate::outcome::Usage;

#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The package's name.
    pub(crate) name: String,
    /// The program's name.
    pub(crate) program: String,
    pub(crate) manifest: PathBuf,
    /// The folder of the manifest.
    pub(crate) root: PathBuf,
    /// The folders of all packages it is built from that lie on this machine as sources, its own included.
    pub(crate) sources: Vec<PathBuf>,
    /// How many packages it is built from, its own included.
    pub(crate) packages: usize,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// Where cargo keeps what it needs for the next build: the same, unless somebody set it apart.
    pub(crate) parts: PathBuf,
    /// Others may keep theirs there too: it lies outside of the application's own workspace.
    pub(crate) is_shared: bool,
    /// Those of the packages it is built from that are of its own workspace, by name.
    pub(crate) members: Vec<String>,
}

/// The cargo that started this program, or the one on the search path.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

impl Project {
    /// The application whose `Cargo.toml` is that of `dir` or of a folder above it.
    pub(crate) fn find(dir: &Path, program: Option<&str>) -> anyhow::Result<Self> {
        if !dir.ancestors().any(|dir| dir.join("Cargo.toml").is_file()) {
            let text = "there is no application here: run it in the directory of one, or make one with `riverrun new`";
            return Err(Usage(text.to_owned()).into());
        }
        let mut command = MetadataCommand::new();
        command.cargo_path(cargo()).current_dir(dir);
        if let Some(host) = host() {
            command.other_options(["--filter-platform".to_owned(), host]);
        }
        let metadata = command.exec().context("cargo can't read the application's Cargo.toml")?;
        let package = match (metadata.root_package(), &*metadata.workspace_default_packages()) {
            (Some(package), _) => package,
            (None, [package]) => *package,
            (None, _) => bail!(Usage("this is a workspace: run it in the directory of one of its packages".to_owned())),
        };
        let (packages, local) = below(&metadata, &package.id);
        let parts = metadata.build_directory.as_ref().unwrap_or(&metadata.target_directory);
        let folder = |package: &&Package| package.manifest_path.parent().map(PathBuf::from);
        let is_member = |package: &&&Package| metadata.workspace_members.contains(&package.id);
        Ok(Self {
            name: package.name.to_string(),
            program: choose(package, program)?,
            manifest: package.manifest_path.clone().into(),
            root: package.manifest_path.parent().map(PathBuf::from).unwrap_or_default(),
            sources: local.iter().filter_map(folder).collect(),
            packages,
            target: metadata.target_directory.clone().into(),
            parts: parts.into(),
            is_shared: !parts.starts_with(&metadata.workspace_root),
            members: local.iter().filter(is_member).map(|package| package.name.to_string()).collect(),
        })
    }

    /// Whether nothing was built yet.
    pub(crate) fn is_new(&self) -> bool {
        !self.built().exists()
    }

    /// Where cargo puts the program, unless it is told to build for another target.
    pub(crate) fn built(&self) -> PathBuf {
        self.target.join("debug").join(format!("{}{}", self.program, env::consts::EXE_SUFFIX))
    }

    /// Where it is noted whose program that is, if the directory is shared.
    pub(crate) fn note(&self) -> PathBuf {
        self.target.join("debug").join(format!(".riverrun-{}", self.program))
    }
}

/// The triple this machine's compiler builds for.
fn host() -> Option<String> {
    let told = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output().ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    told.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

fn choose(package: &Package, wanted: Option<&str>) -> anyhow::Result<String> {
    let is_program = |target: &&cargo_metadata::Target| target.kind.contains(&TargetKind::Bin);
    let names: Vec<_> = package.targets.iter().filter(is_program).map(|target| target.name.as_str()).collect();
    let list = names.join(", ");
    let name = match (wanted.or(package.default_run.as_deref()), &*names) {
        (Some(name), names) if names.contains(&name) => name,
        (Some(name), _) => bail!(Usage(format!("{} has no program {name}; it has {list}", package.name))),
        (None, [name]) => name,
        (None, []) => bail!(Usage(format!("{} has no program to run", package.name))),
        (None, _) => bail!(Usage(format!("{} has several programs ({list}): name one with --bin", package.name))),
    };
    Ok(name.to_owned())
}

/// What a package is built from, tests left out: how many packages, and those that may be edited.
fn below<'a>(metadata: &'a Metadata, root: &'a PackageId) -> (usize, Vec<&'a Package>) {
    let nodes: HashMap<&PackageId, &Node> =
        metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (&node.id, node)).collect();
    let mut all = BTreeSet::from([root]);
    let mut next = vec![root];
    while let Some(id) = next.pop() {
        for dependency in nodes.get(id).into_iter().flat_map(|node| &node.deps) {
            let is_built = |info: &cargo_metadata::DepKindInfo| info.kind != DependencyKind::Development;
            if dependency.dep_kinds.iter().any(is_built) && all.insert(&dependency.pkg) {
                next.push(&dependency.pkg);
            }
        }
    }
    let local = metadata.packages.iter().filter(|package| package.source.is_none() && all.contains(&package.id));
    (all.len(), local.collect())
}
