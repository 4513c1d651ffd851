//! `cargo xtask test`: every check and every test of the repository, on a machine that has cargo, Node and a C compiler.
//! It goes on after a failure so that one run shows them all, and its last line counts the tests of every runner.

mod act;
mod beside;
mod board;
mod counts;
mod plan;
mod setup;
mod summary;

use std::{path::PathBuf, thread, time::Instant};

use anyhow::{Result, ensure};
use clap::Args;

use self::{
    act::Acted,
    beside::Beside,
    board::Board,
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
    /// Run this step only (and what it needs installed), one step after the other; may be given more than once.
    #[arg(long, value_name = "STEP", value_enum)]
    only: Vec<Step>,
    /// Run one step after the other, and show all output as it comes.
    #[arg(long)]
    in_order: bool,
    /// A step of another run, which is told here what came of it.
    #[arg(long, value_name = "FILE", hide = true, requires = "only")]
    tell: Option<PathBuf>,
    /// The workspace was built in that run.
    #[arg(long, hide = true)]
    built: bool,
}

const HELP: &str = "Examples:
  cargo xtask test
  cargo xtask test --no-browser
  cargo xtask test --only client-test --only rust-test

Steps that compile or compute run beside those that mostly wait; what they say is shown when they
are over. `--in-order` runs one after the other. The step `fuzz` runs only when it is asked for: its
kept inputs are replayed by `rust-test`.

The last line is `N passed, M failed`: the tests of every runner together, where a step that fails
without a failed test (formatting, say, or a compile error) counts as one failure. Tests that were
skipped count as neither. The exit code is 1 when a step failed.";

/// Runs the steps; `Ok(false)` when one failed.
pub(crate) fn run(repo: &Repo, options: &TestOptions) -> Result<bool> {
    let metadata = Metadata::load(&repo.root)?;
    if let (Some(file), [step]) = (&options.tell, &*options.only) {
        let done = timed(repo, &metadata, *step, options.built);
        beside::tell(file, &done)?;
        return Ok(true);
    }
    let steps = plan(&options.only, options.no_browser);
    ensure!(!steps.is_empty(), "--no-browser leaves nothing of what --only asks for");
    let start = Instant::now();
    let is_beside = |step: &Step| options.only.is_empty() && !options.in_order && step.is_beside();
    let (others, own): (Vec<Step>, Vec<Step>) = steps.iter().copied().partition(is_beside);
    let (board, beside) = (Board::new(steps), Beside::new(&metadata, others)?);
    thread::scope(|scope| {
        scope.spawn(|| beside.run(&board));
        in_front(repo, &metadata, &own, &board, &beside)
    })?;
    let all = board.into_sorted();
    print!("{}", summary::table(&all, start.elapsed()));
    Ok(all.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_))))
}

/// Runs the steps whose output is shown as it comes, and shows between them what the others said.
fn in_front(repo: &Repo, metadata: &Metadata, own: &[Step], board: &Board, beside: &Beside) -> Result<()> {
    let mut shown = Vec::new();
    let mut wait_for = |needed: &[Step], who: &str| -> Result<()> {
        let mut said = None;
        loop {
            let seen = board.done().len();
            beside.show(board, &mut shown)?;
            let Some(missing) = board.missing(needed) else { return Ok(()) };
            if said != Some(missing) {
                println!("\n... {who} waits for {missing}, see {}", beside.words(missing).display());
                said = Some(missing);
            }
            board.wait(seen);
        }
    };
    for &step in own {
        wait_for(step.means_nothing_without(), &step.to_string())?;
        wait_for(step.comes_after(), &step.to_string())?;
        println!("\n=== {step}: {}", step.about());
        let done = match board.spoiled(step) {
            Some(why) => Done::skipped(step, why),
            None => timed(repo, metadata, step, board.was_built()),
        };
        println!("{}", done.line());
        board.put(done);
    }
    wait_for(&beside.steps, "the end")
}

fn timed(repo: &Repo, metadata: &Metadata, step: Step, built: bool) -> Done {
    let start = Instant::now();
    let (outcome, tests) = match act::act(repo, metadata, step, built) {
        Ok(Acted::Skipped(why)) => (Outcome::Skipped(why), Counts::default()),
        Ok(Acted::Ran { tests, failure: None }) => (Outcome::Ok, tests),
        Ok(Acted::Ran { tests, failure: Some(why) }) => (Outcome::Failed(format!("{why:#}")), tests),
        Err(error) => (Outcome::Failed(format!("{error:#}")), Counts::default()),
    };
    Done { step, outcome, tests, seconds: start.elapsed().as_secs_f64() }
}
