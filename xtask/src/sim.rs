//! `cargo xtask sim`: many seeds of the simulation, built in release because the seeds are many. What a run is, and what it
//! found, is said by the test kit's example of that name; nothing is decided here.

use anyhow::Result;
use clap::Args;

use crate::{
    metadata::Metadata,
    process::{cargo, command, stream},
    repo::Repo,
};

/// The test kit's example that runs them.
const EXAMPLE: &str = "sim";

/// Seeds of the long list of checks: about two minutes of one core.
const CHECKED: u64 = 500;

/// Which seeds.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct SimOptions {
    /// How many seeds.
    #[arg(long, default_value_t = CHECKED)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many run at a time.
    #[arg(long, default_value_t = 1)]
    jobs: u64,
    /// What else the example takes: `--store`, `--app`, `--trace`, `--keep-going`.
    #[arg(last = true, value_name = "OPTIONS")]
    passed_on: Vec<String>,
}

const HELP: &str = "Examples:
  cargo xtask sim --seeds 50000 --jobs 2       a long run
  cargo xtask sim --seeds 1 --from 4711        one seed, as a failure names it
  cargo xtask sim --seeds 1 --from 4711 -- --trace   with every line of what happened";

impl Default for SimOptions {
    fn default() -> Self {
        Self { seeds: CHECKED, from: 0, jobs: 1, passed_on: Vec::new() }
    }
}

/// Builds the simulation and runs it; an error when a promise was broken.
pub(crate) fn run(repo: &Repo, options: &SimOptions) -> Result<()> {
    // With the tests by force, though not one of them is built here: what both stand on is compiled once then.
    let build = ["build", "--release", "--quiet", "--package", "riverrun-testkit", "--package", "riverrun-force"];
    stream(cargo(&repo.root, &[&build[..], &["--example", EXAMPLE]].concat()))?;
    let numbers = [options.seeds, options.from, options.jobs].map(|number| number.to_string());
    let mut args = Vec::new();
    for (name, number) in ["--seeds", "--from", "--jobs"].into_iter().zip(&numbers) {
        args.extend([name, number]);
    }
    args.extend(options.passed_on.iter().map(String::as_str));
    let program = Metadata::load(&repo.root)?.target_directory.join("release/examples").join(EXAMPLE);
    stream(command(program, &repo.root, &args))
}
