//! What can be asked of the program, and what every test is given of it: the programs under test, a folder, a seed. It
//! decides nothing about any test.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use rand::{SeedableRng, rngs::StdRng};

use crate::programs::Programs;

/// The tests, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Test {
    /// kill -9 in a loop amid pushes.
    Kill,
    /// Power cut at each write of a run.
    Power,
    /// The k-th write, sync, open or read fails.
    Faults,
    /// No room on the disk.
    Full,
    /// Bytes of each page flipped.
    Torn,
    /// Nothing may be written, or nothing read.
    Closed,
}

/// Tests the release build of the template application on SQLite by force.
#[derive(Parser)]
#[command(name = "cargo xtask force", bin_name = "cargo xtask force", after_help = HELP)]
pub(crate) struct Options {
    /// A sample of each test, in about a minute and a half.
    #[arg(long)]
    pub(crate) short: bool,
    /// This test only; may be given more than once.
    #[arg(long, value_name = "TEST", value_enum)]
    pub(crate) only: Vec<Test>,
    /// Kills of the kill loop.
    #[arg(long, value_name = "N")]
    pub(crate) cycles: Option<u64>,
    /// What chance is drawn from; printed by every run.
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u64>,
    /// Features of workspace crates to build the server with, such as `riverrun-sqlite/planted`.
    #[arg(long, value_name = "CRATE/FEATURE")]
    pub(crate) features: Vec<String>,
    /// A variable of the server's environment, as NAME=VALUE; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
}

const HELP: &str = "Examples:
  cargo xtask force                       everything; about half an hour on two cores
  cargo xtask force --short               a sample of everything
  cargo xtask force --only kill --cycles 500 --seed 7
  cargo xtask force --only power --features riverrun-sqlite/planted --env RIVERRUN_PLANTED=SqliteNormal

The exit code is 1 when a promise was broken. Needs Linux and a C compiler. What a failed test left lies in
target/force.";

/// Reads `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.into(), value.into()))
}

/// What every test is given.
pub(crate) struct World {
    pub(crate) short: bool,
    pub(crate) seed: u64,
    pub(crate) cycles: Option<u64>,
    pub(crate) programs: Programs,
    pub(crate) env: Vec<(String, String)>,
    folder: PathBuf,
}

impl World {
    /// Builds what is tested.
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let seed = options.seed.unwrap_or_else(rand::random::<u64>);
        let own = std::env::current_exe().context("this program does not know its own path")?;
        let target = own.parent().and_then(|release| release.parent()).context("this program lies in no folder")?;
        let folder = target.join("force");
        fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let programs = Programs::build(&folder, &options.features)?;
        Ok(Self { short: options.short, seed, cycles: options.cycles, programs, env: options.env.clone(), folder })
    }

    /// An empty folder of this name, for one test.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        empty(self.folder.join(name))
    }

    /// An empty folder of this name in memory, where there is such a thing: for what is only read back by this program.
    pub(crate) fn fast_folder(&self, name: &str) -> Result<PathBuf> {
        let memory = PathBuf::from("/dev/shm");
        if !memory.is_dir() {
            return self.folder(name);
        }
        empty(memory.join(format!("riverrun-force-{}", std::process::id())).join(name))
    }

    /// Chance for one test, the same for the same seed.
    pub(crate) fn chance(&self, test: &str) -> StdRng {
        let mixed = test.bytes().fold(self.seed, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        StdRng::seed_from_u64(mixed)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(format!("/dev/shm/riverrun-force-{}", std::process::id()));
    }
}

fn empty(folder: PathBuf) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("failed to make {}", folder.display()))?;
    Ok(folder)
}
