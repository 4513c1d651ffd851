//! `cargo xtask test`: every check and every test of the repository, on a machine that has cargo, Node and a C compiler.
//! It goes on after a failure so that one run shows them all, and its last line counts the tests of every runner.

mod act;
mod counts;
mod plan;
mod setup;
mod summary;

use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;

use self::{
    act::Acted,
    counts::Counts,
    plan::{Step, plan},
    summary::{Done, Outcome},
};
use crate::{metadata::Metadata, repo::Repo};

/// What to run.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct TestOptions {
    /// Leave out the browser tests, and do not install a browser.
    #[arg(long)]
    no_browser: bool,
    /// Run this step only (and what it needs installed); may be given more than once.
    #[arg(long, value_name = "STEP", value_enum)]
    only: Vec<Step>,
}

const HELP: &str = "Examples:
  cargo xtask test
  cargo xtask test --no-browser
  cargo xtask test --only client-test --only rust-test

The last line is `N passed, M failed`: the tests of every runner together, where a step that fails
without a failed test (formatting, say, or a compile error) counts as one failure. Tests that were
skipped count as neither. The exit code is 1 when a step failed.";

/// Runs the steps; `Ok(false)` when one failed.
pub(crate) fn run(repo: &Repo, options: &TestOptions) -> Result<bool> {
    let steps = plan(&options.only, options.no_browser);
    ensure!(!steps.is_empty(), "--no-browser leaves nothing of what --only asks for");
    let metadata = Metadata::load(&repo.root)?;
    let mut all: Vec<Done> = Vec::new();
    for (place, &step) in (1..).zip(&steps) {
        println!("\n=== {place}/{} {step}: {}", steps.len(), step.about());
        let start = Instant::now();
        let (outcome, tests) = attempt(repo, &metadata, step, &all);
        let done = Done { step, outcome, tests, seconds: start.elapsed().as_secs_f64() };
        match &done.outcome {
            Outcome::Ok => println!("--- {step} ok, {:.1} s", done.seconds),
            Outcome::Failed(why) => println!("--- {step} FAILED, {:.1} s: {why}", done.seconds),
            Outcome::Skipped(why) => println!("--- {step} SKIPPED: {why}"),
        }
        all.push(done);
    }
    print!("{}", summary::table(&all));
    Ok(all.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_))))
}

/// One step, unless one before it failed whose failure says all there is to say.
fn attempt(repo: &Repo, metadata: &Metadata, step: Step, before: &[Done]) -> (Outcome, Counts) {
    let spoiled = before
        .iter()
        .find(|done| !matches!(done.outcome, Outcome::Ok) && step.means_nothing_without().contains(&done.step));
    if let Some(done) = spoiled {
        return (Outcome::Skipped(format!("{} did not succeed", done.step)), Counts::default());
    }
    match act::act(repo, metadata, step) {
        Ok(Acted::Skipped(why)) => (Outcome::Skipped(why), Counts::default()),
        Ok(Acted::Ran { tests, failure: None }) => (Outcome::Ok, tests),
        Ok(Acted::Ran { tests, failure: Some(why) }) => (Outcome::Failed(format!("{why:#}")), tests),
        Err(error) => (Outcome::Failed(format!("{error:#}")), Counts::default()),
    }
}
