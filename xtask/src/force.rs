//! `cargo xtask force`: the tests by force, a program of their own in `force/`, built in release because a release is what
//! they are about. Everything behind the chore's name is that program's; it knows no option of it.

use anyhow::Result;
use clap::Args;

use crate::{
    process::{cargo, stream},
    repo::Repo,
};

/// What is passed on.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ForceOptions {
    /// `--help` tells what there is.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    passed_on: Vec<String>,
}

impl ForceOptions {
    /// A sample of every test, for the long list of checks.
    pub(crate) fn short() -> Self {
        Self { passed_on: vec!["--short".into()] }
    }
}

/// Builds the program and runs it; an error when it found a promise broken.
pub(crate) fn run(repo: &Repo, options: &ForceOptions) -> Result<()> {
    let mut args = vec!["run", "--release", "--package", "riverrun-force", "--"];
    args.extend(options.passed_on.iter().map(String::as_str));
    stream(cargo(&repo.root, &args))
}
