//! The programs under test, built and put aside: the template application in release, the same at `synchronous=NORMAL`, and
//! the shim in front of the C library. A later build must not change what a running test starts, so each is a copy.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

/// The shim's source is part of this program, so that it can't be another version's.
const SHIM: &str = include_str!("../preload/shim.c");

/// Where the workspace lies.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What is tested.
pub(crate) struct Programs {
    /// The template application.
    pub(crate) server: PathBuf,
    /// The same, made to lose.
    pub(crate) control: PathBuf,
    /// What stands in front of the C library.
    pub(crate) shim: PathBuf,
}

impl Programs {
    /// Builds all three. `features` are of the application's crates, written as `crate/feature`.
    pub(crate) fn build(folder: &Path, features: &[String]) -> Result<Self> {
        let folder = folder.join("programs");
        fs::create_dir_all(&folder)?;
        let mut args = vec!["--package", "myapp", "--bin", "myapp"];
        for feature in features {
            let (package, _) = feature.split_once('/').with_context(|| format!("{feature} is not CRATE/FEATURE"))?;
            args.extend(["--package", package, "--features", feature]);
        }
        let server = cargo(&args, "myapp", &folder)?;
        let control = cargo(&["--package", "riverrun-force", "--bin", "control"], "control", &folder)?;
        let source = folder.join("shim.c");
        fs::write(&source, SHIM)?;
        let shim = folder.join("shim.so");
        run(Command::new("cc").args(["-O2", "-shared", "-fPIC", "-pthread", "-o"]).arg(&shim).arg(&source))?;
        Ok(Self { server, control, shim })
    }
}

fn cargo(args: &[&str], name: &str, folder: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).current_dir(ROOT).args(["build", "--release"]).args(args))?;
    let own = env::current_exe()?;
    let target = own.parent().and_then(Path::parent).context("this program lies in no folder")?;
    let built = target.join("release").join(name);
    let copy = folder.join(name);
    if fs::read(&copy).is_ok_and(|old| fs::read(&built).is_ok_and(|new| old == new)) {
        return Ok(copy);
    }
    // Written anew, not over: an old one may still be running.
    let _ = fs::remove_file(&copy);
    fs::copy(&built, &copy).with_context(|| format!("failed to copy {}", built.display()))?;
    Ok(copy)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("failed to start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{command:?} failed ({status})");
    }
    Ok(())
}
